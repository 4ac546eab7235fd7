/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble_change.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/snap_change.h"
#include "cluster/trust_snap.h"
#include "cluster/wr.h"

#define FEW 4096 /* records that are few in any case; else one in MANY */
#define MANY 8

/* A directory of those records only that stand in shards which differ. Borrows everything else; no order. */
struct part {
	struct directory dir;
	struct directory_account *accounts;
	struct directory_group *groups;
	struct directory_person *people;
};

struct changes {
	struct directory_changes kind[DIRECTORY_KIND_N];
};

static void changes_done(struct changes *c)
{
	for (unsigned k = 0; k < DIRECTORY_KIND_N; k++)
		directory_changes_done(&c->kind[k]);
}

static enum cluster_err changes_find(const struct directory *was, const struct directory *is, struct changes *ret)
{
	struct changes c;
	enum cluster_err e = CLUSTER_OK;

	memset(&c, 0, sizeof c);
	for (unsigned k = 0; k < DIRECTORY_KIND_N && e == CLUSTER_OK; k++)
		e = directory_changes(was, is, (enum directory_kind)k, &c.kind[k]);
	if (e != CLUSTER_OK)
		changes_done(&c);
	else
		*ret = c;
	return e;
}

static bool any(const struct directory_changes *c)
{
	return c->n_was + c->n_is > 0;
}

static void part_done(struct part *p)
{
	free(p->accounts);
	free(p->groups);
	free(p->people);
}

static enum cluster_err part_init(const struct directory *dir, const struct changes *c, bool new, struct part *p)
{
	const struct directory_changes *accounts = &c->kind[DIRECTORY_ACCOUNTS], *groups = &c->kind[DIRECTORY_GROUPS], *people = &c->kind[DIRECTORY_PEOPLE];

	memset(p, 0, sizeof *p);
	p->dir = *dir;
	memset(p->dir.order, 0, sizeof p->dir.order);
	p->dir.n_accounts = new ? accounts->n_is : accounts->n_was;
	p->dir.n_groups = new ? groups->n_is : groups->n_was;
	p->dir.n_people = new ? people->n_is : people->n_was;
	p->dir.accounts = p->accounts = calloc(p->dir.n_accounts + 1, sizeof *p->accounts);
	p->dir.groups = p->groups = calloc(p->dir.n_groups + 1, sizeof *p->groups);
	p->dir.people = p->people = calloc(p->dir.n_people + 1, sizeof *p->people);
	if (!p->accounts || !p->groups || !p->people) {
		part_done(p);
		return CLUSTER_ENOMEM;
	}
	for (size_t i = 0; i < p->dir.n_accounts; i++)
		p->accounts[i] = dir->accounts[(new ? accounts->is : accounts->was)[i]];
	for (size_t i = 0; i < p->dir.n_groups; i++)
		p->groups[i] = dir->groups[(new ? groups->is : groups->was)[i]];
	for (size_t i = 0; i < p->dir.n_people; i++)
		p->people[i] = dir->people[(new ? people->is : people->was)[i]];
	return CLUSTER_OK;
}

/* No grants, and of the nodes the own one only. */
static void part_own_node(struct part *p, const struct cluster_id *id)
{
	const struct directory_node *own = directory_node_by_id(&p->dir, id);

	p->dir.n_grants = 0;
	p->dir.n_nodes = own ? 1 : 0;
	if (own)
		p->dir.nodes += own - p->dir.nodes;
}

bool assemble_change_small(const struct assemble_set *was, const struct assemble_set *is)
{
	size_t changed = 0, all = 0;
	struct changes c;

	if (!was->used || !was->dir || !is->dir || !is->dir->order[DIRECTORY_BY_MEMBER].at || changes_find(was->dir, is->dir, &c) != CLUSTER_OK)
		return false;
	for (unsigned k = 0; k < DIRECTORY_KIND_N; k++) {
		changed += c.kind[k].n_was + c.kind[k].n_is;
		all += directory_count(is->dir, (enum directory_kind)k);
	}
	changes_done(&c);
	return changed <= FEW || changed <= all / MANY;
}

static struct snap_base base_of(const struct assemble_set *s)
{
	return (struct snap_base){ { (uint64_t)s->keyset.version, (uint64_t)s->dir->version, (uint64_t)s->revocations->version } };
}

/* ---- trust.snap ---- */

/* What a set says of the records that changed, as a small trust.snap; the caller frees *bytes. */
static enum cluster_err small_trust(const struct assemble *a, const struct assemble_set *s, const struct part *p, uint8_t **bytes, struct snap *ret, struct diag *d)
{
	const struct trust_documents from = { .root = &s->root, .keyset = &s->keyset, .dir = &p->dir, .revocations = s->revocations };
	enum cluster_err e;
	size_t n;

