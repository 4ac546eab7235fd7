/* SPDX-License-Identifier: Apache-2.0 */
#include "configure_files.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup.h"
#include "cluster/file.h"
#include "cluster/secret.h"
#include "cluster/wr.h"
#include "nsswitch.h"
#include "program.h"

#define NSSWITCH_MAX ((size_t)1 << 20)

#define PAM_PATHS \
	"/etc/pam.d/common-auth", "/etc/pam.d/common-account", "/etc/pam.d/common-password", "/etc/pam.d/common-session", "/etc/pam.d/common-session-noninteractive", \
	"/var/lib/pam/auth", "/var/lib/pam/account", "/var/lib/pam/password", "/var/lib/pam/session", "/var/lib/pam/session-noninteractive", "/var/lib/pam/seen"

const char *const configure_paths[] = { CONFIGURE_DROPIN, CONFIGURE_SSH, CONFIGURE_NSSWITCH, CONFIGURE_NODE_CONF, PAM_PATHS };
const size_t configure_n_paths = sizeof configure_paths / sizeof configure_paths[0];

#define USER_CA "user_ca"
#define SSH_CONFIG "ssh_config"
#define KNOWN_HOSTS "known_hosts"
#define VALUE_SIZE 512
#define PRINCIPALS_LINE CONFIGURE_PRINCIPALS " %u %t %k"

enum cluster_err configure_files_dropin(const char *state, struct diag *d)
{
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, 65536);
	wr_printf(&w,
	    "# Written by cluster-login join --configure; cluster-login leave takes it away.\n"
	    "KbdInteractiveAuthentication yes\n"
	    "PasswordAuthentication no\n"
	    "UsePAM yes\n"
	    "# Without the command, a CA's certificates would open every account that they name.\n"
	    "TrustedUserCAKeys \"%s/" USER_CA "\"\n"
	    "AuthorizedPrincipalsCommand " CONFIGURE_PRINCIPALS " %%u %%t %%k\n"
	    "AuthorizedPrincipalsCommandUser " CONFIGURE_PRINCIPALS_USER "\n"
	    "# What such a file names, a certificate of any node may open, without the command being asked.\n"
	    "AuthorizedPrincipalsFile none\n"
	    "# Accounts of this group: a shell and files, and no tunnels. To the end of this file, and of this file only.\n"
	    "Match Group " CONFIGURE_NO_FORWARDING "\n"
	    "    DisableForwarding yes\n"
	    "    AllowTcpForwarding no\n"
	    "    AllowStreamLocalForwarding no\n"
	    "    AllowAgentForwarding no\n"
	    "    X11Forwarding no\n"
	    "    PermitTunnel no\n",
	    state);
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = file_replace(CONFIGURE_DROPIN, w.p, w.n, 0644, d);
	else
		diag_set(d, e, CONFIGURE_DROPIN ": %s", err_name(e));
	wr_done(&w);
	return e;
}

enum cluster_err configure_files_ssh(const char *state, struct diag *d)
{
	enum cluster_err e;
	struct wr w;

	if (access(CONFIGURE_SSH_FOLDER, F_OK) != 0)
		return CLUSTER_OK;
	wr_grow(&w, 65536);
	wr_printf(&w, "# Written by cluster-login join --configure; cluster-login leave takes it away.\nInclude \"%s/" SSH_CONFIG "\"\n", state);
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = file_replace(CONFIGURE_SSH, w.p, w.n, 0644, d);
	else
		diag_set(d, e, CONFIGURE_SSH ": %s", err_name(e));
	wr_done(&w);
	return e;
}

enum cluster_err configure_files_ssh_check(const char *state, const char *host, struct diag *d)
{
	const char *const words[] = { CONFIGURE_SSH_CLIENT, "-G", "-F", "/etc/ssh/ssh_config", host, NULL };
	struct program_result r = { .out = NULL };
	char want[VALUE_SIZE];
	enum cluster_err e;

	if ((e = program_run(words, NULL, 0, &r, d)) != CLUSTER_OK)
		return e;
	(void)snprintf(want, sizeof want, "\nglobalknownhostsfile %s/" KNOWN_HOSTS "\n", state);
	if (r.status != 0 || strstr((const char *)r.out->bytes, want) == NULL)
		e = diag_set(d, CLUSTER_ECONFIG, "no hop from here works: " CONFIGURE_SSH ", which /etc/ssh/ssh_config includes, has to include %.60s/" SSH_CONFIG, state);
	secret_free(r.out);
	return e;
}

static enum cluster_err read_nsswitch(struct secret **ret, struct diag *d)
{
	const struct file_rules rules = { .owner = 0, .forbid = 022, .max_size = NSSWITCH_MAX };
	enum cluster_err e = file_read(CONFIGURE_NSSWITCH, &rules, ret, d);

	if (e == CLUSTER_ENOTFOUND)
		e = secret_new(0, ret);
	return e;
}

