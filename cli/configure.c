/* SPDX-License-Identifier: Apache-2.0 */
#include "configure.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "cluster/file.h"
#include "cluster/name.h"
#include "cluster/num.h"
#include "cluster/secret.h"
#include "configure_files.h"
#include "out.h"
#include "program.h"

#define PATH_SIZE 512
#define TRY_MODULE "install the package that has pam_cluster.so and libnss_cluster.so.2"
#define TRY_PROGRAM "install the package that has cluster-login-principals"

static enum cluster_err backup_dir(const char *state, char dst[PATH_SIZE], struct diag *d)
{
	enum cluster_err e = file_join(dst, PATH_SIZE, state, "backup");

	return e == CLUSTER_OK ? e : diag_set(d, e, "%s: the path is too long", state);
}

static enum cluster_err check_program(const char *path, const char *why, struct diag *d)
{
	return access(path, X_OK) == 0 ? CLUSTER_OK : diag_set(d, CLUSTER_ECONFIG, "%s is missing: %s", path, why);
}

/* Certificates: the program that sshd asks, and whom it runs that as. */
static enum cluster_err check_principals(struct diag *d)
{
	enum cluster_err e = check_program(CONFIGURE_PRINCIPALS, TRY_PROGRAM, d);

	if (e == CLUSTER_OK && getpwnam(CONFIGURE_PRINCIPALS_USER) == NULL)
		e = diag_set(d, CLUSTER_ECONFIG, "there is no user " CONFIGURE_PRINCIPALS_USER ": systemd-sysusers, or useradd --system " CONFIGURE_PRINCIPALS_USER);
	return e;
}

static enum cluster_err check_adopt(const struct command_list *adopt, struct diag *d)
{
	size_t i;

	for (i = 0; i < adopt->n; i++) {
		if (!name_account_ok(adopt->item[i]))
			return diag_set(d, CLUSTER_ECONFIG, "--adopt %s: not the name of an account", adopt->item[i]);
	}
	if (adopt->n > 0 && access(CONFIGURE_NODE_CONF, F_OK) == 0)
		return diag_set(d, CLUSTER_ECONFIG, CONFIGURE_NODE_CONF " is there already: write adopt = into it instead of --adopt");
	return CLUSTER_OK;
}

enum cluster_err configure_check(const struct configure *c, struct diag *d)
{
	static const char *const test[] = { CONFIGURE_SSHD, "-t", NULL };
	char backup[PATH_SIZE];
	enum cluster_err e;

	if (geteuid() != 0)
		return diag_set(d, CLUSTER_ECONFIG, "only root can configure this machine");
	if ((e = backup_dir(c->state, backup, d)) != CLUSTER_OK)
		return e;
	if (backup_exists(backup))
		return diag_set(d, CLUSTER_ECONFIG, "this machine is configured already (%s)", backup);
	if ((e = check_adopt(c->adopt, d)) != CLUSTER_OK)
		return e;
	if ((e = check_program(CONFIGURE_SSHD, "openssh-server", d)) != CLUSTER_OK || (e = check_program(CONFIGURE_PAM_UPDATE, "this needs Debian's libpam-runtime", d)) != CLUSTER_OK ||
	    (e = check_principals(d)) != CLUSTER_OK)
		return e;
	if (access(CONFIGURE_PAM_PROFILE, R_OK) != 0 || access(CLUSTER_PAMDIR "/pam_cluster.so", R_OK) != 0)
		return diag_set(d, CLUSTER_ECONFIG, CONFIGURE_PAM_PROFILE " or " CLUSTER_PAMDIR "/pam_cluster.so is missing: " TRY_MODULE);
	/* sshd -t wants its directory even when no sshd runs. */
	(void)mkdir("/run/sshd", 0755);
	if ((e = program_check(test, d)) != CLUSTER_OK)
		diag_prefix(d, "before any change");
	return e == CLUSTER_OK ? configure_files_sshd_free(d) : e;
}

/* Does one of PAM's files name the module? pam-auth-update says nothing when it leaves files alone that somebody has edited. */
static enum cluster_err check_pam(struct diag *d)
{
	static const char *const files[] = { "/etc/pam.d/common-auth", "/etc/pam.d/common-account", "/etc/pam.d/common-session" };
	const struct file_rules rules = { .owner = 0, .forbid = 022, .max_size = 1 << 20 };
	struct secret *text = NULL;
	enum cluster_err e;
	size_t i;

	for (i = 0; i < sizeof files / sizeof files[0]; i++) {
		bool there;

		if ((e = file_read(files[i], &rules, &text, d)) != CLUSTER_OK)
			return e;
		there = strstr((const char *)text->bytes, "pam_cluster.so") != NULL;
		secret_free(text);
		text = NULL;
		if (!there)
			return diag_set(d, CLUSTER_ECONFIG, "pam-auth-update left %s alone: it was edited by hand", files[i]);
	}
	return CLUSTER_OK;
}

