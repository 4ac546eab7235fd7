/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a decision costs beyond its two signatures. raw_two_signatures: two Ed25519 verifications by OpenSSL's EVP over as many bytes and nothing else. decision: an answer as PAM gets
 * it, split, credential and proof verified, judged by the policy on a snapshot. revocation_1e5: what 100,000 revocations in force add to it. Thread CPU, medians of rounds that
 * are measured in turn. Bars: a decision at most 1.15 times raw, revocations at most 1 us. Writes build/bench/decision.json.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/evp.h>

#include "cluster/policy.h"
#include "world.h"

#define NOW INT64_C(1800000000)
#define REVOCATIONS 100000
#define ROUNDS 31
#define DECISIONS 200
#define POLICIES 5000
#define TRANSCRIPT_BYTES (23 + CRYPTO_SHA256_SIZE + 4 + CHALLENGE_SIZE)

struct bench {
	struct world w;
	struct trust plain, revoked;
	struct moment now;
	struct challenge challenge;
	char answer[CHALLENGE_ANSWER_MAX + 1];
	struct credential credential;
	struct crypto_key *key;
	struct crypto_pub pub;
	uint8_t data[2][CREDENTIAL_SIZE_MAX], sig[2][CRYPTO_SIG_SIZE];
	size_t n[2];
};

static void die(const char *what)
{
	fprintf(stderr, "bench_decision: %s\n", what);
	exit(1);
}

static double thread_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return (d > 0) - (d < 0);
}

static double median(double v[ROUNDS])
{
	qsort(v, ROUNDS, sizeof *v, compare);
	return v[ROUNDS / 2];
}

/* Of every kind that is looked up by a value; none of them is what the decision is about. */
static void revoke_many(struct world *w)
{
	static const enum revoke_kind kinds[] = { REVOKE_CREDENTIAL, REVOKE_CREDENTIAL, REVOKE_CREDENTIAL, REVOKE_DEVICE, REVOKE_PERSON, REVOKE_NODE };
	struct revoke_entry *entry = calloc(REVOCATIONS, sizeof *entry);

	if (!entry)
		die("out of memory");
	for (uint32_t i = 0; i < REVOCATIONS; i++) {
		struct cluster_id id;

		entry[i] = (struct revoke_entry){ .kind = kinds[i % (sizeof kinds / sizeof *kinds)], .seq = i + 1, .iat = w->now, .until = w->now + 86400, .value = malloc(ID_TEXT + 1) };
		if (!entry[i].value || crypto_random(id.b, sizeof id.b) != CLUSTER_OK)
			die("out of memory");
		id_text(&id, entry[i].value);
	}
	w->revocations.entry = entry;
	w->revocations.n = REVOCATIONS;
}

static void open_trust(const struct world *w, struct trust *ret)
{
	size_t n;
	uint8_t *bytes = world_trust(w, &n);

	if (trust_parse(bytes, n, ret) != CLUSTER_OK)
		die("the snapshot cannot be read");
	ret->fresh = w->fresh;
	/* the bytes stay: both snapshots are used to the end */
}

static void prepare(struct bench *b)
{
	char *token, *proof;

	world_init(&b->w, NOW);
	b->now = (struct moment){ .wall = NOW, .boot = b->w.fresh.boot_time, .boot_id = b->w.fresh.boot_id };
	b->credential = world_credential(&b->w, WORLD_ALICE);
	token = world_token(&b->w, &b->credential, NULL);
	b->challenge = world_challenge(&b->w, "sshd", "emr-user");
	world_answer(&b->w, token, &b->challenge, NULL, b->answer);
	open_trust(&b->w, &b->plain);
	revoke_many(&b->w);
	open_trust(&b->w, &b->revoked);
	/* as many bytes under the raw signatures as under the credential's and the proof's */
	proof = strrchr(token, '.');
	b->n[0] = (size_t)(proof - token);
	b->n[1] = TRANSCRIPT_BYTES;
	free(token);
	if (crypto_key_new(CRYPTO_ED25519, &b->key) != CLUSTER_OK || crypto_key_pub(b->key, &b->pub) != CLUSTER_OK)
		die("no key");
	for (size_t i = 0; i < 2; i++) {
		if (crypto_random(b->data[i], b->n[i]) != CLUSTER_OK || crypto_sign(b->key, b->data[i], b->n[i], b->sig[i]) != CLUSTER_OK)
			die("no signature");
	}
}