	if ((e = trust_build(&from, &a->conf.node, bytes, &n, d)) != CLUSTER_OK)
		return e;
	return snap_parse(*bytes, n, SNAP_TRUST, ret);
}

static enum cluster_err diff_trust(struct snap_change *c, const struct snap *was, const struct snap *is)
{
	enum cluster_err e = CLUSTER_OK;
	enum snap_shape shape;
	uint32_t records;

	for (uint32_t type = 1; e == CLUSTER_OK && (shape = snap_section_shape(SNAP_TRUST, type, &records)) != SNAP_SHAPE_UNKNOWN; type++) {
		if (shape == SNAP_SHAPE_FLAT)
			e = snap_writer_flat(snap_change_writer(c), type, is->section[type].p, is->section[type].n);
		else if (shape == SNAP_SHAPE_RECORDS)
			e = snap_change_diff(c, type, was, is);
	}
	return e;
}

enum cluster_err assemble_change_trust(const struct assemble *a, const struct assemble_set *was, const struct assemble_set *is, struct snap_bytes *ret, struct diag *d)
{
	const struct snap_base base = base_of(was);
	struct part old = { .accounts = NULL }, new = { .accounts = NULL };
	uint8_t *old_bytes = NULL, *new_bytes = NULL;
	struct snap_change *change = NULL;
	struct snap from, to;
	struct changes c;
	enum cluster_err e;

	if ((e = changes_find(was->dir, is->dir, &c)) != CLUSTER_OK)
		return diag_set(d, e, "trust.snap: out of memory");
	if ((e = part_init(was->dir, &c, false, &old)) != CLUSTER_OK || (e = part_init(is->dir, &c, true, &new)) != CLUSTER_OK)
		goto out;
	/* which grants hold here, and for whom, depends on the nodes too */
	if (!any(&c.kind[DIRECTORY_GRANTS]) && !any(&c.kind[DIRECTORY_NODES])) {
		part_own_node(&old, &a->conf.node);
		part_own_node(&new, &a->conf.node);
	}
	if ((e = small_trust(a, was, &old, &old_bytes, &from, d)) != CLUSTER_OK || (e = small_trust(a, is, &new, &new_bytes, &to, d)) != CLUSTER_OK ||
	    (e = snap_change_new(SNAP_TRUST, &a->conf.cluster, &base, &change)) != CLUSTER_OK || (e = diff_trust(change, &from, &to)) != CLUSTER_OK)
		goto out;
	e = snap_change_end(change, &ret->p, &ret->n);
out:
	if (e != CLUSTER_OK && d && d->code == CLUSTER_OK)
		diag_set(d, e, "trust.snap: %s", err_name(e));
	snap_change_free(change);
	free(old_bytes);
	free(new_bytes);
	part_done(&old);
	part_done(&new);
	changes_done(&c);
	return e;
}

/* ---- accounts.snap ---- */

static enum cluster_err small_accounts(const struct assemble *a, const struct part *p, const struct local_report *report, uint8_t **bytes, struct snap *ret, struct diag *d)
{
	const struct local_rules rules = { .adopt = &a->conf.adopt, .id_min = a->conf.id_min, .id_max = a->conf.id_max };
	struct snap_bytes b = { .p = NULL };
	enum cluster_err e;

	if ((e = local_accounts_build(&a->conf.cluster, &p->dir, a->local, &rules, report, &b, d)) != CLUSTER_OK)
		return e;
	*bytes = b.p;
	return snap_parse(b.p, b.n, SNAP_ACCOUNTS, ret);
}

/* The record of `name`, which is in other groups than before; or none, if it is in none any more. */
static enum cluster_err put_member(const struct assemble *a, const struct directory *dir, const char *name, struct snap_change *c)
{
	const struct local_rules rules = { .adopt = &a->conf.adopt, .id_min = a->conf.id_min, .id_max = a->conf.id_max };
	uint32_t *gids = NULL, offset;
	enum cluster_err e;
	size_t n = 0;
	struct wr w;

	if ((e = local_member_gids(dir, a->local, &rules, name, &gids, &n)) != CLUSTER_OK)
		return e;
	if (n > SNAP_MEMBER_GROUPS_MAX) {
		free(gids);
		return CLUSTER_ELIMIT;
	}
	if (n == 0) {
		free(gids);
		return snap_change_drop(c, SNAP_A_MEMBER, name, strlen(name));
	}
	wr_grow(&w, SNAP_RECORD_MAX);
	snap_member_begin(&w, name, n);
	for (size_t i = 0; i < n; i++)
		wr_u32(&w, gids[i]);
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = snap_writer_record(snap_change_writer(c), SNAP_A_MEMBER, w.p, w.n, &offset);
	wr_done(&w);
	free(gids);
	return e;
}

