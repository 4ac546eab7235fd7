/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap_seen.h"

#include "snap_inline.h"

/* Of the answer to one lookup, what there is to remember: the bucket that said no, or the first record whose tag agreed. */
struct first {
	uint64_t number, at;
	const uint8_t *bucket;
	struct rd body; /* p NULL: there is none near */
	bool found;
};

static struct first first_of(const struct snap_table *t, uint32_t records, uint64_t hash)
{
	struct first f = { .number = hash & t->mask };
	uint32_t found;

	f.bucket = t->buckets + f.number * SNAP_BUCKET_SIZE;
	found = snap_bucket_match(f.bucket, (uint32_t)(hash >> 32));
	f.found = found;
	if (!found)
		return f;
	f.at = snap_once32(f.bucket + 4 * __builtin_ctz(found) + 4);
	if (!snap_record_near(t, records, f.at * 8, &f.body) || f.body.n > SNAP_NEAR_MAX - SNAP_RECORD_HEAD)
		f.body = (struct rd){ 0 };
	return f;
}

static void note(struct snap_seen *seen, uint32_t type, uint64_t at, uint64_t sum)
{
	if (!seen->mark)
		return;
	seen->sum = sum;
	seen->what = snap_seen_what(seen->mark, type, at);
}

/* The answer was no: the bucket may be one that says so alone. Its sum comes first, so that bytes that are judged and others that are summed are noticed. */
static void note_none(struct snap_seen *seen, uint32_t index, const struct first *f)
{
	const uint64_t sum = snap_seen_sum_bucket(f->bucket);

	if (!f->found && !(f->bucket[5] & SNAP_BUCKET_OVERFLOW) && snap_bucket_ok(f->bucket, index, f->number))
		note(seen, index, f->number, sum);
}

/* The answer is `a`, judged and copied: was it this record? */
static void note_account(struct snap_seen *seen, const struct first *f, const struct snap_account *a)
{
	const size_t n = snap_account_size(a);
	struct snap_account b;

	if (!f->body.p || n < 16 || !snap_account_head(&f->body, &b) || b.uid != a->uid || b.gid != a->gid || f->body.n != SNAP_ACCOUNT_HEAD + n ||
	    memcmp(a->name, f->body.p + SNAP_ACCOUNT_HEAD, n) != 0)
		return;
	note(seen, SNAP_A_ACCOUNTS, f->at,
	    snap_seen_fold(snap_seen_take(snap_lanes64_load(f->body.p), (const uint8_t *)a->name, n, NULL)));
}

enum cluster_err snap_anew_account_by_name(const struct snap_table *t, const char *name, struct snap_seen *seen, const struct snap_room *room,
    struct snap_account *ret)
{
	const struct first f = first_of(t, SNAP_A_ACCOUNTS, snap_hash(name, strnlen(name, NAME_ACCOUNT_MAX + 1), 0));
	enum cluster_err e = snap_near_account_by_name(t, name, room, ret);

	if (e == CLUSTER_OK)
		note_account(seen, &f, ret);
	else if (e == CLUSTER_ENOTFOUND)
		note_none(seen, SNAP_A_BY_NAME, &f);
	return e;
}

enum cluster_err snap_anew_account_by_uid(const struct snap_table *t, uint32_t uid, struct snap_seen *seen, const struct snap_room *room,
    struct snap_account *ret)
{
	const uint32_t key = __builtin_bswap32(uid);
	const struct first f = first_of(t, SNAP_A_ACCOUNTS, snap_hash(&key, sizeof key, 0));
	enum cluster_err e = snap_near_account_by_uid(t, uid, room, ret);

	if (e == CLUSTER_OK)
		note_account(seen, &f, ret);
	else if (e == CLUSTER_ENOTFOUND)
		note_none(seen, SNAP_A_BY_UID, &f);
	return e;
}

/* The gids are not judged here, and are judged by the caller at each reading. */
enum cluster_err snap_anew_member(const struct snap_table *t, const char *name, struct snap_seen *seen, const uint8_t **ret, uint32_t *ret_n)
{
	const struct first f = first_of(t, SNAP_A_MEMBER, snap_hash(name, strnlen(name, NAME_ACCOUNT_MAX + 1), 0));
	uint64_t sum = 0;
	enum cluster_err e;

	if (f.body.p && f.body.n >= 16)
		sum = snap_seen_fold(snap_seen_take((snap_lanes64){ 0 }, f.body.p, f.body.n, NULL));
	e = snap_near_member(t, name, ret, ret_n);
	if (e == CLUSTER_OK && f.body.p && f.body.n >= 16 && *ret > f.body.p && *ret < f.body.p + f.body.n)
		note(seen, SNAP_A_MEMBER, f.at, sum);
	else if (e == CLUSTER_ENOTFOUND)
		note_none(seen, SNAP_A_MEMBER_BY_NAME, &f);
	return e;
}
