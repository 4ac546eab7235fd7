/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/challenge.h"

#include <stdio.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/rd.h"
#include "cluster/wr.h"

#define VERSION 1
#define NAME_FIELD 32
#define MARK "CL1:"
#define MARK_N (sizeof MARK - 1)
#define CONTEXT "cluster-login proof v1" /* signed with its NUL */
#define TRANSCRIPT_SIZE (sizeof CONTEXT + CRYPTO_SHA256_SIZE + 4 + CHALLENGE_SIZE)
#define PROOF_TEXT B64_LEN(CRYPTO_SIG_SIZE)

_Static_assert(NAME_SERVICE_MAX == NAME_FIELD && NAME_ACCOUNT_MAX == NAME_FIELD, "names fill their fields");
_Static_assert(CHALLENGE_TEXT == MARK_N + B64_LEN(CHALLENGE_SIZE), "length of the challenge's text");
_Static_assert(CREDENTIAL_SIZE_MAX + 1 + PROOF_TEXT <= CHALLENGE_ANSWER_MAX, "the largest credential fits into an answer");

bool challenge_time_ok(const struct challenge *c, int64_t now, uint32_t skew)
{
	return now - c->time <= CHALLENGE_AGE_MAX && c->time - now <= (int64_t)skew;
}

void challenge_names(struct challenge *c, const char *service, const char *account)
{
	memset(c->service, 0, sizeof c->service);
	memset(c->account, 0, sizeof c->account);
	if (name_service_ok(service))
		memcpy(c->service, service, strlen(service));
	if (name_account_ok(account))
		memcpy(c->account, account, strlen(account));
}

/* A zero-padded name; `dst` has NAME_FIELD + 1 bytes. */
static enum cluster_err read_name(struct rd *r, bool (*ok)(const char *), char *dst)
{
	enum cluster_err e = rd_bytes(r, dst, NAME_FIELD, NAME_FIELD);

	if (e != CLUSTER_OK)
		return e;
	dst[NAME_FIELD] = '\0';
	for (size_t i = strlen(dst); i < NAME_FIELD; i++)
		if (dst[i] != '\0')
			return CLUSTER_EFORMAT;
	return dst[0] == '\0' || ok(dst) ? CLUSTER_OK : CLUSTER_EFORMAT;
}

enum cluster_err challenge_parse(const uint8_t *data, size_t n, struct challenge *ret)
{
	struct challenge c;
	enum cluster_err e;
	struct rd r;
	uint64_t t;
	uint8_t version;

	if (n != CHALLENGE_SIZE)
		return CLUSTER_EFORMAT;
	rd_init(&r, data, n);
	if ((e = rd_u8(&r, &version)) != CLUSTER_OK)
		return e;
	if (version != VERSION)
		return CLUSTER_EVERSION;
	if ((e = rd_bytes(&r, c.cluster.b, sizeof c.cluster.b, ID_SIZE)) != CLUSTER_OK || (e = rd_bytes(&r, c.node.b, sizeof c.node.b, ID_SIZE)) != CLUSTER_OK ||
	    (e = rd_bytes(&r, c.hostkey_hash, sizeof c.hostkey_hash, CRYPTO_SHA256_SIZE)) != CLUSTER_OK ||
	    (e = rd_bytes(&r, c.nonce, sizeof c.nonce, CRYPTO_SHA256_SIZE)) != CLUSTER_OK || (e = rd_u64(&r, &t)) != CLUSTER_OK ||
	    (e = read_name(&r, name_service_ok, c.service)) != CLUSTER_OK || (e = read_name(&r, name_account_ok, c.account)) != CLUSTER_OK ||
	    (e = rd_end(&r)) != CLUSTER_OK)
		return e;
	if (t > INT64_MAX)
		return CLUSTER_EFORMAT;
	c.time = (int64_t)t;
	*ret = c;
	return CLUSTER_OK;
}

void challenge_build(const struct challenge *c, uint8_t ret[CHALLENGE_SIZE])
{
	struct wr w;

	wr_init(&w, ret, CHALLENGE_SIZE);
	wr_u8(&w, VERSION);
	wr_bytes(&w, c->cluster.b, ID_SIZE);
	wr_bytes(&w, c->node.b, ID_SIZE);
	wr_bytes(&w, c->hostkey_hash, sizeof c->hostkey_hash);
	wr_bytes(&w, c->nonce, sizeof c->nonce);
	wr_u64(&w, (uint64_t)c->time);
	wr_bytes(&w, c->service, NAME_FIELD);
	wr_bytes(&w, c->account, NAME_FIELD);
}

void challenge_text(const struct challenge *c, char dst[CHALLENGE_TEXT + 1])
{
	uint8_t bytes[CHALLENGE_SIZE];

	challenge_build(c, bytes);
	memcpy(dst, MARK, MARK_N);
	if (b64_encode(bytes, sizeof bytes, dst + MARK_N, CHALLENGE_TEXT + 1 - MARK_N) != CLUSTER_OK)
		dst[0] = '\0'; /* cannot be: the room is exact */
}

