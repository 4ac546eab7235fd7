/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SSHCERT_HOP_H
#define CLUSTER_SSHCERT_HOP_H

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/hop.h"
#include "cluster/sshcert.h"

/*
 * The hop as OpenSSH brings it: a user certificate over the ephemeral key, signed by the source node's hop key, with the hop credential in an extension (PROTOCOL.md 4.9). What decides is the
 * hop credential; the certificate binds it to the key that sshd verifies. lib/trust/sshcert_hop.c.
 */

#define SSHCERT_HOP_EXTENSION "hop@cluster-login"
#define SSHCERT_HOP_LEEWAY 30 /* seconds before iat */
/* "<account>@<node id>.<cluster id>" */
#define SSHCERT_HOP_PRINCIPAL (NAME_ACCOUNT_MAX + 1 + ID_TEXT + 1 + ID_TEXT)

void sshcert_hop_principal(const struct hop *h, char dst[SSHCERT_HOP_PRINCIPAL + 1]);

/* What the source node issues. */
struct sshcert_hop_spec {
	const char *hop;           /* compact JWS */
	const struct hop *claims;  /* of it */
	const char *person, *node; /* names, for the key id: the source node's; the person's, ignored of a machine's hop */
	const char *source;        /* addresses that the source node may come from, with commas; NULL: not known */
};
/*
 * "ssh-ed25519-cert-v01@openssh.com AAAA..." without a line end; the caller frees *ret with free(). A key id that would be longer than SSHCERT_KEY_ID_MAX loses the end of the node's name.
 * CLUSTER_EFORMAT: a name that is none, a source that sshd would not read, claims without a life.
 */
enum cluster_err sshcert_hop_build(const struct sshcert_hop_spec *s, const struct crypto_key *key, char **ret, struct diag *d) CLUSTER_MUST_USE;

/* Is this a hop's, and by which key, to find the source node? Nothing is verified. CLUSTER_ENOTFOUND: no user certificate with SSHCERT_HOP_EXTENSION, or by a key that can be no hop key. */
enum cluster_err sshcert_hop_signer(const struct sshcert *c, struct crypto_pub *ret) CLUSTER_MUST_USE;

/*
 * In order: type user; the CA's key is by->key; its signature; the form of what is issued: an Ed25519 key, serial 0, one principal, no critical option but a source-address that sshd reads, exactly
 * our three extensions; the hop in it, which hop_verify accepts; its cnf is the certified key, its account, target and cluster are the principal, its jti ends the key id, which begins with
 * "- via " exactly for a machine's, and the certificate's window lies within the hop's, but for SSHCERT_HOP_LEEWAY. Nothing is said of the policy, nor of whether this node is the target.
 * CLUSTER_ENOTFOUND: another CA's; CLUSTER_ESIGNATURE; CLUSTER_EDENIED: the node's, but not what a node issues; others as hop_verify. `by` is not NULL.
 */
enum cluster_err sshcert_hop_verify(const struct sshcert *c, const struct hop_source *by, struct hop *ret, struct diag *d) CLUSTER_MUST_USE;

#endif
