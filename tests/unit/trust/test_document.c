/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trustgen.h"

#include "cluster/jwk.h"
#include "cluster/moment.h"

#define NOW INT64_C(1790000000)
#define SKEW TRUSTGEN_SKEW

static struct trustgen *g;

static int set_up(void **state)
{
	(void)state;
	g = trustgen_new_with("prod", NOW, CRYPTO_ED25519, 3, 2);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trustgen_free(g);
	return 0;
}

/* Another character of the alphabet. */
static void spoil(char *text, size_t at)
{
	text[at] = text[at] == 'A' ? 'B' : 'A';
}

static enum cluster_err verify_root(const char *chain, struct document_root *ret)
{
	struct diag d = { 0 };
	enum cluster_err e = document_root_verify(chain, strlen(chain), g->pin, ret, &d);

	assert_true(e == CLUSTER_OK || d.text[0]);
	return e;
}

static enum cluster_err check_root(const char *chain)
{
	struct document_root root;

	return verify_root(chain, &root);
}

static const char *root_payload(void)
{
	char *payload = NULL, *copy;

	assert_ok(document_root_build(&g->root, &payload));
	copy = trustgen_format(g, "%s", payload);
	free(payload);
	return copy;
}

/* The chain of version 1 and one more document signed by any keys. */
static const char *chain_with(struct crypto_key *const *keys, size_t n, const char *payload)
{
	return trustgen_format(g, "%s%s\n", g->chain, trustgen_sign_lines(g, JWS_ROOT, keys, n, payload));
}

static void test_pin(void **state)
{
	char text[DOCUMENT_PIN_TEXT + 1];
	uint8_t pin[CRYPTO_SHA256_SIZE];

	(void)state;
	document_pin_text(g->pin, text);
	assert_int_equal(strlen(text), DOCUMENT_PIN_TEXT);
	assert_ok(document_pin_parse(text, pin));
	assert_memory_equal(pin, g->pin, sizeof pin);
	assert_err(document_pin_parse(text + 1, pin), CLUSTER_EFORMAT);
	assert_err(document_pin_parse("", pin), CLUSTER_EFORMAT);
	assert_err(document_pin_parse(NULL, pin), CLUSTER_EFORMAT);
	text[0] = 'S';
	assert_err(document_pin_parse(text, pin), CLUSTER_EFORMAT);
	text[0] = 's';
	text[DOCUMENT_PIN_TEXT - 1] = '=';
	assert_err(document_pin_parse(text, pin), CLUSTER_EFORMAT);
}

static void test_root(void **state)
{
	struct document_root root;

	(void)state;
	assert_ok(verify_root(trustgen_root_text(g), &root));
	assert_int_equal(root.version, 1);
	assert_int_equal(root.threshold, 2);
	assert_int_equal(root.n_keys, 3);
	assert_string_equal(root.name, "prod");
	assert_memory_equal(root.cluster.b, g->pin, ID_SIZE);
	assert_string_equal(root.kid[2], g->root.kid[2]);
	g->pin[31] ^= 1; /* a wrong pin */
	assert_err(check_root(trustgen_root_text(g)), CLUSTER_ESIGNATURE);
}

/* Two of three sign the first root: enough. One: not. One twice: not. */
static void test_root_threshold(void **state)
{
	const char *payload = root_payload(), *one = trustgen_sign_with(g, JWS_ROOT, g->root_key[1], payload);
	struct crypto_key *stranger = trustgen_key(g);
	struct crypto_key *with_stranger[] = { g->root_key[0], stranger };

	(void)state;
	assert_ok(check_root(trustgen_format(g, "%s\n", trustgen_sign_lines(g, JWS_ROOT, g->root_key, 2, payload))));
	assert_ok(check_root(trustgen_format(g, "%s\n", trustgen_sign_lines(g, JWS_ROOT, g->root_key + 1, 2, payload))));
	assert_err(check_root(trustgen_format(g, "%s\n\n", one)), CLUSTER_ESIGNATURE);
	assert_err(check_root(trustgen_format(g, "%s\n%s\n\n", one, one)), CLUSTER_EFORMAT);
	assert_err(check_root(trustgen_format(g, "%s\n", trustgen_sign_lines(g, JWS_ROOT, with_stranger, 2, payload))), CLUSTER_ESIGNATURE);
}

