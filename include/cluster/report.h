/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_REPORT_H
#define CLUSTER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/name.h"
#include "cluster/session.h"
#include "cluster/sshcert.h"

struct json;

/* What a node tells the authority of its live sessions (PROTOCOL.md 6.5). lib/trust/report.c. */

#define REPORT_SESSIONS_MAX 512               /* opened, and closed, in one message */
#define REPORT_TEXT_MAX ((size_t)256 * 1024)  /* the authority takes no larger body */
#define REPORT_TTY_MAX 64
#define REPORT_RHOST_MAX 255

/* As in the session record (5.6), less what only the node needs. `kind` is 1 to 4. */
struct report_session {
	struct cluster_id id, person, device, jti;
	int64_t auth_time, iat, exp, opened;
	enum session_kind kind;
	bool closed;        /* logged out; processes are left */
	bool end_at_expiry;
	char account[NAME_ACCOUNT_MAX + 1];
	char service[NAME_SERVICE_MAX + 1];
	char tty[REPORT_TTY_MAX + 1];
	char rhost[REPORT_RHOST_MAX + 1];
	char issuer[NAME_KID_MAX + 1];
	char role[NAME_ROLE_MAX + 1];     /* of the grant; empty: granted to the person */
	struct cluster_id source, parent; /* of a hop: the node that vouched, and the session there */
	uint8_t hops;                     /* of a hop: how many in a row; 0: nobody stands behind it, and person, device and parent are zero */
	struct hop_place way[HOP_WAY_MAX]; /* as in the record */
	struct sshcert_facts cert;        /* of SESSION_CERTIFICATE and a hop by certificate; `ca` empty: none */
};

struct report {
	bool full; /* these are all; what was told before is forgotten. Of several messages only the first is full */
	size_t n_opened, n_closed;
	struct report_session *opened; /* also those that have changed */
	struct cluster_id *closed;
};

/* The caller frees *ret with report_free. CLUSTER_EFORMAT, CLUSTER_ELIMIT (too large, too many), CLUSTER_ENOMEM, with a sentence. */
enum cluster_err report_parse(const char *text, size_t n, struct report **ret, struct diag *d) CLUSTER_MUST_USE;
void report_free(struct report *r);
/* CLUSTER_ELIMIT: too many sessions, or over REPORT_TEXT_MAX: report_next makes several. CLUSTER_EFORMAT: a session that report_parse would refuse. The caller frees *ret with free(). */
enum cluster_err report_build(const struct report *r, char **ret) CLUSTER_MUST_USE;
/*
 * However much `r` holds, as a series of messages: *at begins as zeros; *ret is the next message, which the caller frees with free(), or NULL when all is said. A full report of
 * nothing is one message; an empty one that is not full is none. Errors as report_build, but for CLUSTER_ELIMIT.
 */
struct report_at {
	bool begun;
	size_t opened, closed;
};
enum cluster_err report_next(const struct report *r, struct report_at *at, char **ret) CLUSTER_MUST_USE;

/* What a report carries of a session record. */
void report_session_of(const struct session *s, struct report_session *ret);
/* One SESSION as JSON, for answers too; NULL when out of memory. */
struct json *report_session_json(const struct report_session *s);
/* "credential", "certificate", "onetime", "hop"; NULL for another number. */
const char *report_kind_name(enum session_kind k);

#endif
