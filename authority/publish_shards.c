/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/num.h"
#include "cluster/rd.h"
#include "cluster/wr.h"
#include "publish_part.h"
#include "record.h"
#include "renewal.h"

/*
 * A record stands in the shard that the top bits of SHA-256(key) say: with 2^k shards the first k bits, so that one changed record changes one shard, and twice as many
 * shards split each into two.
 */
#define SHARDS_MAX 16384
#define KEY_ROOM 32
#define SHARD_BYTES_MIN 8192
#define INDEX_LINE 120 /* bytes that a shard takes in the signed index, in base64 */
#define SLOT(kind, number) (16u + (unsigned)(kind) * SHARDS_MAX + (unsigned)(number))

static void key_of(enum directory_kind kind, size_t number, char dst[KEY_ROOM])
{
	snprintf(dst, KEY_ROOM, "%s/%05zu", directory_kind_name(kind), number);
}

/* ---- the table of shards in the store: 32 bytes of hash, u64 size, u64 records ---- */

struct load {
	struct publish_shards *to;
	size_t room;
};

static enum cluster_err load_one(void *ctx, const char *key, const char *value, size_t n)
{
	struct publish_shard shard = { .size = 0 };
	struct load *l = ctx;
	enum cluster_err e;
	uint64_t size, records;
	struct rd r;

	(void)key; /* in order of number */
	rd_init(&r, value, n);
	if ((e = rd_bytes(&r, shard.sha256, sizeof shard.sha256, sizeof shard.sha256)) != CLUSTER_OK || (e = rd_u64(&r, &size)) != CLUSTER_OK ||
	    (e = rd_u64(&r, &records)) != CLUSTER_OK || (e = rd_end(&r)) != CLUSTER_OK)
		return e;
	shard.size = (size_t)size;
	shard.records = (size_t)records;
	if (l->to->n == l->room) {
		size_t room = l->room ? 2 * l->room : 1;
		struct publish_shard *grown = reallocarray(l->to->at, room, sizeof *grown);

		if (!grown)
			return CLUSTER_ENOMEM;
		l->to->at = grown;
		l->room = room;
	}
	l->to->at[l->to->n++] = shard;
	return CLUSTER_OK;
}

enum cluster_err publish_shards_load(struct store *s, struct published *p)
{
	for (unsigned kind = 0; kind < DIRECTORY_KIND_N; kind++) {
		struct load l = { .to = &p->shards[kind] };
		enum cluster_err e;
		char prefix[KEY_ROOM];

		snprintf(prefix, sizeof prefix, "%s/", directory_kind_name((enum directory_kind)kind));
		if ((e = store_each(s, STORE_SHARD, prefix, load_one, &l)) != CLUSTER_OK)
			return e;
		if (l.to->n & (l.to->n - 1))
			return CLUSTER_EFORMAT;
	}
	return CLUSTER_OK;
}

static enum cluster_err table_put(struct publish_stage *st, enum directory_kind kind, size_t number)
{
	const struct publish_shard *shard = &st->next->shards[kind].at[number];
	uint8_t value[CRYPTO_SHA256_SIZE + 16];
	char key[KEY_ROOM];
	enum cluster_err e;
	struct wr w;

	wr_init(&w, value, sizeof value);
	wr_bytes(&w, shard->sha256, sizeof shard->sha256);
	wr_u64(&w, shard->size);
	wr_u64(&w, shard->records);
	if ((e = wr_end(&w)) != CLUSTER_OK)
		return e;
	key_of(kind, number, key);
	return store_put(st->store, STORE_SHARD, key, value, sizeof value);
}

/* ---- building ---- */

/* At least one shard of a kind that is touched; new ones are dirty. */
static enum cluster_err set_count(struct publish_stage *st, enum directory_kind kind, size_t n)
{
	struct publish_shards *to = &st->next->shards[kind];
	struct publish_shard *at = reallocarray(to->at, n, sizeof *at);
	bool *dirty;

	if (!at)
		return CLUSTER_ENOMEM;
	to->at = at;
	memset(at + to->n, 0, (n - to->n) * sizeof *at);
	to->n = n;
	if (!(dirty = reallocarray(st->dirty[kind], n, sizeof *dirty)))
		return CLUSTER_ENOMEM;
	st->dirty[kind] = dirty;
	memset(dirty, 1, n * sizeof *dirty);
	return CLUSTER_OK;
}