enum cluster_err configure_files_nsswitch(struct diag *d)
{
	struct secret *old = NULL;
	enum cluster_err e;
	char *text = NULL;

	if ((e = read_nsswitch(&old, d)) == CLUSTER_OK && (e = nsswitch_add((const char *)old->bytes, &text, d)) == CLUSTER_OK)
		e = file_replace(CONFIGURE_NSSWITCH, text, strlen(text), 0644, d);
	free(text);
	secret_free(old);
	return e;
}

enum cluster_err configure_files_nsswitch_undo(struct diag *d)
{
	struct secret *old = NULL;
	enum cluster_err e;
	char *text = NULL;

	if ((e = read_nsswitch(&old, d)) == CLUSTER_OK && (e = nsswitch_remove((const char *)old->bytes, &text)) == CLUSTER_OK)
		e = file_replace(CONFIGURE_NSSWITCH, text, strlen(text), 0644, d);
	free(text);
	secret_free(old);
	return e;
}

enum cluster_err configure_files_node_conf(const struct command_list *adopt, struct diag *d)
{
	enum cluster_err e;
	struct wr w;
	size_t i;

	if (access(CONFIGURE_NODE_CONF, F_OK) == 0)
		return CLUSTER_OK;
	if ((e = file_mkdir(CLUSTER_SYSCONFDIR, 0755, d)) != CLUSTER_OK)
		return e;
	wr_grow(&w, 65536);
	wr_text(&w, "# Made by cluster-login join. All keys and their values: cluster-agentd --dump\n[node]\n");
	if (adopt->n > 0) {
		wr_text(&w, "adopt =");
		for (i = 0; i < adopt->n; i++)
			wr_printf(&w, " %s", adopt->item[i]);
		wr_text(&w, "\n");
	} else {
		wr_text(&w, "# Local accounts that are logged on to by credential, as if they came from the directory:\n# adopt = ecs-user\n");
	}
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = file_replace(CONFIGURE_NODE_CONF, w.p, w.n, 0644, d);
	else
		diag_set(d, e, "node.conf: %s", err_name(e));
	wr_done(&w);
	return e;
}

bool configure_files_pam_same(const char *backup)
{
	static const char *const paths[] = { PAM_PATHS };
	size_t i;

	for (i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		if (backup_changed(backup, paths[i]))
			return false;
	}
	return true;
}

/* The value of a keyword in the output of sshd -T: lower case, one a line. NULL: it is not there. The line is ended in place. */
static char *effective(char *text, const char *keyword)
{
	size_t n = strlen(keyword);
	char *line, *rest = NULL;

	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, keyword, n) == 0 && line[n] == ' ')
			return line + n + 1;
	}
	return NULL;
}

static enum cluster_err expect(const char *text, const char *keyword, const char *want, struct diag *d)
{
	char *copy = strdup(text), *value;
	enum cluster_err e = CLUSTER_OK;

	if (copy == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	value = effective(copy, keyword);
	if (value == NULL || strcmp(value, want) != 0)
		e = diag_set(d, CLUSTER_ECONFIG, "sshd would use \"%s %s\" and not \"%s\": another file of /etc/ssh sets it before " CONFIGURE_DROPIN, keyword, value != NULL ? value : "(nothing)", want);
	free(copy);
	return e;
}

/* What sshd -T says, of a login as `user` on this machine if there is one: lower case keywords. The caller frees *ret. */
static enum cluster_err dump(const char *user, struct secret **ret, struct diag *d)
{
	char login[VALUE_SIZE];
	const char *const words[] = { CONFIGURE_SSHD, "-T", user != NULL ? "-C" : NULL, login, NULL };
	struct program_result r = { .out = NULL };
	enum cluster_err e;

	if (snprintf(login, sizeof login, "user=%s,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22,rdomain=", user != NULL ? user : "") >= (int)sizeof login)
		return diag_set(d, CLUSTER_ELIMIT, "the name of a user is too long");
	e = program_run(words, NULL, 0, &r, d);
	if (e == CLUSTER_OK && r.status != 0)
		e = diag_set(d, CLUSTER_ECONFIG, CONFIGURE_SSHD " -T fails with status %d", r.status);
	if (e == CLUSTER_OK)
		*ret = r.out;
	else
		secret_free(r.out);
	return e;
}

/* The value of one keyword, copied; "none" if it is not there. */
static enum cluster_err value_of(const char *text, const char *keyword, char *dst, size_t size, struct diag *d)
{
	char *copy = strdup(text);
	const char *value;
	int n;

	if (copy == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	value = effective(copy, keyword);
	n = snprintf(dst, size, "%s", value != NULL ? value : "none");
	free(copy);
	return n >= 0 && (size_t)n < size ? CLUSTER_OK : diag_set(d, CLUSTER_ECONFIG, "%s of sshd is too long", keyword);
}

/* A CA that is trusted, and the command that says what its certificates may open: both or neither. */
static enum cluster_err check_certificates(const char *text, struct diag *d)
{
	char ca[VALUE_SIZE], command[VALUE_SIZE];
	enum cluster_err e;

