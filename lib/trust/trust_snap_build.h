/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_TRUST_SNAP_BUILD_H
#define TRUST_TRUST_SNAP_BUILD_H

#include "cluster/snap_write.h"
#include "cluster/trust_snap.h"
#include "cluster/wr.h"

/* Between trust_snap_build.c, trust_snap_grants_build.c and trust_snap_nodes_build.c. */

struct trust_builder {
	const struct trust_documents *from;
	const struct directory_node *node;
	struct snap_writer *w;
	struct wr body; /* the record being made */
	struct diag *d;
};

/* As memcmp, a beginning before what goes on. */
int trust_key_order(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n);
void trust_put_roles(struct wr *w, char (*roles)[NAME_ROLE_MAX + 1], size_t n);
void trust_begin(struct trust_builder *b, size_t limit);
enum cluster_err trust_end_record(struct trust_builder *b, enum snap_trust_section type, uint32_t *ret_offset) CLUSTER_MUST_USE;

/* GRANTS; NODES and HOSTKEYS; HOPS. */
enum cluster_err trust_build_grants(struct trust_builder *b) CLUSTER_MUST_USE;
enum cluster_err trust_build_nodes(struct trust_builder *b) CLUSTER_MUST_USE;
enum cluster_err trust_build_hops(struct trust_builder *b) CLUSTER_MUST_USE;

#endif
