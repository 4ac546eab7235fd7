/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/agent_msg.h"
#include "cluster/endpoint.h"
#include "cluster/file.h"
#include "cluster/json.h"
#include "cluster/policy.h"
#include "cluster/secret.h"
#include "cmd.h"
#include "configure_files.h"
#include "leftover.h"
#include "node_view.h"
#include "nsswitch.h"
#include "out.h"
#include "pam_stack.h"
#include "sudoers.h"
#include "table.h"

#define CHECKS_MAX 20
#define INCLUDES_MAX 16
#define FILE_MAX ((size_t)1 << 20)
#define SUDOERS "/etc/sudoers"
#define SUDOERS_DEPTH 8
#define SUDOERS_PATH 600
#define AGENT_TIMEOUT_MS 2000

struct words {
	struct node_words node;
	bool json;
};

static const struct command_option options[] = {
	{ "json", 0, COMMAND_FLAG, offsetof(struct words, json), 0, 0, NULL, "JSON" },
	NODE_OPTIONS(struct words),
};

struct result {
	const char *check;
	bool ok;
	char text[DIAG_TEXT_MAX];
};

struct report {
	size_t n;
	bool bad;
	struct result result[CHECKS_MAX];
};

static void note(struct report *r, const char *check, bool ok, const char *text)
{
	struct result *x = &r->result[r->n];

	if (r->n == CHECKS_MAX)
		return;
	r->n++;
	x->check = check;
	x->ok = ok;
	(void)snprintf(x->text, sizeof x->text, "%s", ok ? "" : text);
	r->bad = r->bad || !ok;
}

/* ---- PAM ---- */

struct includes {
	size_t n;
	struct secret *text[INCLUDES_MAX];
};

static const char *include(void *arg, const char *name)
{
	const struct file_rules rules = { .owner = 0, .forbid = 022, .max_size = FILE_MAX };
	struct includes *x = arg;
	char path[300];

	if (x->n == INCLUDES_MAX || snprintf(path, sizeof path, "/etc/pam.d/%s", name) >= (int)sizeof path || file_read(path, &rules, &x->text[x->n], NULL) != CLUSTER_OK)
		return NULL;
	return (const char *)x->text[x->n++]->bytes;
}

static void check_pam(struct report *r)
{
	struct includes x = { .n = 0 };
	const char *text = include(&x, "sshd");
	struct pam_stack session = { false, false }, auth = { false, false }, account = { false, false };
	bool read_ok = text != NULL && pam_stack_read(text, "session", include, &x, &session) == CLUSTER_OK && pam_stack_read(text, "auth", include, &x, &auth) == CLUSTER_OK &&
	    pam_stack_read(text, "account", include, &x, &account) == CLUSTER_OK;

	note(r, "PAM", read_ok && session.cluster && auth.cluster && account.cluster, "pam_cluster.so is not in auth, account and session of /etc/pam.d/sshd: cluster-login join --configure");
	if (read_ok && session.cluster)
		note(r, "PAM order", !session.early_env, "pam_env.so or pam_exec.so stands before pam_cluster.so in the session stack of sshd: move pam_cluster.so up");
	while (x.n > 0)
		secret_free(x.text[--x.n]);
}

/* ---- the rest ---- */

static void check_nss(struct report *r)
{
	const struct file_rules rules = { .owner = 0, .forbid = 022, .max_size = FILE_MAX };
	struct secret *text = NULL;
	bool readable = file_read(CONFIGURE_NSSWITCH, &rules, &text, NULL) == CLUSTER_OK;

	note(r, "NSS", readable && nsswitch_has((const char *)text->bytes), "passwd and group of /etc/nsswitch.conf do not name cluster: cluster-login join --configure");
	note(r, "NSS hosts", readable && nsswitch_has_hosts((const char *)text->bytes), "hosts of /etc/nsswitch.conf does not name cluster behind files: nodes have no names here but DNS's");
	secret_free(text);
}

static void check_sshd(struct report *r)
{
	char pidfile[300];
	struct diag d;

	if (geteuid() != 0)
		return;
	diag_clear(&d);
	note(r, "sshd", configure_files_sshd(pidfile, sizeof pidfile, &d) == CLUSTER_OK, d.text);
}

/* ---- sudo ---- */

struct sudoers_files {
	unsigned depth;
	bool unread; /* some file could not be read */
};

