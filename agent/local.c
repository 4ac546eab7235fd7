/* SPDX-License-Identifier: Apache-2.0 */
#include "local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/name.h"
#include "cluster/num.h"
#include "cluster/snap_write.h"

#define LOCAL_NAME_MAX 255
#define LOCAL_FIELDS 3 /* name, password, id: what both files begin with */

struct names {
	char **name; /* sorted */
	uint32_t *id; /* sorted */
	size_t n, n_ids;
};

struct local {
	struct names accounts, groups;
};

static int compare_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* "name:password:id:..." An entry whose id cannot be read still has a name that counts. */
static enum cluster_err add_line(struct names *t, const char *line, size_t n)
{
	char text[16] = "";
	const char *field[LOCAL_FIELDS], *p = line, *end = line + n, *colon;
	size_t len[LOCAL_FIELDS], i;
	char *name;

	for (i = 0; i < LOCAL_FIELDS; i++) {
		colon = p <= end ? memchr(p, ':', (size_t)(end - p)) : NULL;
		if (!colon)
			return CLUSTER_OK;
		field[i] = p;
		len[i] = (size_t)(colon - p);
		p = colon + 1;
	}
	if (len[0] == 0 || len[0] > LOCAL_NAME_MAX || *line == '#' || *line == '+' || *line == '-')
		return CLUSTER_OK;
	name = strndup(field[0], len[0]);
	if (!name)
		return CLUSTER_ENOMEM;
	t->name[t->n++] = name;
	if (len[2] < sizeof text) {
		memcpy(text, field[2], len[2]);
		if (num_u32(text, 0, UINT32_MAX, &t->id[t->n_ids]) == CLUSTER_OK)
			t->n_ids++;
	}
	return CLUSTER_OK;
}

static enum cluster_err parse_file(struct names *t, const char *text, size_t n)
{
	enum cluster_err e;
	size_t lines = 1, i, len;
	const char *end;

	for (i = 0; i < n; i++)
		lines += text[i] == '\n';
	t->name = calloc(lines, sizeof *t->name);
	t->id = calloc(lines, sizeof *t->id);
	if (!t->name || !t->id)
		return CLUSTER_ENOMEM;
	while (n > 0) {
		end = memchr(text, '\n', n);
		len = end ? (size_t)(end - text) : n;
		if ((e = add_line(t, text, len)) != CLUSTER_OK)
			return e;
		len += end != NULL;
		text += len;
		n -= len;
	}
	qsort(t->name, t->n, sizeof *t->name, compare_name);
	qsort(t->id, t->n_ids, sizeof *t->id, compare_id);
	return CLUSTER_OK;
}

enum cluster_err local_parse(const char *passwd, size_t passwd_n, const char *group, size_t group_n, struct local **ret)
{
	struct local *l = calloc(1, sizeof *l);
	enum cluster_err e;

	if (!l)
		return CLUSTER_ENOMEM;
	if ((e = parse_file(&l->accounts, passwd, passwd_n)) != CLUSTER_OK || (e = parse_file(&l->groups, group, group_n)) != CLUSTER_OK) {
		local_free(l);
		return e;
	}
	*ret = l;
	return CLUSTER_OK;
}

static void names_free(struct names *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->name[i]);
	free(t->name);
	free(t->id);
}

void local_free(struct local *l)
{
	if (!l)
		return;
	names_free(&l->accounts);
	names_free(&l->groups);
	free(l);
}

static bool has_name(const struct names *t, const char *name)
{
	return t->n > 0 && bsearch(&name, t->name, t->n, sizeof *t->name, compare_name) != NULL;
}

static bool has_id(const struct names *t, uint32_t id)
{
	return t->n_ids > 0 && bsearch(&id, t->id, t->n_ids, sizeof *t->id, compare_id) != NULL;
}

bool local_has_account(const struct local *l, const char *name)
{
	return has_name(&l->accounts, name);
}

bool local_has_uid(const struct local *l, uint32_t uid)
{
	return has_id(&l->accounts, uid);
}

bool local_has_group(const struct local *l, const char *name)
{
	return has_name(&l->groups, name);
}

bool local_has_gid(const struct local *l, uint32_t gid)
{
	return has_id(&l->groups, gid);
}

static bool adopted(const struct conf_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (strcmp(list->item[i], name) == 0)
			return true;
	}
	return false;
}

static bool in_window(const struct local_rules *r, uint32_t id)
{
	return name_id_ok(id) && id >= r->id_min && id <= r->id_max;
}

static void report_line(const struct local_report *r, const char *what, const char *name, const char *why)
{
	char line[200];

	snprintf(line, sizeof line, "%s %s of the directory is left out: %s", what, name, why);
	r->line(r->arg, line);
}

