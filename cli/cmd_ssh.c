/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts.h"
#include "cluster/json.h"
#include "cluster/secret.h"
#include "cmd.h"
#include "out.h"
#include "renewal.h"
#include "resolve.h"
#include "self.h"
#include "ssh_args.h"
#include "view.h"

#define ACCOUNTS_MAX ((size_t)1 << 20)

struct words {
	const char *user, *mesos_id, *private_ip, *proxy_ip;
	struct command_list options;
	bool leader, print, direct;
	bool own_way; /* among the arguments for ssh is how to get there */
	char *destination;
	char **pass, **command; /* arguments for ssh, the remote command; borrowed */
	char *chosen;           /* the account that `user` points to if none was given; owned */
	size_t n_pass, n_command;
};

static const struct command_option options[] = {
	{ "user", 'l', COMMAND_TEXT, offsetof(struct words, user), 0, 0, "ACCOUNT", "the account to log on as" },
	{ "leader", 0, COMMAND_FLAG, offsetof(struct words, leader), 0, 0, NULL, "the node that is marked as leader" },
	{ "mesos-id", 0, COMMAND_TEXT, offsetof(struct words, mesos_id), 0, 0, "ID", "the node with this instance id" },
	{ "private-ip", 0, COMMAND_TEXT, offsetof(struct words, private_ip), 0, 0, "IP", "the node with this address" },
	{ "proxy-ip", 0, COMMAND_TEXT, offsetof(struct words, proxy_ip), 0, 0, "NODE|HOST", "jump through this node or host" },
	{ "direct", 0, COMMAND_FLAG, offsetof(struct words, direct), 0, 0, NULL, "never by the jump host, however long the node takes" },
	{ "option", 0, COMMAND_WORDS, offsetof(struct words, options), 0, 0, "KEY=VALUE", "handed to ssh as -o" },
	{ "print", 0, COMMAND_FLAG, offsetof(struct words, print), 0, 0, NULL, "print the ssh command instead of running it" },
};

/* Does ssh's -o say itself how to get there? Then the directory does not. */
static bool is_way(const char *option)
{
	return strncasecmp(option, "ProxyJump", 9) == 0 || strncasecmp(option, "ProxyCommand", 12) == 0;
}

/* One word of ssh's own short options; *i moves to its value if that is a word of its own. */
static int pass_on(struct words *w, char **argv, int *i)
{
	const char *p, *value;

	if (argv[*i][1] == 'l') {
		w->user = argv[*i][2] != '\0' ? argv[*i] + 2 : argv[++*i];
		return w->user != NULL ? COMMAND_GO : command_usage_error(argv[0], "-l needs a value");
	}
	w->pass[w->n_pass++] = argv[*i];
	for (p = argv[*i] + 1; *p != '\0'; p++) {
		if (*p == 'h')
			return command_usage_error(argv[0], "for help: --help");
		if (*p == 'A')
			return command_usage_error(argv[0], "-A: an agent is never forwarded; to go on from a node, use --proxy-ip or ssh's -J");
		if (!ssh_args_letter_ok(*p))
			return command_usage_error(argv[0], "unknown option -%c", *p);
		if (!ssh_args_takes_value(*p))
			continue;
		if (p[1] == '\0' && argv[*i + 1] == NULL)
			return command_usage_error(argv[0], "-%c needs a value", *p);
		value = p[1] != '\0' ? p + 1 : argv[*i + 1];
		w->own_way = w->own_way || *p == 'J' || (*p == 'o' && is_way(value));
		if (p[1] == '\0')
			w->pass[w->n_pass++] = argv[++*i];
		return COMMAND_GO;
	}
	return COMMAND_GO;
}