static void sudoers_file(struct sudoers *s, const char *path)
{
	const struct file_rules rules = { .owner = 0, .forbid = 022, .max_size = FILE_MAX };
	struct sudoers_files *x = s->arg;
	struct secret *text = NULL;

	if (x->depth == SUDOERS_DEPTH || file_read(path, &rules, &text, NULL) != CLUSTER_OK) {
		x->unread = true;
		return;
	}
	x->depth++;
	sudoers_read(s, (const char *)text->bytes);
	x->depth--;
	secret_free(text);
}

/* What sudo passes over in a folder. */
static int sudoers_wanted(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return strchr(entry->d_name, '.') == NULL && entry->d_name[n - 1] != '~';
}

static int sudoers_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void sudoers_include(struct sudoers *s, const char *name, bool folder)
{
	char path[SUDOERS_PATH], file[SUDOERS_PATH];
	struct dirent **list = NULL;
	int n;

	if (snprintf(path, sizeof path, "%s%s", name[0] == '/' ? "" : "/etc/", name) >= (int)sizeof path)
		return;
	if (!folder) {
		sudoers_file(s, path);
		return;
	}
	n = scandir(path, &list, sudoers_wanted, sudoers_order);
	for (int i = 0; i < n; i++) {
		if (file_join(file, sizeof file, path, list[i]->d_name) == CLUSTER_OK)
			sudoers_file(s, file);
		free(list[i]);
	}
	free(list);
}

/* Only root may read these files. Where sudo asks for another user than the caller, PAM hears of that one: the caller's session and revocation are not looked at. */
static void check_sudo(struct report *r)
{
	struct sudoers_files x = { .depth = 0 };
	struct sudoers s = { .include = sudoers_include, .arg = &x };
	char text[DIAG_TEXT_MAX];

	if (geteuid() != 0 || access(SUDOERS, F_OK) != 0)
		return;
	sudoers_file(&s, SUDOERS);
	for (int i = 0; i < SUDOERS_N; i++) {
		const char *name = sudoers_name((enum sudoers_setting)i);

		if (!s.on[i])
			continue;
		(void)snprintf(text, sizeof text, "\"Defaults %s\" in %s or what it includes: sudo asks for another user, and no longer looks whether the caller has been revoked; take it out", name, SUDOERS);
		note(r, "sudo", false, text);
		return;
	}
	note(r, "sudo", !x.unread, SUDOERS " or a file that it includes cannot be read: whether sudo asks for the caller is not known");
}

/* ---- what is left of the time before ---- */

static void check_list(struct report *r, const char *check, const struct leftover_list *of, const char *advice)
{
	const struct leftover_list *ours = &of[LEFTOVER_CLUSTER], *local = &of[LEFTOVER_LOCAL];
	char text[DIAG_TEXT_MAX];

	(void)snprintf(text, sizeof text, "%zu left over: %s: %s", ours->n, ours->names, advice);
	note(r, check, ours->n == 0, text);
	/* not ours to judge, but nobody else shows it: break-glass accounts belong here, and nobody else does */
	if (ours->n == 0 && local->n > 0 && r->n > 0)
		(void)snprintf(r->result[r->n - 1].text, sizeof r->result[0].text, "local accounts that have one: %s%s", local->names, strlen(local->names) > LEFTOVER_NAMES - 40 ? " ..." : "");
}

static void check_leftover(struct report *r, const struct node_view *v)
{
	const struct leftover_places where = { .passwd = v->conf.passwd, .shadow = "/etc/shadow", .homes = "/home" };
	struct leftover found;

	if (geteuid() != 0)
		return;
	leftover_find(&where, &v->conf.adopt, &found);
	check_list(r, "static keys", found.keys, v->conf.static_keys == NODE_CONF_STATIC_KEYS_REPORT ? "static_keys = report lets them in, and the log has each use; remove them" :
		"these authorized_keys open nothing any more; remove them");
	check_list(r, "passwords", found.passwords, "nothing asks for them any more; usermod -p '!' NAME");
}

/* Only where somebody may hop: without, ssh is none of ours. */
static void check_ssh(struct report *r, const struct node_view *v)
{
	const char *state = v->conf.state;
	struct diag d;

	diag_clear(&d);
	if (v->has_trust && trust_hop_anywhere(&v->trust) == CLUSTER_OK && access(CONFIGURE_SSH_CLIENT, X_OK) == 0)
		note(r, "ssh", configure_files_ssh_check(state, v->trust.self.node_name, &d) == CLUSTER_OK, d.text);
}