enum cluster_err publish_touch(struct publish_stage *st, enum directory_kind kind, const char *key)
{
	size_t n = st->next->shards[kind].n;
	unsigned bucket = store_bucket(key);

	if (bucket >= STORE_BUCKETS)
		return CLUSTER_ECRYPTO;
	if (n == 0)
		return set_count(st, kind, 1);
	if (!st->dirty[kind] && !(st->dirty[kind] = calloc(n, sizeof **st->dirty)))
		return CLUSTER_ENOMEM;
	st->dirty[kind][bucket / (STORE_BUCKETS / n)] = true;
	return CLUSTER_OK;
}

struct collect {
	struct wr text;
	size_t records;
};

static enum cluster_err collect_one(void *ctx, const char *key, const char *value, size_t n)
{
	struct collect *c = ctx;

	(void)key;
	if (c->records++)
		wr_text(&c->text, ",");
	wr_bytes(&c->text, value, n);
	return wr_end(&c->text);
}

static enum cluster_err build_one(struct publish_stage *st, enum directory_kind kind, size_t number)
{
	struct publish_shards *shards = &st->next->shards[kind];
	struct publish_shard *shard = &shards->at[number];
	unsigned width = (unsigned)(STORE_BUCKETS / shards->n), range[2] = { (unsigned)number * width, (unsigned)(number + 1) * width };
	struct collect c = { .records = 0 };
	enum cluster_err e;

	wr_grow(&c.text, DIRECTORY_SHARD_MAX);
	wr_text(&c.text, "[");
	if ((e = store_each_bucket(st->store, record_kind(kind), range, collect_one, &c)) != CLUSTER_OK)
		goto out;
	wr_text(&c.text, "]");
	wr_terminate(&c.text);
	if ((e = wr_end(&c.text)) != CLUSTER_OK)
		goto out;
	shard->size = c.text.n;
	shard->records = c.records;
	if ((e = publish_object_put(st, SLOT(kind, number), kind == DIRECTORY_NODES, (const char *)c.text.p, c.text.n, shard->sha256)) != CLUSTER_OK)
		goto out;
	st->directory = true;
	e = table_put(st, kind, number);
out:
	wr_done(&c.text);
	return e;
}

/*
 * How many shards a kind of so many bytes should have. Each change moves one shard and the whole index, which has a line for each: their sum is least where a shard is twice as
 * large as all lines together. A shard is not cut below what is worth a line.
 */
static size_t shards_for(size_t bytes, size_t n)
{
	while (n < SHARDS_MAX && bytes / n > SHARD_BYTES_MIN && bytes / n > 2 * INDEX_LINE * n)
		n *= 2;
	return n;
}

static enum cluster_err build_kind(struct publish_stage *st, enum directory_kind kind)
{
	struct publish_shards *shards = &st->next->shards[kind];
	enum cluster_err e = CLUSTER_OK;
	size_t bytes = 0, wanted;

	for (size_t i = 0; i < shards->n && e == CLUSTER_OK; i++) {
		if (st->dirty[kind][i])
			e = build_one(st, kind, i);
		bytes += shards->at[i].size;
	}
	if (e != CLUSTER_OK || (wanted = shards_for(bytes, shards->n)) == shards->n)
		return e;
	if ((e = set_count(st, kind, wanted)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < shards->n && e == CLUSTER_OK; i++)
		e = build_one(st, kind, i);
	return e;
}

enum cluster_err publish_shards_build(struct publish_stage *st, struct diag *d)
{
	for (unsigned kind = 0; kind < DIRECTORY_KIND_N; kind++) {
		enum cluster_err e;

		if (!st->dirty[kind])
			continue;
		if ((e = build_kind(st, (enum directory_kind)kind)) != CLUSTER_OK)
			return diag_set(d, e, "the shards of %s could not be built: %s", directory_kind_name((enum directory_kind)kind), e == CLUSTER_ESYSTEM ? store_error(st->store) : err_name(e));
	}
	return CLUSTER_OK;
}

enum cluster_err publish_shards_list(const struct published *p, struct directory *dir)
{
	size_t n = 0;