	if ((e = value_of(text, "trustedusercakeys", ca, sizeof ca, d)) != CLUSTER_OK || (e = value_of(text, "authorizedprincipalscommand", command, sizeof command, d)) != CLUSTER_OK)
		return e;
	if (strcmp(ca, "none") != 0 && strcmp(command, PRINCIPALS_LINE) != 0)
		return diag_set(d, CLUSTER_ECONFIG, "sshd trusts the CAs of %.100s without asking " CONFIGURE_PRINCIPALS ": a certificate of theirs opens every account that it names, root included", ca);
	if (strcmp(ca, "none") == 0)
		return diag_set(d, CLUSTER_ECONFIG, "sshd trusts no CA of ours, so that ssh certificates do not work here (TrustedUserCAKeys): cluster-login leave, and join --configure again");
	if ((e = expect(text, "authorizedprincipalscommanduser", CONFIGURE_PRINCIPALS_USER, d)) != CLUSTER_OK)
		return e;
	return expect(text, "authorizedprincipalsfile", "none", d);
}

/* A Match block may say otherwise of root, and root is what a certificate must not open. Another CA than ours is somebody else's business. */
static enum cluster_err check_root(const char *global, struct diag *d)
{
	char ours[VALUE_SIZE], ca[VALUE_SIZE];
	struct secret *dumped = NULL;
	enum cluster_err e;

	if ((e = dump("root", &dumped, d)) != CLUSTER_OK || (e = value_of(global, "trustedusercakeys", ours, sizeof ours, d)) != CLUSTER_OK ||
	    (e = value_of((const char *)dumped->bytes, "trustedusercakeys", ca, sizeof ca, d)) != CLUSTER_OK)
		goto out;
	if (strcmp(ca, ours) == 0 && (e = check_certificates((const char *)dumped->bytes, d)) != CLUSTER_OK)
		diag_prefix(d, "for root");
out:
	secret_free(dumped);
	return e;
}

/* Where the group has a member: a file from before does not know it, and other people's Match blocks stand before ours. */
static enum cluster_err check_forwarding(struct diag *d)
{
	const struct group *g = getgrnam(CONFIGURE_NO_FORWARDING);
	struct secret *dumped = NULL;
	enum cluster_err e;

	if (g == NULL || g->gr_mem[0] == NULL)
		return CLUSTER_OK;
	if ((e = dump(g->gr_mem[0], &dumped, d)) == CLUSTER_OK && strstr((const char *)dumped->bytes, "\ndisableforwarding yes\n") == NULL)
		e = diag_set(d, CLUSTER_ECONFIG, "sshd lets members of the group " CONFIGURE_NO_FORWARDING " forward: cluster-login leave, and join --configure again");
	secret_free(dumped);
	return e;
}

enum cluster_err configure_files_sshd_free(struct diag *d)
{
	struct secret *text = NULL;
	char ca[VALUE_SIZE];
	enum cluster_err e;

	if ((e = dump(NULL, &text, d)) == CLUSTER_OK && (e = value_of((const char *)text->bytes, "trustedusercakeys", ca, sizeof ca, d)) == CLUSTER_OK && strcmp(ca, "none") != 0)
		e = diag_set(d, CLUSTER_ECONFIG, "sshd trusts the user CAs of %.100s already (TrustedUserCAKeys), and can trust one file only: take that line away first", ca);
	secret_free(text);
	return e;
}

enum cluster_err configure_files_sshd(char *ret_pidfile, size_t size, struct diag *d)
{
	static const char *const test[] = { CONFIGURE_SSHD, "-t", NULL };
	struct secret *dumped = NULL;
	const char *text;
	enum cluster_err e;
	char *pidfile;

	if ((e = program_check(test, d)) != CLUSTER_OK || (e = dump(NULL, &dumped, d)) != CLUSTER_OK)
		goto out;
	text = (const char *)dumped->bytes;
	if ((e = expect(text, "kbdinteractiveauthentication", "yes", d)) != CLUSTER_OK || (e = expect(text, "passwordauthentication", "no", d)) != CLUSTER_OK ||
	    (e = expect(text, "usepam", "yes", d)) != CLUSTER_OK || (e = check_certificates(text, d)) != CLUSTER_OK || (e = check_root(text, d)) != CLUSTER_OK ||
	    (e = check_forwarding(d)) != CLUSTER_OK)
		goto out;
	pidfile = effective((char *)dumped->bytes, "pidfile");
	(void)snprintf(ret_pidfile, size, "%s", pidfile != NULL ? pidfile : "");
out:
	secret_free(dumped);
	return e;
}
