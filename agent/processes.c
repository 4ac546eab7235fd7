/* SPDX-License-Identifier: Apache-2.0 */
#include "processes.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>

#include "cluster/num.h"

static int compare(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

bool processes_read(struct processes *ret)
{
	struct processes t = { 0 };
	const struct dirent *entry;
	enum cluster_err e;
	size_t room = 0;
	struct process *p;
	uint32_t pid;
	DIR *proc;

	proc = opendir("/proc");
	if (!proc)
		return false;
	while ((entry = readdir(proc)) != NULL) {
		if (num_u32(entry->d_name, 1, INT_MAX, &pid) != CLUSTER_OK)
			continue;
		if (t.n == room) {
			room = room ? room * 2 : 256;
			p = reallocarray(t.p, room, sizeof *p);
			if (!p) {
				closedir(proc);
				free(t.p);
				return false;
			}
			t.p = p;
		}
		t.p[t.n] = (struct process){ .pid = (pid_t)pid };
		e = session_facts_read((pid_t)pid, &t.p[t.n].facts);
		t.n += e == CLUSTER_OK;
		t.incomplete = t.incomplete || e == CLUSTER_ESYSTEM;
	}
	closedir(proc);
	if (t.n > 0)
		qsort(t.p, t.n, sizeof *t.p, compare);
	*ret = t;
	return true;
}

void processes_once(struct processes *t)
{
	if (!t->p && !t->incomplete && !processes_read(t))
		t->incomplete = true;
}

void processes_done(struct processes *t)
{
	free(t->p);
	t->p = NULL;
	t->n = 0;
}

const struct process *processes_find(const struct processes *t, pid_t pid)
{
	const struct process key = { .pid = pid };

	return t->n > 0 ? bsearch(&key, t->p, t->n, sizeof *t->p, compare) : NULL;
}
