/* SPDX-License-Identifier: Apache-2.0 */
#include "nodes.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/directory.h"
#include "record.h"
#include "revoked.h"

/* Where `id` is, or where it would stand. */
static size_t place(const struct nodes *n, const struct cluster_id *id)
{
	size_t low = 0, high = n->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(n->one[mid]->id.b, id->b, sizeof id->b) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct nodes_one *nodes_find(const struct nodes *n, const struct cluster_id *id)
{
	size_t i = place(n, id);

	return i < n->n && id_equal(&n->one[i]->id, id) ? n->one[i] : NULL;
}

static enum cluster_err roles_set(struct nodes_one *o, const struct directory_node *node)
{
	char (*roles)[NAME_ROLE_MAX + 1] = NULL;

	if (node->n_roles) {
		if (!(roles = calloc(node->n_roles, sizeof *roles)))
			return CLUSTER_ENOMEM;
		memcpy(roles, node->roles, node->n_roles * sizeof *roles);
	}
	free(o->roles);
	o->roles = roles;
	o->n_roles = node->n_roles;
	return CLUSTER_OK;
}

static void one_free(struct nodes *n, struct nodes_one *o)
{
	live_done(&o->live, &n->sessions);
	free(o->roles);
	free(o);
}

enum cluster_err nodes_set(struct nodes *n, const struct directory_node *node)
{
	size_t i = place(n, &node->id);
	struct nodes_one *o = i < n->n && id_equal(&n->one[i]->id, &node->id) ? n->one[i] : NULL;

	if (!o) {
		if (n->n == n->room) {
			size_t room = n->room ? 2 * n->room : 64;
			struct nodes_one **grown = reallocarray(n->one, room, sizeof *grown);

			if (!grown)
				return CLUSTER_ENOMEM;
			n->one = grown;
			n->room = room;
		}
		if (!(o = calloc(1, sizeof *o)))
			return CLUSTER_ENOMEM;
		memmove(&n->one[i + 1], &n->one[i], (n->n - i) * sizeof *n->one);
		n->one[i] = o;
		n->n++;
		o->id = node->id;
	}
	memcpy(o->name, node->name, sizeof o->name);
	o->key = node->key;
	return roles_set(o, node);
}

void nodes_remove(struct nodes *n, const struct cluster_id *id)
{
	size_t i = place(n, id);

	if (i >= n->n || !id_equal(&n->one[i]->id, id))
		return;
	one_free(n, n->one[i]);
	memmove(&n->one[i], &n->one[i + 1], (n->n - i - 1) * sizeof *n->one);
	n->n--;
}

static enum cluster_err load_one(void *ctx, const char *key, const char *value, size_t size)
{
	struct directory *dir = NULL;
	enum cluster_err e = record_parse(DIRECTORY_NODES, value, size, &dir, NULL);

	(void)key;
	if (e == CLUSTER_OK)
		e = nodes_set(ctx, &dir->nodes[0]);
	directory_free(dir);
	return e;
}

enum cluster_err nodes_load(struct store *s, struct nodes **ret, struct diag *d)
{
	struct nodes *n = calloc(1, sizeof *n);
	enum cluster_err e = n ? store_each(s, STORE_NODE, "", load_one, n) : CLUSTER_ENOMEM;

	if (e != CLUSTER_OK) {
		nodes_free(n);
		return diag_set(d, e, "the store's nodes cannot be read: %s", err_name(e));
	}
	*ret = n;
	return CLUSTER_OK;
}

void nodes_free(struct nodes *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		one_free(n, n->one[i]);
	free(n->one);
	free(n);
}

static int compare_names(const void *a, const void *b)
{
	const struct nodes_one *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

enum cluster_err nodes_by_name(const struct nodes *n, struct nodes_one ***ret)
{
	struct nodes_one **sorted = calloc(n->n + 1, sizeof *sorted);

	if (!sorted)
		return CLUSTER_ENOMEM;
	if (n->n) {
		memcpy(sorted, n->one, n->n * sizeof *sorted);
		qsort(sorted, n->n, sizeof *sorted, compare_names);
	}
	*ret = sorted;
	return CLUSTER_OK;
}

void nodes_inherit(struct nodes *n, struct nodes *old)
{
	n->since = old->since;
	for (size_t i = 0; i < n->n; i++) {
		struct nodes_one *o = nodes_find(old, &n->one[i]->id), *to = n->one[i];

		if (!o)
			continue;
		to->seen = o->seen;
		to->n_steps = o->n_steps;
		memcpy(to->step, o->step, sizeof o->step);
		to->live = o->live;
		n->sessions += o->live.n;
		old->sessions -= o->live.n;
		memset(&o->live, 0, sizeof o->live);
	}
}

bool nodes_role(const struct nodes *n, const char *role)
{
	for (size_t i = 0; i < n->n; i++) {
		for (size_t k = 0; k < n->one[i]->n_roles; k++) {
			if (strcmp(n->one[i]->roles[k], role) == 0)
				return true;
		}
	}
	return false;
}

void nodes_revoked(struct nodes *n, const struct revoked *r, int64_t now)
{
	for (size_t i = 0; i < n->n; i++)
		n->one[i]->revoked = false;
	for (size_t i = 0; i < r->n; i++) {
		const struct revoke_entry *e = &r->item[i]->entry;
		struct nodes_one *o;
		struct cluster_id id;

		if (e->kind == REVOKE_NODE && (!e->before || now < e->before) && id_parse(e->value, &id) == CLUSTER_OK && (o = nodes_find(n, &id)))
			o->revoked = true;
	}
}

void nodes_progress(struct nodes_one *o, int64_t applied, int64_t ended, int64_t head, int64_t ms)
{
	struct nodes_step *last = o->n_steps ? &o->step[o->n_steps - 1] : NULL;

	if (applied > head)
		return;
	if (last && last->applied == applied) {
		last->ended = ended;
		return;
	}
	if (last && applied < last->applied)
		o->n_steps = 0; /* it lost its state: what it proved before is no more true */
	if (o->n_steps == NODES_STEPS)
		memmove(&o->step[0], &o->step[1], (size_t)--o->n_steps * sizeof o->step[0]);
	o->step[o->n_steps++] = (struct nodes_step){ .applied = applied, .ended = ended, .ms = ms };
}

int64_t nodes_applied(const struct nodes_one *o)
{
	return o->n_steps ? o->step[o->n_steps - 1].applied : 0;
}

bool nodes_reachable(const struct nodes *n, const struct nodes_one *o, int64_t now)
{
	return (o->seen > n->since ? o->seen : n->since) + NODES_SILENT >= now;
}

int64_t nodes_least(const struct nodes *n)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < n->n; i++) {
		int64_t applied = nodes_applied(n->one[i]);

		least = applied < least ? applied : least;
	}
	return least;
}

int64_t nodes_ended(const struct nodes_one *o)
{
	return o->n_steps ? o->step[o->n_steps - 1].ended : 0;
}

int64_t nodes_when(const struct nodes_one *o, int64_t version)
{
	for (unsigned i = 0; i < o->n_steps; i++) {
		if (o->step[i].applied >= version)
			return i == 0 && o->n_steps == NODES_STEPS ? -1 : o->step[i].ms;
	}
	return -1;
}

int64_t nodes_ended_for(const struct nodes_one *o, int64_t version)
{
	int64_t before = nodes_ended(o);

	for (unsigned i = 0; i < o->n_steps && o->step[i].applied < version; i++)
		before = o->step[i].ended;
	return nodes_ended(o) >= before ? nodes_ended(o) - before : nodes_ended(o);
}
