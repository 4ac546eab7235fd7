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

#define FILTER_BITS 4096

struct names {
	uint64_t filter[FILTER_BITS / 64]; /* by hash of the name: most others are not even looked for */
	char **name; /* sorted */
	uint32_t *id; /* sorted */
	size_t n, n_ids;
};

struct local {
	struct names accounts, groups;
};

static size_t filter_bit(const char *name)
{
	uint32_t h = 0x811c9dc5;

	while (*name)
		h = (h ^ (uint8_t)*name++) * 0x01000193;
	return (h ^ h >> 16) % FILTER_BITS;
}

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
	t->filter[filter_bit(name) / 64] |= UINT64_C(1) << filter_bit(name) % 64;
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
	size_t bit = filter_bit(name);

	return t->filter[bit / 64] >> bit % 64 & 1 && t->n > 0 && bsearch(&name, t->name, t->n, sizeof *t->name, compare_name) != NULL;
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

/* The number of the record that comes i-th in an order of n, if the directory has it. */
static size_t record_at(const struct directory *dir, enum directory_order o, size_t n, size_t i)
{
	const struct directory_sorted *s = &dir->order[o];

	return s->at && s->n == n && s->at[i].record < n ? s->at[i].record : i;
}

#define FEW 12 /* memberships ahead, for the same reason as AHEAD */

/* The memberships that hold here, in order, if the directory knows the order: they spare a sort. `out` says which groups are left out. */
static size_t members_in_order(const struct directory *dir, const struct local *l, const struct local_rules *rules, const bool *out, struct snap_member_in *ret)
{
	const struct directory_sorted *s = &dir->order[DIRECTORY_BY_MEMBER];
	size_t n = 0;

	for (size_t i = 0; s->at && i < s->n; i++) {
		const struct directory_group *g = s->at[i].record < dir->n_groups ? &dir->groups[s->at[i].record] : NULL;
		const char *name = g && s->at[i].item < g->n_members ? g->members[s->at[i].item] : NULL;

		if (i + 2 * FEW < s->n && s->at[i + 2 * FEW].record < dir->n_groups)
			__builtin_prefetch(&dir->groups[s->at[i + 2 * FEW].record].n_members);
		if (i + FEW < s->n && s->at[i + FEW].record < dir->n_groups && s->at[i + FEW].item < dir->groups[s->at[i + FEW].record].n_members)
			__builtin_prefetch(&dir->groups[s->at[i + FEW].record].members[s->at[i + FEW].item]);

		if (name && !out[s->at[i].record] && (!local_has_account(l, name) || adopted(rules->adopt, name)))
			ret[n++] = (struct snap_member_in){ .name = name, .gid = g->gid };
	}
	return n;
}

static void ignore_line(void *arg, const char *sentence)
{
	(void)arg;
	(void)sentence;
}

static const char *member_at(const struct directory *dir, size_t i)
{
	const struct directory_place p = dir->order[DIRECTORY_BY_MEMBER].at[i];

	return dir->groups[p.record].members[p.item];
}

enum cluster_err local_member_gids(const struct directory *dir, const struct local *l, const struct local_rules *rules, const char *name, uint32_t **ret, size_t *ret_n)
{
	const struct local_report silent = { .line = ignore_line };
	const struct directory_sorted *s = &dir->order[DIRECTORY_BY_MEMBER];
	size_t low = 0, high = s->n, end, n = 0;
	uint32_t *gids;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(member_at(dir, middle), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < s->n && strcmp(member_at(dir, end), name) == 0; end++)
		;
	if (!(gids = calloc(end - low + 1, sizeof *gids)))
		return CLUSTER_ENOMEM;
	for (; low < end && (!local_has_account(l, name) || adopted(rules->adopt, name)); low++) {
		const struct directory_group *g = &dir->groups[s->at[low].record];

		if (group_fits(g, l, rules, &silent))
			gids[n++] = g->gid;
	}
	*ret = gids;
	*ret_n = n;
	return CLUSTER_OK;
}

#define AHEAD 24 /* records that are fetched before they are looked at: in order of name they lie anywhere */

static void fetch_account(const struct directory *dir, size_t i)
{
	const struct directory_account *a;

	if (i + AHEAD >= dir->n_accounts)
		return;
	a = &dir->accounts[record_at(dir, DIRECTORY_BY_ACCOUNT, dir->n_accounts, i + AHEAD)];
	__builtin_prefetch(a);
	__builtin_prefetch(a + 1);
	__builtin_prefetch(dir->accounts[record_at(dir, DIRECTORY_BY_ACCOUNT, dir->n_accounts, i + AHEAD / 2)].gecos);
}