	for (unsigned kind = 0; kind < DIRECTORY_KIND_N; kind++)
		n += p->shards[kind].n;
	if (n > DIRECTORY_SHARDS_MAX)
		return CLUSTER_ELIMIT;
	if (!(dir->shards = calloc(n + 1, sizeof *dir->shards)))
		return CLUSTER_ENOMEM;
	for (unsigned kind = 0; kind < DIRECTORY_KIND_N; kind++) {
		for (size_t i = 0; i < p->shards[kind].n; i++) {
			struct directory_shard *to = &dir->shards[dir->n_shards++];

			to->kind = (enum directory_kind)kind;
			to->size = p->shards[kind].at[i].size;
			memcpy(to->sha256, p->shards[kind].at[i].sha256, sizeof to->sha256);
		}
	}
	return CLUSTER_OK;
}

/* ---- sweeping ---- */

#define SWEEP_MAX 4096
#define KEEP_SECONDS 600 /* whoever has the head that named it has long fetched it */
#define SWEEP_KEY_MAX 128

struct sweep {
	int64_t before;
	size_t n;
	char key[SWEEP_MAX][SWEEP_KEY_MAX];
};

/* Keys begin with twelve digits of time. */
static enum cluster_err sweep_one(void *ctx, const char *key, const char *value, size_t n)
{
	struct sweep *s = ctx;
	char digits[14];

	(void)value;
	(void)n;
	snprintf(digits, sizeof digits, "%012" PRId64, s->before);
	if (s->n == SWEEP_MAX || strncmp(key, digits, 12) >= 0 || strlen(key) >= SWEEP_KEY_MAX)
		return CLUSTER_ELIMIT; /* enough */
	memcpy(s->key[s->n++], key, strlen(key) + 1);
	return CLUSTER_OK;
}

static enum cluster_err sweep_list(struct store *s, enum store_kind kind, struct sweep *found)
{
	enum cluster_err e = store_each(s, kind, "", sweep_one, found);

	return e == CLUSTER_ELIMIT ? CLUSTER_OK : e;
}

static bool still_named(const struct published *p, const char *hash)
{
	uint8_t sha256[CRYPTO_SHA256_SIZE];

	if (b64_decode_exact(hash, strlen(hash), sha256, sizeof sha256) != CLUSTER_OK)
		return true;
	for (unsigned i = 0; i < PUBLISH_DOC_N; i++) {
		if (crypto_equal(p->doc[i].sha256, sha256, sizeof sha256))
			return true;
	}
	for (unsigned kind = 0; kind < DIRECTORY_KIND_N; kind++) {
		for (size_t i = 0; i < p->shards[kind].n; i++) {
			if (crypto_equal(p->shards[kind].at[i].sha256, sha256, sizeof sha256))
				return true;
		}
	}
	return false;
}

static enum cluster_err gone(enum cluster_err e)
{
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

/* What stands under "<expiry>:<name>" in one kind and under its name in another. */
static enum cluster_err sweep_expired(struct store *s, enum store_kind kind, enum store_kind by_name, struct sweep *found)
{
	enum cluster_err e;

	found->n = 0;
	e = sweep_list(s, kind, found);
	for (size_t i = 0; i < found->n && e == CLUSTER_OK; i++) {
		if (kind == STORE_CREDENTIAL && (e = renewal_forget(s, found->key[i] + 13, found->before)) != CLUSTER_OK)
			break;
		if ((e = gone(store_delete(s, kind, found->key[i]))) == CLUSTER_OK)
			e = gone(store_delete(s, by_name, found->key[i] + 13));
	}
	return e;
}

enum cluster_err publish_sweep(struct store *s, const struct published *p, int64_t now)
{
	struct sweep *found = calloc(1, sizeof *found);
	enum cluster_err e;

	if (!found)
		return CLUSTER_ENOMEM;
	found->before = now - KEEP_SECONDS;
	e = sweep_list(s, STORE_DROPPED, found);
	for (size_t i = 0; i < found->n && e == CLUSTER_OK; i++) {
		if (!still_named(p, found->key[i] + 13))
			e = gone(store_delete(s, STORE_OBJECT, found->key[i] + 13));
		if (e == CLUSTER_OK)
			e = gone(store_delete(s, STORE_DROPPED, found->key[i]));
	}
	if (e == CLUSTER_OK)
		e = sweep_expired(s, STORE_CREDENTIAL, STORE_CREDENTIAL_ID, found);
	if (e == CLUSTER_OK)
		e = sweep_expired(s, STORE_CERTIFICATE, STORE_CERTIFICATE_SERIAL, found);
	free(found);
	return e;
}
