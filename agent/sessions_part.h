/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SESSIONS_PART_H
#define AGENT_SESSIONS_PART_H

#include <limits.h>

#include "cluster/reason.h"

#include "ending.h"
#include "processes.h"
#include "sessions.h"

/* What the files sessions*.c share. */

#define SESSIONS_LINE_MAX 500

struct entry {
	struct session s;
	uint64_t told;     /* which verdict its terminals and the log have heard; 0: none */
	int64_t asked;     /* when a newer credential was last looked for; 0: never */
	bool seen;         /* while reading */
	bool look;         /* to be looked at now */
	bool noticed;      /* its end has been announced */
	bool doomed, gone;
};

struct sessions {
	char dir[PATH_MAX];
	struct sessions_conf conf;
	struct entry *entry; /* in order of id */
	size_t n, room;
	uint64_t ended, change;
	unsigned int patience;  /* how often in a row only waiting for closing sessions was the reason to look */
	size_t last_words;      /* terminals of doomed sessions that have been told why */
	bool failed;            /* the last look left something undone */
};

void sessions_say(const struct sessions *s, int level, const char *fmt, ...) CLUSTER_PRINTF(3, 4);
/* Keeps the first failure in *e and d, logs every one. */
void sessions_fail(const struct sessions *s, enum cluster_err *e, struct diag *d, enum cluster_err found, const char *text);

/* Brings the table in line with the directory, or with one record. Each entry that was read is to be looked at. */
enum cluster_err sessions_records_all(struct sessions *s, const struct moment *now, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err sessions_records_one(struct sessions *s, const struct cluster_id *id, struct diag *d) CLUSTER_MUST_USE;
struct entry *sessions_records_find(const struct sessions *s, const struct cluster_id *id);
/* Takes away the record of an entry that is gone, then all such entries. */
void sessions_records_drop(struct sessions *s, struct entry *x);
void sessions_records_compact(struct sessions *s);

/* Nobody stands behind it but a node. */
bool sessions_of_machine(const struct session *x);
/* May a newer credential take the place of the one that it was opened with? Of a hop's the node here knows nothing but what another one vouched for. */
bool sessions_renewable(const struct session *x);
/* Is the leader, as recorded, alive? What cannot be looked at is not taken for dead. */
bool sessions_leader_alive(const struct session *x);
/* How the processes of a session are found. */
struct ending_target sessions_target(const struct sessions *s, const struct entry *x);
/* Decides about the entries that are to be looked at: dooms, warns, announces. */
enum cluster_err sessions_judge(struct sessions *s, const struct trust *t, const struct moment *now, struct processes *p, struct diag *d) CLUSTER_MUST_USE;

#endif
