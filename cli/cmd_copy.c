/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "out.h"
#include "self.h"

/* scp and sftp of the system, which start this program in place of ssh: nodes, accounts, host keys and answers are then as with `ssh`. */

static int start(const char *program, int argc, char **argv)
{
	char ssh[PROFILE_PATH_MAX], path[PROFILE_PATH_MAX];
	struct profile p;
	char **v = NULL;
	struct diag d;

	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	if (self_link(SELF_SSH, p.dir, ssh, &d) != CLUSTER_OK)
		return out_failed(&d, NULL);
	if ((v = calloc((size_t)argc + 3, sizeof *v)) == NULL)
		return out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
	v[0] = (char *)program;
	v[1] = (char *)"-S";
	v[2] = ssh;
	memcpy(v + 3, argv + 1, (size_t)(argc - 1) * sizeof *v);
	(void)snprintf(path, sizeof path, "/usr/bin/%s", program);
	if (access(path, X_OK) == 0)
		execv(path, v);
	else
		execvp(program, v);
	out_error("cannot run %s: %s", program, strerror(errno));
	out_try("apt-get install openssh-client");
	free(v);
	return EXIT_CONFIG;
}

static int run(const struct command *self, int argc, char **argv)
{
	if (argc < 2)
		return command_usage_error(argv[0], "too few words: cluster-login %s %s", argv[0], self->usage);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		struct command_operands rest;
		char none[1] = "";

		argv[2] = NULL;
		return command_parse(self, 2, argv, none, &rest);
	}
	return start(self == &cmd_scp ? "scp" : "sftp", argc, argv);
}

const struct command cmd_scp = {
	.run = run,
	.usage = "[SCP-OPTIONS] [[ACCOUNT@]NODE:]FILE ... [[ACCOUNT@]NODE:]FILE",
	.example = "  cluster-login scp report.csv emr-user@master-1-1:\n"
		   "  cluster-login scp -r emr-user@leader:/var/log/hadoop .\n"
		   "\nNODE as with ssh: a name, a role, an instance id or an address of the cluster's signed directory. Options and exit status are scp's.\n",
};

const struct command cmd_sftp = {
	.run = run,
	.usage = "[SFTP-OPTIONS] [ACCOUNT@]NODE[:PATH]",
	.example = "  cluster-login sftp emr-user@master-1-1\n"
		   "  cluster-login sftp -b batch.txt core@leader\n"
		   "\nNODE as with ssh: a name, a role, an instance id or an address of the cluster's signed directory. Options and exit status are sftp's.\n",
};