static const char *member_name(const struct rd *body)
{
	return (const char *)body->p + SNAP_MEMBER_HEAD;
}

/* Whoever is in other groups of those that changed than before gets a new record, of all his groups. */
static enum cluster_err diff_members(const struct assemble *a, const struct directory *dir, const struct snap *was, const struct snap *is, struct snap_change *c)
{
	uint64_t old_at = 0, new_at = 0;
	struct rd old, new;
	bool has_old = snap_each(was, SNAP_A_MEMBER, &old_at, &old) == CLUSTER_OK, has_new = snap_each(is, SNAP_A_MEMBER, &new_at, &new) == CLUSTER_OK;
	enum cluster_err e = CLUSTER_OK;

	while (e == CLUSTER_OK && (has_old || has_new)) {
		int order = !has_new ? -1 : !has_old ? 1 : strcmp(member_name(&old), member_name(&new));

		if (order != 0 || old.n != new.n || memcmp(old.p, new.p, old.n) != 0)
			e = put_member(a, dir, member_name(order <= 0 ? &old : &new), c);
		if (order <= 0)
			has_old = snap_each(was, SNAP_A_MEMBER, &old_at, &old) == CLUSTER_OK;
		if (order >= 0)
			has_new = snap_each(is, SNAP_A_MEMBER, &new_at, &new) == CLUSTER_OK;
	}
	return e;
}

static enum cluster_err diff_accounts(const struct assemble *a, const struct directory *dir, const struct snap *was, const struct snap *is, struct snap_change *c)
{
	enum cluster_err e;

	if ((e = snap_change_diff(c, SNAP_A_ACCOUNTS, was, is)) != CLUSTER_OK || (e = snap_change_diff(c, SNAP_A_GROUPS, was, is)) != CLUSTER_OK ||
	    (e = diff_members(a, dir, was, is, c)) != CLUSTER_OK || (e = snap_change_diff(c, SNAP_A_HOSTS, was, is)) != CLUSTER_OK)
		return e;
	return snap_change_diff(c, SNAP_A_ADDRESSES, was, is);
}

static void ignore_line(void *arg, const char *sentence)
{
	(void)arg;
	(void)sentence;
}

enum cluster_err assemble_change_accounts(const struct assemble *a, const struct assemble_set *is, const struct local_report *report, struct snap_bytes *ret, struct diag *d)
{
	const struct local_report silent = { .line = ignore_line };
	const struct snap_base base = base_of(&a->installed);
	struct part old = { .accounts = NULL }, new = { .accounts = NULL };
	uint8_t *old_bytes = NULL, *new_bytes = NULL;
	struct snap_change *change = NULL;
	struct snap from, to;
	struct changes c;
	enum cluster_err e;

	if ((e = changes_find(a->installed.dir, is->dir, &c)) != CLUSTER_OK)
		return diag_set(d, e, "accounts.snap: out of memory");
	if (!any(&c.kind[DIRECTORY_ACCOUNTS]) && !any(&c.kind[DIRECTORY_GROUPS]) && !any(&c.kind[DIRECTORY_NODES]))
		goto out;
	if ((e = part_init(a->installed.dir, &c, false, &old)) != CLUSTER_OK || (e = part_init(is->dir, &c, true, &new)) != CLUSTER_OK)
		goto out;
	if (!any(&c.kind[DIRECTORY_NODES]))
		old.dir.n_nodes = new.dir.n_nodes = 0;
	if ((e = small_accounts(a, &old, &silent, &old_bytes, &from, d)) != CLUSTER_OK || (e = small_accounts(a, &new, report, &new_bytes, &to, d)) != CLUSTER_OK ||
	    (e = snap_change_new(SNAP_ACCOUNTS, &a->conf.cluster, &base, &change)) != CLUSTER_OK || (e = diff_accounts(a, is->dir, &from, &to, change)) != CLUSTER_OK)
		goto out;
	e = snap_change_end(change, &ret->p, &ret->n);
out:
	if (e != CLUSTER_OK && d && d->code == CLUSTER_OK)
		diag_set(d, e, "accounts.snap: %s", err_name(e));
	snap_change_free(change);
	free(old_bytes);
	free(new_bytes);
	part_done(&old);
	part_done(&new);
	changes_done(&c);
	return e;
}
