/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_DOCUMENT_H
#define CLUSTER_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/keyring.h"

/* Root, keyset and head (PROTOCOL.md 3.1 to 3.3): verified, then plain values. `now` and `skew` are arguments; nothing here reads a clock. */

#define DOCUMENT_NAME_MAX 63
#define DOCUMENT_ROOT_KEYS_MAX 16
#define DOCUMENT_TLS_MAX 8
#define DOCUMENT_VERSION_MAX (INT64_C(1) << 53)
#define DOCUMENT_VERSION_STEP 1000000
#define DOCUMENT_SIGNATURES_MAX 32           /* lines of one document */
#define DOCUMENT_TEXT_MAX (1 << 20)          /* bytes of one root or keyset with all its signatures */
#define DOCUMENT_CHAIN_MAX (1 << 20)         /* bytes of a root chain */
#define DOCUMENT_HEAD_LIFE_MAX 900           /* exp - iat of a head (THREATS.md H3) */
#define DOCUMENT_PIN_TEXT (7 + 43) /* "sha256:" and base64url */

struct document_root {
	struct cluster_id cluster; /* from the first root of the chain */
	char name[DOCUMENT_NAME_MAX + 1];
	int64_t version, iat, exp;
	size_t threshold, n_keys;
	struct crypto_pub key[DOCUMENT_ROOT_KEYS_MAX];
	char kid[DOCUMENT_ROOT_KEYS_MAX][NAME_KID_MAX + 1];
};

struct document_keyset {
	int64_t version, iat;
	struct keyring ring;
	size_t n_tls;
	uint8_t tls[DOCUMENT_TLS_MAX][CRYPTO_SHA256_SIZE];
};

struct document_ref {
	int64_t version, size;
	uint8_t sha256[CRYPTO_SHA256_SIZE];
};

struct document_head {
	int64_t version, iat, exp;
	struct document_ref root, keyset, directory, revocations;
};

/* The name of a cluster: ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$ */
bool document_name_ok(const char *s);

/* "sha256:<43 characters>" to bytes and back. CLUSTER_EFORMAT. */
enum cluster_err document_pin_parse(const char *text, uint8_t ret[CRYPTO_SHA256_SIZE]) CLUSTER_MUST_USE;
void document_pin_text(const uint8_t pin[CRYPTO_SHA256_SIZE], char dst[DOCUMENT_PIN_TEXT + 1]);

/*
 * A whole root chain against the pin; *ret is the newest root. CLUSTER_ESIGNATURE: pin or a threshold does not hold. CLUSTER_EVERSION: a version is skipped.
 * `text` is untrusted. Signatures under kids that a root does not have are not counted; one under a kid that it has, and that does not hold, refuses the document.
 */
enum cluster_err document_root_verify(const char *text, size_t n, const uint8_t pin[CRYPTO_SHA256_SIZE], struct document_root *ret, struct diag *d) CLUSTER_MUST_USE;
/* A keyset under a verified root. CLUSTER_ESIGNATURE, CLUSTER_EFORMAT (also: another cluster's). */
enum cluster_err document_keyset_verify(const char *text, size_t n, const struct document_root *root, struct document_keyset *ret, struct diag *d) CLUSTER_MUST_USE;
/*
 * A head of at->cluster by a head key of at->ring; its "\n" may be missing. CLUSTER_EEXPIRED: past exp. CLUSTER_EEARLY: iat more than skew ahead of now; both also for a key
 * outside its window. CLUSTER_ESIGNATURE: also for a kid that is no head key. CLUSTER_EFORMAT: also another cluster's. Versions are compared by document_head_step.
 */
enum cluster_err document_head_verify(const char *text, size_t n, const struct keyring_at *at, struct document_head *ret, struct diag *d) CLUSTER_MUST_USE;
/* The same without trust in its signature: what an unprivileged fetcher needs in order to know what to fetch. Never believe the result. */
enum cluster_err document_head_peek(const char *text, size_t n, struct document_head *ret, struct diag *d) CLUSTER_MUST_USE;
/*
 * May `next` follow `last`? CLUSTER_EVERSION: head or a document went back, or jumped more than the step, or an equal version has another hash (THREATS.md H1, H5). CLUSTER_OK
 * also when last->version is 0 (nothing installed yet), and for the very same head once more.
 */
enum cluster_err document_head_step(const struct document_head *last, const struct document_head *next, struct diag *d) CLUSTER_MUST_USE;
/* CLUSTER_ESIGNATURE unless size and SHA-256 of the bytes are ref's. */
enum cluster_err document_ref_check(const struct document_ref *ref, const void *bytes, size_t n, const char *what, struct diag *d) CLUSTER_MUST_USE;

/*
 * A single-signature document of `typ` (enum jws_typ) by a key of the role that signs this type; its "\n" may be missing. CLUSTER_EFORMAT: also for a type that no role key
 * signs. Verified payload as NUL-terminated bytes, freed by the caller with free(); at->cluster is not looked at: the payload says whose it is, and the caller compares.
 * Errors of the envelope and key as document_head_verify.
 */
enum cluster_err document_payload(const char *text, size_t n, int typ, const struct keyring_at *at, uint8_t **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;

/* For the authority: payloads as canonical text, freed by the caller with free(); signing is jws_sign, one line each, "\n" after each. */
enum cluster_err document_root_build(const struct document_root *root, char **ret) CLUSTER_MUST_USE;
enum cluster_err document_keyset_build(const struct document_keyset *keyset, const struct cluster_id *cluster, char **ret) CLUSTER_MUST_USE;
enum cluster_err document_head_build(const struct document_head *head, const struct cluster_id *cluster, char **ret) CLUSTER_MUST_USE;

#endif