enum cluster_err challenge_text_parse(const char *text, size_t n, struct challenge *ret)
{
	uint8_t bytes[CHALLENGE_SIZE];
	enum cluster_err e;

	if (n != CHALLENGE_TEXT || memcmp(text, MARK, MARK_N) != 0)
		return CLUSTER_EFORMAT;
	e = b64_decode_exact(text + MARK_N, n - MARK_N, bytes, sizeof bytes);
	return e == CLUSTER_OK ? challenge_parse(bytes, sizeof bytes, ret) : e;
}

void challenge_prompt(const struct challenge *c, const char *node_name, char dst[CHALLENGE_PROMPT_MAX + 1])
{
	char text[CHALLENGE_TEXT + 1];

	challenge_text(c, text);
	snprintf(dst, CHALLENGE_PROMPT_MAX + 1, "Cluster login to %.*s as %s.\n%s\n" CHALLENGE_PROMPT_END, NAME_NODE_MAX, node_name, c->account[0] ? c->account : "?", text);
}

void challenge_step_up_prompt(const struct challenge *c, const char *node_name, char dst[CHALLENGE_PROMPT_MAX + 1])
{
	char text[CHALLENGE_TEXT + 1];

	challenge_text(c, text);
	snprintf(dst, CHALLENGE_PROMPT_MAX + 1, "Step-up for %s on %.*s as %s: on your own machine run \"cluster-login answer\".\n%s\nCluster answer (password): ", c->service[0] ? c->service : "?",
	    NAME_NODE_MAX, node_name, c->account[0] ? c->account : "?", text);
}

static enum cluster_err transcript(const char *credential, size_t n, const struct challenge *c, uint8_t ret[TRANSCRIPT_SIZE])
{
	uint8_t hash[CRYPTO_SHA256_SIZE], bytes[CHALLENGE_SIZE];
	enum cluster_err e = crypto_sha256(credential, n, hash);
	struct wr w;

	if (e != CLUSTER_OK)
		return e;
	challenge_build(c, bytes);
	wr_init(&w, ret, TRANSCRIPT_SIZE);
	wr_bytes(&w, CONTEXT, sizeof CONTEXT);
	wr_bytes(&w, hash, sizeof hash);
	wr_u32(&w, CHALLENGE_SIZE);
	wr_bytes(&w, bytes, sizeof bytes);
	return wr_end(&w);
}

enum cluster_err challenge_answer_build(const char *credential, const struct crypto_key *key, const struct challenge *c, char *dst, size_t size)
{
	uint8_t signed_bytes[TRANSCRIPT_SIZE], proof[CRYPTO_SIG_SIZE];
	size_t n = strlen(credential);
	enum cluster_err e;

	if (n > CREDENTIAL_SIZE_MAX || n + 1 + PROOF_TEXT >= size)
		return CLUSTER_ELIMIT;
	if ((e = transcript(credential, n, c, signed_bytes)) != CLUSTER_OK || (e = crypto_sign(key, signed_bytes, sizeof signed_bytes, proof)) != CLUSTER_OK ||
	    (e = b64_encode(proof, sizeof proof, dst + n + 1, size - n - 1)) != CLUSTER_OK)
		return e;
	memcpy(dst, credential, n);
	dst[n] = '~';
	return CLUSTER_OK;
}

static bool token_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

enum cluster_err challenge_answer_parse(const char *answer, size_t n, size_t *ret_n, uint8_t ret_proof[CRYPTO_SIG_SIZE])
{
	enum cluster_err e;
	size_t credential_n;

	if (n > CHALLENGE_ANSWER_MAX)
		return CLUSTER_ELIMIT;
	if (n < 1 + 1 + PROOF_TEXT)
		return CLUSTER_EFORMAT;
	credential_n = n - 1 - PROOF_TEXT;
	if (credential_n > CREDENTIAL_SIZE_MAX)
		return CLUSTER_ELIMIT;
	if (answer[credential_n] != '~')
		return CLUSTER_EFORMAT;
	for (size_t i = 0; i < credential_n; i++)
		if (!token_char(answer[i]))
			return CLUSTER_EFORMAT;
	e = b64_decode_exact(answer + credential_n + 1, PROOF_TEXT, ret_proof, CRYPTO_SIG_SIZE);
	if (e == CLUSTER_OK)
		*ret_n = credential_n;
	return e;
}

enum cluster_err challenge_proof_verify(const char *credential, size_t n, const struct crypto_pub *cnf, const struct challenge *c, const uint8_t proof[CRYPTO_SIG_SIZE])
{
	uint8_t signed_bytes[TRANSCRIPT_SIZE];
	enum cluster_err e = transcript(credential, n, c, signed_bytes);

	return e == CLUSTER_OK ? crypto_verify(cnf, signed_bytes, sizeof signed_bytes, proof) : e;
}
