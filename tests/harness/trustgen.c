/* SPDX-License-Identifier: Apache-2.0 */
#include "trustgen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/jwk.h"
#include "cluster/json.h"
#include "cluster/wr.h"

#define DAY 86400
#define YEAR (365 * DAY)
#define HASH_TEXT 43
#define DOCUMENT_MAX (64u << 20)

struct trustgen_owned {
	struct trustgen_owned *next;
	void *memory;
	struct crypto_key *key;
};

static void must(enum cluster_err e, const char *what)
{
	if (e == CLUSTER_OK)
		return;
	fprintf(stderr, "trustgen: %s: %s\n", what, err_name(e));
	abort();
}

static void *got(void *p)
{
	must(p ? CLUSTER_OK : CLUSTER_ENOMEM, "memory");
	return p;
}

static struct trustgen_owned *own(struct trustgen *g)
{
	struct trustgen_owned *o = got(calloc(1, sizeof *o));

	o->next = g->owned;
	g->owned = o;
	return o;
}

static char *keep(struct trustgen *g, void *memory)
{
	return own(g)->memory = got(memory);
}

char *trustgen_format(struct trustgen *g, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return keep(g, n < 0 ? NULL : text);
}

struct crypto_key *trustgen_key(struct trustgen *g)
{
	struct trustgen_owned *o = own(g);

	must(crypto_key_new(g->alg, &o->key), "key");
	return o->key;
}

static struct crypto_pub pub_of(const struct crypto_key *key)
{
	struct crypto_pub pub;

	must(crypto_key_pub(key, &pub), "public key");
	return pub;
}

const char *trustgen_jwk(struct trustgen *g, const struct crypto_key *key)
{
	struct crypto_pub pub = pub_of(key);
	struct json *j = got(jwk_build(&pub, JWK_BARE));
	char *text = NULL;

	must(json_text(j, &text, NULL), "JWK");
	json_free(j);
	return keep(g, text);
}

const char *trustgen_jkt(struct trustgen *g, const struct crypto_key *key)
{
	struct crypto_pub pub = pub_of(key);
	char *text = keep(g, malloc(JWK_THUMBPRINT + 1));

	must(jwk_thumbprint(&pub, text), "thumbprint");
	return text;
}

struct cluster_id trustgen_id(const char *label)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct cluster_id id;

	must(crypto_sha256(label, strlen(label), hash), "hash");
	memcpy(id.b, hash, sizeof id.b);
	return id;
}

const char *trustgen_id_text(struct trustgen *g, const char *label)
{
	struct cluster_id id = trustgen_id(label);
	char *text = keep(g, malloc(ID_TEXT + 1));

	id_text(&id, text);
	return text;
}

const char *trustgen_hostkey(struct trustgen *g, const char *label)
{
	static const char type[] = "ssh-ed25519";
	uint8_t bytes[4 + 11 + 4 + CRYPTO_SHA256_SIZE], hash[CRYPTO_SHA256_SIZE];
	char *line = keep(g, malloc(sizeof type + 69)), *p;
	struct wr w;

	must(crypto_sha256(label, strlen(label), hash), "hash");
	wr_init(&w, bytes, sizeof bytes);
	wr_u32(&w, sizeof type - 1);
	wr_text(&w, type);
	wr_u32(&w, sizeof hash);
	wr_bytes(&w, hash, sizeof hash);
	must(wr_end(&w), "blob");
	memcpy(line, "ssh-ed25519 ", 12);
	must(b64_encode(bytes, sizeof bytes, line + 12, 69), "base64"); /* 51 bytes: 68 characters, no padding */
	for (p = line + 12; *p; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	return line;
}

/* --- signing --- */

const char *trustgen_sign_with(struct trustgen *g, enum jws_typ typ, const struct crypto_key *key, const char *payload)
{
	char *token = NULL;

	must(jws_sign(key, typ, payload, strlen(payload), &token), jws_typ_name(typ));
	return keep(g, token);
}

const char *trustgen_sign(struct trustgen *g, enum jws_typ typ, enum keyring_role role, const char *payload)
{
	return trustgen_sign_with(g, typ, g->role_key[role], payload);
}

const char *trustgen_sign_lines(struct trustgen *g, enum jws_typ typ, struct crypto_key *const *keys, size_t n, const char *payload)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = trustgen_format(g, "%s%s\n", text, trustgen_sign_with(g, typ, keys[i], payload));
	return text;
}

