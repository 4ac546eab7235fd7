/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_SNAP_CHANGE_PART_H
#define TRUST_SNAP_CHANGE_PART_H

#include "cluster/snap_change.h"
#include "snap_keys.h"
#include "snap_layout.h"

/* Between snap_change.c, snap_merge.c, snap_merge_index.c and snap_merge_check.c. */

#define SNAP_CHANGE_MAX ((size_t)1 << 30)
#define SNAP_CHANGE_MAGIC_SIZE 8

enum snap_change_op { SNAP_CHANGE_FLAT = 1, SNAP_CHANGE_CLEAR, SNAP_CHANGE_PUT, SNAP_CHANGE_DROP };

/* One record that is put in or goes. */
struct snap_edit {
	struct snap_text key;  /* that orders the section */
	const uint8_t *record; /* with its head and padding; NULL: it goes */
	size_t n;              /* of that */
	struct rd body;
	uint64_t at, old_n;    /* in the old section: where it stands or would stand, its bytes (0: it is new) */
	uint64_t from, shift;  /* from byte `from` of the old section on, everything is `shift` bytes further behind (modulo 2^64) */
	uint64_t now;          /* in the new section, if it is put in */
};

struct snap_merge_part {
	enum snap_shape shape;
	bool touched, clear;
	const uint8_t *flat;   /* of a flat section */
	const uint8_t *puts;   /* records as given, n_puts bytes */
	size_t n_puts;
	struct snap_edit *edits; /* ascending by key; of a cleared section the records as given */
	size_t n_edits, room, n_drops;
	uint8_t *table;        /* of an index, if its records are touched */
	uint64_t n;            /* bytes of the new section */
};

struct snap_merge {
	struct snap old;
	struct snap_base base;
	struct snap_merge_part parts[SNAP_SECTIONS_MAX];
};

static inline struct snap_edit *snap_merge_end(const struct snap_merge_part *part)
{
	return part->n_edits ? part->edits + part->n_edits : part->edits;
}

/* Where an untouched record of the old section stands in the new one. */
uint64_t snap_merge_moved(const struct snap_merge_part *part, uint64_t at);
/* Makes the table of index `type` over the touched section `records`. CLUSTER_EUNAVAIL: the old one is damaged. */
enum cluster_err snap_merge_index(struct snap_merge *m, uint32_t type, uint32_t records) CLUSTER_MUST_USE;

#endif