/* May this account stand in accounts.snap? */
static bool account_fits(const struct directory_account *a, const struct local *l, const struct local_rules *rules, const struct local_report *report)
{
	const char *why = NULL;

	if (local_has_account(l, a->name)) {
		if (adopted(rules->adopt, a->name))
			return false;
		why = "a local account has its name";
	} else if (!name_account_ok(a->name) || name_account_reserved(a->name)) {
		why = "its name is reserved";
	} else if (local_has_uid(l, a->uid)) {
		why = "a local account has its uid";
	} else if (local_has_gid(l, a->gid)) {
		why = "a local group has its gid";
	} else if (!in_window(rules, a->uid) || !in_window(rules, a->gid)) {
		why = "uid or gid is outside of this node's window";
	} else if (!name_path_ok(a->home) || !name_path_ok(a->shell) || !name_gecos_ok(a->gecos)) {
		why = "home, shell or description is not acceptable";
	}
	if (why)
		report_line(report, "account", a->name, why);
	return why == NULL;
}

static bool group_fits(const struct directory_group *g, const struct local *l, const struct local_rules *rules, const struct local_report *report)
{
	const char *why = NULL;

	if (local_has_group(l, g->name))
		why = "a local group has its name";
	else if (!name_group_ok(g->name) || name_group_reserved(g->name))
		why = "its name is reserved";
	else if (local_has_gid(l, g->gid))
		why = "a local group has its gid";
	else if (!in_window(rules, g->gid))
		why = "its gid is outside of this node's window";
	if (why)
		report_line(report, "group", g->name, why);
	return why == NULL;
}

/* Writes the members that hold here to *at and moves it: a local account that is not adopted gets no group from the directory. */
static size_t members_fit(const struct directory_group *g, const struct local *l, const struct local_rules *rules, const char ***at)
{
	size_t i, n = 0;

	for (i = 0; i < g->n_members; i++) {
		if (!local_has_account(l, g->members[i]) || adopted(rules->adopt, g->members[i]))
			(*at)[n++] = g->members[i];
	}
	*at += n;
	return n;
}

static size_t members_total(const struct directory *dir)
{
	size_t i, n = 0;

	for (i = 0; i < dir->n_groups; i++)
		n += dir->groups[i].n_members;
	return n;
}

static struct snap_node_in node_in(const struct directory_node *n)
{
	return (struct snap_node_in){ .name = n->name, .roles = n->roles, .n_roles = n->n_roles, .addresses = n->addresses, .n_addresses = n->n_addresses, .leader = n->leader };
}

enum cluster_err local_accounts_build(const struct cluster_id *cluster, const struct directory *dir, const struct local *l, const struct local_rules *rules,
    const struct local_report *report, struct snap_bytes *ret, struct diag *d)
{
	struct snap_account_in *accounts = NULL;
	struct snap_group_in *groups = NULL;
	struct snap_node_in *nodes = NULL;
	const char **members = NULL, **at;
	struct snap_names names = { .n_accounts = 0 };
	enum cluster_err e;
	size_t i;

	names.accounts = accounts = calloc(dir->n_accounts + 1, sizeof *accounts);
	names.groups = groups = calloc(dir->n_groups + 1, sizeof *groups);
	names.nodes = nodes = calloc(dir->n_nodes + 1, sizeof *nodes);
	at = members = calloc(members_total(dir) + 1, sizeof *members);
	if (!accounts || !groups || !nodes || !members) {
		e = diag_set(d, CLUSTER_ENOMEM, "accounts.snap: out of memory");
		goto out;
	}
	for (i = 0; i < dir->n_accounts; i++) {
		const struct directory_account *a = &dir->accounts[i];

		if (account_fits(a, l, rules, report))
			accounts[names.n_accounts++] = (struct snap_account_in){ .name = a->name, .gecos = a->gecos, .home = a->home, .shell = a->shell, .uid = a->uid, .gid = a->gid };
	}
	for (i = 0; i < dir->n_groups; i++) {
		const struct directory_group *g = &dir->groups[i];

		if (group_fits(g, l, rules, report)) {
			groups[names.n_groups] = (struct snap_group_in){ .name = g->name, .gid = g->gid, .members = at };
			groups[names.n_groups++].n_members = members_fit(g, l, rules, &at);
		}
	}
	for (; names.n_nodes < dir->n_nodes; names.n_nodes++)
		nodes[names.n_nodes] = node_in(&dir->nodes[names.n_nodes]);
	e = snap_accounts_build(cluster, &names, &ret->p, &ret->n, d);
out:
	free(accounts);
	free(groups);
	free(nodes);
	free(members);
	return e;
}
