/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SNAP_CHANGE_H
#define CLUSTER_SNAP_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/snap.h"
#include "cluster/snap_write.h"

/*
 * What makes a snapshot out of the one before, between processes of one program only: no file and no wire carries it. Records that are new or different, keys of records that
 * go, sections that begin empty, and flat sections; what it does not name stays. The snapshot that comes out is byte for byte the one that would have been built from nothing.
 *
 *   "CLCHNG1\n", u32 kind, cluster id[16], 3 x u64 base; then entries of u8 op, u32 section type, u32 n, n bytes, in order of type and, within one, CLEAR, PUT, DROP...
 *   FLAT: the section's bytes. CLEAR: n is 0; the section begins empty. PUT: records as they stand in a section, in order. DROP: the key that orders the records; in order.
 */
#define SNAP_CHANGE_MAGIC "CLCHNG1\n"

struct snap_change;

/* What the old snapshot is taken to have been made of: versions of the keyset, the directory and the revocations. */
struct snap_base {
	uint64_t version[3];
};

/* ---- made where the documents are: snap_change.c ---- */

enum cluster_err snap_change_new(enum snap_kind kind, const struct cluster_id *cluster, const struct snap_base *base, struct snap_change **ret) CLUSTER_MUST_USE;
void snap_change_free(struct snap_change *c);
/* Takes the flat sections and records that are put in; its indexes do not matter. Borrowed. */
struct snap_writer *snap_change_writer(struct snap_change *c);
/* In order of key within a section. */
enum cluster_err snap_change_drop(struct snap_change *c, uint32_t type, const void *key, size_t n) CLUSTER_MUST_USE;
/* The section begins empty: the records put in are all that it has. */
enum cluster_err snap_change_clear(struct snap_change *c, uint32_t type) CLUSTER_MUST_USE;
/*
 * What makes section `type` of `was` that of `is`, record by record in order of their keys; or, for sections of which a record says something of others (HOSTS, ADDRESSES), all of it
 * where anything differs. Neither snapshot needs to be complete, as long as each record that one of them lacks is the same, or missing, on both sides.
 */
enum cluster_err snap_change_diff(struct snap_change *c, uint32_t type, const struct snap *was, const struct snap *is) CLUSTER_MUST_USE;
/* The caller frees *ret with free(). */
enum cluster_err snap_change_end(struct snap_change *c, uint8_t **ret, size_t *ret_n) CLUSTER_MUST_USE;

/* ---- applied where the file is: snap_merge.c, snap_merge_check.c ---- */

struct snap_merge;

/* Is it one, and not a snapshot? */
bool snap_change_is(const void *data, size_t n);
/*
 * Judges the change by itself and against `old`, which passed snap_verify once and is borrowed with the bytes until snap_merge_free. CLUSTER_EFORMAT, CLUSTER_ETRUNC: not a change, or
 * not sound. CLUSTER_ELIMIT: larger than any is made. CLUSTER_EUNTRUSTED: another cluster's. CLUSTER_EVERSION: what it drops is not there. CLUSTER_EUNAVAIL: `old` is damaged.
 */
enum cluster_err snap_merge_new(const struct snap *old, const void *data, size_t n, struct snap_merge **ret, struct diag *d) CLUSTER_MUST_USE;
void snap_merge_free(struct snap_merge *m);
/* What the change takes the old snapshot for: to be compared by who knows. */
const struct snap_base *snap_merge_base(const struct snap_merge *m);
/* False: the change would change nothing. */
bool snap_merge_changes(const struct snap_merge *m);
/* The whole new file. */
enum cluster_err snap_merge_put(struct snap_merge *m, const struct snap_sink *sink, struct diag *d) CLUSTER_MUST_USE;
/*
 * Judges what came out, opened: that every record put in is found under each of its keys and nothing else is, that what groups and memberships say of each other still agrees, that
 * nodes do. With `old` sound, and all else copied from it, the file then is as sound as snap_verify could find it. CLUSTER_EFORMAT.
 */
enum cluster_err snap_merge_check(const struct snap_merge *m, const struct snap *now, struct diag *d) CLUSTER_MUST_USE;

#endif