/* --- root and keyset --- */

static void fresh_root_keys(struct trustgen *g, size_t n, size_t threshold)
{
	g->root.n_keys = n;
	g->root.threshold = threshold;
	for (size_t i = 0; i < n; i++) {
		g->root_key[i] = trustgen_key(g);
		g->root.key[i] = pub_of(g->root_key[i]);
		must(jwk_kid(&g->root.key[i], g->root.kid[i]), "kid");
	}
}

static char *root_payload(struct trustgen *g)
{
	char *payload = NULL;

	must(document_root_build(&g->root, &payload), "root");
	return keep(g, payload);
}

static void extend_chain(struct trustgen *g, const char *document)
{
	size_t n = strlen(g->chain);
	int more = snprintf(g->chain + n, sizeof g->chain - n, "%s\n", document);

	must(more > 0 && (size_t)more < sizeof g->chain - n ? CLUSTER_OK : CLUSTER_ELIMIT, "root chain");
}

struct trustgen *trustgen_new_with(const char *name, int64_t now, enum crypto_alg alg, size_t n_root, size_t threshold)
{
	struct trustgen *g = got(calloc(1, sizeof *g));
	const char *payload;

	must(crypto_start(), "libcrypto");
	g->now = now;
	g->alg = alg;
	snprintf(g->root.name, sizeof g->root.name, "%s", name);
	g->root.version = 1;
	g->root.iat = now - DAY;
	g->root.exp = now + YEAR;
	fresh_root_keys(g, n_root, threshold);
	payload = root_payload(g);
	must(crypto_sha256(payload, strlen(payload), g->pin), "hash");
	memcpy(g->root.cluster.b, g->pin, ID_SIZE);
	extend_chain(g, trustgen_sign_lines(g, JWS_ROOT, g->root_key, n_root, payload));
	g->keyset.version = 1;
	g->keyset.iat = now - DAY;
	for (enum keyring_role r = KEYRING_ISSUER; r <= KEYRING_ROLE_LAST; r++) {
		struct keyring_key k = { .role = r, .nbf = now - DAY, .exp = now + YEAR };

		g->role_key[r] = trustgen_key(g);
		k.pub = pub_of(g->role_key[r]);
		must(jwk_kid(&k.pub, k.kid), "kid");
		must(keyring_add(&g->keyset.ring, &k), "keyring");
	}
	return g;
}

struct trustgen *trustgen_new(const char *name, int64_t now)
{
	return trustgen_new_with(name, now, CRYPTO_ED25519, 1, 1);
}

void trustgen_free(struct trustgen *g)
{
	while (g && g->owned) {
		struct trustgen_owned *o = g->owned;

		g->owned = o->next;
		free(o->memory);
		crypto_key_free(o->key);
		free(o);
	}
	free(g);
}

const char *trustgen_root_text(struct trustgen *g)
{
	return trustgen_format(g, "%s", g->chain);
}

const char *trustgen_rotate_root(struct trustgen *g, size_t n, size_t threshold)
{
	struct crypto_key *signers[2 * DOCUMENT_ROOT_KEYS_MAX];
	size_t old = g->root.n_keys;

	memcpy(signers, g->root_key, old * sizeof signers[0]);
	g->root.version++;
	fresh_root_keys(g, n, threshold);
	memcpy(signers + old, g->root_key, n * sizeof signers[0]);
	extend_chain(g, trustgen_sign_lines(g, JWS_ROOT, signers, old + n, root_payload(g)));
	return trustgen_root_text(g);
}

