/* SPDX-License-Identifier: Apache-2.0 */
#include "grants.h"

#include <stdio.h>
#include <string.h>

#include "record.h"
#include "revoked.h"
#include "store.h"

void grants_key(const struct directory_grant *g, char dst[GRANTS_KEY_MAX])
{
	char id[ID_TEXT + 1], person[ID_TEXT + 1];

	id_text(&g->id, id);
	id_text(&g->person, person);
	if (g->n_from)
		snprintf(dst, GRANTS_KEY_MAX, "nodes:%s", id);
	else
		snprintf(dst, GRANTS_KEY_MAX, "%s:%s:%s", g->to_role ? "role" : "person", g->to_role ? g->role : person, id);
}

struct walk {
	struct store *store;
	grants_visit *visit;
	void *ctx;
};

static enum cluster_err walk_one(void *ctx, const char *key, const char *value, size_t n)
{
	const char *id = strrchr(key, ':');
	struct directory *dir = NULL;
	struct walk *w = ctx;
	enum cluster_err e;

	(void)value;
	(void)n;
	if (!id)
		return CLUSTER_EFORMAT;
	if ((e = record_get(w->store, DIRECTORY_GRANTS, id + 1, &dir, NULL)) == CLUSTER_OK)
		e = w->visit(w->ctx, &dir->grants[0]);
	directory_free(dir);
	return e;
}

enum cluster_err grants_of(struct authority *a, const struct directory_person *p, int64_t now, grants_visit *visit, void *ctx)
{
	struct walk w = { .store = a->store, .visit = visit, .ctx = ctx };
	char prefix[GRANTS_KEY_MAX], id[ID_TEXT + 1];
	enum cluster_err e;

	id_text(&p->id, id);
	snprintf(prefix, sizeof prefix, "person:%s:", id);
	e = store_each(a->store, STORE_GRANT_TO, prefix, walk_one, &w);
	for (size_t i = 0; i < p->n_roles && e == CLUSTER_OK; i++) {
		if (revoked_find(a->revoked, REVOKE_ROLE, p->roles[i], now))
			continue;
		snprintf(prefix, sizeof prefix, "role:%s:", p->roles[i]);
		e = store_each(a->store, STORE_GRANT_TO, prefix, walk_one, &w);
	}
	return e;
}
