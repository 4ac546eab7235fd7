/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "certificate.h"
#include "cluster/json.h"
#include "cmd.h"
#include "in_hand.h"
#include "out.h"
#include "ssh_agent.h"
#include "standing.h"
#include "view.h"
#include "wallet.h"

struct show_words {
	bool json, offline;
};

static const struct command_option whoami_options[] = {
	{ "json", 0, COMMAND_FLAG, offsetof(struct show_words, json), 0, 0, NULL, "JSON" },
};

static const struct command_option show_options[] = {
	{ "offline", 0, COMMAND_FLAG, offsetof(struct show_words, offline), 0, 0, NULL, "do not ask the authority whether it is revoked" },
	{ "json", 0, COMMAND_FLAG, offsetof(struct show_words, json), 0, 0, NULL, "JSON" },
};

/* Nothing on disk, but certificates in the agent. */
static bool only_certificates(const struct profile *p, bool json, int *ret_status)
{
	struct json *list = json ? json_list() : NULL;

	if (in_hand_certificates(p, list) == 0) {
		json_free(list);
		return false;
	}
	*ret_status = json ? out_json(json_make("{s:s, s:o}", "name", p->name, "certificates", list)) : EXIT_DONE;
	return true;
}

static int run_show(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct show_words w = { 0 };
	struct standing s = { .why = "not asked" };
	struct wallet wallet = { 0 };
	struct view *v = NULL;
	enum cluster_err e;
	struct profile p;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	if ((e = wallet_load(&p, &wallet, &d)) == CLUSTER_ENOTFOUND && only_certificates(&p, w.json, &status))
		goto out;
	if (e != CLUSTER_OK || view_load(&p, &v, &d) != CLUSTER_OK) {
		status = out_failed(&d, CMD_TRY_GET);
		goto out;
	}
	if (!w.offline)
		standing_ask(&p, &wallet, &s);
	status = in_hand_print(&p, &wallet.claims, v->root.name, &s, w.json);
	if (!w.json)
		(void)in_hand_certificates(&p, NULL);
	if (status == EXIT_DONE && (wallet.claims.exp <= time(NULL) || s.kind == STANDING_REVOKED || s.kind == STANDING_REFUSED)) {
		out_try(CMD_TRY_GET);
		status = EXIT_NO;
	}
out:
	view_free(v);
	wallet_done(&wallet);
	return status;
}

const struct command cmd_show = {
	.run = run_show,
	.usage = "",
	.example = "  cluster-login show\n\nPrints the credential in hand and the certificates in the ssh-agent, and what the authority, if it can be reached, says of it; never a secret.\n"
		   "Exit status 1: none, or it has expired, or it is refused.\n",
	COMMAND_OPTIONS(show_options),
};

static int run_whoami(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct show_words w = { 0 };
	char person[ID_TEXT + 1], device[ID_TEXT + 1], cluster[ID_TEXT + 1];
	struct profile p;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	id_text(&p.person, person);
	id_text(&p.device, device);
	id_text(&p.cluster, cluster);
	if (w.json)
		return out_json(json_make("{s:s, s:s, s:s, s:s, s:s}", "name", p.name, "person", person, "device", device, "cluster", cluster, "url", p.url));
	out_line("%s", p.name);
	return EXIT_DONE;
}

const struct command cmd_whoami = {
	.run = run_whoami,
	.usage = "",
	.example = "  cluster-login whoami\n\nThe person's name alone; as which accounts on which nodes say: cluster-login show, cluster-login nodes\n",
	COMMAND_OPTIONS(whoami_options),
};

static int run_drop(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct ssh_agent *agent = NULL;
	struct diag d, more;
	enum cluster_err e, e2;
	struct profile p;
	int status;

	if ((status = command_parse(self, argc, argv, NULL, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	e = wallet_drop(&p, &d);
	diag_clear(&more);
	if ((e2 = ssh_agent_open(NULL, &agent, &more)) == CLUSTER_OK)
		e2 = certificate_drop(&p, agent, &more);
	else if (e2 == CLUSTER_EUNAVAIL)
		e2 = CLUSTER_OK; /* no agent has nothing */
	ssh_agent_close(agent);
	if (e != CLUSTER_OK)
		return out_failed(&d, NULL);
	return e2 == CLUSTER_OK ? EXIT_DONE : out_failed(&more, "ssh-add -l");
}

const struct command cmd_drop = {
	.run = run_drop,
	.usage = "",
	.example = "  cluster-login drop\n\nForgets the credential and its key, and takes its certificates out of the ssh-agent.\n"
		   "The device stays enrolled; it is taken away by: cluster-login device remove\n",
};
