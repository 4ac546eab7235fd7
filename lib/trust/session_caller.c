/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/session.h"

/* Which session a process was started in. */

enum cluster_err session_caller_read(pid_t pid, struct session_caller *ret)
{
	struct session_facts facts;
	enum cluster_err e;

	if ((e = session_facts_read(pid, &facts)) != CLUSTER_OK)
		return e;
	ret->audit = facts.audit;
	for (ret->n = 0; e == CLUSTER_OK;) {
		if (ret->n == SESSION_CHAIN_MAX)
			return CLUSTER_ELIMIT;
		ret->chain[ret->n].pid = (uint32_t)pid;
		ret->chain[ret->n++].start = facts.start;
		pid = facts.parent;
		if (pid <= 1)
			return CLUSTER_OK;
		e = session_facts_read(pid, &facts);
	}
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

bool session_caller_in(const struct session_caller *c, const struct session *s)
{
	if (c->audit != SESSION_NO_AUDIT && s->audit != SESSION_NO_AUDIT)
		return c->audit == s->audit;
	for (size_t i = 0; i < c->n; i++)
		if (c->chain[i].pid == s->pid && c->chain[i].start == s->start)
			return true;
	return false;
}
