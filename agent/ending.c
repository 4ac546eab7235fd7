/* SPDX-License-Identifier: Apache-2.0 */
#include "ending.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/moment.h"

#include "hunt.h"
#include "processes.h"
#include "scope.h"

#define ROUNDS_MAX 20
#define FREEZE_MAX 8
#define KILL_WAIT_MS 100
#define PTS_MAJOR_FIRST 136u /* Linux: unix98 pseudo-terminals */
#define PTS_MAJOR_LAST 143u
#define TERMINALS_MAX 4

/* One process to be ended, held by a descriptor that cannot come to mean another one. */
struct victim {
	pid_t pid;
	uint64_t start;
	int fd;
	bool gone;
};

struct victims {
	struct victim *v;
	size_t n, room;
};

static bool is_leader(const struct process *p, const struct ending_target *t)
{
	return p->pid == t->leader && p->facts.start == t->start;
}

static bool has_audit(const struct process *p, const struct ending_target *t)
{
	return t->by_audit && p->facts.audit == t->audit && p->facts.start >= t->start && (t->until == 0 || p->facts.start < t->until);
}

/* Never touched, nor is what descends from it. */
static bool spared(const struct process *p)
{
	return p->pid <= 1 || p->pid == getpid() || p->facts.parent == getpid();
}

static bool known(const struct victims *all, const struct process *p)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (all->v[i].pid == p->pid && all->v[i].start == p->facts.start)
			return true;
	}
	return false;
}

/* Marks what belongs to a target, or descends from what is known already: a process stays a victim when its parent has gone. */
static void mark(struct processes *t, const struct ending_target *targets, size_t n, const struct victims *all)
{
	bool by_audit_only = true, more = true;
	const struct process *parent;
	struct process *p;
	size_t i, j;

	for (j = 0; j < n; j++)
		by_audit_only = by_audit_only && targets[j].by_audit;
	for (i = 0; i < t->n; i++) {
		p = &t->p[i];
		for (j = 0; j < n && !p->marked; j++)
			p->marked = is_leader(p, &targets[j]) || has_audit(p, &targets[j]);
		p->follow = p->marked || known(all, p);
		p->follow = p->follow && !spared(p);
		for (j = 0; j < n && p->follow; j++) { /* where the audit id says what belongs to the session, descent does not */
			if (has_audit(p, &targets[j]))
				p->follow = false;
		}
		p->marked = p->marked || p->follow;
	}
	while (more && !by_audit_only) {
		for (more = false, i = 0; i < t->n; i++) {
			p = &t->p[i];
			parent = p->marked ? NULL : processes_find(t, p->facts.parent);
			if (parent && parent->follow && parent->facts.start <= p->facts.start && !spared(p))
				p->marked = p->follow = more = true;
		}
	}
}

static int open_process(const struct process *p)
{
	struct session_facts again;
	int fd;

	fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (fd < 0)
		return -1;
	/* between the scan and now the number may have changed hands */
	if (session_facts_read(p->pid, &again) != CLUSTER_OK || again.start != p->facts.start) {
		close(fd);
		return -1;
	}
	return fd;
}

static void add(struct victims *all, const struct process *p)
{
	struct victim *v;
	size_t room;
	int fd;

	if (all->n == all->room) {
		room = all->room ? all->room * 2 : 32;
		v = reallocarray(all->v, room, sizeof *v);
		if (!v)
			return; /* the next look tries again */
		all->v = v;
		all->room = room;
	}
	fd = open_process(p);
	if (fd < 0)
		return;
	all->v[all->n++] = (struct victim){ .pid = p->pid, .start = p->facts.start, .fd = fd };
}

struct aims {
	const struct ending_target *targets;
	size_t n;
};

static bool is_prey(const struct process *p, void *arg)
{
	const struct aims *h = arg;
	size_t j;

	for (j = 0; j < h->n; j++) {
		if (has_audit(p, &h->targets[j]))
			return !spared(p);
	}
	return false;
}

/* Looks through all processes once. Returns how many new ones were seen, also if they could not be held: then, too, there may be more. */
static size_t collect(struct victims *all, const struct ending_target *targets, size_t n)
{
	struct processes t;
	size_t i, seen;

	if (!processes_read(&t))
		return 1;
	seen = t.incomplete;
	mark(&t, targets, n, all);
	for (i = 0; i < t.n; i++) {
		if (t.p[i].marked && !spared(&t.p[i]) && !t.p[i].facts.ended && !known(all, &t.p[i])) {
			add(all, &t.p[i]);
			seen++;
		}
	}
	processes_done(&t);
	return seen;
}

static void send_signal(struct victims *all, size_t from, int number)
{
	size_t i;

	for (i = from; i < all->n; i++) {
		if (!all->v[i].gone && syscall(SYS_pidfd_send_signal, all->v[i].fd, number, NULL, 0) != 0 && errno == ESRCH)
			all->v[i].gone = true;
	}
}

