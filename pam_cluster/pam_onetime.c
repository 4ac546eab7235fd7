/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "cluster/agent_msg.h"
#include "cluster/file.h"
#include "cluster/onetime.h"

#include "pam_call.h"

#define WAIT_MS 1000
#define PATH_ROOM 512

bool pam_onetime_shown(const char *answer, size_t n)
{
	return n > 0 && !memchr(answer, '~', n);
}

enum cluster_err pam_onetime_verify(struct pam_call *c, const char *answer, size_t n, const struct keyring_at *at)
{
	struct onetime o;
	enum cluster_err e = onetime_verify(answer, n, at, &o, &c->detail);

	if (e != CLUSTER_OK)
		return e;
	c->credential = onetime_credential(&o);
	c->only_node = o.node;
	c->onetime = true;
	c->use = POLICY_USE_ONETIME;
	return CLUSTER_OK;
}

static enum reason ask(struct pam_call *c, struct agent_msg_request *m)
{
	struct agent_msg_answer a;
	char path[PATH_ROOM];
	enum cluster_err e;

	m->jti = c->credential.jti;
	m->receipt = c->receipt;
	if (geteuid() != 0) {
		diag_set(&c->detail, CLUSTER_EUNAVAIL, "only a service that runs as root can take a one-time credential");
		return REASON_NO_AGENT;
	}
	if ((e = file_join(path, sizeof path, pam_conf_run(&c->conf), "agent.sock")) == CLUSTER_OK)
		e = agent_msg_call(path, m, WAIT_MS, &a);
	if (e != CLUSTER_OK) {
		diag_set(&c->detail, e, "the agent's socket: %s", err_name(e));
		return REASON_NO_AGENT;
	}
	diag_set(&c->detail, a.result, "the agent: %s", err_name(a.result));
	if (a.result == CLUSTER_OK)
		diag_clear(&c->detail);
	return a.result == CLUSTER_OK ? REASON_OK : a.result == CLUSTER_ELIMIT ? REASON_NO_AGENT : REASON_USED;
}

enum reason pam_onetime_redeem(struct pam_call *c)
{
	const struct credential *cred = &c->credential;
	struct agent_msg_request m = { .type = AGENT_MSG_REDEEM, .iat = cred->iat, .exp = cred->exp, .person = cred->person, .skew = c->view.trust.self.skew };

	if (crypto_random(c->receipt.b, sizeof c->receipt.b) != CLUSTER_OK)
		return REASON_SYSTEM;
	return ask(c, &m);
}

enum reason pam_onetime_confirm(struct pam_call *c)
{
	struct agent_msg_request m = { .type = AGENT_MSG_CONFIRM };

	return ask(c, &m);
}