static void test_root_shape(void **state)
{
	const char *chain = trustgen_root_text(g);
	char *broken = trustgen_format(g, "%s", chain);

	(void)state;
	assert_err(check_root(""), CLUSTER_EFORMAT);
	assert_err(check_root("\n\n"), CLUSTER_EFORMAT);
	assert_err(check_root(trustgen_format(g, "\n%s", chain)), CLUSTER_EFORMAT);
	assert_err(check_root(trustgen_format(g, "%s\n", chain)), CLUSTER_EFORMAT);
	assert_err(check_root(trustgen_format(g, "%.*s", (int)strlen(chain) - 1, chain)), CLUSTER_EFORMAT); /* no empty line */
	assert_err(check_root(trustgen_format(g, "%.*s", (int)strlen(chain) - 2, chain)), CLUSTER_EFORMAT);
	spoil(broken, strlen(broken) - 8); /* in the last signature: known key, does not hold */
	assert_err(check_root(broken), CLUSTER_ESIGNATURE);
	assert_err(check_root(chain + strcspn(chain, "\n") + 1), CLUSTER_OK); /* two of three are left */
	for (size_t n = 0; n < strlen(chain); n += 13) {
		struct document_root root;

		assert_int_not_equal(document_root_verify(chain, n, g->pin, &root, NULL), CLUSTER_OK);
	}
}

/* H6: a document of more lines than anybody needs. */
static void test_root_many_lines(void **state)
{
	struct crypto_key *keys[DOCUMENT_SIGNATURES_MAX + 1];
	const char *payload = root_payload();

	(void)state;
	for (size_t i = 0; i <= DOCUMENT_SIGNATURES_MAX; i++)
		keys[i] = i < 3 ? g->root_key[i] : trustgen_key(g);
	assert_ok(check_root(trustgen_format(g, "%s\n", trustgen_sign_lines(g, JWS_ROOT, keys, DOCUMENT_SIGNATURES_MAX, payload))));
	assert_err(check_root(trustgen_format(g, "%s\n", trustgen_sign_lines(g, JWS_ROOT, keys, DOCUMENT_SIGNATURES_MAX + 1, payload))), CLUSTER_ELIMIT);
	assert_err(document_root_verify(payload, DOCUMENT_CHAIN_MAX + 1, g->pin, &g->root, NULL), CLUSTER_ELIMIT);
}

static void test_rotation(void **state)
{
	struct document_root root;
	const char *chain;

	(void)state;
	chain = trustgen_rotate_root(g, 2, 2);
	assert_ok(verify_root(chain, &root));
	assert_int_equal(root.version, 2);
	assert_int_equal(root.n_keys, 2);
	assert_memory_equal(root.cluster.b, g->pin, ID_SIZE);
	chain = trustgen_rotate_root(g, 1, 1);
	assert_ok(verify_root(chain, &root));
	assert_int_equal(root.version, 3);
}

/* The next root needs the old threshold and its own. */
static void test_rotation_signers(void **state)
{
	struct crypto_key *old[3], *fresh[2], *signers[4];
	const char *payload;

	(void)state;
	memcpy(old, g->root_key, sizeof old);
	trustgen_rotate_root(g, 2, 2); /* for its keys; the chain is made again by hand */
	memcpy(fresh, g->root_key, sizeof fresh);
	payload = root_payload();
	*strstr(g->chain, "\n\n") = '\0';
	strcat(g->chain, "\n\n");
	signers[0] = old[0], signers[1] = old[2], signers[2] = fresh[0], signers[3] = fresh[1];
	assert_ok(check_root(chain_with(signers, 4, payload)));                         /* two of the three old, both new */
	assert_err(check_root(chain_with(signers + 1, 3, payload)), CLUSTER_ESIGNATURE); /* one of three */
	assert_err(check_root(chain_with(signers + 2, 2, payload)), CLUSTER_ESIGNATURE); /* the new ones only */
	assert_err(check_root(chain_with(signers, 3, payload)), CLUSTER_ESIGNATURE);     /* one of the two new */
	assert_err(check_root(chain_with(old, 3, payload)), CLUSTER_ESIGNATURE);         /* the old ones only */
}

