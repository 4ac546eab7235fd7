/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_call.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "cluster/enrolled.h"
#include "cluster/file.h"

#define PATH_ROOM 512

/* Only ENOENT says that this node is not enrolled. */
static bool enrolled(const struct pam_conf *conf)
{
	char path[PATH_ROOM];
	struct stat st;

	if (conf->diag.code != CLUSTER_OK || file_join(path, sizeof path, pam_conf_state(conf), ENROLLED_FILE) != CLUSTER_OK)
		return true;
	return lstat(path, &st) == 0 || errno != ENOENT;
}

static bool stage_needs_view(enum pam_stage stage)
{
	return stage == PAM_STAGE_AUTH || stage == PAM_STAGE_ACCOUNT || stage == PAM_STAGE_OPEN;
}

/* Configuration that is NULL stands for nothing tightened and nothing ignored. */
int64_t pam_call_max_stale(const struct pam_call *c)
{
	return c->conf.node ? node_conf_max_stale(c->conf.node, c->facts.service) : 0;
}

/* A program that an ordinary user started (su, pkexec) has the limits that he gave it: what it lacks, he may have taken away. */
static bool starved(enum cluster_err e)
{
	return getuid() != 0 && (e == CLUSTER_ENOMEM || e == CLUSTER_ESYSTEM);
}

/*
 * The configuration, and with it the list of adopted accounts, cannot be read: a local account that the directory has too may stand in it. Then its own password or key must
 * not open it. Names that the directory does not have (break-glass) stay local whatever the configuration says.
 */
static bool perhaps_adopted(const struct pam_call *c)
{
	struct trust_account account;
	enum cluster_err e;
	struct trust t;
	bool listed;

	if (c->conf.diag.code == CLUSTER_OK || c->facts.class == POLICY_JOB || !name_id_ok(c->facts.who.local_uid))
		return false;
	if ((e = trust_open(pam_conf_state(&c->conf), (uid_t)c->conf.args.owner, &t)) != CLUSTER_OK)
		return starved(e);
	listed = trust_account_by_name(&t, c->facts.user, &account) == CLUSTER_OK;
	trust_close(&t);
	return listed;
}

enum reason pam_call_begin(struct pam_call *c, pam_handle_t *pamh, int flags, enum pam_stage stage, int argc, const char **argv)
{
	bool ignore_foreign;

	memset(c, 0, sizeof *c);
	c->pamh = pamh;
	c->flags = flags;
	c->stage = stage;
	pam_conf_args(&c->conf, argc, argv);
	if (!pam_facts_user(&c->facts, pamh, &c->conf))
		return REASON_SYSTEM;
	pam_conf_node(&c->conf);
	pam_facts_rest(&c->facts, pamh, &c->conf);
	if (c->facts.who.local == LOCAL_YES && !c->facts.who.adopted)
		return perhaps_adopted(c) ? REASON_CONFIG : REASON_LOCAL;
	if (!enrolled(&c->conf))
		return REASON_NOT_ENROLLED;
	ignore_foreign = c->conf.node && c->conf.node->foreign == NODE_CONF_FOREIGN_IGNORE;
	if (stage_needs_view(stage) || ignore_foreign)
		pam_view_open(&c->view, &c->conf);
	if (ignore_foreign && pam_view_foreign(&c->view, &c->facts, pam_call_max_stale(c)))
		return REASON_FOREIGN_IGNORED;
	return REASON_OK;
}

void pam_call_refresh(struct pam_call *c)
{
	snapshots_close(&c->view);
	pam_view_open(&c->view, &c->conf);
}

enum reason pam_call_decide(struct pam_call *c)
{
	const struct policy_request q = {
		.class = c->facts.class,
		.use = c->use,
		.account = c->facts.user,
		.now = &c->view.now,
		.max_stale = pam_call_max_stale(c),
		.source = c->facts.source[0] ? c->facts.source : NULL,
		.credential = c->verified ? &c->credential : NULL,
		.hop = c->hopped ? &c->hop : NULL,
		.cert = c->certified ? &c->cert : NULL,
	};
	enum reason r;

	if (c->view.reason != REASON_OK) {
		c->detail = c->view.detail;
		return c->view.reason;
	}
	if ((r = identity_check(&c->view.trust, &c->view.accounts, &c->facts.who, &c->detail)) != REASON_OK)
		return r;
	r = policy_decide(&c->view.trust, &q, &c->answer);
	c->detail = c->answer.detail;
	return r;
}

static void tell_user(const struct pam_call *c, enum reason r, const char *id)
{
	unsigned int flags = (unsigned int)c->flags;

	if ((flags & PAM_SILENT) || r == REASON_OK || pam_result_ignored(r))
		return;
	switch (c->stage) {
	case PAM_STAGE_AUTH:
	case PAM_STAGE_ACCOUNT:
	case PAM_STAGE_OPEN:
		pam_error(c->pamh, "Access refused (id %s).", id);
		break;
	case PAM_STAGE_PASSWORD:
		if (flags & PAM_PRELIM_CHECK)
			pam_info(c->pamh, "Cluster accounts have no password. To renew your credential, run on your own machine: cluster-login get");
		break;
	case PAM_STAGE_CRED:
	case PAM_STAGE_CLOSE:
		break;
	}
}

int pam_call_end(struct pam_call *c, enum reason r)
{
	int code = pam_result_code(c->stage, r);
	char id[PAM_CALL_ID + 1];

	refusal_id_new(id);
	pam_report_line(c, r, id);
	pam_report_agent(c, r, id);
	tell_user(c, r, id);
	snapshots_close(&c->view);
	pam_conf_done(&c->conf);
	return code;
}
