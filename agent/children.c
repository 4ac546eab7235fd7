/* SPDX-License-Identifier: Apache-2.0 */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cluster/file.h"

#include "ipc.h"

#define STEP_MS 5

void children_init(struct children *c)
{
	int i;

	for (i = 0; i < CHILD_N; i++) {
		c->pid[i] = 0;
		c->channel[i] = -1;
	}
}

const char *children_name(enum child c)
{
	switch (c) {
	case CHILD_TRUST:
		return "trust";
	case CHILD_FETCH:
		return "fetch";
	case CHILD_SERVE:
		return "serve";
	case CHILD_RELAY:
		return "relay";
	case CHILD_HOP:
		return "hop";
	case CHILD_N:
		break;
	}
	return "unknown";
}

/* What a child runs; it never returns to the caller's code. */
static void run(enum child which, const struct agent *a, int root, int other, const struct assemble_floor *floor)
{
	int status = 70;

	switch (which) {
	case CHILD_TRUST:
		status = trust_process(a, root, other, floor);
		break;
	case CHILD_FETCH:
		status = fetch_process(a, root, other);
		break;
	case CHILD_SERVE:
		status = serve_process(a, root, other);
		break;
	case CHILD_RELAY:
		status = relay_process(a, root);
		break;
	case CHILD_HOP:
		status = hop_process(a, root, other);
		break;
	case CHILD_N:
		break;
	}
	_exit(status);
}

static enum cluster_err start_one(struct children *c, enum child which, const struct agent *a, int other, const struct assemble_floor *floor, struct diag *d)
{
	enum cluster_err e;
	int pair[2];
	pid_t pid;

	if ((e = ipc_pair(pair, d)) != CLUSTER_OK)
		return e;
	pid = fork();
	if (pid == 0)
		run(which, a, pair[1], other, floor);
	e = pid < 0 ? diag_errno(d, "fork") : CLUSTER_OK;
	close(pair[1]);
	if (e == CLUSTER_OK && fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0)
		e = diag_errno(d, "fcntl");
	c->channel[which] = pair[0];
	if (pid > 0)
		c->pid[which] = pid;
	return e;
}

enum cluster_err children_start(struct children *c, const struct agent *a, int listener, const struct assemble_floor *floor, struct diag *d)
{
	enum cluster_err e;
	int frames[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, frames) != 0)
		return diag_errno(d, "socketpair");
	if ((e = start_one(c, CHILD_TRUST, a, frames[0], floor, d)) == CLUSTER_OK && (e = start_one(c, CHILD_FETCH, a, frames[1], floor, d)) == CLUSTER_OK)
		e = start_one(c, CHILD_SERVE, a, listener, floor, d);
	close(frames[0]);
	close(frames[1]);
	return e;
}

enum cluster_err children_start_again(struct children *c, enum child which, const struct agent *a, int listener, struct diag *d)
{
	file_close(c->channel[which]);
	c->channel[which] = -1;
	return start_one(c, which, a, listener, NULL, d);
}

static bool ended(struct children *c, pid_t pid, enum child *ret)
{
	int i;

	for (i = 0; i < CHILD_N; i++) {
		if (c->pid[i] == pid) {
			c->pid[i] = 0;
			*ret = (enum child)i;
			return true;
		}
	}
	return false;
}

bool children_reap(struct children *c, enum child *ret, char *how, size_t size)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			return false;
		if (!ended(c, pid, ret))
			continue;
		if (WIFSIGNALED(status))
			snprintf(how, size, "signal %d%s", WTERMSIG(status), WTERMSIG(status) == SIGSYS ? ": a forbidden system call" : "");
		else
			snprintf(how, size, "status %d", WEXITSTATUS(status));
		return true;
	}
}

void children_kill(const struct children *c, enum child which)
{
	if (c->pid[which] > 0 && kill(c->pid[which], SIGKILL) != 0)
		return; /* gone already */
}

static bool any_left(struct children *c)
{
	char how[64];
	enum child which;
	int i;

	while (children_reap(c, &which, how, sizeof how))
		;
	for (i = 0; i < CHILD_N; i++) {
		if (c->pid[i] > 0)
			return true;
	}
	return false;
}

static void send_signal(const struct children *c, int number)
{
	int i;

	for (i = 0; i < CHILD_N; i++) {
		if (c->pid[i] > 0 && kill(c->pid[i], number) != 0)
			continue; /* gone already: it is reaped below */
	}
}

void children_stop(struct children *c, unsigned int seconds)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	unsigned int i;

	for (i = 0; i < CHILD_N; i++) {
		file_close(c->channel[i]);
		c->channel[i] = -1;
	}
	send_signal(c, SIGTERM);
	for (i = 0; any_left(c) && i < seconds * 1000 / STEP_MS; i++)
		nanosleep(&step, NULL);
	send_signal(c, SIGKILL);
	for (i = 0; any_left(c) && i < seconds * 1000 / STEP_MS; i++)
		nanosleep(&step, NULL);
}
