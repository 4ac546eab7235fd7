/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SESSIONS_H
#define AGENT_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/credential.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/moment.h"
#include "cluster/session.h"
#include "cluster/trust_snap.h"

/*
 * The live sessions of this node: records that root's PAM writes, judged by policy_session_check, ended when they must end (DESIGN.md 3.6). A session that was closed, or whose
 * leader has gone, is kept as closing while processes with its audit id are left. Time is an argument.
 */
struct sessions;

struct sessions_conf {
	const char *run_dir;      /* records are in <run_dir>/sessions */
	uid_t owner;
	unsigned int grace_ms;
	int64_t notice;           /* seconds between the notice and the end of a session that ends with its credential */
	void (*log)(int level, const char *line); /* enum log_level */
};

/* Makes the directory. The caller calls sessions_free. */
enum cluster_err sessions_new(const struct sessions_conf *conf, struct sessions **ret, struct diag *d) CLUSTER_MUST_USE;
void sessions_free(struct sessions *s);

/*
 * Reads all records, removes those of which nothing is left, judges the others and ends those that must end. `t` NULL: there is nothing to judge by, and only expiry ends a session.
 * Blocks for as long as processes take to die, at most about the grace time. Anything but CLUSTER_OK: some session could not be looked at, judged or ended; what could be done has been.
 */
enum cluster_err sessions_sweep(struct sessions *s, const struct trust *t, const struct moment *now, struct diag *d) CLUSTER_MUST_USE;
/* The same for one session whose record has been written, changed or removed. */
enum cluster_err sessions_look(struct sessions *s, const struct trust *t, const struct moment *now, const struct cluster_id *id, struct diag *d) CLUSTER_MUST_USE;
/* In how many milliseconds the next sweep is due: something ends, is to be announced, has to be tried again or may have gone. INT64_MAX: never. */
int64_t sessions_next_ms(const struct sessions *s, const struct moment *now);

/* The next session whose credential nears its end and for which a newer one is to be looked for now. False: none. */
bool sessions_renewal(struct sessions *s, const struct moment *now, struct cluster_id *ret_session, struct cluster_id *ret_jti);
/* Goes on with a newer credential, verified by the caller: same person and device, later end, and policy_decide lets it in. CLUSTER_ENOTFOUND: no such session any more. CLUSTER_EDENIED. */
enum cluster_err sessions_renew(struct sessions *s, const struct trust *t, const struct moment *now, const struct cluster_id *session, const struct credential *c, struct diag *d) CLUSTER_MUST_USE;

/* At the last look: sessions that are open, those that are closed with processes left, how many have been ended since the start. */
uint32_t sessions_live(const struct sessions *s);
uint32_t sessions_closing(const struct sessions *s);
uint64_t sessions_ended(const struct sessions *s);

/*
 * The record, as it is now, of the session that a process was started in. *ret_ended: it is closed, or its leader has gone. CLUSTER_ENOTFOUND: in none. CLUSTER_ELIMIT: there is more than
 * one, or too many records; others: a record cannot be read, so nobody knows.
 */
enum cluster_err sessions_caller(const struct sessions *s, const struct session_caller *c, const struct cluster_id *boot, struct session *ret, bool *ret_ended) CLUSTER_MUST_USE;

/* Rises with each change of the list; the list itself, in order of id: the caller frees *ret. */
uint64_t sessions_change(const struct sessions *s);
enum cluster_err sessions_list(const struct sessions *s, struct session **ret, size_t *ret_n) CLUSTER_MUST_USE;

#endif