/* As ssh does it: options before and after the destination, then the command. "--" before the destination only separates, after it ends the options. */
static int read_words(const struct command *self, int argc, char **argv, struct words *w)
{
	int i, status;
	size_t k;

	for (i = 1; i < argc; i++) {
		bool named = w->destination != NULL || w->leader || w->mesos_id != NULL || w->private_ip != NULL;

		if (strcmp(argv[i], "--") == 0) {
			if (w->destination == NULL)
				continue;
			i++;
			break;
		}
		if (argv[i][0] == '-' && argv[i][1] != '\0') {
			status = argv[i][1] == '-' ? command_long(self, argv, &i, w) : pass_on(w, argv, &i);
			if (status != COMMAND_GO)
				return status;
			continue;
		}
		if (named)
			break;
		w->destination = argv[i];
	}
	w->command = argv + i;
	w->n_command = (size_t)(argc - i);
	if (w->leader + (w->mesos_id != NULL) + (w->private_ip != NULL) > 1)
		return command_usage_error(argv[0], "--leader, --mesos-id and --private-ip each name a node: one of them");
	for (k = 0; k < w->options.n; k++)
		w->own_way = w->own_way || is_way(w->options.item[k]);
	if (w->proxy_ip != NULL && (w->direct || w->own_way))
		return command_usage_error(argv[0], "--proxy-ip and %s contradict each other", w->direct ? "--direct" : "ssh's own -J or Proxy options");
	if (w->leader)
		w->destination = (char *)"leader";
	else if (w->mesos_id != NULL || w->private_ip != NULL)
		w->destination = (char *)(w->mesos_id != NULL ? w->mesos_id : w->private_ip);
	if (w->destination != NULL && w->destination[0] == '@')
		return command_usage_error(argv[0], "which account? cluster-login ssh %s", self->usage);
	if (w->destination == NULL || w->destination[0] == '\0' || w->destination[strlen(w->destination) - 1] == '@')
		return command_usage_error(argv[0], "which node? cluster-login ssh %s", self->usage);
	return COMMAND_GO;
}

