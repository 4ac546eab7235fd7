/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SSHCERT_H
#define CLUSTER_SSHCERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/credential.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/keyring.h"

/*
 * OpenSSH certificates (OpenSSH's PROTOCOL.certkeys; PROTOCOL.md 4.6). lib/trust/sshcert*.c. A user certificate of ours carries a credential in an extension: what decides is the
 * credential, by the one policy engine; the certificate binds it to the ssh key and brings it to sshd.
 */

#define SSHCERT_BLOB_MAX 8192        /* bytes of a certificate that are looked at */
#define SSHCERT_TEXT_MAX 11264       /* the same as base64, with type and comment */
#define SSHCERT_PRINCIPALS_MAX 16
#define SSHCERT_OPTIONS_MAX 16
#define SSHCERT_KEY_ID_MAX 128       /* of ours; a longer one parses, but is none of ours */
#define SSHCERT_FINGERPRINT 50       /* "SHA256:" and 43 characters, without NUL */
#define SSHCERT_EXTENSION "credential@cluster-login"

enum sshcert_type { SSHCERT_USER = 1, SSHCERT_HOST = 2 };

/* Bytes inside the parsed blob: borrowed, not terminated. */
struct sshcert_bytes {
	const uint8_t *p;
	size_t n;
};
struct sshcert_option {
	struct sshcert_bytes name, data; /* data: the contents of the option's own string, empty for a flag */
};

struct sshcert {
	struct sshcert_bytes key_type;   /* "ssh-ed25519-cert-v01@openssh.com" ... */
	uint64_t serial;
	enum sshcert_type type;
	struct sshcert_bytes key_id;
	size_t n_principals;
	struct sshcert_bytes principals[SSHCERT_PRINCIPALS_MAX];
	uint64_t after, before;          /* valid while after <= now < before; unsigned, as OpenSSH has them */
	size_t n_critical, n_extensions;
	struct sshcert_option critical[SSHCERT_OPTIONS_MAX], extensions[SSHCERT_OPTIONS_MAX];
	struct sshcert_bytes key;        /* the certified key as a plain public key blob's fields after the type, for the fingerprint */
	struct sshcert_bytes ca;         /* the CA's public key blob */
	struct sshcert_bytes signed_part, signature;
	bool has_pub;                    /* the certified key is Ed25519 or P-256: then in `pub` */
	struct crypto_pub pub;
};

/*
 * Reads a certificate blob (not base64) of any key type that OpenSSH 9.2 knows. Everything borrows from `data`. Order, lengths, sorted and unique option names, nothing
 * left over. No signature, no time.
 * CLUSTER_ELIMIT: over a cap; CLUSTER_ETRUNC, CLUSTER_EFORMAT.
 */
enum cluster_err sshcert_parse(const void *data, size_t n, struct sshcert *ret, struct diag *d) CLUSTER_MUST_USE;
/* The same from "type base64 [comment]" or from bare base64: decodes (standard alphabet, padding) into `room`, which the result borrows from. */
enum cluster_err sshcert_parse_text(const char *text, size_t n, uint8_t room[SSHCERT_BLOB_MAX], struct sshcert *ret, struct diag *d) CLUSTER_MUST_USE;

/* "SHA256:..." of the certified key (as a plain key) and of the CA's key, as ssh-keygen -l prints them. */
enum cluster_err sshcert_key_fingerprint(const struct sshcert *c, char ret[SSHCERT_FINGERPRINT + 1]) CLUSTER_MUST_USE;
enum cluster_err sshcert_ca_fingerprint(const struct sshcert *c, char ret[SSHCERT_FINGERPRINT + 1]) CLUSTER_MUST_USE;

/*
 * Is this a user certificate of this cluster, and what credential does it carry? In order: type user; the CA's key is a KEYRING_SSHCA key of at->ring in force; its signature; exactly one
 * principal, `<jti>@<cluster id>`; no critical option but source-address; the extension SSHCERT_EXTENSION, whose contents credential_verify accepts at `at`; the
 * credential's cnf is the certified key, its jti the principal's,
 * and the certificate's window lies within the credential's, but for the 30 s before nbf that every certificate begins earlier (PROTOCOL.md 4.6). Nothing is said of the
 * policy. CLUSTER_ENOTFOUND: another CA's; CLUSTER_ESIGNATURE; CLUSTER_EDENIED: ours, but not what we issue; others as credential_verify.
 */
enum cluster_err sshcert_verify(const struct sshcert *c, const struct keyring_at *at, struct credential *ret, struct diag *d) CLUSTER_MUST_USE;

/* What can be revoked of a certificate beside its credential: plain values for policy and session record. */
struct sshcert_facts {
	uint64_t serial;
	char key_id[SSHCERT_KEY_ID_MAX + 1];
	char key[SSHCERT_FINGERPRINT + 1];
	char ca[SSHCERT_FINGERPRINT + 1];
};
/* CLUSTER_EFORMAT: the key id is too long or not printable ASCII. */
enum cluster_err sshcert_facts(const struct sshcert *c, struct sshcert_facts *ret) CLUSTER_MUST_USE;

/* What the authority issues. */
struct sshcert_spec {
	const char *credential;          /* compact JWS whose cnf is the certified key */
	const struct credential *claims; /* of it */
	uint64_t serial;
	const char *key_id;
};
/*
 * "ssh-ed25519-cert-v01@openssh.com AAAA..." without a line end, signed by the CA key; the caller frees *ret with free(). permit-pty, permit-port-forwarding and nothing
 * else; source-address from claims->src. CLUSTER_EFORMAT: also for a network that sshd would not read.
 */
enum cluster_err sshcert_build(const struct sshcert_spec *s, const struct crypto_key *ca, char **ret, struct diag *d) CLUSTER_MUST_USE;

/* "ssh-ed25519 AAAA..." or "ecdsa-sha2-nistp256 AAAA..." of a key: for TrustedUserCAKeys. The caller frees *ret with free(). */
enum cluster_err sshcert_public_line(const struct crypto_pub *k, char **ret) CLUSTER_MUST_USE;

#endif