static void test_skipped_version(void **state)
{
	struct crypto_key *signers[3];

	(void)state;
	memcpy(signers, g->root_key, sizeof signers);
	g->root.version = 3;
	assert_err(check_root(chain_with(signers, 3, root_payload())), CLUSTER_EVERSION);
	g->root.version = 1;
	assert_err(check_root(chain_with(signers, 3, root_payload())), CLUSTER_EVERSION);
	g->root.version = 2;
	assert_ok(check_root(chain_with(signers, 3, root_payload())));
}

/* The first document must be version 1 even if it is the pinned one. */
static void test_pinned_later_version(void **state)
{
	const char *payload;

	(void)state;
	g->root.version = 2;
	payload = root_payload();
	assert_ok(crypto_sha256(payload, strlen(payload), g->pin));
	assert_err(check_root(trustgen_format(g, "%s\n", trustgen_sign_lines(g, JWS_ROOT, g->root_key, 3, payload))), CLUSTER_EVERSION);
}

/* A payload that is pinned and signed, and wrong. */
static enum cluster_err pinned(const char *payload)
{
	assert_ok(crypto_sha256(payload, strlen(payload), g->pin));
	return check_root(trustgen_format(g, "%s\n", trustgen_sign_lines(g, JWS_ROOT, g->root_key, 3, payload)));
}

static void test_root_payloads(void **state)
{
	const char *good = root_payload(), *keys = strstr(good, "\"keys\":");
	const char *list = trustgen_format(g, "%.*s", (int)(strstr(good, "],\"name\"") + 1 - keys), keys);
	char *twice = trustgen_format(g, "\"keys\":[%.*s,%.*s]", (int)strcspn(list + 8, "}") + 1, list + 8, (int)strcspn(list + 8, "}") + 1, list + 8);

	(void)state;
	assert_ok(pinned(good));
#define ROOT(exp, list, name, threshold, more) \
	trustgen_format(g, "{\"exp\":%lld,\"iat\":%lld,%s,\"name\":\"%s\",\"threshold\":%d,\"version\":1%s}", (long long)(exp), (long long)NOW, list, name, threshold, more)
	assert_ok(pinned(ROOT(NOW + 1, list, "prod", 2, "")));
	assert_err(pinned(ROOT(NOW, list, "prod", 2, "")), CLUSTER_EFORMAT);
	assert_err(pinned(ROOT(MOMENT_MAX + 1, list, "prod", 2, "")), CLUSTER_ELIMIT);
	assert_err(pinned(ROOT(NOW + 1, list, "prod", 0, "")), CLUSTER_ELIMIT);
	assert_err(pinned(ROOT(NOW + 1, list, "prod", 4, "")), CLUSTER_EFORMAT);
	assert_err(pinned(ROOT(NOW + 1, list, "", 2, "")), CLUSTER_EFORMAT);
	assert_err(pinned(ROOT(NOW + 1, list, "a b", 2, "")), CLUSTER_EFORMAT);
	assert_err(pinned(ROOT(NOW + 1, list, "../x", 2, "")), CLUSTER_EFORMAT);
	assert_err(pinned(ROOT(NOW + 1, list, "prod", 2, ",\"more\":1")), CLUSTER_EFORMAT);
	assert_err(pinned(ROOT(NOW + 1, "\"keys\":[]", "prod", 1, "")), CLUSTER_ELIMIT);
	assert_err(pinned(ROOT(NOW + 1, twice, "prod", 2, "")), CLUSTER_EFORMAT); /* one key counted twice */
	assert_err(pinned("{}"), CLUSTER_EFORMAT);
	assert_err(pinned("[]"), CLUSTER_EFORMAT);
	assert_err(pinned("nonsense"), CLUSTER_EFORMAT);
}

