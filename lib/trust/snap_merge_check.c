/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "snap_change_part.h"

/* Exactly one record has the key, and it is this one. */
static bool only_one(const struct snap *now, uint32_t records, uint32_t type, const struct snap_text *key, const uint8_t *expected)
{
	struct snap_probe p;
	struct snap_text other;
	enum cluster_err e;
	struct rd body;
	size_t n = 0;

	snap_probe_init(&p, now, records, type, key->p, key->n);
	while ((e = snap_probe_next(&p, &body)) == CLUSTER_OK) {
		if (!snap_keys_index(now->kind, type, &body, &other))
			return false;
		if (snap_keys_compare(&other, key) != 0)
			continue;
		if (body.p != expected || n++)
			return false;
	}
	return e == CLUSTER_ENOTFOUND && n == 1;
}

/* Each record that was put in, through each of its indexes. */
static bool all_found(const struct snap_merge *m, const struct snap *now, uint32_t records)
{
	const struct snap_merge_part *part = &m->parts[records];
	struct snap_text key;
	uint32_t of;

	for (uint32_t type = records + 1; snap_section_shape(now->kind, type, &of) == SNAP_SHAPE_INDEX; type++) {
		for (size_t i = 0; i < part->n_edits; i++) {
			const struct snap_edit *x = &part->edits[i];

			if (x->record && (x->now > now->section[records].n - x->n || !snap_keys_index(now->kind, type, &x->body, &key) ||
			    !only_one(now, records, type, &key, now->section[records].p + x->now + (x->body.p - x->record))))
				return false;
		}
	}
	return true;
}

/* ---- accounts.snap ---- */

static bool text_of(const struct snap_edit *x, char dst[NAME_ACCOUNT_MAX + 1])
{
	if (x->key.n > NAME_ACCOUNT_MAX || memchr(x->key.p, '\0', x->key.n))
		return false;
	memcpy(dst, x->key.p, x->key.n);
	dst[x->key.n] = '\0';
	return true;
}

/* What the reader's own functions say of each record that was put in. */
static bool all_read(const struct snap_merge *m, const struct snap *now, uint32_t records)
{
	const struct snap_merge_part *part = &m->parts[records];
	char name[NAME_ACCOUNT_MAX + 1];
	struct snap_account a;
	struct snap_group g;
	const uint8_t *gids;
	uint32_t n;

	for (size_t i = 0; i < part->n_edits; i++) {
		if (!part->edits[i].record)
			continue;
		if (!text_of(&part->edits[i], name))
			return false;
		if (records == SNAP_A_ACCOUNTS ? snap_account_by_name(now, name, &a) != CLUSTER_OK || strcmp(a.name, name) != 0 :
		    records == SNAP_A_GROUPS ? snap_group_by_name(now, name, &g) != CLUSTER_OK || strcmp(g.name, name) != 0 || snap_verify_group(now, &g) != CLUSTER_OK :
		    snap_member_groups(now, name, &gids, &n) != CLUSTER_OK || n == 0)
			return false;
	}
	return true;
}

/* The number that a record of groups or memberships begins with `at`: members, gids. */
static bool add_count(const struct snap *old, uint32_t records, const struct snap_edit *x, size_t at, int64_t *sum)
{
	uint64_t cursor = x->at;
	struct rd body;

	if (x->record) {
		if (x->body.n < at + 4)
			return false;
		*sum += snap_be32(x->body.p + at);
	}
	if (x->old_n) {
		if (snap_each(old, records, &cursor, &body) != CLUSTER_OK || body.n < at + 4)
			return false;
		*sum -= snap_be32(body.p + at);
	}
	return true;
}

static int compare_gid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The gids of the groups that were put in, ascending: a group may be large, and is looked at once, not for each member that it loses. */
struct gids {
	uint32_t *gid;
	size_t n;
};

static bool gids_init(struct gids *g, const struct snap_merge_part *groups)
{
	g->n = 0;
	if (!(g->gid = calloc(groups->n_edits + 1, sizeof *g->gid)))
		return false;
	for (size_t i = 0; i < groups->n_edits; i++)
		if (groups->edits[i].record)
			g->gid[g->n++] = snap_be32(groups->edits[i].body.p);
	qsort(g->gid, g->n, sizeof *g->gid, compare_gid);
	return true;
}

