/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/secret.h"
#include "cmd.h"
#include "known_hosts.h"
#include "out.h"
#include "reach.h"
#include "renewal.h"
#include "self.h"
#include "ssh_config.h"
#include "view.h"

#define USER_CONFIG_MAX ((size_t)4 << 20)

struct words {
	const char *file;
	bool remove, print;
};

static const struct command_option options[] = {
	{ "remove", 0, COMMAND_FLAG, offsetof(struct words, remove), 0, 0, NULL, "take the line out again and forget the block file" },
	{ "print", 0, COMMAND_FLAG, offsetof(struct words, print), 0, 0, NULL, "print the block file and change nothing" },
	{ "file", 0, COMMAND_TEXT, offsetof(struct words, file), 0, 0, "FILE", "the configuration to edit (~/.ssh/config)" },
};

/* The configuration that ssh reads: by the password database, as ssh itself does it, and through a symbolic link to the file behind it. */
static enum cluster_err config_path(const char *given, char dst[PROFILE_PATH_MAX], struct diag *d)
{
	const struct passwd *pw = given == NULL ? getpwuid(geteuid()) : NULL;
	char *real = NULL;
	int n;

	if (given == NULL && pw == NULL)
		return diag_set(d, CLUSTER_ECONFIG, "no home directory is known: use --file");
	n = given != NULL ? snprintf(dst, PROFILE_PATH_MAX, "%s", given) : snprintf(dst, PROFILE_PATH_MAX, "%s/.ssh/config", pw->pw_dir);
	if (n >= 0 && n < PROFILE_PATH_MAX && (real = realpath(dst, NULL)) != NULL)
		n = snprintf(dst, PROFILE_PATH_MAX, "%s", real);
	free(real);
	return n >= 0 && n < PROFILE_PATH_MAX ? CLUSTER_OK : diag_set(d, CLUSTER_ECONFIG, "the path is too long");
}

static enum cluster_err read_config(const char *path, struct secret **ret, mode_t *ret_mode, struct diag *d)
{
	const struct file_rules rules = { .owner = geteuid(), .forbid = 022, .max_size = USER_CONFIG_MAX, .any_parent = true };
	struct secret *text = NULL;
	enum cluster_err e;
	struct stat st;

	if ((e = file_read(path, &rules, &text, d)) != CLUSTER_OK)
		return e;
	if (strlen((const char *)text->bytes) != text->n) {
		secret_free(text);
		return diag_set(d, CLUSTER_EFORMAT, "%s is not a text file", path);
	}
	*ret_mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0600;
	*ret = text;
	return CLUSTER_OK;
}

static enum cluster_err add_include(const char *path, const char *block, struct diag *d)
{
	char folder[PROFILE_PATH_MAX], *slash, *text = NULL;
	struct secret *old = NULL;
	mode_t mode = 0600;
	enum cluster_err e;

	e = read_config(path, &old, &mode, d);
	if (e != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		goto out;
	if (e == CLUSTER_ENOTFOUND) {
		(void)snprintf(folder, sizeof folder, "%s", path);
		if ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
			*slash = '\0';
			if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
				e = diag_errno(d, "cannot make %s", folder);
				goto out;
			}
		}
	}
	if ((e = ssh_config_include(old != NULL ? (const char *)old->bytes : "", block, old == NULL, &text)) != CLUSTER_OK) {
		diag_set(d, e, "out of memory");
		goto out;
	}
	e = file_replace(path, text, strlen(text), mode, d);
out:
	free(text);
	secret_free(old);
	return e;
}

static enum cluster_err take_include(const char *path, struct diag *d)
{
	struct secret *old = NULL;
	mode_t mode = 0600;
	enum cluster_err e;
	char *text = NULL;
	bool gone = false;

	if ((e = read_config(path, &old, &mode, d)) != CLUSTER_OK || (e = ssh_config_exclude((const char *)old->bytes, &text, &gone)) != CLUSTER_OK) {
		if (e == CLUSTER_ENOTFOUND)
			e = CLUSTER_OK; /* nothing of ours is there */
		goto out;
	}
	if (!gone)
		e = file_replace(path, text, strlen(text), mode, d);
	else if (unlink(path) != 0)
		e = diag_errno(d, "cannot remove %s", path);
out:
	free(text);
	secret_free(old);
	return e;
}

