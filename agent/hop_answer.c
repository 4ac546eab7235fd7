/* SPDX-License-Identifier: Apache-2.0 */
#include "hop_answer.h"

#include <poll.h>
#include <string.h>

#include "cluster/local.h"
#include "cluster/moment.h"

/* The adopted account that has the uid; empty: none. */
static enum cluster_err find_adopted(const struct node_conf *conf, uint32_t uid, char ret[NAME_ACCOUNT_MAX + 1])
{
	uid_t found;

	for (size_t i = 0; i < conf->adopt.n; i++) {
		switch (local_find(conf->passwd, conf->adopt.item[i], &found)) {
		case LOCAL_UNKNOWN:
			return CLUSTER_EUNAVAIL;
		case LOCAL_NO:
			break;
		case LOCAL_YES:
			if (found != uid || !name_id_ok(found) || !name_account_ok(conf->adopt.item[i]))
				break;
			memcpy(ret, conf->adopt.item[i], strlen(conf->adopt.item[i]) + 1);
			return CLUSTER_OK;
		}
	}
	return CLUSTER_OK;
}

/* A pidfd is ready for reading when its process has ended. */
static bool alive(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return pidfd >= 0 && poll(&p, 1, 0) == 0;
}

static enum cluster_err find(const struct sessions *s, const struct node_conf *conf, const struct ipc_hop_ask *q, struct hop_caller *x)
{
	struct session_caller caller;
	struct moment now;
	enum cluster_err e;

	if (q->pid <= 0)
		return CLUSTER_EFORMAT;
	if ((e = session_caller_read(q->pid, &caller)) != CLUSTER_OK || (e = moment_now(&now)) != CLUSTER_OK || (e = find_adopted(conf, q->uid, x->adopted)) != CLUSTER_OK)
		return e;
	e = sessions_caller(s, &caller, &now.boot_id, &x->session, &x->ended);
	x->found = e == CLUSTER_OK;
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

void hop_answer(const struct sessions *s, const struct node_conf *conf, const struct ipc_hop_ask *q, int pidfd, struct hop_caller *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->uid = q->uid;
	ret->err = find(s, conf, q, ret);
	if (ret->err == CLUSTER_OK && !alive(pidfd))
		ret->err = CLUSTER_ENOTFOUND;
}