static bool gids_have(const struct gids *g, uint32_t gid)
{
	return bsearch(&gid, g->gid, g->n, sizeof *g->gid, compare_gid) != NULL;
}

/* Where a membership was taken from an account, the group must have been put in anew, and so been looked at, or be gone. */
static bool taken_well(const struct snap_merge *m, const struct snap *now, const struct gids *put, const struct snap_edit *x)
{
	char name[NAME_ACCOUNT_MAX + 1];
	const uint8_t *was = NULL, *is = NULL;
	uint32_t n_was = 0, n_is = 0;
	struct snap_group g;

	if (!text_of(x, name))
		return false;
	if (x->old_n && snap_member_groups(&m->old, name, &was, &n_was) != CLUSTER_OK)
		return false;
	if (x->record && snap_member_groups(now, name, &is, &n_is) != CLUSTER_OK)
		return false;
	for (uint32_t i = 0, k = 0; i < n_was; i++) {
		while (k < n_is && memcmp(is + 4 * (size_t)k, was + 4 * (size_t)i, 4) < 0)
			k++;
		if (k < n_is && memcmp(is + 4 * (size_t)k, was + 4 * (size_t)i, 4) == 0)
			continue;
		if (!gids_have(put, snap_be32(was + 4 * (size_t)i)) && snap_group_by_gid(now, snap_be32(was + 4 * (size_t)i), &g) != CLUSTER_ENOTFOUND)
			return false;
	}
	return true;
}

/*
 * Do groups and memberships say the same, as they did before? Each group that was put in is known to be in the records of all its members; the others' members still have them,
 * because nobody lost one that he should have; and there are as many memberships on both sides.
 */
static bool members_agree(const struct snap_merge *m, const struct snap *now)
{
	const struct snap_merge_part *groups = &m->parts[SNAP_A_GROUPS], *members = &m->parts[SNAP_A_MEMBER];
	int64_t sum = 0, gids = 0;
	struct gids put;
	bool ok;

	if (!gids_init(&put, groups))
		return false;
	ok = true;
	for (size_t i = 0; ok && i < groups->n_edits; i++)
		ok = add_count(&m->old, SNAP_A_GROUPS, &groups->edits[i], 4, &sum);
	for (size_t i = 0; ok && i < members->n_edits; i++)
		ok = add_count(&m->old, SNAP_A_MEMBER, &members->edits[i], 0, &gids) && taken_well(m, now, &put, &members->edits[i]);
	free(put.gid);
	return ok && sum == gids;
}

static bool accounts_agree(const struct snap_merge *m, const struct snap *now)
{
	static const uint32_t kinds[] = { SNAP_A_ACCOUNTS, SNAP_A_GROUPS, SNAP_A_MEMBER };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (m->parts[kinds[i]].clear || !all_read(m, now, kinds[i]))
			return false;
	if (!members_agree(m, now))
		return false;
	return !(m->parts[SNAP_A_HOSTS].touched || m->parts[SNAP_A_ADDRESSES].touched) || snap_verify_hosts(now) == CLUSTER_OK;
}

enum cluster_err snap_merge_check(const struct snap_merge *m, const struct snap *now, struct diag *d)
{
	uint32_t of;

	if (now->kind != m->old.kind || !id_equal(&now->cluster, &m->old.cluster))
		return diag_set(d, CLUSTER_EFORMAT, "the changed snapshot is another");
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		if (now->section[type].n != m->parts[type].n)
			return diag_set(d, CLUSTER_EFORMAT, "section %u of the changed snapshot is not what was written", type);
		if (snap_section_shape(now->kind, type, &of) == SNAP_SHAPE_RECORDS && m->parts[type].touched && !all_found(m, now, type))
			return diag_set(d, CLUSTER_EFORMAT, "a record of section %u of the changed snapshot is not found under its keys, or not alone", type);
	}
	if (now->kind == SNAP_ACCOUNTS && !accounts_agree(m, now))
		return diag_set(d, CLUSTER_EFORMAT, "the changed snapshot contradicts itself");
	return CLUSTER_OK;
}