static enum cluster_err check_keyset(const char *text, struct document_keyset *ret)
{
	struct diag d = { 0 };
	enum cluster_err e = document_keyset_verify(text, strlen(text), &g->root, ret, &d);

	assert_true(e == CLUSTER_OK || d.text[0]);
	return e;
}

static void test_keyset(void **state)
{
	struct document_keyset ks;

	(void)state;
	memset(g->keyset.tls[0], 7, sizeof g->keyset.tls[0]);
	g->keyset.n_tls = 1;
	assert_ok(check_keyset(trustgen_keyset_text(g), &ks));
	assert_int_equal(ks.version, 1);
	assert_int_equal(ks.ring.n, KEYRING_ROLE_LAST);
	assert_int_equal(ks.n_tls, 1);
	assert_memory_equal(ks.tls[0], g->keyset.tls[0], sizeof ks.tls[0]);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(ks.ring.key[i].kid, g->keyset.ring.key[i].kid);
		assert_int_equal(ks.ring.key[i].role, g->keyset.ring.key[i].role);
		assert_true(crypto_pub_equal(&ks.ring.key[i].pub, &g->keyset.ring.key[i].pub));
	}
}

static const char *keyset_payload(void)
{
	char *payload = NULL, *copy;

	assert_ok(document_keyset_build(&g->keyset, &g->root.cluster, &payload));
	copy = trustgen_format(g, "%s", payload);
	free(payload);
	return copy;
}

static void test_keyset_refuses(void **state)
{
	struct document_keyset ks;
	struct crypto_key *role[] = { g->role_key[KEYRING_ISSUER], g->role_key[KEYRING_HEAD] }, *strangers[2] = { trustgen_key(g), trustgen_key(g) };
	const char *payload = keyset_payload(), *two = trustgen_sign_lines(g, JWS_KEYSET, g->root_key, 2, payload), *later;
	struct cluster_id ours = g->root.cluster;

	(void)state;
	assert_ok(check_keyset(two, &ks));
	assert_err(check_keyset(trustgen_sign_lines(g, JWS_KEYSET, g->root_key, 1, payload), &ks), CLUSTER_ESIGNATURE);
	assert_err(check_keyset(trustgen_sign_lines(g, JWS_KEYSET, role, 2, payload), &ks), CLUSTER_ESIGNATURE);
	assert_err(check_keyset(trustgen_sign_lines(g, JWS_KEYSET, strangers, 2, payload), &ks), CLUSTER_ESIGNATURE);
	assert_err(check_keyset(trustgen_sign_lines(g, JWS_ROOT, g->root_key, 2, payload), &ks), CLUSTER_EFORMAT); /* another typ */
	assert_err(check_keyset("", &ks), CLUSTER_EFORMAT);
	assert_err(check_keyset(trustgen_format(g, "%.*s", (int)strlen(two) - 1, two), &ks), CLUSTER_EFORMAT);
	assert_err(check_keyset(trustgen_format(g, "%s\n", two), &ks), CLUSTER_EFORMAT);
	g->keyset.version = 2;
	later = trustgen_sign_with(g, JWS_KEYSET, g->root_key[1], keyset_payload());
	assert_err(check_keyset(trustgen_format(g, "%s%s\n", trustgen_sign_lines(g, JWS_KEYSET, g->root_key, 1, payload), later), &ks), CLUSTER_EFORMAT); /* over two payloads */
	g->root.cluster.b[0] ^= 1; /* another cluster's */
	later = trustgen_keyset_text(g);
	g->root.cluster = ours;
	assert_err(check_keyset(later, &ks), CLUSTER_EFORMAT);
	g->keyset.ring.key[1] = g->keyset.ring.key[0]; /* one kid twice */
	assert_err(check_keyset(trustgen_keyset_text(g), &ks), CLUSTER_EFORMAT);
}