static enum cluster_err install(const struct words *w, const struct profile *p, struct diag *d)
{
	char path[PROFILE_PATH_MAX], block[PROFILE_PATH_MAX];
	struct wallet wallet = { 0 };
	struct view *v = NULL;
	enum cluster_err e;

	if ((e = view_load(p, &v, d)) == CLUSTER_ENOTFOUND)
		e = renewal_ensure(p, &wallet, &v, d);
	if (e != CLUSTER_OK)
		goto out;
	if ((e = file_join(block, sizeof block, p->dir, PROFILE_SSH_CONFIG)) != CLUSTER_OK || (e = config_path(w->file, path, d)) != CLUSTER_OK)
		goto out;
	if ((e = ssh_config_write(p, v, d)) != CLUSTER_OK || (e = add_include(path, block, d)) != CLUSTER_OK)
		goto out;
	out_note("%zu nodes in %s, included by %s.", v->dir->n_nodes, block, path);
	out_note("Now, in each shell that shall use plain ssh, scp, sftp or rsync:  eval \"$(cluster-login env)\"");
out:
	view_free(v);
	wallet_done(&wallet);
	return e;
}

static enum cluster_err uninstall(const struct words *w, const struct profile *p, struct diag *d)
{
	char path[PROFILE_PATH_MAX];
	enum cluster_err e;

	if ((e = config_path(w->file, path, d)) != CLUSTER_OK || (e = take_include(path, d)) != CLUSTER_OK)
		return e;
	return profile_remove(p, PROFILE_SSH_CONFIG, d);
}

static enum cluster_err print(const struct profile *p, struct diag *d)
{
	const char *own = getenv("CLUSTER_LOGIN_HOME");
	char self[PROFILE_PATH_MAX];
	struct view *v = NULL;
	char *text = NULL;
	enum cluster_err e;

	if ((e = self_path(self, d)) == CLUSTER_OK && (e = view_load(p, &v, d)) == CLUSTER_OK &&
	    (e = ssh_config_build(v->dir, self, own != NULL && *own != '\0' ? p->dir : NULL, &text, d)) == CLUSTER_OK)
		fputs(text, stdout);
	free(text);
	view_free(v);
	return e;
}

static int run_ssh_config(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct words w = { 0 };
	enum cluster_err e;
	struct profile p;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	if (w.print && w.remove)
		return command_usage_error(argv[0], "--print or --remove?");
	e = w.print ? print(&p, &d) : w.remove ? uninstall(&w, &p, &d) : install(&w, &p, &d);
	return e == CLUSTER_OK ? EXIT_DONE : out_failed(&d, e == CLUSTER_ENOTFOUND ? CMD_TRY_GET : NULL);
}

const struct command cmd_ssh_config = {
	.run = run_ssh_config,
	.usage = "",
	.example = "  cluster-login ssh-config\n"
		   "  eval \"$(cluster-login env)\"\n"
		   "  scp report.csv emr-user@master-1-1:\n"
		   "\nWrites a Host block for each node and one marked Include line at the top of ~/.ssh/config; --remove takes it out byte for byte.\n",
	COMMAND_OPTIONS(options),
};

/* ---- env ---- */

struct env_words {
	const char *file;
	bool fish, csh;
};

static const struct command_option env_options[] = {
	{ "fish", 0, COMMAND_FLAG, offsetof(struct env_words, fish), 0, 0, NULL, "for fish" },
	{ "csh", 0, COMMAND_FLAG, offsetof(struct env_words, csh), 0, 0, NULL, "for csh and tcsh" },
	{ "file", 0, COMMAND_TEXT, offsetof(struct env_words, file), 0, 0, "FILE", "the configuration that ssh-config edited (~/.ssh/config)" },
};

static void print_variable(const struct env_words *w, const char *name, const char *value)
{
	if (w->fish)
		printf("set -gx %s %s;\n", name, value);
	else if (w->csh)
		printf("setenv %s %s;\n", name, value);
	else
		printf("%s=%s; export %s;\n", name, value, name);
}