static enum cluster_err change(const struct configure *c, struct diag *d)
{
	static const char *const enable[] = { CONFIGURE_PAM_UPDATE, "--package", "--enable", "cluster-login", "mkhomedir", NULL };
	enum cluster_err e;

	if ((e = configure_files_node_conf(c->adopt, d)) != CLUSTER_OK || (e = configure_files_dropin(c->state, d)) != CLUSTER_OK ||
	    (e = configure_files_ssh(c->state, d)) != CLUSTER_OK || (e = configure_files_nsswitch(d)) != CLUSTER_OK)
		return e;
	if ((e = program_check(enable, d)) != CLUSTER_OK)
		return e;
	return check_pam(d);
}

/* The running sshd reads its files anew. Only a process that really is sshd gets the signal. */
static bool reload(const char *pidfile)
{
	const struct file_rules rules = { .owner = 0, .forbid = 022, .max_size = 64 };
	struct secret *text = NULL;
	char exe[64], path[64];
	bool done = false;
	uint32_t pid;
	ssize_t n;

	if (pidfile[0] != '/' || file_read(pidfile, &rules, &text, NULL) != CLUSTER_OK)
		goto out;
	text->bytes[strcspn((const char *)text->bytes, "\n")] = '\0';
	if (num_u32((const char *)text->bytes, 2, INT32_MAX, &pid) != CLUSTER_OK)
		goto out;
	(void)snprintf(path, sizeof path, "/proc/%u/exe", pid);
	if ((n = readlink(path, exe, sizeof exe - 1)) <= 0)
		goto out;
	exe[n] = '\0';
	done = strcmp(exe, CONFIGURE_SSHD) == 0 && kill((pid_t)pid, SIGHUP) == 0;
out:
	secret_free(text);
	return done;
}

static void say_reload(const char *pidfile)
{
	if (reload(pidfile))
		out_note("sshd has read its configuration anew.");
	else
		out_note("No running sshd was found by its pid file; if one runs: systemctl reload ssh");
}

enum cluster_err configure_apply(const struct configure *c, struct diag *d)
{
	char backup[PATH_SIZE], pidfile[PATH_SIZE] = "";
	enum cluster_err e;
	struct diag again;

	if ((e = backup_dir(c->state, backup, d)) != CLUSTER_OK || (e = backup_begin(backup, configure_paths, configure_n_paths, d)) != CLUSTER_OK)
		return e;
	if ((e = change(c, d)) == CLUSTER_OK && (e = configure_files_sshd(pidfile, sizeof pidfile, d)) == CLUSTER_OK && (e = backup_commit(backup, d)) == CLUSTER_OK) {
		say_reload(pidfile);
		return CLUSTER_OK;
	}
	diag_clear(&again);
	if (backup_restore(backup, NULL, NULL, &again) != CLUSTER_OK) {
		out_error("putting the files back failed too: %s", again.text);
		out_try("the originals are in %s", backup);
		return e;
	}
	(void)!backup_remove(backup, &again);
	(void)rmdir(CLUSTER_SYSCONFDIR);
	return e;
}

/* What leave finds: which files are as the join left them. */
struct undo {
	bool pam_same;
};

static bool is_pam(const char *path)
{
	return strncmp(path, "/etc/pam.d/", 11) == 0 || strncmp(path, "/var/lib/pam/", 13) == 0;
}

static bool keep(void *arg, const char *path, bool changed)
{
	const struct undo *u = arg;

	if (is_pam(path))
		return !u->pam_same;
	if (changed && strcmp(path, CONFIGURE_NSSWITCH) != 0)
		out_note("%s was changed since the join and stays as it is.", path);
	return changed;
}

enum cluster_err configure_undo(const char *state, struct diag *d)
{
	static const char *const remove_pam[] = { CONFIGURE_PAM_UPDATE, "--package", "--remove", "cluster-login", NULL };
	char backup[PATH_SIZE], pidfile[PATH_SIZE] = "";
	struct undo u = { .pam_same = true };
	bool nsswitch_same;
	enum cluster_err e;

	if ((e = backup_dir(state, backup, d)) != CLUSTER_OK)
		return e;
	if (!backup_exists(backup))
		return CLUSTER_OK;
	(void)!configure_files_sshd(pidfile, sizeof pidfile, NULL);
	u.pam_same = configure_files_pam_same(backup);
	nsswitch_same = !backup_changed(backup, CONFIGURE_NSSWITCH);
	/* PAM's files belong together: if one was changed since, pam-auth-update takes the profile out of what there is now. */
	if (!u.pam_same && (e = program_check(remove_pam, d)) != CLUSTER_OK)
		return e;
	if ((e = backup_restore(backup, keep, &u, d)) != CLUSTER_OK)
		return e;
	if (!nsswitch_same && (e = configure_files_nsswitch_undo(d)) != CLUSTER_OK)
		return e;
	if (check_pam(NULL) == CLUSTER_OK)
		out_note("/etc/pam.d still names pam_cluster.so: its files were edited by hand, and so must this be.");
	say_reload(pidfile);
	(void)rmdir(CLUSTER_SYSCONFDIR);
	return backup_remove(backup, d);
}
