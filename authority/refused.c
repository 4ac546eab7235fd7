/* SPDX-License-Identifier: Apache-2.0 */
#include "refused.h"

#include <stdlib.h>

#include "admin_part.h"
#include "cluster/refusals.h"
#include "head.h"
#include "nodes.h"

enum cluster_err refused_run(struct call *c, struct json **ret, struct diag *d)
{
	struct refusal *list = NULL;
	enum cluster_err e;
	size_t n = 0;

	if (c->head->query)
		return diag_set(d, CLUSTER_EFORMAT, "this call takes no query");
	if ((e = refusal_batch_read(c->in, &list, &n, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < n && e == CLUSTER_OK; i++)
		e = refusals_add(c->a->refusals, &list[i], &c->node->id);
	free(list);
	if (e != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	*ret = json_make("{s:I}", "taken", (long long)n);
	return CLUSTER_OK;
}

/* One refusal with the name of its node; the id of one that is gone. */
static struct json *refused_json(const struct authority *a, const struct refusal *x, const struct cluster_id *node)
{
	const struct nodes_one *o = nodes_find(a->nodes, node);
	struct json *j = refusal_json(x);
	char id[ID_TEXT + 1];

	id_text(node, id);
	if (!j || json_set(j, "node", json_make("s", o ? o->name : id)) != CLUSTER_OK) {
		json_free(j);
		return NULL;
	}
	return j;
}

/* All with this id: chosen at random, two may have the same, and a node may claim any. */
enum cluster_err admin_refusal_find(struct call *c, struct json **ret, struct diag *d)
{
	const char *id = NULL;
	struct json_field f[] = { { .name = "id", .kind = JSON_KIND_TEXT, .dst = &id, .max = REFUSAL_ID_MAX, .ok = refusal_id_ok } };
	struct json *list = json_list();
	struct cluster_id node;
	struct refusal x;
	enum cluster_err e;
	size_t at = 0;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK)
		goto out;
	while (refusals_find(c->a->refusals, id, &at, &x, &node)) {
		if ((e = json_append(list, refused_json(c->a, &x, &node))) != CLUSTER_OK) {
			diag_set(d, e, "out of memory");
			goto out;
		}
	}
	*ret = json_make("{s:o}", "refusals", list);
	list = NULL;
out:
	json_free(list);
	return e;
}
