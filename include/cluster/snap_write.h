/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SNAP_WRITE_H
#define CLUSTER_SNAP_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/name.h"
#include "cluster/snap_format.h"

/* Building snapshots in memory (snap_write.c). Equal input gives equal bytes; gaps are zero. */
struct snap_writer;

enum cluster_err snap_writer_new(enum snap_kind kind, const struct cluster_id *cluster, struct snap_writer **ret) CLUSTER_MUST_USE;
void snap_writer_free(struct snap_writer *w);

/* A flat section with these bytes (copied). Every `type` once. */
enum cluster_err snap_writer_flat(struct snap_writer *w, uint32_t type, const void *data, size_t n) CLUSTER_MUST_USE;
/* Appends a record (copied) to record section `type`, *ret_offset for snap_writer_key. Records stand in the order of the calls. */
enum cluster_err snap_writer_record(struct snap_writer *w, uint32_t type, const void *body, size_t n, uint32_t *ret_offset) CLUSTER_MUST_USE;
/* Says that `key` finds the record at `offset` through index section `type`. An index without keys is made by n == 0 and key == NULL. */
enum cluster_err snap_writer_key(struct snap_writer *w, uint32_t type, const void *key, size_t n, uint32_t offset) CLUSTER_MUST_USE;

/* Lays the file out. The caller frees *ret with free(). `w` can only be freed afterwards. */
enum cluster_err snap_writer_end(struct snap_writer *w, uint8_t **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;

/* Where a snapshot goes, piece by piece from its beginning; what it returns other than CLUSTER_OK is the writer's error. */
struct snap_sink {
	enum cluster_err (*put)(void *ctx, const void *p, size_t n);
	void *ctx;
};
/* The same without a copy of the file in memory. */
enum cluster_err snap_writer_put(struct snap_writer *w, const struct snap_sink *sink, struct diag *d) CLUSTER_MUST_USE;
/* The bytes of a flat or record section so far: borrowed until the next call. */
void snap_writer_section(const struct snap_writer *w, uint32_t type, const uint8_t **ret, size_t *ret_n);

/* ---- accounts.snap from plain values (snap_accounts_build.c) ---- */

struct snap_account_in {
	const char *name, *gecos, *home, *shell;
	uint32_t uid, gid;
};
struct snap_group_in {
	const char *name;
	uint32_t gid;
	const char *const *members; /* names; need not be accounts of this snapshot (adopted accounts are not) */
	size_t n_members;
};

struct snap_member_in {
	const char *name; /* of the member */
	uint32_t gid;
};

#define SNAP_ADDRESS_TEXT 46 /* INET6_ADDRSTRLEN */

struct snap_node_in {
	const char *name;
	char (*roles)[NAME_ROLE_MAX + 1];
	size_t n_roles;
	char (*addresses)[SNAP_ADDRESS_TEXT]; /* as inet_pton takes them */
	size_t n_addresses;
	bool leader;
};

/* All accounts, groups and nodes that a host gets from the cluster, in any order, borrowed. What is in order of name already is not sorted again. */
struct snap_names {
	const struct snap_account_in *accounts;
	size_t n_accounts;
	const struct snap_group_in *groups;
	size_t n_groups;
	const struct snap_node_in *nodes;
	size_t n_nodes;
	const struct snap_member_in *members; /* NULL, or all memberships of the groups once more, by name, then gid */
	size_t n_members;
};

/*
 * Sorts by name and builds the whole file. Input is checked: grammar, reserved names, name_id_ok, home and shell, no name or id twice,
 * the caps of snap_format.h: CLUSTER_EFORMAT or CLUSTER_ELIMIT with a sentence naming the record. The caller frees *ret.
 * Of nodes, what could never be answered is left out: addresses that snap_address_ok refuses, names that name_host_ok refuses. A node hides a role of its name.
 */
enum cluster_err snap_accounts_build(const struct cluster_id *cluster, const struct snap_names *names, uint8_t **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;
/* The same, piece by piece. */
enum cluster_err snap_accounts_put(const struct cluster_id *cluster, const struct snap_names *names, const struct snap_sink *sink, struct diag *d) CLUSTER_MUST_USE;

struct wr;
/* The beginning of the body of a record of MEMBER, for who makes one by himself; n gids follow, ascending, as u32. */
void snap_member_begin(struct wr *body, const char *name, size_t n);

#endif
