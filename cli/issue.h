/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ISSUE_H
#define CLI_ISSUE_H

#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/credential.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "profile.h"
#include "wallet.h"

struct certificate;
struct remote;
struct view;

/* What a credential is asked for. */
struct issue_wish {
	int64_t ttl; /* 0: the authority's default */
	size_t n_acc, n_nod;
	char acc[CREDENTIAL_ACC_MAX][NAME_ACCOUNT_MAX + 1];
	char nod[CREDENTIAL_NOD_MAX][CREDENTIAL_SELECTOR_MAX + 1];
	const char *instead; /* the token in hand, in whose place alone it is to come; NULL: in that of any */
};

/* A new key, a signed request by the device key, and the credential checked against the keyset and the request; nothing is written. The caller calls wallet_done. */
enum cluster_err issue_credential(const struct profile *p, struct remote *r, const struct issue_wish *wish, struct wallet *ret, struct diag *d) CLUSTER_MUST_USE;

/* A one-time credential (PROTOCOL.md 4.7) for the one account and node of the wish, as text that the caller frees with free(), and when it expires. */
enum cluster_err issue_onetime(const struct profile *p, const struct issue_wish *wish, char **ret, int64_t *ret_exp, struct diag *d) CLUSTER_MUST_USE;

/*
 * Everything that `get` does: credential, directory, accounts, all written (wallet_replace). *ret_view may be NULL. When only the directory could not be had, the credential is kept and the
 * error returned.
 */
enum cluster_err issue_all(const struct profile *p, const struct issue_wish *wish, struct wallet *ret, struct view **ret_view, struct diag *d) CLUSTER_MUST_USE;

/*
 * The same for a certificate: nothing secret is written, neither its key nor its credential. The certificate is checked with the newest keyset. The caller calls
 * certificate_done and view_free.
 */
enum cluster_err issue_certificate(const struct profile *p, const struct issue_wish *wish, struct certificate *ret, struct view **ret_view, struct diag *d) CLUSTER_MUST_USE;

/* What the person may be and where, by the authority, into PROFILE_ACCOUNTS. timeout_ms 0: the usual one. */
enum cluster_err issue_accounts(const struct profile *p, struct remote *r, const struct wallet *w, int timeout_ms, struct diag *d) CLUSTER_MUST_USE;

#endif
