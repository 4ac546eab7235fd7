/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/directory.h"

#include <stdlib.h>

static enum cluster_err add_range(uint32_t **list, size_t *n, const struct directory_shard *shard)
{
	uint32_t *p = reallocarray(*list, *n + shard->n + 1, sizeof *p);

	if (!p)
		return CLUSTER_ENOMEM;
	*list = p;
	for (size_t i = 0; i < shard->n; i++)
		p[(*n)++] = (uint32_t)(shard->first + i);
	return CLUSTER_OK;
}

enum cluster_err directory_changes(const struct directory *from, const struct directory *to, enum directory_kind kind, struct directory_changes *ret)
{
	struct directory_changes c = { .n_is = 0 };
	enum cluster_err e = CLUSTER_OK;
	bool *kept = NULL;

	if (from == to)
		goto done;
	if (!(kept = calloc(directory_count(from, kind) + 1, sizeof *kept))) {
		e = CLUSTER_ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < to->n_shards && e == CLUSTER_OK; i++) {
		const struct directory_shard *s = &to->shards[i];

		if (s->kind == kind && s->reused)
			kept[s->was] = s->n > 0 || kept[s->was];
		else if (s->kind == kind)
			e = add_range(&c.is, &c.n_is, s);
	}
	for (size_t i = 0; i < from->n_shards && e == CLUSTER_OK; i++) {
		if (from->shards[i].kind == kind && from->shards[i].n > 0 && !kept[from->shards[i].first])
			e = add_range(&c.was, &c.n_was, &from->shards[i]);
	}
	if (e != CLUSTER_OK)
		goto out;
done:
	*ret = c;
	c = (struct directory_changes){ .n_is = 0 };
out:
	free(kept);
	directory_changes_done(&c);
	return e;
}

void directory_changes_done(struct directory_changes *c)
{
	free(c->was);
	free(c->is);
	*c = (struct directory_changes){ .n_is = 0 };
}
