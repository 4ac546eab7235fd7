/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REVOKING_H
#define CLI_REVOKING_H

#include "admin.h"
#include "cluster/revoke.h"

/* What `revoke`, `unrevoke` and `sessions --end` share. */

#define REVOKING_WAIT 15 /* seconds, unless --timeout says otherwise */

/* "cert-key" or "cert_key"; the words of PROTOCOL.md 3.5. CLUSTER_EFORMAT. */
enum cluster_err revoking_kind(const char *word, enum revoke_kind *ret) CLUSTER_MUST_USE;
/* What there is, for usage errors. */
#define REVOKING_KINDS "person, credential, device, account, node, role, issuer, session, cert-serial, cert-id, cert-key, cert-ca, before or lockdown"

/*
 * The value that was meant: for certificates also the name of a file with a public key or a certificate, whose serial number, key id or fingerprint is then written to `dst`.
 * Borrowed from `word` or `dst`.
 */
#define REVOKING_VALUE 256
enum cluster_err revoking_value(enum revoke_kind kind, const char *word, char dst[REVOKING_VALUE], const char **ret, struct diag *d) CLUSTER_MUST_USE;
/* Names of people to ids with spaces between, as a lockdown carries them. */
enum cluster_err revoking_except(struct admin *a, const struct command_list *list, char dst[REVOKE_LOCKDOWN_MAX + 1], struct diag *d) CLUSTER_MUST_USE;

/* The body of revoke/add and revoke/preview. */
struct revoking {
	enum revoke_kind kind;
	const char *value, *reason;
	int64_t before; /* 0: none */
};
struct json *revoking_body(const struct revoking *r);

/*
 * Makes the revocation and, with `wait`, waits until every node that can be reached has proved it; says what is known. Takes nothing. The exit status: EXIT_DONE, or EXIT_NO if it
 * waited and not all have proved it.
 */
struct revoking_how {
	bool wait, json;
	uint64_t seconds;
};
int revoking_run(struct admin *a, const struct revoking *r, const struct revoking_how *how);

/* A table of SESSION of PROTOCOL.md 6.5. The exit status. */
int revoking_sessions(const struct json *list);

#endif
