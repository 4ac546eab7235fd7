/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_CHALLENGE_H
#define CLUSTER_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/credential.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/name.h"

#define CHALLENGE_SIZE 169
#define CHALLENGE_TEXT (4 + 226) /* "CL1:" and base64url */
#define CHALLENGE_PROMPT_MAX 511
#define CHALLENGE_AGE_MAX 300
#define CHALLENGE_ANSWER_MAX 1000
#define CHALLENGE_HOST_MAX 255
#define CHALLENGE_PROMPT_END "Cluster credential (password): "

struct challenge {
	struct cluster_id cluster, node;
	uint8_t hostkey_hash[CRYPTO_SHA256_SIZE];
	uint8_t nonce[CRYPTO_SHA256_SIZE];
	int64_t time;
	char service[NAME_SERVICE_MAX + 1]; /* empty: was not a service name */
	char account[NAME_ACCOUNT_MAX + 1]; /* empty: was not an account name */
};

/* Was it made just now, by a clock that has not gone back since? */
bool challenge_time_ok(const struct challenge *c, int64_t now, uint32_t skew);

/* Sets service and account from foreign text of any length (empty if the grammar does not hold). */
void challenge_names(struct challenge *c, const char *service, const char *account);

enum cluster_err challenge_parse(const uint8_t *data, size_t n, struct challenge *ret) CLUSTER_MUST_USE;
void challenge_build(const struct challenge *c, uint8_t ret[CHALLENGE_SIZE]);
/* "CL1:..." and back; text must be exactly CHALLENGE_TEXT characters. */
void challenge_text(const struct challenge *c, char dst[CHALLENGE_TEXT + 1]);
enum cluster_err challenge_text_parse(const char *text, size_t n, struct challenge *ret) CLUSTER_MUST_USE;

/* The whole prompt of PROTOCOL.md 4.2. Always fits. */
void challenge_prompt(const struct challenge *c, const char *node_name, char dst[CHALLENGE_PROMPT_MAX + 1]);

/* The prompt of a step-up (PROTOCOL.md 4.8). Always fits. */
void challenge_step_up_prompt(const struct challenge *c, const char *node_name, char dst[CHALLENGE_PROMPT_MAX + 1]);

/* What the local ssh and the server put in front of the helper. */
struct challenge_prompt_view {
	char user[NAME_ACCOUNT_MAX + 1];
	char host[CHALLENGE_HOST_MAX + 1];
	struct challenge challenge;
};
/*
 * Reads the prompt that OpenSSH hands to SSH_ASKPASS (PROTOCOL.md 4.3): "(user@host) " at the start, lines of any text, exactly one line beginning "CL1:", which is the last but
 * one, CHALLENGE_PROMPT_END at the end. CLUSTER_EFORMAT for everything else: the helper then stays silent.
 */
enum cluster_err challenge_prompt_parse(const char *prompt, size_t n, struct challenge_prompt_view *ret) CLUSTER_MUST_USE;

/* "<credential>~<proof>" into `dst` of `size`. CLUSTER_ELIMIT above CHALLENGE_ANSWER_MAX. */
enum cluster_err challenge_answer_build(const char *credential, const struct crypto_key *key, const struct challenge *c, char *dst, size_t size) CLUSTER_MUST_USE;
/*
 * Splits an answer: *ret_n characters of credential, and the proof's 64 bytes. Any bytes, any length (THREATS.md G2). CLUSTER_EFORMAT, CLUSTER_ELIMIT.
 */
enum cluster_err challenge_answer_parse(const char *answer, size_t n, size_t *ret_n, uint8_t ret_proof[CRYPTO_SIG_SIZE]) CLUSTER_MUST_USE;
/* The proof over the transcript of PROTOCOL.md 4.3. CLUSTER_ESIGNATURE. */
enum cluster_err challenge_proof_verify(const char *credential, size_t n, const struct crypto_pub *cnf, const struct challenge *c, const uint8_t proof[CRYPTO_SIG_SIZE]) CLUSTER_MUST_USE;

#endif