static struct snap_node_in node_in(const struct directory_node *n)
{
	return (struct snap_node_in){ .name = n->name, .roles = n->roles, .n_roles = n->n_roles, .addresses = n->addresses, .n_addresses = n->n_addresses, .leader = n->leader };
}

/* What goes into accounts.snap; the texts are the directory's. */
struct gathered {
	struct snap_names names;
	struct snap_account_in *accounts;
	struct snap_group_in *groups;
	struct snap_node_in *nodes;
	const char **members;
	struct snap_member_in *pairs;
	bool *out; /* groups that are left out */
};

static void gathered_done(struct gathered *x)
{
	free(x->accounts);
	free(x->groups);
	free(x->nodes);
	free(x->members);
	free(x->pairs);
	free(x->out);
}

static enum cluster_err gathered_init(struct gathered *x, const struct directory *dir)
{
	memset(x, 0, sizeof *x);
	x->names.accounts = x->accounts = calloc(dir->n_accounts + 1, sizeof *x->accounts);
	x->names.groups = x->groups = calloc(dir->n_groups + 1, sizeof *x->groups);
	x->names.nodes = x->nodes = calloc(dir->n_nodes + 1, sizeof *x->nodes);
	x->members = calloc(members_total(dir) + 1, sizeof *x->members);
	x->names.members = x->pairs = calloc(dir->order[DIRECTORY_BY_MEMBER].n + 1, sizeof *x->pairs);
	x->out = calloc(dir->n_groups + 1, sizeof *x->out);
	return x->accounts && x->groups && x->nodes && x->members && x->pairs && x->out ? CLUSTER_OK : CLUSTER_ENOMEM;
}

static void gather(struct gathered *x, const struct directory *dir, const struct local *l, const struct local_rules *rules, const struct local_report *report)
{
	struct snap_names *names = &x->names;
	const char **at = x->members;
	size_t i;

	for (i = 0; i < dir->n_accounts; i++) {
		const struct directory_account *a = &dir->accounts[record_at(dir, DIRECTORY_BY_ACCOUNT, dir->n_accounts, i)];

		fetch_account(dir, i);
		if (account_fits(a, l, rules, report))
			x->accounts[names->n_accounts++] = (struct snap_account_in){ .name = a->name, .gecos = a->gecos, .home = a->home, .shell = a->shell, .uid = a->uid, .gid = a->gid };
	}
	for (i = 0; i < dir->n_groups; i++) {
		const struct directory_group *g = &dir->groups[record_at(dir, DIRECTORY_BY_GROUP, dir->n_groups, i)];

		x->out[g - dir->groups] = !group_fits(g, l, rules, report);
		if (!x->out[g - dir->groups]) {
			x->groups[names->n_groups] = (struct snap_group_in){ .name = g->name, .gid = g->gid, .members = at };
			x->groups[names->n_groups++].n_members = members_fit(g, l, rules, &at);
		}
	}
	names->n_members = members_in_order(dir, l, rules, x->out, x->pairs);
	for (; names->n_nodes < dir->n_nodes; names->n_nodes++)
		x->nodes[names->n_nodes] = node_in(&dir->nodes[names->n_nodes]);
}

enum cluster_err local_accounts_build(const struct cluster_id *cluster, const struct directory *dir, const struct local *l, const struct local_rules *rules,
    const struct local_report *report, struct snap_bytes *ret, struct diag *d)
{
	struct gathered x;
	enum cluster_err e;

	if ((e = gathered_init(&x, dir)) != CLUSTER_OK) {
		diag_set(d, e, "accounts.snap: out of memory");
	} else {
		gather(&x, dir, l, rules, report);
		e = snap_accounts_build(cluster, &x.names, &ret->p, &ret->n, d);
	}
	gathered_done(&x);
	return e;
}

enum cluster_err local_accounts_put(const struct cluster_id *cluster, const struct directory *dir, const struct local *l, const struct local_rules *rules,
    const struct local_report *report, const struct snap_sink *sink, struct diag *d)
{
	struct gathered x;
	enum cluster_err e;

	if ((e = gathered_init(&x, dir)) != CLUSTER_OK) {
		diag_set(d, e, "accounts.snap: out of memory");
	} else {
		gather(&x, dir, l, rules, report);
		e = snap_accounts_put(cluster, &x.names, sink, d);
	}
	gathered_done(&x);
	return e;
}