static const char *head_at(int64_t iat)
{
	const char *rev = trustgen_revocations(g, 1, "[]"), *head;
	struct trustgen_directory *dir = trustgen_directory(g, 1, (struct trustgen_records){ 0 });

	g->now = iat;
	head = trustgen_head(g, 7, trustgen_root_text(g), trustgen_keyset_text(g), dir, rev, 1);
	g->now = NOW;
	return head;
}

static enum cluster_err check_head(const char *text, struct document_head *ret)
{
	struct diag d = { 0 };
	const struct keyring_at at = trustgen_at(g);
	enum cluster_err e = document_head_verify(text, strlen(text), &at, ret, &d);

	assert_true(e == CLUSTER_OK || d.text[0]);
	return e;
}

static void test_head(void **state)
{
	struct document_head h, peek;
	const char *text = head_at(NOW);
	struct cluster_id other = { { 1 } };
	struct keyring_at at = trustgen_at(g);

	(void)state;
	at.cluster = &other;
	assert_ok(check_head(text, &h));
	assert_int_equal(h.version, 7);
	assert_int_equal(h.exp - h.iat, 900);
	assert_int_equal(h.root.version, 1);
	assert_int_equal(h.root.size, strlen(trustgen_root_text(g)));
	assert_ok(document_ref_check(&h.root, trustgen_root_text(g), strlen(trustgen_root_text(g)), "root", NULL));
	assert_ok(check_head(trustgen_format(g, "%.*s", (int)strlen(text) - 1, text), &h)); /* as JSON carries it */
	assert_err(check_head(trustgen_format(g, "%s\n", text), &h), CLUSTER_EFORMAT);
	assert_err(check_head(trustgen_format(g, "%s%s", text, text), &h), CLUSTER_EFORMAT);
	assert_err(document_head_verify(text, strlen(text), &at, &h, NULL), CLUSTER_EFORMAT);
	assert_ok(document_head_peek(text, strlen(text), &peek, NULL));
	assert_int_equal(peek.version, 7);
	assert_int_equal(peek.directory.size, h.directory.size);
}

/* H3, and the clock of DESIGN.md 3.6. */
static void test_head_times(void **state)
{
	struct document_head h;

	(void)state;
	assert_ok(check_head(head_at(NOW + SKEW), &h));
	assert_err(check_head(head_at(NOW + SKEW + 1), &h), CLUSTER_EEARLY);
	assert_ok(check_head(head_at(NOW - 899), &h));
	assert_err(check_head(head_at(NOW - 900), &h), CLUSTER_EEXPIRED);
	g->keyset.ring.key[3].exp = NOW;
	assert_err(check_head(head_at(NOW), &h), CLUSTER_EEXPIRED); /* the key's window */
	g->keyset.ring.key[3].exp = NOW + 1000;
	g->keyset.ring.key[3].nbf = NOW + SKEW + 1;
	assert_err(check_head(head_at(NOW), &h), CLUSTER_EEARLY);
	g->keyset.ring.key[3].nbf = NOW + SKEW;
	assert_ok(check_head(head_at(NOW), &h));
}

/* A head with one thing replaced in its payload, signed anew. */
static enum cluster_err changed_head(const char *from, const char *to)
{
	struct document_head h;
	struct jws j;
	const char *text = head_at(NOW), *at, *payload;
	enum cluster_err e;

	assert_ok(jws_parse(text, strlen(text) - 1, JWS_HEAD, &j, NULL));
	at = strstr((const char *)j.payload, from);
	assert_non_null(at);
	payload = trustgen_format(g, "%.*s%s%s", (int)(at - (const char *)j.payload), (const char *)j.payload, to, at + strlen(from));
	jws_done(&j);
	e = check_head(trustgen_sign(g, JWS_HEAD, KEYRING_HEAD, payload), &h);
	return e;
}

