/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SESSION_H
#define CLUSTER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/directory.h"
#include "cluster/err.h"
#include "cluster/hop.h"
#include "cluster/id.h"
#include "cluster/name.h"
#include "cluster/sshcert.h"

/* Session records (PROTOCOL.md 5.6): written by root's PAM, read by the agent. lib/trust/session.c. */

#define SESSION_DIR "/run/cluster-login/sessions"
#define SESSION_SIZE_MAX 2048
#define SESSION_NO_AUDIT UINT32_C(4294967295)

/* What it was opened with. */
enum session_kind { SESSION_CREDENTIAL = 1, SESSION_CERTIFICATE = 2, SESSION_ONETIME = 3, SESSION_HOP = 4 };

struct session {
	struct cluster_id id, person, device, jti, boot_id;
	int64_t iat, auth_time, opened;
	int64_t exp;               /* of what it was opened with, or by its grant's ttl: when its time is up, whether or not it ends then */
	enum directory_on_revoke on_revoke;
	enum session_kind kind;
	char account[NAME_ACCOUNT_MAX + 1];
	char service[NAME_SERVICE_MAX + 1];
	char tty[65];
	char rhost[256];
	char issuer[NAME_KID_MAX + 1];
	char role[NAME_ROLE_MAX + 1];
	uint32_t pid;
	uint64_t start;   /* field 22 of /proc/<pid>/stat */
	uint32_t audit;   /* /proc/<pid>/sessionid */
	bool end_at_expiry;        /* the session ends at `exp`, as its grant says */
	bool narrowed;             /* the credential was for certain accounts only */
	int64_t closed;            /* 0: open; else when it was closed while processes of it were left */
	bool narrowed_nodes;       /* the credential was for certain nodes only, or from certain networks only */
	struct cluster_id parent;  /* the session it came from by a hop; zero: none */
	struct cluster_id source;  /* of kind SESSION_HOP: the node that vouched; else zero */
	uint8_t hops;              /* of kind SESSION_HOP: how many in a row, 0 where no person stands behind it; else 0 */
	struct hop_place way[HOP_WAY_MAX]; /* where `parent` came from by hops itself, the person's own session first: hops - 1 of them, the rest zero */
	struct sshcert_facts cert; /* of kind SESSION_CERTIFICATE and SESSION_HOP; else all empty */
};

/* The facts of the certificate that the session was opened with, or NULL. Borrowed. */
const struct sshcert_facts *session_cert(const struct session *s);
/* A hop's own jti, which stands at the end of its certificate's key id; zero if none does. */
struct cluster_id session_hop_jti(const struct sshcert_facts *cert);
enum cluster_err session_parse(const void *data, size_t n, struct session *ret) CLUSTER_MUST_USE;
enum cluster_err session_build(const struct session *s, uint8_t ret[SESSION_SIZE_MAX], size_t *ret_n) CLUSTER_MUST_USE;
/* <dir>/<id>; replaced as a whole, mode 0600. */
enum cluster_err session_store(const char *dir, const struct session *s, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err session_load(const char *dir, const char *name, uid_t owner, struct session *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err session_remove(const char *dir, const struct cluster_id *id, struct diag *d) CLUSTER_MUST_USE;

enum session_due { SESSION_DUE_NOTHING, SESSION_DUE_NOTICE, SESSION_DUE_END };
/*
 * What is due at `now` of a session that ends with its credential: the notice `notice` seconds before, then its end. *ret_next: when that changes, INT64_MAX for never.
 * Pure; nothing is ever due of a session without end_at_expiry.
 */
enum session_due session_due(const struct session *s, int64_t now, int64_t notice, int64_t *ret_next);

/* Start time and audit session id of a process from /proc. CLUSTER_ENOTFOUND: no such process. Parsed from untrusted text (a process names itself): the field after the last ')'. */
enum cluster_err session_process(pid_t pid, uint64_t *ret_start, uint32_t *ret_audit) CLUSTER_MUST_USE;

/* What the kernel says of a process; also of one that has ended and not been waited for. */
struct session_facts {
	pid_t parent;
	uint32_t tty;     /* device number as in field 7 of stat; 0: none */
	uint64_t start;
	uint32_t audit;   /* SESSION_NO_AUDIT: none */
	bool ended;
};
/* Errors as session_process. */
enum cluster_err session_facts_read(pid_t pid, struct session_facts *ret) CLUSTER_MUST_USE;

/* The audit session id of a process if it is not its parent's too, else SESSION_NO_AUDIT: what it may be told from others by when the parent has gone. */
uint32_t session_own_audit(pid_t pid);
/* Is this living process, not the leader, of the session: by the audit id, started no earlier than the leader? */
bool session_has(const struct session *s, pid_t pid, const struct session_facts *f);
/*
 * The processes from this one up to the first that has gone: what tells which session something was started in, by the kernel's audit session, or where that is not kept, by the chain of
 * parents. lib/trust/session_caller.c.
 */
#define SESSION_CHAIN_MAX 256
struct session_caller {
	uint32_t audit;
	size_t n;
	struct {
		uint32_t pid;
		uint64_t start;
	} chain[SESSION_CHAIN_MAX];
};
/* CLUSTER_ELIMIT: too long a chain. CLUSTER_ENOTFOUND: no such process. */
enum cluster_err session_caller_read(pid_t pid, struct session_caller *ret) CLUSTER_MUST_USE;
/* Was it started in this session, whose record is of this boot? */
bool session_caller_in(const struct session_caller *c, const struct session *s);

/* Is there such a process, or may there be one that cannot be looked at? Reads all of /proc. */
bool session_left(const struct session *s);

#endif
