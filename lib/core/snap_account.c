/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include "cluster/name.h"
#include "snap_inline.h"
#include "snap_name.h"

/*
 * "gecos NUL home NUL shell NUL", the n bytes at p, SNAP_TEXT_MIN to 16 * 127 of them, in one look: plain ASCII without ':' and ',', in no place "//", "/." or
 * "/" before a NUL, and no control bytes but the three NULs, which are known to stand at the ends. False means only that they must be looked at one by one.
 * p[-1] is readable.
 */
#define SNAP_TEXT_MIN 16
static bool text_plain_long(const uint8_t *p, size_t n)
{
	static const uint8_t keep[32] = { [16] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
	snap_lanes bad = { 0 }, controls = { 0 }, v, c, mask;
	uint64_t half[2];
	size_t i;

	for (i = 0; i + 16 <= n; i += 16) {
		v = snap_lanes_load(p + i);
		c = snap_lanes_plain(v);
		bad |= snap_lanes_unplain(v, snap_lanes_load(p + i - 1), c);
		controls -= ~c;
	}
	if (i < n) { /* the last 16 bytes, without those already seen */
		mask = snap_lanes_load(keep + (n - i));
		v = (snap_lanes_load(p + n - 16) & mask) | (~mask & 'a');
		c = snap_lanes_plain(v);
		bad |= snap_lanes_unplain(v, snap_lanes_load(p + n - 17) & mask, c);
		controls -= ~c;
	}
	memcpy(half, &controls, sizeof half); /* each lane counts to 127 at most */
	half[0] = (half[0] & UINT64_C(0x00ff00ff00ff00ff)) + (half[0] >> 8 & UINT64_C(0x00ff00ff00ff00ff)) +
	    (half[1] & UINT64_C(0x00ff00ff00ff00ff)) + (half[1] >> 8 & UINT64_C(0x00ff00ff00ff00ff));
	return (half[0] * UINT64_C(0x0001000100010001)) >> 48 == 3 && !snap_lanes_any(bad);
}

static bool text_ok(const struct snap_account *a)
{
	return strlen(a->gecos) == a->gecos_n && strlen(a->home) == a->home_n && strlen(a->shell) == a->shell_n && name_gecos_ok(a->gecos) &&
	    name_path_ok(a->home) && name_path_ok(a->shell);
}

/* The name, known to be terminated, is one that may be given. `room`: bytes that may be read there. */
static bool account_name_ok(const struct snap_account *a, size_t room)
{
	if (room >= NAME_ACCOUNT_MAX)
		return snap_name_judge((const uint8_t *)a->name, a->name_n) && !snap_account_reserved(a->name, a->name_n);
	return snap_name_length(a->name) == a->name_n && !name_account_reserved(a->name);
}

/*
 * The strings are what they must be; they are copied into `room` unless that is NULL, and judged there. On success the pointers of *a are set.
 * `known`: the name is the one that was asked for.
 */
static enum cluster_err account_strings(struct snap_account *a, const struct snap_room *room, bool known)
{
	const size_t n = snap_account_size(a), text_n = n - a->name_n - 1;
	const char *block = a->name;

	if (room && room->n < n)
		return CLUSTER_ELIMIT;
	if (room)
		block = memcpy(room->p, block, n);
	snap_account_point(a, block);
	if (a->name[a->name_n] | a->gecos[a->gecos_n] | a->home[a->home_n] | a->shell[a->shell_n])
		return CLUSTER_EFORMAT;
	if (!account_name_ok(a, n)) /* asked for, it is nothing that could be found */
		return known ? CLUSTER_ENOTFOUND : CLUSTER_EFORMAT;
	if (a->home[0] != '/' || a->shell[0] != '/')
		return CLUSTER_EFORMAT;
	return (text_n >= SNAP_TEXT_MIN && text_plain_long((const uint8_t *)a->gecos, text_n)) || text_ok(a) ? CLUSTER_OK : CLUSTER_EFORMAT;
}

/* ---- lookups: in place if `room` is NULL ---- */

static enum cluster_err account_by_name(const struct snap_table *t, const char *name, const struct snap_room *room,
    struct snap_account *ret)
{
	const size_t n = strnlen(name, NAME_ACCOUNT_MAX + 1);
	struct snap_search w;
	struct snap_key key;
	enum cluster_err e;
	struct rd body;

	if (n - 1 >= NAME_ACCOUNT_MAX)
		return CLUSTER_ENOTFOUND;
	key = snap_key_of((const uint8_t *)name, n);
	w = snap_search_begin(t, snap_key_hash(&key));
	while ((e = snap_search_record(&w, t, SNAP_A_ACCOUNTS, SNAP_A_BY_NAME, &body)) == CLUSTER_OK) {
		if (!snap_account_head(&body, ret))
			return CLUSTER_EFORMAT;
		if (!snap_key_is(&key, (const uint8_t *)ret->name, ret->name_n))
			continue;
		e = account_strings(ret, room, true);
		if (e == CLUSTER_OK)
			snap_remember(t, &body);
		return e;
	}
	return e;
}

static enum cluster_err account_by_uid(const struct snap_table *t, uint32_t uid, const struct snap_room *room,
    struct snap_account *ret)
{
	const uint32_t key = __builtin_bswap32(uid);
	struct snap_search w;
	enum cluster_err e;
	struct rd body;

	if (!snap_id_ok(uid))
		return CLUSTER_ENOTFOUND;
	w = snap_search_begin(t, snap_hash_inline((const uint8_t *)&key, sizeof key, 0));
	while ((e = snap_search_record(&w, t, SNAP_A_ACCOUNTS, SNAP_A_BY_UID, &body)) == CLUSTER_OK) {
		if (!snap_account_head(&body, ret))
			return CLUSTER_EFORMAT;
		if (ret->uid != uid)
			continue;
		e = account_strings(ret, room, false);
		if (e == CLUSTER_OK)
			snap_remember(t, &body);
		return e;
	}
	return e;
}

static enum cluster_err account_each(const struct snap_table *t, uint64_t *cursor, const struct snap_room *room, struct snap_account *ret)
{
	uint64_t next = *cursor;
	enum cluster_err e;
	struct rd body;

	e = snap_next_record(t, SNAP_A_ACCOUNTS, &next, &body);
	if (e != CLUSTER_OK)
		return e;
	e = snap_account_head(&body, ret) ? account_strings(ret, room, false) : CLUSTER_EFORMAT;
	if (e == CLUSTER_OK)
		*cursor = next;
	return e;
}

enum cluster_err snap_account_by_name(const struct snap *s, const char *name, struct snap_account *ret)
{
	const struct snap_table t = snap_table(s, SNAP_A_ACCOUNTS, SNAP_A_BY_NAME);
	struct snap_account a;
	enum cluster_err e = account_by_name(&t, name, NULL, &a);

	if (e == CLUSTER_OK)
		*ret = a;
	return e;
}

enum cluster_err snap_account_by_uid(const struct snap *s, uint32_t uid, struct snap_account *ret)
{
	const struct snap_table t = snap_table(s, SNAP_A_ACCOUNTS, SNAP_A_BY_UID);
	struct snap_account a;
	enum cluster_err e = account_by_uid(&t, uid, NULL, &a);

	if (e == CLUSTER_OK)
		*ret = a;
	return e;
}

enum cluster_err snap_account_each(const struct snap *s, uint64_t *cursor, struct snap_account *ret)
{
	const struct snap_table t = snap_table(s, SNAP_A_ACCOUNTS, SNAP_A_BY_NAME);
	struct snap_account a;
	enum cluster_err e = account_each(&t, cursor, NULL, &a);

	if (e == CLUSTER_OK)
		*ret = a;
	return e;
}

enum cluster_err snap_copy_account_by_name(const struct snap_table *t, const char *name, const struct snap_room *room, struct snap_account *ret)
{
	return account_by_name(t, name, room, ret);
}

enum cluster_err snap_copy_account_by_uid(const struct snap_table *t, uint32_t uid, const struct snap_room *room, struct snap_account *ret)
{
	return account_by_uid(t, uid, room, ret);
}

enum cluster_err snap_copy_account_each(const struct snap_table *t, uint64_t *cursor, const struct snap_room *room, struct snap_account *ret)
{
	return account_each(t, cursor, room, ret);
}
