/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <stddef.h>

#include "command.h"
#include "exit.h"

/* The subcommands, one cmd_*.c each or a family of them; the table is in main.c. */
extern const struct command cmd_setup, cmd_get, cmd_show, cmd_drop, cmd_whoami, cmd_nodes, cmd_ssh, cmd_scp, cmd_sftp, cmd_token, cmd_answer, cmd_env, cmd_ssh_config, cmd_known_hosts, cmd_reach;
extern const struct command cmd_user, cmd_account, cmd_account_import, cmd_group, cmd_device, cmd_node, cmd_grant, cmd_revoke, cmd_unrevoke, cmd_sessions, cmd_status, cmd_audit;
extern const struct command cmd_join, cmd_leave, cmd_explain, cmd_doctor, cmd_jws, cmd_completion, cmd_complete;

/* The table of main.c. */
const struct command_row *cmd_rows(size_t *ret_n);

#define CMD_TRY_SETUP "cluster-login setup URL --pin sha256:... --code CODE (an administrator gives you all three: cluster-login user invite)"
#define CMD_TRY_GET "cluster-login get"

#endif
