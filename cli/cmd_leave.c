/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/agent_msg.h"
#include "cluster/enrolled.h"
#include "cluster/file.h"
#include "cluster/snap.h"
#include "cmd.h"
#include "configure.h"
#include "node_view.h"
#include "out.h"

#define PATH_SIZE 512
#define AGENT_TIMEOUT_MS 1000

struct words {
	struct node_words node;
	bool force;
};

static const struct command_option options[] = {
	{ "force", 0, COMMAND_FLAG, offsetof(struct words, force), 0, 0, NULL, "although the agent is running" },
	NODE_OPTIONS(struct words),
};

static bool agent_runs(const char *run_dir)
{
	const struct agent_msg_request q = { .type = AGENT_MSG_STATUS };
	struct agent_msg_answer a;
	char path[PATH_SIZE];

	return file_join(path, sizeof path, run_dir, "agent.sock") == CLUSTER_OK && agent_msg_call(path, &q, AGENT_TIMEOUT_MS, &a) == CLUSTER_OK;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static enum cluster_err remove_tree(const char *state, const char *name, struct diag *d)
{
	char path[PATH_SIZE];
	enum cluster_err e;

	if ((e = file_join(path, sizeof path, state, name)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", state);
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		return diag_errno(d, "cannot remove %s", path);
	return CLUSTER_OK;
}

/*
 * The configuration first, so that nothing asks the modules any more; then the marker, since keys or a snapshot without it mean nothing, while the marker without them would
 * shut cluster people out; then keys and snapshots. The word that long-lived processes watch tells them from before the beginning that what they have mapped is about to end.
 */
static enum cluster_err leave(const char *state, struct diag *d)
{
	static const char *const files[] = { ENROLLED_FILE, "node.key", "hop.key", "fresh", "user_ca", "ssh_config", "known_hosts", "gen", "docs", "generation" };
	enum cluster_err e;
	size_t i;

	if ((e = configure_undo(state, d)) != CLUSTER_OK)
		return e;
	(void)!snap_word_begin(state);
	for (i = 0; i < sizeof files / sizeof files[0]; i++) {
		if (strcmp(files[i], "generation") == 0)
			(void)!snap_word_begin(state); /* once more, for who looked too early */
		if ((e = remove_tree(state, files[i], d)) != CLUSTER_OK)
			return e;
	}
	(void)rmdir(state);
	return CLUSTER_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct words w = { .force = false };
	struct enrolled enrolled;
	struct node_conf conf;
	const char *state;
	enum cluster_err e;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (geteuid() != 0 && w.node.conf == NULL && w.node.state == NULL) {
		out_error("only root can let a machine leave its cluster");
		return EXIT_REFUSED;
	}
	diag_clear(&d);
	if (node_conf_load(w.node.conf != NULL ? w.node.conf : NODE_CONF_PATH, 0, &conf, &d) != CLUSTER_OK && !w.force)
		return out_failed(&d, "--force");
	state = w.node.state != NULL ? w.node.state : conf.state;
	if ((e = enrolled_read(state, geteuid(), &enrolled, &d)) == CLUSTER_ENOTFOUND)
		diag_set(&d, e, "this machine has not joined a cluster");
	if (e != CLUSTER_OK && !w.force)
		return out_failed(&d, e == CLUSTER_ENOTFOUND ? NULL : "--force");
	if (!w.force && agent_runs(conf.run)) {
		out_error("the agent is running and would write its files again");
		out_try("systemctl disable --now cluster-agentd");
		return EXIT_LATER;
	}
	if (leave(state, &d) != CLUSTER_OK)
		return out_failed(&d, NULL);
	out_note("This machine is no node any more. At the authority: cluster-login node remove %s", e == CLUSTER_OK ? enrolled.name : "NAME");
	return EXIT_DONE;
}

const struct command cmd_leave = {
	.run = run,
	.usage = "",
	.example = "  systemctl disable --now cluster-agentd\n  cluster-login leave\n\nPuts the files that join --configure changed back as they were, and removes marker, keys and snapshots.\n",
	COMMAND_OPTIONS(options),
};
