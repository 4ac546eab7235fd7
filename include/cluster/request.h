/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_REQUEST_H
#define CLUSTER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/credential.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/jws.h"
#include "cluster/name.h"
#include "cluster/rd.h"
#include "cluster/sshkey.h"

/* Signed requests to the authority (PROTOCOL.md 6.1 to 6.3). */

#define REQUEST_WINDOW 60 /* seconds around now in which iat must lie */
#define REQUEST_PATH_MAX 1024

/* What every signed request says of itself. */
struct request_common {
	char htm[8];
	char htu[REQUEST_PATH_MAX + 1];
	int64_t iat;
	struct cluster_id jti;
};

/* cluster-node+jwt of a poll or fetch. */
struct request_node {
	struct request_common c;
	struct cluster_id cluster, node;
	int64_t applied, ended;
};
/* Fills iat from `now` and jti at random; the caller frees *ret with free(). */
enum cluster_err request_node_build(const struct request_node *r, int64_t now, const struct crypto_key *node_key, char **ret) CLUSTER_MUST_USE;
/* Envelope and claims, signature not yet: the authority finds the node's key by r->node, then jws_verify(&jws). The caller calls jws_done. */
enum cluster_err request_node_parse(const char *token, size_t n, struct jws *ret_jws, struct request_node *ret, struct diag *d) CLUSTER_MUST_USE;

/* cluster-node+jwt of a join; lists are in `body`, a parsed payload that the caller frees with request_join_done. */
struct request_join {
	struct request_common c;
	struct cluster_id cluster;
	char name[NAME_NODE_MAX + 1];
	char token[64];
	char instance[64]; /* empty if absent */
	struct crypto_pub key, hop;
	size_t n_addresses, n_hostkeys;
	char addresses[16][46];
	char *hostkeys[8]; /* owned */
};
enum cluster_err request_join_build(const struct request_join *r, int64_t now, const struct crypto_key *node_key, char **ret) CLUSTER_MUST_USE;
/* Verifies the JWS by the key inside it (proof of possession) and reads it. */
enum cluster_err request_join_parse(const char *token, size_t n, struct request_join *ret, struct diag *d) CLUSTER_MUST_USE;
void request_join_done(struct request_join *r);

/*
 * What a device asks for comes in one of two forms (PROTOCOL.md 6.3). A cluster-request+jwt, by a key of ours; or, by a key that an ssh-agent holds, the payload alone with an
 * SSHSIG over it, in this namespace. The calls named _text and _ssh are of the second form.
 */
#define REQUEST_SSH_NAMESPACE "cluster-login-request"
#define REQUEST_SSH_MAX 4096 /* bytes of the payload */

/* A device's label: 1 to 63 bytes of text. */
bool request_label_ok(const char *s);

/* An enrolment: verified by the key inside it. */
struct request_enroll {
	struct request_common c;
	struct cluster_id cluster;
	char code[64];
	char label[64];
	struct crypto_pub key;
	char sshkey[SSHKEY_LINE_MAX + 1]; /* "type base64" instead of `key`, of which only the second form makes use; empty otherwise */
};
enum cluster_err request_enroll_build(const struct request_enroll *r, int64_t now, const struct crypto_key *device_key, char **ret) CLUSTER_MUST_USE;
enum cluster_err request_enroll_parse(const char *token, size_t n, struct request_enroll *ret, struct diag *d) CLUSTER_MUST_USE;

/* The payload to be signed; the caller frees *ret with free(). */
enum cluster_err request_enroll_text(const struct request_enroll *r, int64_t now, char **ret, size_t *ret_n) CLUSTER_MUST_USE;
/* Also as sshkey_parse: CLUSTER_EDENIED, a key that cannot be a device's. */
enum cluster_err request_enroll_ssh(const struct rd *text, const struct rd *sshsig, struct request_enroll *ret, struct diag *d) CLUSTER_MUST_USE;

/* For a credential; signature as request_node_parse, by the device's key. */
struct request_credential {
	struct request_common c;
	struct cluster_id cluster, device;
	struct crypto_pub cnf;
	int64_t ttl; /* 0: default */
	size_t n_acc, n_nod, n_src;
	char acc[CREDENTIAL_ACC_MAX][NAME_ACCOUNT_MAX + 1];
	char nod[CREDENTIAL_NOD_MAX][CREDENTIAL_SELECTOR_MAX + 1];
	char src[CREDENTIAL_SRC_MAX][50];
};
enum cluster_err request_credential_build(const struct request_credential *r, int64_t now, const struct crypto_key *device_key, char **ret) CLUSTER_MUST_USE;
enum cluster_err request_credential_parse(const char *token, size_t n, struct jws *ret_jws, struct request_credential *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err request_credential_text(const struct request_credential *r, int64_t now, char **ret, size_t *ret_n) CLUSTER_MUST_USE;
/* Claims only: the authority finds the device's key, then sshsig_verify_key. */
enum cluster_err request_credential_ssh(const struct rd *text, struct request_credential *ret, struct diag *d) CLUSTER_MUST_USE;

/* dpop+jwt (RFC 9449) by the credential key; `ath` from the credential. */
enum cluster_err request_dpop_build(const char *method, const char *path, const char *credential, int64_t now, const struct crypto_key *key, char **ret) CLUSTER_MUST_USE;
/* Verifies by the header's jwk, compares it with `cnf` and ath with the credential. CLUSTER_ESIGNATURE, CLUSTER_EFORMAT. */
enum cluster_err request_dpop_verify(const char *token, size_t n, const char *credential, const struct crypto_pub *cnf, struct request_common *ret, struct diag *d) CLUSTER_MUST_USE;

/* Method, path and window: CLUSTER_EDENIED, CLUSTER_EEXPIRED, CLUSTER_EEARLY. That jti is new is the authority's to check. */
enum cluster_err request_common_check(const struct request_common *c, const char *method, const char *path, int64_t now, struct diag *d) CLUSTER_MUST_USE;

#endif
