/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/name.h"
#include "cluster/wr.h"
#include "self.h"
#include "ssh_args.h"
#include "view.h"

#define MARK "# cluster-login ssh-config: this line and the next; \"cluster-login ssh-config --remove\" takes them out"
#define MARK_MADE " (there was no file)"
#define CONFIG_MAX ((size_t)16 << 20)

static void put_line(void *arg, const char *key, const char *value)
{
	wr_printf(arg, "    %s %s\n", key, value);
}

/* Who dials an address means that address; its host key is the directory's all the same. */
static void put_line_of_address(void *arg, const char *key, const char *value)
{
	if (strcmp(key, "HostName") != 0)
		put_line(arg, key, value);
}

/* Words that mean something, so that no instance id of a node takes them: sorted names of nodes and roles, and sorted instance ids. */
struct taken {
	const char **names, **instances;
	size_t n_names, n_instances;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void taken_done(struct taken *t)
{
	free(t->instances);
	free(t->names);
}

static enum cluster_err taken_make(struct taken *t, const struct directory *dir)
{
	size_t room = 1;

	for (size_t i = 0; i < dir->n_nodes; i++)
		room += 1 + dir->nodes[i].n_roles;
	if ((t->names = calloc(room, sizeof *t->names)) == NULL || (t->instances = calloc(dir->n_nodes + 1, sizeof *t->instances)) == NULL)
		return CLUSTER_ENOMEM;
	t->names[t->n_names++] = "leader";
	for (size_t i = 0; i < dir->n_nodes; i++) {
		const struct directory_node *n = &dir->nodes[i];

		t->names[t->n_names++] = n->name;
		for (size_t k = 0; k < n->n_roles; k++)
			t->names[t->n_names++] = n->roles[k];
		if (n->instance != NULL)
			t->instances[t->n_instances++] = n->instance;
	}
	qsort(t->names, t->n_names, sizeof *t->names, by_text);
	qsort(t->instances, t->n_instances, sizeof *t->instances, by_text);
	return CLUSTER_OK;
}

/* The rule of the nodes' own ssh_config (PROTOCOL.md 5.8): one plain word, of one node only, and nobody's name. */
static bool instance_told(const struct taken *t, const char *instance)
{
	const char **at;

	if (instance == NULL || !name_host_ok(instance) || bsearch(&instance, t->names, t->n_names, sizeof *t->names, by_text) != NULL)
		return false;
	at = bsearch(&instance, t->instances, t->n_instances, sizeof *t->instances, by_text);
	return at != NULL && (at == t->instances || by_text(at - 1, at) != 0) && (at + 1 == t->instances + t->n_instances || by_text(at, at + 1) != 0);
}

static enum cluster_err put_node(struct wr *w, const struct ssh_args *a, const struct taken *t, struct diag *d)
{
	const struct directory_node *node = a->node;
	bool told = instance_told(t, node->instance);
	enum cluster_err e;