static void check_agent(struct report *r, const struct node_view *v)
{
	const struct agent_msg_request q = { .type = AGENT_MSG_STATUS };
	struct agent_msg_answer a = { .result = CLUSTER_OK };
	char path[CONF_STRING_SIZE + sizeof "/agent.sock"];
	bool ok;

	(void)snprintf(path, sizeof path, "%s/agent.sock", v->conf.run);
	ok = agent_msg_call(path, &q, AGENT_TIMEOUT_MS, &a) == CLUSTER_OK;
	note(r, "agent", ok, "cluster-agentd does not answer: systemctl status cluster-agentd");
	if (ok)
		note(r, "authority", a.status.connected, a.status.last_error[0] != '\0' ? a.status.last_error : "the agent is not connected");
}

static bool accepts(const struct endpoint *where)
{
	union { struct sockaddr sa; struct sockaddr_in v4; struct sockaddr_in6 v6; } a = { .sa.sa_family = strchr(where->host, ':') ? AF_INET6 : AF_INET };
	bool six = a.sa.sa_family == AF_INET6, ok = false;
	int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (six)
		a.v6.sin6_port = htons(where->port);
	else
		a.v4.sin_port = htons(where->port);
	if (fd >= 0 && inet_pton(a.sa.sa_family, where->host, six ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr) == 1)
		ok = connect(fd, &a.sa, six ? sizeof a.v6 : sizeof a.v4) == 0;
	file_close(fd);
	return ok;
}

/* An address of this machine answers at once or never. */
static bool relay_listens(const struct node_view *v)
{
	struct endpoint where;
	size_t i;

	for (i = 0; i < v->conf.relay_listen.n; i++) {
		if (endpoint_parse(v->conf.relay_listen.item[i], &where) != CLUSTER_OK || !accepts(&where))
			return false;
	}
	return true;
}

static void check_snapshot(struct report *r, const struct node_view *v)
{
	struct policy_age age;
	struct moment now;
	enum reason why = policy_snapshot_reason(v->trust_error);

	note(r, "snapshot", v->has_trust, reason_text(why));
	if (!v->has_trust || moment_now(&now) != CLUSTER_OK)
		return;
	why = policy_fresh(&v->trust, &now, node_conf_max_stale(&v->conf, NULL), NULL);
	note(r, "freshness", why == REASON_OK, reason_text(why));
	age = policy_age(&v->trust, &now, node_conf_max_stale(&v->conf, NULL));
	note(r, "head age", !policy_age_warns(&age), "more than half of what is allowed: cluster-agentd gets no newer head; cluster-login status");
	if (v->conf.relay_listen.n > 0)
		note(r, "relay", relay_listens(v), "nobody accepts connections at listen in [relay] of node.conf: the log of cluster-agentd says why");
}

static int print(const struct report *r, bool json)
{
	static const char *const columns[] = { "CHECK", "", "WHAT TO DO", NULL };
	struct json *list;
	struct table *t;
	int status;
	size_t i;

	if (json) {
		list = json_list();
		for (i = 0; i < r->n && list != NULL; i++) {
			if (json_append(list, json_make("{s:s, s:b, s:s}", "check", r->result[i].check, "ok", r->result[i].ok, "text", r->result[i].text)) != CLUSTER_OK) {
				json_free(list);
				list = NULL;
			}
		}
		status = out_json(json_make("{s:o}", "checks", list));
	} else {
		t = table_new(columns);
		for (i = 0; i < r->n; i++) {
			table_cell(t, "%s", r->result[i].check);
			table_cell(t, "%s", r->result[i].ok ? "ok" : "no");
			table_cell(t, "%s", r->result[i].text);
		}
		status = table_end(t);
	}
	return status != EXIT_DONE ? status : r->bad ? EXIT_NO : EXIT_DONE;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct report report = { .n = 0 };
	struct words w = { .json = false };
	struct node_view *v = NULL;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if ((v = calloc(1, sizeof *v)) == NULL)
		return out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
	if (node_view_open(&w.node, v, &d) == CLUSTER_OK) {
		note(&report, "membership", true, "");
		check_snapshot(&report, v);
		check_agent(&report, v);
		check_ssh(&report, v);
		check_leftover(&report, v);
	} else {
		note(&report, "membership", false, d.text);
	}
	check_nss(&report);
	check_pam(&report);
	check_sshd(&report);
	check_sudo(&report);
	status = print(&report, w.json);
	node_view_done(v);
	free(v);
	return status;
}

const struct command cmd_doctor = {
	.run = run,
	.usage = "",
	.example = "  cluster-login doctor\n\nChecks this node: membership, snapshot, agent, ssh, NSS, PAM, and as root sshd, sudo, and which ssh keys and passwords are left over.\n"
		   "Exit status 0: all is well; 1: something is not.\n",
	COMMAND_OPTIONS(options),
};
