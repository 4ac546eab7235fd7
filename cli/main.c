/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "askpass.h"
#include "cluster/crypto.h"
#include "cmd.h"
#include "out.h"
#include "self.h"

#define VERSION "0.1"

static const struct command_row commands[] = {
	{ "setup", &cmd_setup, "enrol this device for a person", COMMAND_PERSON },
	{ "get", &cmd_get, "get a short-lived credential", COMMAND_PERSON },
	{ "show", &cmd_show, "the credential in hand: who, where, until when", COMMAND_PERSON },
	{ "drop", &cmd_drop, "forget the credential", COMMAND_PERSON },
	{ "whoami", &cmd_whoami, "the person this device is enrolled for", COMMAND_PERSON },
	{ "nodes", &cmd_nodes, "the nodes of the cluster", COMMAND_PERSON },
	{ "ssh", &cmd_ssh, "log on to a node", COMMAND_PERSON },
	{ "scp", &cmd_scp, "copy files to and from nodes", COMMAND_PERSON },
	{ "sftp", &cmd_sftp, "the same, interactively or in a batch", COMMAND_PERSON },
	{ "token", &cmd_token, "a one-time credential, for what can only paste a password", COMMAND_PERSON },
	{ "answer", &cmd_answer, "answer the challenge that sudo or su shows on a node", COMMAND_PERSON },
	{ "device", &cmd_device, "your devices, or an administrator's view of all: list, rename, remove", COMMAND_PERSON },
	{ "ssh-config", &cmd_ssh_config, "let plain ssh know the cluster's nodes", COMMAND_PERSON },
	{ "env", &cmd_env, "let plain ssh answer the cluster's challenge in this shell", COMMAND_PERSON },
	{ "completion", &cmd_completion, "completion of commands, nodes and accounts for bash, zsh and fish", COMMAND_PERSON },
	{ "known-hosts", &cmd_known_hosts, "host keys of a node, for ssh", COMMAND_HIDDEN },
	{ "reach", &cmd_reach, "a connection to a node that has a jump host, for ssh", COMMAND_HIDDEN },
	{ "complete", &cmd_complete, "words that can follow, for the shells", COMMAND_HIDDEN },
	{ "user", &cmd_user, "people: add, list, show, disable, enable, remove, invite", COMMAND_ADMIN },
	{ "account", &cmd_account, "accounts that people log on as: add, list, remove", COMMAND_ADMIN },
	{ "group", &cmd_group, "groups: add, list, remove, member-add, member-remove", COMMAND_ADMIN },
	{ "node", &cmd_node, "nodes: token, list, set, remove", COMMAND_ADMIN },
	{ "grant", &cmd_grant, "who may log on as what and where: add, hop, list, remove", COMMAND_ADMIN },
	{ "revoke", &cmd_revoke, "shut out a person, device, account, node, role, certificate ...", COMMAND_ADMIN },
	{ "unrevoke", &cmd_unrevoke, "take a revocation back", COMMAND_ADMIN },
	{ "sessions", &cmd_sessions, "live sessions of the whole cluster; end one", COMMAND_ADMIN },
	{ "status", &cmd_status, "the state of the authority, or of this node", COMMAND_ADMIN },
	{ "audit", &cmd_audit, "the authority's record of decisions", COMMAND_ADMIN },
	{ "join", &cmd_join, "make this machine a node of a cluster", COMMAND_NODE },
	{ "leave", &cmd_leave, "undo join", COMMAND_NODE },
	{ "explain", &cmd_explain, "why somebody was refused; may this person log on as that account here", COMMAND_NODE },
	{ "doctor", &cmd_doctor, "check this node's installation", COMMAND_NODE },
	{ "jws", &cmd_jws, "sign and verify compact JWS: sign, verify", COMMAND_TOOL },
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

const struct command_row *cmd_rows(size_t *ret_n)
{
	*ret_n = N_COMMANDS;
	return commands;
}

static int help(void)
{
	static const char *const titles[] = {
		[COMMAND_PERSON] = "For people",
		[COMMAND_ADMIN] = "For administrators (root on the authority's host; from elsewhere --remote)",
		[COMMAND_NODE] = "On a node",
		[COMMAND_TOOL] = "Tools",
	};
	enum command_group g;
	size_t i;

	puts("usage: cluster-login COMMAND ...\n\nPersonal, short-lived, revocable logins on clusters, by stock ssh.");
	for (g = COMMAND_PERSON; g < COMMAND_HIDDEN; g++) {
		printf("\n%s\n", titles[g]);
		for (i = 0; i < N_COMMANDS; i++) {
			if (commands[i].group == g)
				printf("  %-12s %s\n", commands[i].name, commands[i].help);
		}
	}
	puts("\nEach command has --help. First steps: cluster-login setup --help");
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	self_guard();
	if (crypto_start() != CLUSTER_OK) {
		out_error("cannot start libcrypto");
		return EXIT_BUG;
	}
	if (argc > 0 && askpass_named(argv[0]))
		return askpass_run(argc, argv);
	if (argc > 0 && self_named(argv[0], SELF_SSH)) {
		argv[0] = (char *)"ssh";
		return command_run(commands, N_COMMANDS, "", argc, argv);
	}
	if (argc < 2)
		return command_usage_error("", "which command? The list: cluster-login --help");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
		return out_end(help());
	if (strcmp(argv[1], "--version") == 0) {
		out_line("cluster-login %s", VERSION);
		return out_end(EXIT_DONE);
	}
	return out_end(command_run(commands, N_COMMANDS, "", argc - 1, argv + 1));
}