static void test_head_payloads(void **state)
{
	(void)state;
	assert_ok(changed_head("\"version\":7", "\"version\":9007199254740992"));
	assert_err(changed_head("\"version\":7", "\"version\":9007199254740993"), CLUSTER_ELIMIT); /* H5 */
	assert_err(changed_head("\"version\":7", "\"version\":9223372036854775807"), CLUSTER_ELIMIT);
	assert_err(changed_head("\"version\":7", "\"version\":0"), CLUSTER_ELIMIT);
	assert_err(changed_head("\"version\":7", "\"version\":-7"), CLUSTER_ELIMIT);
	assert_err(changed_head("\"version\":7", "\"version\":7.0"), CLUSTER_EFORMAT);
	assert_err(changed_head("\"version\":7", "\"version\":7e0"), CLUSTER_EFORMAT);
	assert_err(changed_head("\"version\":7", "\"version\":\"7\""), CLUSTER_EFORMAT);
	assert_err(changed_head("\"version\":7", "\"version\":7,\"version\":7"), CLUSTER_EFORMAT);
	assert_err(changed_head("\"version\":7", "\"version\":7,\"zip\":1"), CLUSTER_EFORMAT);
	assert_err(changed_head(",\"version\":7", ""), CLUSTER_EFORMAT);
	assert_err(changed_head("\"exp\":1790000900", "\"exp\":1790000901"), CLUSTER_EFORMAT); /* H3: lives longer than fifteen minutes */
	assert_err(changed_head("\"exp\":1790000900", "\"exp\":1790000000"), CLUSTER_EFORMAT);
	assert_err(changed_head("\"iat\":1790000000", "\"iat\":1577836799"), CLUSTER_ELIMIT); /* B10: before 2020 */
	assert_err(changed_head("\"exp\":1790000900", "\"exp\":4102444801"), CLUSTER_ELIMIT);
	assert_err(changed_head("\"iat\":1790000000", "\"iat\":\"1790000000\""), CLUSTER_EFORMAT);
	assert_err(changed_head("\"size\":", "\"size\":-"), CLUSTER_ELIMIT);
	assert_err(changed_head("\"size\":", "\"size\":99999999"), CLUSTER_ELIMIT); /* H6: more than its kind may have */
	assert_err(changed_head("\"sha256\":\"", "\"sha256\":\"A"), CLUSTER_ELIMIT);
	assert_err(changed_head("\"cluster\":\"", "\"cluster\":\"A"), CLUSTER_ELIMIT);
}

static void test_ref(void **state)
{
	struct document_ref ref = { .version = 1, .size = 3 };

	(void)state;
	assert_ok(crypto_sha256("abc", 3, ref.sha256));
	assert_ok(document_ref_check(&ref, "abc", 3, "x", NULL));
	assert_err(document_ref_check(&ref, "abd", 3, "x", NULL), CLUSTER_ESIGNATURE);
	assert_err(document_ref_check(&ref, "abc", 2, "x", NULL), CLUSTER_ESIGNATURE);
	ref.size = 4;
	assert_err(document_ref_check(&ref, "abc", 3, "x", NULL), CLUSTER_ESIGNATURE);
	ref.size = -1;
	assert_err(document_ref_check(&ref, "abc", SIZE_MAX, "x", NULL), CLUSTER_ESIGNATURE);
}

static enum cluster_err step(const struct document_head *last, const struct document_head *next)
{
	struct diag d = { 0 };
	enum cluster_err e = document_head_step(last, next, &d);

	assert_true(e == CLUSTER_OK || d.text[0]);
	return e;
}