static void raw(const struct bench *b)
{
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, b->pub.bytes, 32);
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		if (!pkey || !ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) != 1 || EVP_DigestVerify(ctx, b->sig[i], CRYPTO_SIG_SIZE, b->data[i], b->n[i]) != 1)
			die("a raw signature does not hold");
		EVP_MD_CTX_free(ctx);
		EVP_PKEY_free(pkey);
	}
}

static void judge(const struct bench *b, const struct trust *t, const struct credential *c)
{
	const struct policy_request q = { .class = POLICY_LOGIN, .account = "emr-user", .now = &b->now, .source = "10.0.0.1", .credential = c };
	struct policy_answer answer;

	if (policy_decide(t, &q, &answer) != REASON_OK) {
		fprintf(stderr, "%s %s\n", reason_word(answer.reason), answer.detail.text);
		die("refused");
	}
}

static void decide(const struct bench *b, const struct trust *t)
{
	const struct keyring_at at = { .cluster = &t->snap.cluster, .ring = &t->ring, .now = b->now.wall, .skew = t->self.skew };
	uint8_t proof[CRYPTO_SIG_SIZE];
	struct credential c;
	size_t n = 0;

	if (challenge_answer_parse(b->answer, strlen(b->answer), &n, proof) != CLUSTER_OK || credential_verify(b->answer, n, &at, &c, NULL) != CLUSTER_OK ||
	    challenge_proof_verify(b->answer, n, &c.cnf, &b->challenge, proof) != CLUSTER_OK)
		die("an answer does not hold");
	judge(b, t, &c);
}

/* Microseconds of each, one after the other, so that what else the machine does meets all alike. */
static void one_round(const struct bench *b, double *ret_raw, double *ret_decision, double *ret_extra)
{
	struct credential c = b->credential;
	double spent[4] = { 0 }, start;

	for (int i = 0; i < DECISIONS; i++) {
		start = thread_us();
		raw(b);
		spent[0] += thread_us() - start;
		start = thread_us();
		decide(b, &b->plain);
		spent[1] += thread_us() - start;
	}
	for (int k = 0; k < 2; k++) {
		start = thread_us();
		for (int i = 0; i < POLICIES; i++) {
			memcpy(c.jti.b, &(uint64_t){ (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15) }, sizeof(uint64_t)); /* another place of the list each time */
			judge(b, k ? &b->revoked : &b->plain, &c);
		}
		spent[2 + k] = thread_us() - start;
	}
	*ret_raw = spent[0] / DECISIONS;
	*ret_decision = spent[1] / DECISIONS;
	*ret_extra = (spent[3] - spent[2]) / POLICIES;
}

int main(void)
{
	static struct bench b;
	double r[ROUNDS], d[ROUNDS], x[ROUNDS], ratio[ROUNDS], raw_us, decision_us, extra_us, times;
	FILE *out;

	if (crypto_start() != CLUSTER_OK || credential_warm() != CLUSTER_OK)
		die("libcrypto");
	prepare(&b);
	one_round(&b, &r[0], &d[0], &x[0]); /* warms */
	for (int i = 0; i < ROUNDS; i++) {
		one_round(&b, &r[i], &d[i], &x[i]);
		ratio[i] = d[i] / r[i];
	}
	raw_us = median(r);
	decision_us = median(d);
	extra_us = median(x);
	times = median(ratio);
	printf("two raw signatures %.1f us; a decision %.1f us, %.3f times (bar 1.15): %s\n", raw_us, decision_us, times, times <= 1.15 ? "met" : "NOT MET");
	printf("%d revocations add %.3f us (bar 1): %s\n", REVOCATIONS, extra_us, extra_us <= 1 ? "met" : "NOT MET");
	mkdir("build", 0755);
	mkdir("build/bench", 0755);
	if (!(out = fopen("build/bench/decision.json", "we"))) {
		fprintf(stderr, "build/bench/decision.json: %s\n", strerror(errno));
		return 1;
	}
	fprintf(out, "[\n{\"what\":\"raw_two_signatures\",\"us\":%.2f},\n{\"what\":\"decision\",\"us\":%.2f},\n{\"what\":\"revocation_1e5\",\"us\":%.3f}\n]\n", raw_us, decision_us, extra_us);
	return fclose(out) == 0 ? 0 : 1;
}