/* Without the Host blocks ssh would not check host keys against the directory, and the helper would answer whoever answers first (THREATS.md C2). */
static enum cluster_err configured(const struct env_words *w, const struct profile *p, struct diag *d)
{
	char path[PROFILE_PATH_MAX];
	struct secret *text = NULL;
	mode_t mode;
	enum cluster_err e;
	bool there;

	if ((e = config_path(w->file, path, d)) != CLUSTER_OK)
		return e;
	if ((e = read_config(path, &text, &mode, d)) != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return e;
	there = e == CLUSTER_OK && ssh_config_included((const char *)text->bytes);
	secret_free(text);
	text = NULL;
	if (there && profile_read(p, PROFILE_SSH_CONFIG, false, &text, d) != CLUSTER_OK)
		there = false;
	secret_free(text);
	return there ? CLUSTER_OK : diag_set(d, CLUSTER_ECONFIG, "%s does not include the cluster's nodes yet", path);
}

static int run_env(const struct command *self, int argc, char **argv)
{
	const char *own = getenv("CLUSTER_LOGIN_HOME");
	char askpass[PROFILE_PATH_MAX];
	struct command_operands rest;
	struct env_words w = { 0 };
	struct profile p;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	if (w.fish && w.csh)
		return command_usage_error(argv[0], "--fish or --csh?");
	if (configured(&w, &p, &d) != CLUSTER_OK)
		return out_failed(&d, "cluster-login ssh-config");
	if (!self_askpass(askpass) && self_link(SELF_ASKPASS, p.dir, askpass, &d) != CLUSTER_OK)
		return out_failed(&d, NULL);
	/* A shell will read this. */
	if (!self_path_ok(askpass) || !self_path_ok(p.dir))
		return out_failed(&(struct diag){ .code = CLUSTER_ECONFIG, .text = "the person's directory has a name that a shell could misread" }, NULL);
	print_variable(&w, "SSH_ASKPASS", askpass);
	print_variable(&w, "SSH_ASKPASS_REQUIRE", "force");
	if (own != NULL && *own != '\0')
		print_variable(&w, "CLUSTER_LOGIN_HOME", p.dir);
	return EXIT_DONE;
}

const struct command cmd_env = {
	.run = run_env,
	.usage = "",
	.example = "  eval \"$(cluster-login env)\"\n"
		   "\nIn that shell plain ssh, scp, sftp and rsync answer the cluster's challenge by themselves. The helper answers nothing else: passphrases of\n"
		   "keys and unknown host keys of other machines belong into another shell.\n",
	COMMAND_OPTIONS(env_options),
};

/* ---- known-hosts: what ssh's KnownHostsCommand runs ---- */

struct known_words {
	const char *home;
};

static const struct command_option known_options[] = {
	{ "home", 0, COMMAND_TEXT, offsetof(struct known_words, home), 0, 0, "DIR", "the person's directory" },
};

static int run_known_hosts(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct known_words w = { 0 };
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (w.home != NULL && setenv("CLUSTER_LOGIN_HOME", w.home, 1) != 0)
		return EXIT_LATER;
	return known_hosts_print(rest.v[0], rest.n > 1 ? rest.v[1] : NULL);
}

const struct command cmd_known_hosts = {
	.run = run_known_hosts,
	.usage = "HOST [KEY]",
	.example = "  cluster-login known-hosts master-1-1\n",
	COMMAND_OPTIONS(known_options),
	.least = 1,
	.most = 2,
};

/* ---- reach: what ssh's ProxyCommand runs ---- */

static int run_reach(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	char none[1] = "";
	int status;

	if ((status = command_parse(self, argc, argv, none, &rest)) != COMMAND_GO)
		return status;
	return reach_run(rest.n, rest.v);
}

const struct command cmd_reach = {
	.run = run_reach,
	.usage = "ADDRESS PORT COMMAND [WORD ...]",
	.example = "  cluster-login reach 10.0.0.2 22 cluster-login ssh -q -W [10.0.0.2]:22 emr-user@master-1-1\n",
	.least = 3,
	.most = -1,
	.in_order = true,
};