/* H1, H4, H5 */
static void test_step(void **state)
{
	struct document_head last = { .version = 100, .iat = NOW, .exp = NOW + 900 }, next, none = { 0 };
	struct document_ref *const ref[] = { &next.root, &next.keyset, &next.directory, &next.revocations };

	(void)state;
	last.root.version = last.keyset.version = last.directory.version = last.revocations.version = 50;
	last.root.size = last.keyset.size = last.directory.size = last.revocations.size = 10;
	next = last;
	assert_ok(step(&none, &next));
	assert_ok(step(&last, &next)); /* the same once more */
	next.iat++;
	assert_err(step(&last, &next), CLUSTER_EVERSION); /* the same version, not the same head */
	next.version = 101;
	assert_ok(step(&last, &next));
	next.version = 99;
	assert_err(step(&last, &next), CLUSTER_EVERSION);
	next.version = 100 + DOCUMENT_VERSION_STEP;
	assert_ok(step(&last, &next));
	next.version++;
	assert_err(step(&last, &next), CLUSTER_EVERSION);
	next.version = 101;
	for (size_t i = 0; i < 4; i++) {
		ref[i]->version = 49;
		assert_err(step(&last, &next), CLUSTER_EVERSION);
		ref[i]->version = 51;
		assert_ok(step(&last, &next));
		ref[i]->sha256[0] = 1;
		assert_ok(step(&last, &next));
		ref[i]->version = 50;
		assert_err(step(&last, &next), CLUSTER_EVERSION); /* an equal version with another hash */
		ref[i]->sha256[0] = 0;
		ref[i]->size = 11;
		assert_err(step(&last, &next), CLUSTER_EVERSION);
		ref[i]->size = 10;
		ref[i]->version = 50 + DOCUMENT_VERSION_STEP + 1;
		assert_err(step(&last, &next), CLUSTER_EVERSION);
		ref[i]->version = DOCUMENT_VERSION_MAX;
		assert_err(step(&last, &next), CLUSTER_EVERSION);
		ref[i]->version = 50;
		assert_ok(step(&last, &next));
	}
}

static enum cluster_err payload_of(const char *text, enum jws_typ typ)
{
	const struct keyring_at at = trustgen_at(g);
	uint8_t *payload = NULL;
	size_t n = 0;
	enum cluster_err e = document_payload(text, strlen(text), (int)typ, &at, &payload, &n, NULL);

	assert_true((e == CLUSTER_OK) == (payload != NULL));
	free(payload);
	return e;
}

/* The right kid, type and role, and one bit of signature or payload that is another's. */
static void test_signature_counts(void **state)
{
	static const struct {
		enum jws_typ typ;
		enum keyring_role role;
	} slot[] = { { JWS_CREDENTIAL, KEYRING_ISSUER }, { JWS_DIRECTORY, KEYRING_DIRECTORY }, { JWS_REVOCATIONS, KEYRING_REVOCATION }, { JWS_HEAD, KEYRING_HEAD } };
	struct document_head h;
	char *head = trustgen_format(g, "%s", head_at(NOW));

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const char *text = trustgen_sign(g, slot[i].typ, slot[i].role, "{\"a\":1}"), *other = trustgen_sign(g, slot[i].typ, slot[i].role, "{\"a\":2}");

		assert_ok(payload_of(text, slot[i].typ));
		assert_err(payload_of(trustgen_format(g, "%.*s%s", (int)(strrchr(text, '.') - text), text, strrchr(other, '.')), slot[i].typ), CLUSTER_ESIGNATURE);
	}
	assert_ok(check_head(head, &h));
	spoil(head, strlen(head) - 20);
	assert_err(check_head(head, &h), CLUSTER_ESIGNATURE);
}

