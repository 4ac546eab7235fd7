/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assemble_change.h"
#include "assemble_set.h"
#include "docs.h"

#include "cluster/trust_snap.h"
#include "cluster/wr.h"

#define REPORT_MAX 20 /* lines about entries that are left out */

/* Passes on the first lines and counts the rest. */
struct limited {
	const struct local_report *to;
	size_t n;
};

static void limited_line(void *arg, const char *sentence)
{
	struct limited *l = arg;

	if (l->n++ < REPORT_MAX)
		l->to->line(l->to->arg, sentence);
}

/* accounts.snap of the set, or what changes it. */
static enum cluster_err build_accounts(struct assemble *a, const struct assemble_set *s, bool change, const struct local_report *report, struct snap_bytes *ret, struct diag *d)
{
	const struct local_rules rules = { .adopt = &a->conf.adopt, .id_min = a->conf.id_min, .id_max = a->conf.id_max };
	struct limited limited = { .to = report };
	const struct local_report to_limited = { .line = limited_line, .arg = &limited };
	enum cluster_err e;
	char line[100];

	if (change)
		e = assemble_change_accounts(a, s, &to_limited, ret, d);
	else
		e = local_accounts_build(&a->conf.cluster, s->dir, a->local, &rules, &to_limited, ret, d);
	if (e == CLUSTER_OK && limited.n > REPORT_MAX) {
		snprintf(line, sizeof line, "%zu more entries of the directory are left out", limited.n - REPORT_MAX);
		report->line(report->arg, line);
	}
	return e;
}

static enum cluster_err build_trust(const struct assemble *a, const struct assemble_set *s, bool change, struct snap_bytes *ret, struct diag *d)
{
	const struct trust_documents from = { .root = &s->root, .keyset = &s->keyset, .dir = s->dir, .revocations = s->revocations };

	return change ? assemble_change_trust(a, &a->installed, s, ret, d) : trust_build(&from, &a->conf.node, &ret->p, &ret->n, d);
}

static bool same_ref(const struct document_ref *x, const struct document_ref *y)
{
	return crypto_equal(x->sha256, y->sha256, sizeof x->sha256);
}

static bool same_documents(const struct document_head *x, const struct document_head *y)
{
	return same_ref(&x->root, &y->root) && same_ref(&x->keyset, &y->keyset) && same_ref(&x->directory, &y->directory) && same_ref(&x->revocations, &y->revocations);
}

static enum cluster_err put_object(struct assemble *a, const uint8_t *sha256, struct wr *w, struct diag *d)
{
	const struct object *x = objects_get(a->objects, sha256);

	if (!x)
		return diag_set(d, CLUSTER_ENOTFOUND, "a document of the set is missing");
	if (x->stored)
		docs_put_keep(w, sha256);
	else
		docs_put_object(w, sha256, x->bytes, x->n);
	return CLUSTER_OK;
}

/* What root has to put into the docs directory: new objects, the hashes of those that stay, the names, and at last the head. */
static enum cluster_err build_docs(struct assemble *a, const struct assemble_set *s, struct snap_bytes *ret, struct diag *d)
{
	const struct { enum docs_name name; const struct document_ref *ref; } named[] = {
		{ DOCS_ROOT, &s->head.root }, { DOCS_KEYSET, &s->head.keyset }, { DOCS_DIRECTORY, &s->head.directory }, { DOCS_REVOCATIONS, &s->head.revocations },
	};
	enum cluster_err e = CLUSTER_OK;
	struct wr w;
	size_t i;

	wr_grow(&w, DOCS_BUNDLE_MAX);
	for (i = 0; i < sizeof named / sizeof named[0] && e == CLUSTER_OK; i++) {
		e = put_object(a, named[i].ref->sha256, &w, d);
		docs_put_name(&w, named[i].name, named[i].ref->sha256);
	}
	for (i = 0; i < s->dir->n_shards && e == CLUSTER_OK; i++) {
		const struct directory_shard *shard = &s->dir->shards[i];

		if (shard->reused || s->dir_borrowed || s == &a->installed)
			docs_put_keep(&w, shard->sha256);
		else
			e = put_object(a, shard->sha256, &w, d);
	}
	docs_put_head(&w, s->head_text, s->head_n);
	if (e == CLUSTER_OK && (e = wr_take(&w, &ret->p, &ret->n)) != CLUSTER_OK)
		diag_set(d, e, "documents: %s", err_name(e));
	wr_done(&w);
	return e;
}

enum cluster_err assemble_build(struct assemble *a, const struct local_report *report, struct assemble_output *ret, struct diag *d)
{
	const struct assemble_set *s = a->next.used ? &a->next : &a->installed, *last = &a->installed;
	struct assemble_output o;
	bool same, change;
	enum cluster_err e;

	memset(&o, 0, sizeof o);
	if (!s->used || !s->dir || !s->revocations)
		return diag_set(d, CLUSTER_ENOTFOUND, "no verified set");
	same = last->used && !a->whole && same_documents(&s->head, &last->head);
	change = s != last && !a->whole && assemble_change_small(last, s);
	if (!same) {
		if ((e = build_trust(a, s, change, &o.trust, d)) != CLUSTER_OK ||
		    (e = build_docs(a, s, &o.docs, d)) != CLUSTER_OK)
			goto out;
	}
	if (!last->used || a->whole || a->local_changed || !same_ref(&s->head.directory, &last->head.directory)) {
		if ((e = build_accounts(a, s, change && !a->local_changed, report, &o.accounts, d)) != CLUSTER_OK)
			goto out;
		a->local_offered = a->local_changed;
	}
	o.head_version = s->head.version;
	o.head_iat = s->head.iat;
	o.rebuilt = s == last || a->restoring || s->head.version <= a->floor.head;
	*ret = o;
	memset(&o, 0, sizeof o);
	e = CLUSTER_OK;
out:
	assemble_output_done(&o);
	return e;
}

void assemble_output_done(struct assemble_output *o)
{
	free(o->accounts.p);
	free(o->trust.p);
	free(o->docs.p);
	memset(o, 0, sizeof *o);
}
