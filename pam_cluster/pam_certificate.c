/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "cluster/authinfo.h"

#include "pam_call.h"

/* sshd's monitor, and nobody else, gives PAM this terminal name and runs as root: only its word for what has been proved counts. */
static bool from_sshd(const struct pam_call *c)
{
	return geteuid() == 0 && strcmp(c->facts.tty, "ssh") == 0;
}

enum reason pam_judge_certificate(struct pam_call *c)
{
	const char *info = pam_getenv(c->pamh, AUTHINFO_NAME), *text = NULL;
	struct policy_certificate found;
	enum cluster_err e;
	enum reason r;
	size_t n = 0;

	c->verified = c->hopped = c->certified = c->has_facts = false;
	if (!info || !from_sshd(c))
		return REASON_NO_HANDOVER;
	if ((e = authinfo_certificate(info, strnlen(info, AUTHINFO_MAX + 1), &text, &n)) == CLUSTER_ENOTFOUND)
		return REASON_NO_HANDOVER;
	if (e != CLUSTER_OK) {
		diag_set(&c->detail, e, AUTHINFO_NAME " names no certificate, or several: %s", err_name(e));
		return REASON_CERTIFICATE;
	}
	if (c->view.reason != REASON_OK) {
		c->detail = c->view.detail;
		return c->view.reason;
	}
	r = policy_certificate(&c->view.trust, c->view.now.wall, text, n, &found, &c->detail);
	c->has_facts = found.has_facts;
	c->cert = found.facts;
	if (r != REASON_OK)
		return r;
	c->certified = true;
	c->verified = !found.is_hop;
	c->hopped = found.is_hop;
	c->credential = found.credential;
	c->hop = found.hop;
	memcpy(c->via, found.source, sizeof c->via);
	diag_clear(&c->detail);
	return pam_call_decide(c);
}