/* B9: a key of one role never verifies another's document, whichever document and whichever reader. */
static void test_role_matrix(void **state)
{
	static const struct {
		enum jws_typ typ;
		enum keyring_role role;
	} slot[] = { { JWS_CREDENTIAL, KEYRING_ISSUER }, { JWS_DIRECTORY, KEYRING_DIRECTORY }, { JWS_REVOCATIONS, KEYRING_REVOCATION }, { JWS_HEAD, KEYRING_HEAD } };
	static const enum keyring_role signers[] = { KEYRING_ISSUER, KEYRING_DIRECTORY, KEYRING_REVOCATION, KEYRING_HEAD, KEYRING_SSHCA };

	(void)state;
	for (size_t typ = 0; typ < 4; typ++)
		for (size_t signer = 0; signer < sizeof signers / sizeof *signers; signer++) {
			const char *text = trustgen_sign(g, slot[typ].typ, signers[signer], "{}");

			for (size_t reader = 0; reader < 4; reader++) {
				enum cluster_err want = reader != typ ? CLUSTER_EFORMAT : signer != typ ? CLUSTER_ESIGNATURE : CLUSTER_OK;

				assert_err(payload_of(text, slot[reader].typ), want);
			}
		}
	for (size_t typ = 0; typ < 4; typ++) { /* a root key is no role key */
		assert_err(payload_of(trustgen_sign_with(g, slot[typ].typ, g->root_key[0], "{}"), slot[typ].typ), CLUSTER_ESIGNATURE);
		assert_err(payload_of(trustgen_sign_with(g, slot[typ].typ, trustgen_key(g), "{}"), slot[typ].typ), CLUSTER_ESIGNATURE);
	}
	for (int typ = -1; typ <= JWS_TYP_N; typ++) { /* and no role key signs what root keys, devices and nodes do */
		const char *text = typ >= 0 && typ < JWS_TYP_N && typ != JWS_DPOP ? trustgen_sign(g, (enum jws_typ)typ, KEYRING_HEAD, "{}") : "";

		if (typ != JWS_CREDENTIAL && typ != JWS_DIRECTORY && typ != JWS_REVOCATIONS && typ != JWS_HEAD)
			assert_err(payload_of(text, (enum jws_typ)typ), CLUSTER_EFORMAT);
	}
}

/* B9: every document in every reader's place. */
static void test_document_matrix(void **state)
{
	struct trustgen_directory *dir = trustgen_directory(g, 1, (struct trustgen_records){ 0 });
	const char *text[] = { trustgen_root_text(g), trustgen_keyset_text(g), head_at(NOW), dir->text, trustgen_revocations(g, 1, "[]") };
	const struct keyring_at at = trustgen_at(g);

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct document_root root;
		struct document_keyset ks;
		struct document_head h;
		struct directory *d = NULL;
		struct revoke_list *l = NULL;
		size_t n = strlen(text[i]);

		assert_int_equal(document_root_verify(text[i], n, g->pin, &root, NULL) == CLUSTER_OK, i == 0);
		assert_int_equal(document_keyset_verify(text[i], n, &g->root, &ks, NULL) == CLUSTER_OK, i == 1);
		assert_int_equal(document_head_verify(text[i], n, &at, &h, NULL) == CLUSTER_OK, i == 2);
		assert_int_equal(document_head_peek(text[i], n, &h, NULL) == CLUSTER_OK, i == 2);
		assert_int_equal(directory_parse(text[i], n, &at, &d, NULL) == CLUSTER_OK, i == 3);
		assert_int_equal(revoke_parse(text[i], n, &at, &l, NULL) == CLUSTER_OK, i == 4);
		directory_free(d);
		revoke_free(l);
	}
}

/* C4: two authorities that share every name. */
static void test_other_cluster(void **state)
{
	struct trustgen *other = trustgen_new_with("prod", NOW, CRYPTO_ES256, 3, 2);
	struct document_keyset ks;
	struct document_head h;
	const char *keyset = trustgen_keyset_text(other), *root = trustgen_root_text(other);

	(void)state;
	assert_err(check_root(root), CLUSTER_ESIGNATURE);
	assert_err(check_keyset(keyset, &ks), CLUSTER_ESIGNATURE);
	assert_ok(document_keyset_verify(keyset, strlen(keyset), &other->root, &ks, NULL));
	assert_err(check_head(trustgen_sign(other, JWS_HEAD, KEYRING_HEAD, "{}"), &h), CLUSTER_ESIGNATURE);
	trustgen_free(other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_pin), TEST(test_root), TEST(test_root_threshold), TEST(test_root_shape), TEST(test_root_many_lines), TEST(test_rotation), TEST(test_rotation_signers),
		TEST(test_skipped_version), TEST(test_pinned_later_version), TEST(test_root_payloads), TEST(test_keyset), TEST(test_keyset_refuses), TEST(test_head),
		TEST(test_head_times), TEST(test_head_payloads), TEST(test_ref), TEST(test_step), TEST(test_signature_counts), TEST(test_role_matrix), TEST(test_document_matrix), TEST(test_other_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
