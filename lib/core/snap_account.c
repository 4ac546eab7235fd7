/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include "cluster/name.h"
#include "snap_inline.h"
#include "snap_name.h"

/* The length of an account's name that may be looked up at all, or 0. */
static size_t account_key(const char *name)
{
	size_t n = snap_name_length(name);

	return n && !snap_account_reserved(name, n) ? n : 0;
}

static size_t group_key(const char *name)
{
	size_t n = snap_name_length(name);

	return n && !snap_group_reserved(name, n) ? n : 0;
}

typedef int8_t lanes __attribute__((vector_size(16)));

static lanes load(const uint8_t *p)
{
	lanes v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* All bits of the lanes in which something is wrong; `before` holds the byte in front of each lane's. Bytes from 0x80 are negative. */
static lanes wrong(lanes v, lanes before)
{
	return ((v < 0x20) & (v != 0)) | (v == 0x7f) | (v == ':') | (v == ',') | ((before == '/') & ((v == '/') | (v == '.') | (v == 0)));
}

/*
 * "gecos NUL home NUL shell NUL", the n bytes at p, in one pass: plain ASCII without control bytes, ':' and ','; in no place "//", "/." or
 * "/" before a NUL; and no NUL but three. True means that all three are good once the paths begin with '/'; false means only that they
 * must be looked at one by one. p[-1] is readable.
 */
static bool text_plain(const uint8_t *p, size_t n)
{
	static const uint8_t keep[32] = { [16] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
	lanes bad = { 0 }, nuls = { 0 }, v, before, mask;
	uint64_t half[2];
	size_t i;

	if (n < 16)
		return false;
	for (i = 0; i + 16 <= n; i += 16) {
		v = load(p + i);
		bad |= wrong(v, load(p + i - 1));
		nuls -= v == 0;
	}
	if (i < n) { /* the last 16 bytes, without those already seen */
		mask = load(keep + (n - i));
		v = (load(p + n - 16) & mask) | (~mask & 'a');
		before = load(p + n - 17) & mask;
		bad |= wrong(v, before);
		nuls -= v == 0;
	}
	memcpy(half, &bad, sizeof half);
	if (half[0] | half[1])
		return false;
	memcpy(half, &nuls, sizeof half); /* each lane counts to 40 at most */
	half[0] += half[1];
	half[0] = (half[0] & UINT64_C(0x00ff00ff00ff00ff)) + (half[0] >> 8 & UINT64_C(0x00ff00ff00ff00ff));
	return (half[0] * UINT64_C(0x0001000100010001)) >> 48 == 3;
}

static bool text_ok(const struct snap_account *a)
{
	return strlen(a->gecos) == a->gecos_n && strlen(a->home) == a->home_n && strlen(a->shell) == a->shell_n && name_gecos_ok(a->gecos) &&
	    name_path_ok(a->home) && name_path_ok(a->shell);
}

/* Everything of the record but its name, which is only known to be terminated. */
static inline enum cluster_err account_decode(const struct rd *body, struct snap_account *a)
{
	const uint8_t *p = body->p, *end = p + body->n;

	if (body->n < SNAP_ACCOUNT_HEAD + 4 || body->n > SNAP_ACCOUNT_BODY_MAX)
		return CLUSTER_EFORMAT;
	a->uid = snap_be32(p);
	a->gid = snap_be32(p + 4);
	a->name_n = p[8];
	a->gecos_n = p[9];
	a->home_n = p[10];
	a->shell_n = p[11];
	if (body->n != SNAP_ACCOUNT_HEAD + a->name_n + a->gecos_n + a->home_n + a->shell_n + 4 || snap_be32(p + 12) != 0)
		return CLUSTER_EFORMAT;
	a->name = (const char *)p + SNAP_ACCOUNT_HEAD;
	a->gecos = a->name + a->name_n + 1;
	a->home = a->gecos + a->gecos_n + 1;
	a->shell = a->home + a->home_n + 1;
	if (a->name[a->name_n] | a->gecos[a->gecos_n] | a->home[a->home_n] | a->shell[a->shell_n])
		return CLUSTER_EFORMAT;
	if (!name_id_ok(a->uid) || !name_id_ok(a->gid))
		return CLUSTER_EFORMAT;
	if (a->home[0] != '/' || a->shell[0] != '/' || a->gecos_n > NAME_GECOS_MAX)
		return CLUSTER_EFORMAT;
	if (!text_plain((const uint8_t *)a->gecos, (size_t)(end - (const uint8_t *)a->gecos)) && !text_ok(a))
		return CLUSTER_EFORMAT;
	return CLUSTER_OK;
}

static bool account_name_ok(const struct snap_account *a)
{
	return a->name_n && account_key(a->name) == a->name_n;
}

enum cluster_err snap_account_by_name(const struct snap *s, const char *name, struct snap_account *ret)
{
	size_t n = account_key(name);
	struct snap_account a;
	struct snap_probe p;
	enum cluster_err e;
	struct rd body;

	/* The name found is the name asked for, so only the latter needs judging. */
	if (!n)
		return CLUSTER_ENOTFOUND;
	snap_probe_start(&p, s, SNAP_A_ACCOUNTS, SNAP_A_BY_NAME, name, n);
	while ((e = snap_probe_step(&p, &body)) == CLUSTER_OK) {
		e = account_decode(&body, &a);
		if (e != CLUSTER_OK)
			return e;
		if (a.name_n == n && memcmp(a.name, name, n) == 0) {
			*ret = a;
			return CLUSTER_OK;
		}
	}
	return e;
}

enum cluster_err snap_account_by_uid(const struct snap *s, uint32_t uid, struct snap_account *ret)
{
	uint32_t key = __builtin_bswap32(uid);
	struct snap_account a;
	struct snap_probe p;
	enum cluster_err e;
	struct rd body;

	if (!name_id_ok(uid))
		return CLUSTER_ENOTFOUND;
	snap_probe_start(&p, s, SNAP_A_ACCOUNTS, SNAP_A_BY_UID, &key, sizeof key);
	while ((e = snap_probe_step(&p, &body)) == CLUSTER_OK) {
		e = account_decode(&body, &a);
		if (e != CLUSTER_OK)
			return e;
		if (a.uid != uid)
			continue;
		if (!account_name_ok(&a))
			return CLUSTER_EFORMAT;
		*ret = a;
		return CLUSTER_OK;
	}
	return e;
}

enum cluster_err snap_account_each(const struct snap *s, uint64_t *cursor, struct snap_account *ret)
{
	uint64_t next = *cursor;
	struct snap_account a;
	enum cluster_err e;
	struct rd body;

	e = snap_each(s, SNAP_A_ACCOUNTS, &next, &body);
	if (e == CLUSTER_OK)
		e = account_decode(&body, &a);
	if (e == CLUSTER_OK && !account_name_ok(&a))
		e = CLUSTER_EFORMAT;
	if (e != CLUSTER_OK)
		return e;
	*cursor = next;
	*ret = a;
	return CLUSTER_OK;
}

/* Exactly g->n_members names of the grammar and nothing else. The last byte is known to be NUL. */
static bool members_ok(const struct snap_group *g)
{
	const char *p = g->members, *end = p + g->members_size;
	uint32_t count = 0;
	size_t n;

	for (; p < end; p += n + 1, count++) {
		n = snap_name_length(p);
		if (!n || count == g->n_members)
			return false;
	}
	return count == g->n_members;
}

/* The head; the name and the members are only known to be terminated. */
static enum cluster_err group_head(const struct rd *body, struct snap_group *g)
{
	const uint8_t *p = body->p;

	if (body->n < SNAP_GROUP_HEAD + 1 || body->n > SNAP_GROUP_BODY_MAX)
		return CLUSTER_EFORMAT;
	g->gid = snap_be32(p);
	g->n_members = snap_be32(p + 4);
	g->members_size = snap_be32(p + 8);
	g->name_n = p[12];
	if (body->n != SNAP_GROUP_HEAD + g->name_n + 1 + g->members_size || p[13] | p[14] | p[15] || g->n_members > SNAP_GROUP_MEMBERS_MAX)
		return CLUSTER_EFORMAT;
	g->name = (const char *)p + SNAP_GROUP_HEAD;
	g->members = g->name + g->name_n + 1;
	if (g->name[g->name_n] || (g->members_size && g->members[g->members_size - 1]) || !name_id_ok(g->gid))
		return CLUSTER_EFORMAT;
	return CLUSTER_OK;
}

static bool group_ok(const struct snap_group *g)
{
	return g->name_n && group_key(g->name) == g->name_n && members_ok(g);
}

enum cluster_err snap_group_by_name(const struct snap *s, const char *name, struct snap_group *ret)
{
	size_t n = group_key(name);
	struct snap_group g;
	struct snap_probe p;
	enum cluster_err e;
	struct rd body;

	if (!n)
		return CLUSTER_ENOTFOUND;
	snap_probe_start(&p, s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME, name, n);
	while ((e = snap_probe_step(&p, &body)) == CLUSTER_OK) {
		e = group_head(&body, &g);
		if (e != CLUSTER_OK)
			return e;
		if (g.name_n != n || memcmp(g.name, name, n) != 0)
			continue;
		if (!members_ok(&g))
			return CLUSTER_EFORMAT;
		*ret = g;
		return CLUSTER_OK;
	}
	return e;
}

enum cluster_err snap_group_by_gid(const struct snap *s, uint32_t gid, struct snap_group *ret)
{
	uint32_t key = __builtin_bswap32(gid);
	struct snap_group g;
	struct snap_probe p;
	enum cluster_err e;
	struct rd body;

	if (!name_id_ok(gid))
		return CLUSTER_ENOTFOUND;
	snap_probe_start(&p, s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_GID, &key, sizeof key);
	while ((e = snap_probe_step(&p, &body)) == CLUSTER_OK) {
		e = group_head(&body, &g);
		if (e != CLUSTER_OK)
			return e;
		if (g.gid != gid)
			continue;
		if (!group_ok(&g))
			return CLUSTER_EFORMAT;
		*ret = g;
		return CLUSTER_OK;
	}
	return e;
}

enum cluster_err snap_group_each(const struct snap *s, uint64_t *cursor, struct snap_group *ret)
{
	uint64_t next = *cursor;
	struct snap_group g;
	enum cluster_err e;
	struct rd body;

	e = snap_each(s, SNAP_A_GROUPS, &next, &body);
	if (e == CLUSTER_OK)
		e = group_head(&body, &g);
	if (e == CLUSTER_OK && !group_ok(&g))
		e = CLUSTER_EFORMAT;
	if (e != CLUSTER_OK)
		return e;
	*cursor = next;
	*ret = g;
	return CLUSTER_OK;
}

/* Ascending, each in the window (THREATS.md D4). */
static bool gids_ok(const uint8_t *gids, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!name_id_ok(snap_be32(gids + 4 * i)) || (i && snap_be32(gids + 4 * i) <= snap_be32(gids + 4 * (i - 1))))
			return false;
	return true;
}

/* The record's parts agree with its length. Its name is terminated; gids are not looked at. */
static bool member_head_ok(const struct rd *body)
{
	const uint8_t *p = body->p;
	size_t fixed;
	uint32_t count;

	if (body->n < SNAP_MEMBER_HEAD + 1)
		return false;
	count = snap_be32(p);
	fixed = SNAP_MEMBER_HEAD + (size_t)p[4] + 1;
	return count >= 1 && count <= SNAP_MEMBER_GROUPS_MAX && body->n == fixed + 4 * (size_t)count && !(p[5] | p[6] | p[7]) && !p[fixed - 1];
}

enum cluster_err snap_member_groups(const struct snap *s, const char *name, const uint8_t **ret, uint32_t *ret_n)
{
	size_t n = account_key(name);
	struct snap_probe p;
	enum cluster_err e;
	struct rd body;

	if (!n)
		return CLUSTER_ENOTFOUND;
	snap_probe_start(&p, s, SNAP_A_MEMBER, SNAP_A_MEMBER_BY_NAME, name, n);
	while ((e = snap_probe_step(&p, &body)) == CLUSTER_OK) {
		const uint8_t *gids = body.p + SNAP_MEMBER_HEAD + n + 1;

		if (!member_head_ok(&body))
			return CLUSTER_EFORMAT;
		if (body.p[4] != n || memcmp(body.p + SNAP_MEMBER_HEAD, name, n) != 0)
			continue;
		if (!gids_ok(gids, snap_be32(body.p)))
			return CLUSTER_EFORMAT;
		*ret = gids;
		*ret_n = snap_be32(body.p);
		return CLUSTER_OK;
	}
	return e;
}
