/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include "snap_inline.h"

#define AHEAD 16 /* records whose buckets are fetched before they are looked up */

/* The next account or group from *cursor on: a hint, for who is looked up soon. The name stands `head` bytes into its record, its length at byte `length`. */
static void fetch_ahead(const struct snap *s, uint32_t records, uint64_t *cursor, size_t head, size_t length)
{
	struct rd body;

	if (snap_each(s, records, cursor, &body) != CLUSTER_OK || body.n < head || body.p[length] > body.n - head)
		return;
	snap_prefetch(s, records + 1, body.p + head, body.p[length]);
	snap_prefetch(s, records + 2, body.p, 4);
}

/* Names strictly ascending, and each account found under its name and its uid. */
static enum cluster_err verify_accounts(const struct snap *s)
{
	struct snap_account a, found, last = { .name = "" };
	uint64_t cursor = 0, ahead = 0;
	enum cluster_err e;

	for (int i = 0; i < AHEAD; i++)
		fetch_ahead(s, SNAP_A_ACCOUNTS, &ahead, SNAP_ACCOUNT_HEAD, 8);
	while ((e = snap_account_each(s, &cursor, &a)) == CLUSTER_OK) {
		fetch_ahead(s, SNAP_A_ACCOUNTS, &ahead, SNAP_ACCOUNT_HEAD, 8);
		if (strcmp(last.name, a.name) >= 0)
			return CLUSTER_EFORMAT;
		if (snap_account_by_name(s, a.name, &found) != CLUSTER_OK || found.name != a.name)
			return CLUSTER_EFORMAT;
		if (snap_account_by_uid(s, a.uid, &found) != CLUSTER_OK || found.name != a.name)
			return CLUSTER_EFORMAT;
		last = a;
	}
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

static bool lists_gid(const uint8_t *gids, uint32_t n, uint32_t gid)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (snap_be32(gids + 4 * (size_t)middle) < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && snap_be32(gids + 4 * (size_t)low) == gid;
}

enum cluster_err snap_verify_group(const struct snap *s, const struct snap_group *g)
{
	const char *name = g->members, *last = "", *ahead = name, *end = name + g->members_size;
	const uint8_t *gids;
	uint32_t n;

	for (int i = 0; i < AHEAD && ahead < end; i++, ahead += strlen(ahead) + 1)
		snap_prefetch(s, SNAP_A_MEMBER_BY_NAME, ahead, strlen(ahead));
	for (uint32_t i = 0; i < g->n_members; i++, last = name, name += strlen(name) + 1) {
		if (ahead < end) {
			snap_prefetch(s, SNAP_A_MEMBER_BY_NAME, ahead, strlen(ahead));
			ahead += strlen(ahead) + 1;
		}
		if (strcmp(last, name) >= 0)
			return CLUSTER_EFORMAT;
		if (snap_member_groups(s, name, &gids, &n) != CLUSTER_OK || !lists_gid(gids, n, g->gid))
			return CLUSTER_EFORMAT;
	}
	return CLUSTER_OK;
}

static enum cluster_err verify_groups(const struct snap *s, uint64_t *ret_pairs)
{
	struct snap_group g, found, last = { .name = "" };
	uint64_t cursor = 0, pairs = 0;
	enum cluster_err e;

	while ((e = snap_group_each(s, &cursor, &g)) == CLUSTER_OK) {
		if (strcmp(last.name, g.name) >= 0)
			return CLUSTER_EFORMAT;
		if (snap_group_by_name(s, g.name, &found) != CLUSTER_OK || found.name != g.name)
			return CLUSTER_EFORMAT;
		if (snap_group_by_gid(s, g.gid, &found) != CLUSTER_OK || found.name != g.name)
			return CLUSTER_EFORMAT;
		if (snap_verify_group(s, &g) != CLUSTER_OK)
			return CLUSTER_EFORMAT;
		pairs += g.n_members;
		last = g;
	}
	if (e != CLUSTER_ENOTFOUND)
		return e;
	*ret_pairs = pairs;
	return CLUSTER_OK;
}

/* Names strictly ascending, each record found under its name, and as many gids in all as there are members in all. */
static enum cluster_err verify_member_records(const struct snap *s, uint64_t pairs)
{
	const char *name, *last = "";
	uint64_t cursor = 0;
	const uint8_t *gids;
	enum cluster_err e;
	struct rd body;
	uint32_t n;

	while ((e = snap_each(s, SNAP_A_MEMBER, &cursor, &body)) == CLUSTER_OK) {
		if (body.n < SNAP_MEMBER_HEAD + 1)
			return CLUSTER_EFORMAT;
		name = (const char *)body.p + SNAP_MEMBER_HEAD;
		if (strnlen(name, body.n - SNAP_MEMBER_HEAD) == body.n - SNAP_MEMBER_HEAD || strcmp(last, name) >= 0)
			return CLUSTER_EFORMAT;
		if (snap_member_groups(s, name, &gids, &n) != CLUSTER_OK || gids != (const uint8_t *)name + strlen(name) + 1 || n > pairs)
			return CLUSTER_EFORMAT;
		pairs -= n;
		last = name;
	}
	if (e != CLUSTER_ENOTFOUND)
		return e;
	return pairs ? CLUSTER_EFORMAT : CLUSTER_OK;
}

enum cluster_err snap_verify_accounts(const struct snap *s)
{
	enum cluster_err e;
	uint64_t pairs;

	e = verify_accounts(s);
	if (e == CLUSTER_OK)
		e = verify_groups(s, &pairs);
	if (e == CLUSTER_OK)
		e = verify_member_records(s, pairs);
	return e;
}