/* Waits until all have ended, at most that long. Returns how many have not. */
static size_t wait_ended(struct victims *all, int64_t ms)
{
	int64_t deadline = moment_ms() + ms, left;
	struct pollfd *p = calloc(all->n + 1, sizeof *p);
	size_t i, alive = all->n;

	while (p) {
		for (alive = 0, i = 0; i < all->n; i++) {
			if (!all->v[i].gone)
				p[alive++] = (struct pollfd){ .fd = all->v[i].fd, .events = POLLIN };
		}
		left = deadline - moment_ms();
		if (alive == 0 || left < 0 || (poll(p, (nfds_t)alive, (int)left) < 0 && errno != EINTR))
			break;
		for (i = 0; i < all->n; i++) {
			struct pollfd one = { .fd = all->v[i].fd, .events = POLLIN };

			if (!all->v[i].gone && poll(&one, 1, 0) == 1)
				all->v[i].gone = true;
		}
	}
	free(p);
	return alive;
}

static bool all_by_audit(const struct ending_target *targets, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!targets[i].by_audit)
			return false;
	}
	return true;
}

/*
 * Where only descent tells, processes are stopped as they are found until a look finds no new one: nobody can leave a child behind that would then be init's. The
 * signals below wake them up again.
 */
static void find_all(struct victims *all, const struct ending_target *targets, size_t n)
{
	bool freeze = !all_by_audit(targets, n);
	size_t before = 0, found, i;

	for (i = 0; i < FREEZE_MAX; i++) {
		found = collect(all, targets, n);
		if (!freeze || found == 0)
			return;
		send_signal(all, before, SIGSTOP);
		before = all->n;
	}
}

size_t ending_run(const struct ending_target *targets, size_t n, unsigned int grace_ms)
{
	char (*scopes)[SCOPE_MAX] = calloc(n + 1, sizeof *scopes);
	struct victims all = { 0 };
	size_t i, left = 0, seen = 0;

	if (n == 0)
		goto out;
	for (i = 0; scopes && i < n; i++)
		scope_of_leader(targets[i].leader, targets[i].start, scopes[i]);
	find_all(&all, targets, n);
	send_signal(&all, 0, SIGHUP);
	send_signal(&all, 0, SIGTERM);
	send_signal(&all, 0, SIGCONT);
	left = wait_ended(&all, grace_ms);
	for (i = 0; scopes && i < n; i++)
		scope_kill(SCOPE_ROOT, scopes[i]);
	for (i = 0; i < ROUNDS_MAX; i++) {
		hunt(is_prey, &(struct aims){ .targets = targets, .n = n });
		seen = collect(&all, targets, n);
		if (seen == 0 && left == 0)
			break;
		send_signal(&all, 0, SIGKILL);
		left = wait_ended(&all, KILL_WAIT_MS);
	}
	for (i = 0; i < all.n; i++)
		close(all.v[i].fd);
out:
	free(all.v);
	free(scopes);
	/* unless the last look found nothing, what escaped it may live */
	return left > 0 ? left : seen;
}

/*
 * Writes to /dev/pts/<n> if that is the terminal of this process's number and user. In a container of the user's the same number is another terminal, of another mount of devpts: then the one
 * here is somebody else's. Which mount the process sees is not for us to look up: a walk through its root could be held up by a file system of the user's own making.
 */
static bool write_terminal(const struct process *p, const char *line)
{
	const uint32_t device = p->facts.tty;
	unsigned int number = (major(device) - PTS_MAJOR_FIRST) << 8 | minor(device);
	char path[sizeof "/dev/pts/" + 12], proc[sizeof "/proc/" + 12];
	struct stat st, owner;
	bool written;
	int fd;

	if (major(device) < PTS_MAJOR_FIRST || major(device) > PTS_MAJOR_LAST)
		return false;
	snprintf(proc, sizeof proc, "/proc/%d", (int)p->pid);
	snprintf(path, sizeof path, "/dev/pts/%u", number);
	if (stat(proc, &owner) != 0)
		return false;
	fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* a courtesy: nobody waits for it */
	written = fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == device && st.st_uid == owner.st_uid && write(fd, line, strlen(line)) > 0;
	close(fd);
	return written;
}

size_t ending_tell(struct processes *t, const struct ending_target *target, const char *line)
{
	uint32_t told[TERMINALS_MAX];
	const struct victims none = { 0 };
	size_t i, j, n = 0;

	processes_once(t);
	for (i = 0; i < t->n; i++)
		t->p[i].marked = t->p[i].follow = false;
	mark(t, target, 1, &none);
	for (i = 0; i < t->n && n < TERMINALS_MAX; i++) {
		if (!t->p[i].marked || t->p[i].facts.tty == 0)
			continue;
		for (j = 0; j < n && told[j] != t->p[i].facts.tty; j++)
			;
		if (j == n && write_terminal(&t->p[i], line))
			told[n++] = t->p[i].facts.tty;
	}
	return n;
}
