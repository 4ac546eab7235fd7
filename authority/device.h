/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_DEVICE_H
#define AUTHORITY_DEVICE_H

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/jwk.h"
#include "cluster/sshkey.h"
#include "store.h"

struct json;
struct request_credential;
struct request_enroll;

#define DEVICE_LABEL_MAX 63

/* What an enrolment left. The directory publishes only id and thumbprint. */
struct device {
	struct cluster_id id, person;
	struct crypto_pub key;            /* alg 0: an ssh key that is neither Ed25519 nor P-256 */
	char sshkey[SSHKEY_LINE_MAX + 1]; /* "type base64" of a key that an ssh-agent holds: its requests carry an SSHSIG; empty: a JWS */
	char label[DEVICE_LABEL_MAX + 1];
	int64_t added;
};

enum cluster_err device_parse(const char *text, size_t n, struct device *ret) CLUSTER_MUST_USE;
/* CLUSTER_ENOTFOUND */
enum cluster_err device_get(struct store *s, const char *id, struct device *ret) CLUSTER_MUST_USE;
enum cluster_err device_add(struct store *s, const struct device *d) CLUSTER_MUST_USE;
/* The same device with another label. */
enum cluster_err device_put(struct store *s, const struct device *d) CLUSTER_MUST_USE;
/* By what the directory knows its key, and the claim that keeps one key from being enrolled twice. */
enum cluster_err device_thumbprint(const struct device *d, char ret[JWK_THUMBPRINT + 1]) CLUSTER_MUST_USE;
#define DEVICE_CLAIM_MAX 64
enum cluster_err device_claim(const struct device *d, char dst[DEVICE_CLAIM_MAX]) CLUSTER_MUST_USE;
/* The ssh key in it: *ret borrows from `blob`. */
enum cluster_err device_sshkey(const struct device *d, uint8_t blob[SSHKEY_BLOB_MAX], struct sshkey *ret) CLUSTER_MUST_USE;

/* The body of a request in either of its two forms (PROTOCOL.md 6.3). An enrolment is verified. CLUSTER_EDENIED: no key for a device. */
enum cluster_err device_read_enroll(const struct json *body, struct request_enroll *ret, struct diag *d) CLUSTER_MUST_USE;
/* For a credential: from an enrolled device of this cluster, whose signature holds. CLUSTER_ESIGNATURE. */
struct authority;
enum cluster_err device_read_credential(struct authority *a, const struct json *body, struct request_credential *ret, struct device *ret_device, struct diag *d) CLUSTER_MUST_USE;

#endif
