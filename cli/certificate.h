/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CERTIFICATE_H
#define CLI_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/sshcert.h"
#include "profile.h"
#include "wallet.h"

struct ssh_agent;

/* An OpenSSH certificate fresh from the authority (PROTOCOL.md 4.6) with its key and the credential in it. Its key goes to an ssh-agent or a file, and is kept nowhere else. */
struct certificate {
	struct wallet wallet;
	char *line; /* "type base64" */
	size_t n;
	uint8_t blob[SSHCERT_BLOB_MAX];
	struct sshcert_facts facts;
};
/* Reads c->line and checks that it is the cluster's, and of c->wallet's key and credential. CLUSTER_EUNTRUSTED; else as sshcert_verify. */
enum cluster_err certificate_check(struct certificate *c, const struct keyring_at *at, struct diag *d) CLUSTER_MUST_USE;
void certificate_done(struct certificate *c);

/* Into the agent until it expires; then the ones that the person had there before are taken out. */
enum cluster_err certificate_to_agent(const struct profile *p, const struct certificate *c, struct ssh_agent *a, struct diag *d) CLUSTER_MUST_USE;
/*
 * The key to `path` (0600), the certificate to `path`-cert.pub, as ssh -i wants them. CLUSTER_EDENIED: something else is there; only what was written here is replaced.
 */
enum cluster_err certificate_to_file(const struct profile *p, const struct certificate *c, const char *path, struct diag *d) CLUSTER_MUST_USE;

/* Calls `visit` for each certificate of the profile's person and cluster in the agent. */
struct certificate_held {
	struct sshcert_facts facts;
	struct credential claims;
	const uint8_t *blob;
	size_t n;
};
typedef void certificate_visit(void *ctx, const struct certificate_held *h);
enum cluster_err certificate_each(const struct profile *p, struct ssh_agent *a, certificate_visit *visit, void *ctx, struct diag *d) CLUSTER_MUST_USE;
/* Takes them out. */
enum cluster_err certificate_drop(const struct profile *p, struct ssh_agent *a, struct diag *d) CLUSTER_MUST_USE;

#endif
