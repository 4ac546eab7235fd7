/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SUPERVISE_PART_H
#define AGENT_SUPERVISE_PART_H

#include <event2/event.h>

#include "cluster/quiet.h"

#include "agent.h"
#include "care.h"
#include "ipc.h"
#include "publish.h"
#include "revive.h"
#include "sessions.h"
#include "ssh_keep.h"
#include "vitals.h"
#include "watch.h"

/* Root's process: what the files supervise*.c share. supervise.c starts and stops it, and has the loop with its timers and signals; supervise_heard.c does what the others ask for. */

#define SUPERVISE_EVENTS_MAX 16

struct supervisor {
	const struct agent *agent;
	struct publish *publish;
	struct sessions *sessions;
	struct care care;
	struct children children;
	struct watch *local;
	struct event_base *base;
	struct event *event[SUPERVISE_EVENTS_MAX];
	size_t n_events;
	struct agent_msg_status status;
	struct quiet quiet;
	struct vitals vitals;
	struct ssh_keep ssh;
	struct event *ssh_due;
	int64_t ssh_next; /* by moment_ms: not before */
	struct event *channel[CHILD_N]; /* of those that are not revived */
	struct revive revive;
	char url[IPC_URL_MAX];
	int listener, hop_listener;
	int exit_status;
	bool stopping;
};

/* Ends the loop with this exit status; the first counts. */
void supervise_stop(struct supervisor *s, int status);
/* Logs a line that may come again and again. */
void supervise_say(int level, const char *line);
/* Status for the agent socket. */
void supervise_tell_status(struct supervisor *s);
/* At the age of the head; writes the metrics if it is time to, and in any case with `head`. */
void supervise_vitals(struct supervisor *s, bool head);
/* At every session, by what is installed. */
void supervise_sweep(struct supervisor *s);
/* Has trust make again what is damaged. */
void supervise_mend(struct supervisor *s);
/*
 * What sshd and ssh read. Nothing waits for it: who is trusted is decided by the snapshots. The loop turns to it when nothing else is to be done, and while nodes come and go all the time it
 * gets a part of the time only.
 */
void supervise_ssh_soon(struct supervisor *s);

/* One message of one process, each kind allowed from one place only. The descriptors stay the caller's. */
void supervise_heard(struct supervisor *s, enum child from, const struct ipc *m, const int *fds, size_t n_fds);

#endif