	wr_printf(w, "\nHost %s%s%s\n", node->name, told ? " " : "", told ? node->instance : "");
	if ((e = ssh_args_each(a, put_line, w, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < node->n_addresses; i++)
		wr_printf(w, "%s %s", i == 0 ? "\nHost" : "", node->addresses[i]);
	wr_text(w, "\n");
	return ssh_args_each(a, put_line_of_address, w, d);
}

enum cluster_err ssh_config_build(const struct directory *dir, const char *self, const char *home, char **ret, struct diag *d)
{
	struct taken taken = { .n_names = 0 };
	uint8_t *text = NULL;
	enum cluster_err e;
	struct wr w;
	size_t i, n;

	wr_grow(&w, CONFIG_MAX);
	if ((e = taken_make(&taken, dir)) != CLUSTER_OK) {
		diag_set(d, e, "out of memory");
		goto out;
	}
	wr_text(&w, "# Written by cluster-login from the cluster's signed directory; every \"cluster-login get\" writes it anew.\n");
	for (i = 0; i < dir->n_nodes; i++) {
		const struct directory_node *node = &dir->nodes[i];
		const struct ssh_args a = { .dir = dir, .node = node, .self = self, .home = home };

		if (node->n_addresses == 0)
			continue;
		if ((e = put_node(&w, &a, &taken, d)) != CLUSTER_OK)
			goto out;
	}
	wr_u8(&w, 0);
	if ((e = wr_take(&w, &text, &n)) != CLUSTER_OK) {
		diag_set(d, e, "the ssh configuration: %s", err_name(e));
		goto out;
	}
	*ret = (char *)text;
	e = CLUSTER_OK;
out:
	wr_done(&w);
	taken_done(&taken);
	return e;
}

enum cluster_err ssh_config_write(const struct profile *p, const struct view *v, struct diag *d)
{
	const char *own = getenv("CLUSTER_LOGIN_HOME");
	char self[PROFILE_PATH_MAX];
	char *text = NULL;
	enum cluster_err e;

	if ((e = self_path(self, d)) != CLUSTER_OK)
		return e;
	if (!self_path_ok(p->dir))
		return diag_set(d, CLUSTER_ECONFIG, "%s: ssh cannot be told of a path with such characters", p->dir);
	if ((e = ssh_config_build(v->dir, self, own != NULL && *own != '\0' ? p->dir : NULL, &text, d)) != CLUSTER_OK)
		return e;
	e = profile_write(p, PROFILE_SSH_CONFIG, text, strlen(text), d);
	free(text);
	return e;
}

enum cluster_err ssh_config_refresh(const struct profile *p, const struct view *v, struct diag *d)
{
	char path[PROFILE_PATH_MAX];

	if (file_join(path, sizeof path, p->dir, PROFILE_SSH_CONFIG) != CLUSTER_OK || access(path, F_OK) != 0)
		return CLUSTER_OK;
	return ssh_config_write(p, v, d);
}

/* The mark at the start of a line, and where its two lines end. NULL: none. */
static const char *find_mark(const char *text, const char **ret_end)
{
	const char *p = strstr(text, MARK), *end;

	while (p != NULL && p != text && p[-1] != '\n')
		p = strstr(p + 1, MARK);
	if (p == NULL)
		return NULL;
	end = strchr(p, '\n');
	if (end != NULL && strncmp(end + 1, "Include ", 8) == 0)
		end = strchr(end + 1, '\n');
	*ret_end = end != NULL ? end + 1 : p + strlen(p);
	return p;
}

bool ssh_config_included(const char *text)
{
	const char *end;

	return find_mark(text, &end) != NULL;
}

enum cluster_err ssh_config_exclude(const char *text, char **ret, bool *ret_gone)
{
	const char *end, *mark = find_mark(text, &end);
	size_t head, tail;
	char *out;

	if (mark == NULL)
		return CLUSTER_ENOTFOUND;
	head = (size_t)(mark - text);
	tail = strlen(end);
	if ((out = malloc(head + tail + 1)) == NULL)
		return CLUSTER_ENOMEM;
	memcpy(out, text, head);
	memcpy(out + head, end, tail + 1);
	*ret_gone = head + tail == 0 && strncmp(mark + sizeof MARK - 1, MARK_MADE, sizeof MARK_MADE - 1) == 0;
	*ret = out;
	return CLUSTER_OK;
}

enum cluster_err ssh_config_include(const char *text, const char *path, bool made, char **ret)
{
	enum cluster_err e;
	char *rest = NULL, *out = NULL;
	bool gone = false;

	if ((e = ssh_config_exclude(text, &rest, &gone)) != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return e;
	if (asprintf(&out, "%s%s\nInclude %s\n%s", MARK, made || gone ? MARK_MADE : "", path, rest != NULL ? rest : text) < 0)
		out = NULL;
	free(rest);
	if (out == NULL)
		return CLUSTER_ENOMEM;
	*ret = out;
	return CLUSTER_OK;
}
