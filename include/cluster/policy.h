/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_POLICY_H
#define CLUSTER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/credential.h"
#include "cluster/diag.h"
#include "cluster/hop.h"
#include "cluster/moment.h"
#include "cluster/reason.h"
#include "cluster/session.h"
#include "cluster/sshcert.h"
#include "cluster/trust_snap.h"

/* The decisions (PROTOCOL.md 4.5): pure, no clock, no file, no allocation. The order of the checks is the specification. */

/* What kind of PAM service asks (DESIGN.md 3.5). */
enum policy_class {
	POLICY_LOGIN, /* sshd, login, web consoles: every check */
	POLICY_JOB,   /* cron, atd, systemd-user, su by root: the account's state only, no freshness */
	POLICY_SUDO   /* sudo without a registered session: the account's state, freshness too */
};

/* What a grant must allow beside being one. */
enum policy_use {
	POLICY_USE_ANY,
	POLICY_USE_ONETIME, /* a one-time credential was shown */
	POLICY_USE_SUDO,    /* somebody wants to become another */
	POLICY_USE_HOP      /* another node vouches */
};

struct policy_request {
	enum policy_class class;
	enum policy_use use;
	const char *account;
	const struct moment *now;
	int64_t max_stale;       /* the node's own, tightening; 0: the directory's */
	const char *source;      /* client address in text, or NULL if not known */
	bool source_later;       /* a later gate of the same login knows the address: `src` is left to it */
	const struct credential *credential; /* verified claims, or NULL: only what is known without */
	const struct hop *hop;               /* in place of the credential: verified claims of a hop, or NULL */
	const struct sshcert_facts *cert;    /* of the verified certificate that brought the credential or the hop, or NULL: none did */
};

struct policy_answer {
	enum reason reason;
	struct trust_person person;   /* if a credential was given and the person found */
	struct trust_grant grant;     /* if reason is REASON_OK and a credential was given */
	char grant_role[NAME_ROLE_MAX + 1]; /* the role through which it was granted, or empty */
	struct diag detail;           /* the facts seen, for the log and `explain` */
};

/* How old the head is, in seconds, by the two clocks, and how far the wall clock stands before the newest signed time (DESIGN.md 3.6). */
struct policy_age {
	int64_t limit, wall, boot, behind;
	bool same_boot;
};
struct policy_age policy_age(const struct trust *t, const struct moment *now, int64_t max_stale);
/* More than half of what is allowed: somebody should look. */
bool policy_age_warns(const struct policy_age *a);
/* Times of the snapshot alone: REASON_OK, REASON_STALE_WALL, REASON_STALE_BOOT, REASON_CLOCK_BEHIND. */
enum reason policy_fresh(const struct trust *t, const struct moment *now, int64_t max_stale, struct diag *d);

/*
 * The whole decision. With a credential: may this person be this account here now? Without: is there anything against this account here (state, freshness, lockdown of all,
 * revocation of account and node)? Returns ret->reason. A damaged section met on the way is REASON_SNAPSHOT_DAMAGED: never a pass.
 */
enum reason policy_decide(const struct trust *t, const struct policy_request *q, struct policy_answer *ret);

/* Which of a person's devices has the key of this thumbprint? REASON_PERSON_UNKNOWN, REASON_PERSON_DISABLED, REASON_DEVICE_UNKNOWN, REASON_SNAPSHOT_DAMAGED. Says nothing of revocations. */
enum reason policy_device_by_key(const struct trust *t, const struct cluster_id *person, const uint8_t thumbprint[CRYPTO_SHA256_SIZE], struct cluster_id *ret, struct diag *d);

/* What a certificate brings. */
struct policy_certificate {
	bool is_hop;                  /* a hop certificate of a node of this cluster: `hop` and `source`, else `credential` */
	struct credential credential; /* if policy_certificate said REASON_OK */
	struct hop hop;               /* likewise */
	char source[NAME_NODE_MAX + 1]; /* name of the node that vouched */
	bool has_facts;
	struct sshcert_facts facts;   /* as they stand in the certificate: vouched for only with REASON_OK, else for the log */
};
/* "type base64": is it a certificate of this cluster, at `now`? Says nothing of the login itself: that is policy_decide with what it brings. */
enum reason policy_certificate(const struct trust *t, int64_t now, const char *text, size_t n, struct policy_certificate *ret, struct diag *d);

/* Facts of a session that is already open, from its record. */
struct policy_session {
	struct cluster_id session, person, device, jti;
	int64_t iat;             /* of the credential */
	const char *account;
	const char *issuer;      /* kid */
	const struct sshcert_facts *cert; /* of the certificate it was opened with, or NULL */
	bool hop;                /* it came from another node: */
	bool machine;            /* with no person behind it: person, device and parent count for nothing */
	struct cluster_id source, parent; /* that node, and the session there */
	const struct hop_place *way;      /* where that one came from */
	size_t n_way;
	struct cluster_id own;   /* the hop's own jti; `jti` is that of the credential behind it */
};
/* When a session under this grant ends if it ends with its credential: with it, or with the grant's ttl. */
int64_t policy_session_end(const struct credential *c, const struct trust_grant *g);
/* Of one that came by a hop: when the time of the session behind it is up, or the grant's ttl, which counts from auth_time, if that is earlier. */
int64_t policy_session_end_of_hop(const struct hop *h, const struct trust_grant *g);
/* The facts of a record, borrowed from it. */
struct policy_session policy_session_of(const struct session *s);
/* Must this session end? REASON_OK: it may live. Only revocation, removal of person, device, account or grant, and disabling end a session; age and expiry do not. */
enum reason policy_session_check(const struct trust *t, const struct policy_session *s, struct policy_answer *ret);

/* One check by name, for `explain`. */
struct policy_step {
	const char *check;
	enum reason reason;
};
#define POLICY_STEPS_MAX 24
/*
 * `explain --person --account`: every check that does not need a credential, in order, each with its own outcome. *ret_n steps; returns the first reason that is not OK, or REASON_OK.
 */
enum reason policy_explain(const struct trust *t, const struct policy_request *q, const struct trust_person *person, struct policy_step ret[POLICY_STEPS_MAX], size_t *ret_n);

/* The reason for an error of trust_open or snap_*; used by PAM, explain and agent alike. */
enum reason policy_snapshot_reason(enum cluster_err e);
/* The reason for an error of credential_verify, of sshcert_verify. */
enum reason policy_credential_reason(enum cluster_err e);
enum reason policy_certificate_reason(enum cluster_err e);

#endif