const char *trustgen_keyset_text(struct trustgen *g)
{
	char *payload = NULL;

	must(document_keyset_build(&g->keyset, &g->root.cluster, &payload), "keyset");
	return trustgen_sign_lines(g, JWS_KEYSET, g->root_key, g->root.n_keys, keep(g, payload));
}

/* --- directory --- */

static const char *sample_node(struct trustgen *g, const char *name, const char *role, const char *address)
{
	return trustgen_format(g, "{\"addresses\":[\"%s\"],\"hop\":%s,\"hostkeys\":[\"%s\"],\"id\":\"%s\",\"key\":%s,\"name\":\"%s\",\"roles\":[\"%s\"]}", address,
		trustgen_jwk(g, trustgen_key(g)), trustgen_hostkey(g, name), trustgen_id_text(g, name), trustgen_jwk(g, trustgen_key(g)), name, role);
}

static const char *sample_account(struct trustgen *g, const char *name, unsigned uid, const char *more)
{
	return trustgen_format(g, "{\"gecos\":\"%s\",\"gid\":%u,\"home\":\"/home/%s\",\"name\":\"%s\",\"shell\":\"/bin/sh\",\"uid\":%u%s}", name, uid, name, name, uid, more);
}

static const char *sample_person(struct trustgen *g, const char *name, const char *roles)
{
	const char *device = trustgen_format(g, "%s-laptop", name);

	return trustgen_format(g, "{\"devices\":[{\"id\":\"%s\",\"jkt\":\"%s\"}],\"id\":\"%s\",\"name\":\"%s\",\"roles\":%s}", trustgen_id_text(g, device),
		trustgen_jkt(g, trustgen_key(g)), trustgen_id_text(g, name), name, roles);
}

struct trustgen_records trustgen_sample(struct trustgen *g)
{
	struct trustgen_records r = { 0 };
	const char *alice = trustgen_id_text(g, "alice"), *bob = trustgen_id_text(g, "bob");

	r.kind[DIRECTORY_ACCOUNTS] = trustgen_format(g, "[%s,%s,%s]", sample_account(g, "emr-user", 1880000001, ""), sample_account(g, "ecs-user", 1880000002, ""),
		sample_account(g, "alice", 1880000003, trustgen_format(g, ",\"person\":\"%s\"", alice)));
	r.kind[DIRECTORY_GROUPS] = "[{\"gid\":1880000100,\"members\":[\"emr-user\"],\"name\":\"hadoop\"}]";
	r.kind[DIRECTORY_PEOPLE] = trustgen_format(g, "[%s,%s]", sample_person(g, "alice", "[\"ops\"]"), sample_person(g, "bob", "[]"));
	r.kind[DIRECTORY_NODES] = trustgen_format(g, "[%s,%s,%s]", sample_node(g, "master-1-1", "master", "10.0.0.1"), sample_node(g, "core-1-1", "core", "10.0.0.2"),
		sample_node(g, "task-1-1", "task", "10.0.0.3"));
	r.kind[DIRECTORY_GRANTS] = trustgen_format(g, "[{\"accounts\":[\"emr-user\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"ops\",\"sudo\":true},"
		"{\"accounts\":[\"emr-user\"],\"id\":\"%s\",\"nodes\":[\"role:core\"],\"person\":\"%s\"}]",
		trustgen_id_text(g, "grant-ops"), trustgen_id_text(g, "grant-bob"), bob);
	return r;
}

struct trustgen_directory *trustgen_directory(struct trustgen *g, int64_t version, struct trustgen_records records)
{
	struct directory_shard shards[DIRECTORY_KIND_N];
	struct directory dir = { .version = version, .iat = g->now, .shards = shards };
	struct trustgen_directory *ret = (void *)keep(g, calloc(1, sizeof *ret));
	char *payload = NULL;

