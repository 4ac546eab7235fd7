/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONFIGURE_FILES_H
#define CLI_CONFIGURE_FILES_H

#include "cluster/node_conf.h"

#include "configure.h"

/* Paths and single steps of configure.c, and nothing for others. */
#define CONFIGURE_DROPIN "/etc/ssh/sshd_config.d/10-cluster-login.conf"
#define CONFIGURE_SSH_FOLDER "/etc/ssh/ssh_config.d"
#define CONFIGURE_SSH CONFIGURE_SSH_FOLDER "/10-cluster-login.conf"
#define CONFIGURE_NSSWITCH "/etc/nsswitch.conf"
#define CONFIGURE_NODE_CONF CLUSTER_SYSCONFDIR "/node.conf"
#define CONFIGURE_SSHD "/usr/sbin/sshd"
#define CONFIGURE_SSH_CLIENT "/usr/bin/ssh"
#define CONFIGURE_PAM_UPDATE "/usr/sbin/pam-auth-update"
#define CONFIGURE_PRINCIPALS CLUSTER_LIBEXECDIR "/cluster-login-principals"
#define CONFIGURE_PRINCIPALS_USER NODE_CONF_PRINCIPALS_USER
/* The group whose members get no forwarding from sshd. */
#define CONFIGURE_NO_FORWARDING "no-forwarding"
#define CONFIGURE_PAM_PROFILE "/usr/share/pam-configs/cluster-login"

extern const char *const configure_paths[];
extern const size_t configure_n_paths;

/* `state`: the node's, where the agent puts the CA keys. */
enum cluster_err configure_files_dropin(const char *state, struct diag *d) CLUSTER_MUST_USE;
/* Of ssh; nothing where no ssh is installed. */
enum cluster_err configure_files_ssh(const char *state, struct diag *d) CLUSTER_MUST_USE;
/* Does ssh read what the agent tells it of this host, one of the cluster's? CLUSTER_ECONFIG. */
enum cluster_err configure_files_ssh_check(const char *state, const char *host, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err configure_files_nsswitch(struct diag *d) CLUSTER_MUST_USE;
enum cluster_err configure_files_nsswitch_undo(struct diag *d) CLUSTER_MUST_USE;
/* Only if there is none. */
enum cluster_err configure_files_node_conf(const struct command_list *adopt, struct diag *d) CLUSTER_MUST_USE;
/* Is every one of PAM's files that pam-auth-update writes as configure_apply left it? */
bool configure_files_pam_same(const char *backup);

/* sshd's effective values, and its pid file. CLUSTER_ECONFIG: another value than we need. `ret_pidfile` has `size` bytes. */
/* CLUSTER_ECONFIG: sshd trusts other CAs already. */
enum cluster_err configure_files_sshd_free(struct diag *d) CLUSTER_MUST_USE;
enum cluster_err configure_files_sshd(char *ret_pidfile, size_t size, struct diag *d) CLUSTER_MUST_USE;

#endif
