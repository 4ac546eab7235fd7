/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_TRUST_SNAP_PART_H
#define TRUST_TRUST_SNAP_PART_H

#include "cluster/trust_snap.h"

/* Between trust_snap_read.c and trust_snap_nodes.c. */

enum cluster_err trust_take_id(struct rd *r, struct cluster_id *ret) CLUSTER_MUST_USE;
enum cluster_err trust_take_roles(struct rd *r, char (*roles)[NAME_ROLE_MAX + 1], size_t *ret_n) CLUSTER_MUST_USE;
/* The record whose body begins with exactly this key (str16); *ret stands behind it. */
enum cluster_err trust_find_keyed(const struct trust *t, uint32_t records, uint32_t index, const void *key, size_t n, struct rd *ret) CLUSTER_MUST_USE;
/* The grants of one subject (n bytes of `value`) for one account. */
enum cluster_err trust_find_grants(const struct trust *t, enum trust_subject subject, const void *value, size_t n, const char *account, struct rd *ret) CLUSTER_MUST_USE;

#endif