	dir.max_stale = (uint32_t)(records.max_stale ? records.max_stale : 900);
	dir.skew = (uint32_t)(records.skew ? records.skew : 30);
	dir.sudo_fresh = (uint32_t)(records.sudo_fresh ? records.sudo_fresh : 900);
	for (unsigned k = 0; k < DIRECTORY_KIND_N; k++) {
		const char *text = records.kind[k];
		struct directory_shard *s = &shards[dir.n_shards];

		if (!text)
			continue;
		s->kind = (enum directory_kind)k;
		s->size = strlen(text);
		must(crypto_sha256(text, s->size, s->sha256), "hash");
		ret->shard[dir.n_shards++] = text;
	}
	must(directory_index_build(&dir, &g->root.cluster, &payload), "index");
	ret->version = version;
	ret->n_shards = dir.n_shards;
	ret->text = trustgen_format(g, "%s\n", trustgen_sign(g, JWS_DIRECTORY, KEYRING_DIRECTORY, keep(g, payload)));
	return ret;
}

static void must_explain(enum cluster_err e, const struct diag *d)
{
	if (e != CLUSTER_OK)
		fprintf(stderr, "trustgen: %s\n", d->text);
	must(e, "parse");
}

struct keyring_at trustgen_at(const struct trustgen *g)
{
	return (struct keyring_at){ .cluster = &g->root.cluster, .ring = &g->keyset.ring, .now = g->now, .skew = TRUSTGEN_SKEW };
}

struct directory *trustgen_directory_read(struct trustgen *g, const struct trustgen_directory *dir)
{
	const struct keyring_at at = trustgen_at(g);
	struct directory *ret = NULL;
	struct diag d = { 0 };

	must_explain(directory_parse(dir->text, strlen(dir->text), &at, &ret, &d), &d);
	for (size_t i = 0; i < dir->n_shards; i++)
		must_explain(directory_shard_add(ret, i, dir->shard[i], strlen(dir->shard[i]), &d), &d);
	must_explain(directory_check(ret, &d), &d);
	return ret;
}

/* --- revocations and head --- */

const char *trustgen_revocations(struct trustgen *g, int64_t version, const char *entries)
{
	char cluster[ID_TEXT + 1];

	id_text(&g->root.cluster, cluster);
	return trustgen_format(g, "%s\n", trustgen_sign(g, JWS_REVOCATIONS, KEYRING_REVOCATION,
		trustgen_format(g, "{\"cluster\":\"%s\",\"entries\":%s,\"iat\":%lld,\"version\":%lld}", cluster, entries, (long long)g->now, (long long)version)));
}

struct revoke_list *trustgen_revocations_read(struct trustgen *g, const char *text)
{
	const struct keyring_at at = trustgen_at(g);
	struct revoke_list *ret = NULL;
	struct diag d = { 0 };

	must_explain(revoke_parse(text, strlen(text), &at, &ret, &d), &d);
	return ret;
}

static struct document_ref ref_of(const char *text, int64_t version)
{
	struct document_ref r = { .version = version, .size = (int64_t)strlen(text) };

	must(crypto_sha256(text, strlen(text), r.sha256), "hash");
	return r;
}

const char *trustgen_head(struct trustgen *g, int64_t version, const char *root, const char *keyset, const struct trustgen_directory *dir, const char *revocations,
    int64_t revocations_version)
{
	struct document_head h = { .version = version, .iat = g->now, .exp = g->now + DOCUMENT_HEAD_LIFE_MAX };
	char *payload = NULL;

	h.root = ref_of(root, g->root.version);
	h.keyset = ref_of(keyset, g->keyset.version);
	h.directory = ref_of(dir->text, dir->version);
	h.revocations = ref_of(revocations, revocations_version);
	must(document_head_build(&h, &g->root.cluster, &payload), "head");
	return trustgen_format(g, "%s\n", trustgen_sign(g, JWS_HEAD, KEYRING_HEAD, keep(g, payload)));
}