static const struct directory_node *find_node(const struct view *v, struct words *w)
{
	char *at = strrchr(w->destination, '@'), *host = w->destination;
	const struct directory_node *node;
	const char *near;

	if (at != NULL) {
		*at = '\0';
		w->user = w->destination;
		host = at + 1;
	}
	if ((node = resolve_node(v->dir, host)) != NULL)
		return node;
	near = resolve_nearest(v->dir, host);
	out_error("the cluster's directory has no node, role or address \"%s\"%s%s%s", host, near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
	out_try("cluster-login nodes");
	return NULL;
}

/* No account was named: the local user's name if it is one of those that `get` was told of, or the only one. */
static int choose_account(const struct profile *p, const struct directory_node *node, struct words *w, const char *name)
{
	const struct passwd *me = getpwuid(geteuid());
	const char *only = NULL, *account;
	struct secret *text = NULL;
	struct json *j = NULL;
	const struct json *list;
	int status = COMMAND_GO;
	size_t i, n = 0;

	if (profile_read(p, PROFILE_ACCOUNTS, false, &text, NULL) != CLUSTER_OK || json_parse((const char *)text->bytes, text->n, ACCOUNTS_MAX, &j, NULL) != CLUSTER_OK)
		goto out;
	list = json_member(j, "accounts");
	for (i = 0; i < json_count(list); i++) {
		if ((account = accounts_row_name(json_at(list, i))) == NULL || !accounts_row_covers(json_at(list, i), node))
			continue;
		if (me != NULL && strcmp(account, me->pw_name) == 0)
			goto out;
		n += only == NULL || strcmp(only, account) != 0;
		only = account;
	}
	if (n > 1)
		status = command_usage_error(name, "which account on %s? Write ACCOUNT@%s; cluster-login show lists yours", node->name, node->name);
	else if (n == 1)
		w->user = w->chosen = strdup(only);
out:
	json_free(j);
	secret_free(text);
	return status;
}

/* ssh's arguments, all owned. */
struct vector {
	char **v;
	size_t n, room;
	bool failed;
};

static void push(struct vector *x, const char *s)
{
	if (s == NULL || x->n + 1 >= x->room || (x->v[x->n] = strdup(s)) == NULL)
		x->failed = true;
	else
		x->n++;
}

static void vector_done(struct vector *x)
{
	while (x->n > 0)
		free(x->v[--x->n]);
	free(x->v);
}

static void push_option(void *arg, const char *key, const char *value)
{
	struct vector *x = arg;
	char *text = NULL;

	push(x, "-o");
	if (asprintf(&text, "%s=%s", key, value) < 0)
		text = NULL;
	push(x, text);
	free(text);
}

static enum cluster_err build(const struct ssh_args *a, const struct words *w, struct vector *x, struct diag *d)
{
	enum cluster_err e;
	size_t i;

	x->room = 2 * 20 + w->n_pass + 2 * w->options.n + w->n_command + 8;
	if ((x->v = calloc(x->room, sizeof *x->v)) == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	push(x, "ssh");
	push_option(x, "BatchMode", "no"); /* nobody is ever asked anything; ssh only has to let its helper answer (`sftp -b`, `scp -B`) */
	if ((e = ssh_args_each(a, push_option, x, d)) != CLUSTER_OK)
		return e;
	if (w->direct)
		push_option(x, "ProxyCommand", "none");
	for (i = 0; i < w->options.n; i++) {
		push(x, "-o");
		push(x, w->options.item[i]);
	}
	for (i = 0; i < w->n_pass; i++)
		push(x, w->pass[i]);
	if (w->own_way)
		push_option(x, "ProxyUseFdpass", "no"); /* after theirs; the blocks of ssh-config say yes */
	if (w->user != NULL) {
		push(x, "-l");
		push(x, w->user);
	}
	push(x, "--");
	push(x, a->node->name);
	for (i = 0; i < w->n_command; i++)
		push(x, w->command[i]);
	return x->failed ? diag_set(d, CLUSTER_ENOMEM, "out of memory") : CLUSTER_OK;
}

/* As a shell takes it for one word. */
static void print_word(const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@+=:,./_-";

	if (*s != '\0' && s[strspn(s, plain)] == '\0') {
		fputs(s, stdout);
		return;
	}
	putchar('\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			fputs("'\\'", stdout);
		putchar(*s);
	}
	putchar('\'');
}

static int print(const struct vector *x)
{
	for (size_t i = 0; i < x->n; i++) {
		if (i > 0)
			putchar(' ');
		print_word(x->v[i]);
	}
	putchar('\n');
	return EXIT_DONE;
}

static int start(const struct vector *x, const char *askpass)
{
	if (setenv("SSH_ASKPASS", askpass, 1) != 0 || setenv("SSH_ASKPASS_REQUIRE", "force", 1) != 0 || unsetenv("SSH_ASKPASS_PROMPT") != 0) {
		out_error("cannot set the environment: %s", strerror(errno));
		return EXIT_LATER;
	}
	if (access("/usr/bin/ssh", X_OK) == 0)
		execv("/usr/bin/ssh", x->v);
	else
		execvp("ssh", x->v);
	out_error("cannot run ssh: %s", strerror(errno));
	out_try("apt-get install openssh-client");
	return EXIT_CONFIG;
}

static int run_ssh(const struct words *given, const char *name)
{
	char self[PROFILE_PATH_MAX], askpass[PROFILE_PATH_MAX];
	struct ssh_args a = { .self = self, .proxy = given->proxy_ip, .own_way = given->direct || given->own_way };
	const char *own = getenv("CLUSTER_LOGIN_HOME");
	struct words w = *given;
	struct wallet wallet = { 0 };
	struct vector x = { 0 };
	struct view *v = NULL;
	struct profile p;
	struct diag d;
	int status;

	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	if (renewal_ensure(&p, &wallet, &v, &d) != CLUSTER_OK)
		return out_failed(&d, CMD_TRY_GET);
	status = EXIT_NO;
	if ((a.node = find_node(v, &w)) == NULL || (w.user == NULL && (status = choose_account(&p, a.node, &w, name)) != COMMAND_GO))
		goto out;
	a.dir = v->dir;
	a.home = own != NULL && *own != '\0' ? p.dir : NULL;
	if (self_path(self, &d) != CLUSTER_OK || (!self_askpass(askpass) && self_link(SELF_ASKPASS, p.dir, askpass, &d) != CLUSTER_OK) || build(&a, &w, &x, &d) != CLUSTER_OK)
		status = out_failed(&d, NULL);
	else
		status = w.print ? print(&x) : start(&x, askpass);
out:
	vector_done(&x);
	free(w.chosen);
	view_free(v);
	wallet_done(&wallet);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct words w = { 0 };
	int status;

	if ((w.pass = calloc((size_t)argc + 1, sizeof *w.pass)) == NULL)
		return out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
	if ((status = read_words(self, argc, argv, &w)) == COMMAND_GO)
		status = run_ssh(&w, argv[0]);
	free(w.pass);
	return status;
}

const struct command cmd_ssh = {
	.run = run,
	.usage = "[SSH-OPTIONS] [ACCOUNT@]NODE [COMMAND ...]",
	.example = "  cluster-login ssh emr-user@master-1-1\n"
		   "  cluster-login ssh -L 8088:localhost:8088 emr-user@leader\n"
		   "  cluster-login ssh emr-user@core-1-1 -- df -h\n"
		   "\nNODE is a name, a role, an instance id or an address of the cluster's signed directory. The exit status is ssh's.\n",
	COMMAND_OPTIONS(options),
	.most = -1,
};
