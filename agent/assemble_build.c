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

/* Hands over a change that was made (`e`), and frees it. CLUSTER_ELIMIT: it is too large, and nothing has been handed over. */
static enum cluster_err put_change(enum cluster_err e, const struct assemble *a, const struct snap_sink *sink, struct snap_bytes *b, struct diag *d)
{
	if (e != CLUSTER_OK)
		return e;
	if (a->conf.change_most && b->n > a->conf.change_most)
		e = CLUSTER_ELIMIT;
	else if (b->p && (e = sink->put(sink->ctx, b->p, b->n)) != CLUSTER_OK)
		e = diag_set(d, e == CLUSTER_ELIMIT ? CLUSTER_ENOMEM : e, "a change of %zu bytes: %s", b->n, err_name(e));
	free(b->p);
	return e;
}

/* accounts.snap of the set, or what changes it. */
static enum cluster_err build_accounts(struct assemble *a, const struct assemble_set *s, bool change, const struct local_report *report, const struct snap_sink *sink, struct diag *d)
{
	const struct local_rules rules = { .adopt = &a->conf.adopt, .id_min = a->conf.id_min, .id_max = a->conf.id_max };
	struct limited limited = { .to = report };
	const struct local_report to_limited = { .line = limited_line, .arg = &limited };
	struct snap_bytes b = { .p = NULL };
	enum cluster_err e = CLUSTER_ELIMIT;
	char line[100];

	if (change)
		e = put_change(assemble_change_accounts(a, s, &to_limited, &b, d), a, sink, &b, d);
	if (e == CLUSTER_ELIMIT) {
		limited.n = 0;
		diag_clear(d);
		e = local_accounts_put(&a->conf.cluster, s->dir, a->local, &rules, &to_limited, sink, d);
	}
	if (e == CLUSTER_OK && limited.n > REPORT_MAX) {
		snprintf(line, sizeof line, "%zu more entries of the directory are left out", limited.n - REPORT_MAX);
		report->line(report->arg, line);
	}
	return e;
}

static enum cluster_err build_trust(const struct assemble *a, const struct assemble_set *s, bool change, const struct snap_sink *sink, struct diag *d)
{
	const struct trust_documents from = { .root = &s->root, .keyset = &s->keyset, .dir = s->dir, .revocations = s->revocations };
	struct snap_bytes b = { .p = NULL };
	enum cluster_err e = CLUSTER_ELIMIT;

	if (change)
		e = put_change(assemble_change_trust(a, &a->installed, s, &b, d), a, sink, &b, d);
	if (e != CLUSTER_ELIMIT)
		return e;
	diag_clear(d);
	return trust_put(&from, &a->conf.node, sink, d);
}

static bool same_ref(const struct document_ref *x, const struct document_ref *y)
{
	return crypto_equal(x->sha256, y->sha256, sizeof x->sha256);
}

static bool same_documents(const struct document_head *x, const struct document_head *y)
{
	return same_ref(&x->root, &y->root) && same_ref(&x->keyset, &y->keyset) && same_ref(&x->directory, &y->directory) && same_ref(&x->revocations, &y->revocations);
}

/* Passes on what has been written, object by object: the bundle is never in this process's memory as a whole. */
static enum cluster_err pass_on(struct wr *w, const struct snap_sink *sink)
{
	enum cluster_err e = wr_end(w);

	if (e == CLUSTER_OK && w->n > 0)
		e = sink->put(sink->ctx, w->p, w->n);
	w->n = 0;
	return e;
}

static enum cluster_err put_object(struct assemble *a, const uint8_t *sha256, struct wr *w, const struct snap_sink *sink, struct diag *d)
{
	const struct object *x = objects_get(a->objects, sha256);
	enum cluster_err e;

	if (!x)
		return diag_set(d, CLUSTER_ENOTFOUND, "a document of the set is missing");
	if (x->stored)
		docs_put_keep(w, sha256);
	else
		docs_put_object(w, sha256, x->bytes, x->n);
	if (x->stored)
		return CLUSTER_OK;
	e = pass_on(w, sink);
	return e == CLUSTER_OK ? e : diag_set(d, e, "a document cannot be handed over: %s", err_name(e));
}

/* What root has to put into the docs directory: new objects, the hashes of those that stay, the names, and at last the head. */
static enum cluster_err build_docs(struct assemble *a, const struct assemble_set *s, const struct snap_sink *sink, struct diag *d)
{
	const struct { enum docs_name name; const struct document_ref *ref; } named[] = {
		{ DOCS_ROOT, &s->head.root }, { DOCS_KEYSET, &s->head.keyset }, { DOCS_DIRECTORY, &s->head.directory }, { DOCS_REVOCATIONS, &s->head.revocations },
	};
	enum cluster_err e = CLUSTER_OK;
	struct wr w;
	size_t i;

	wr_grow(&w, DOCS_BUNDLE_MAX);
	for (i = 0; i < sizeof named / sizeof named[0] && e == CLUSTER_OK; i++) {
		e = put_object(a, named[i].ref->sha256, &w, sink, d);
		docs_put_name(&w, named[i].name, named[i].ref->sha256);
	}
	for (i = 0; i < s->dir->n_shards && e == CLUSTER_OK; i++) {
		const struct directory_shard *shard = &s->dir->shards[i];

		if (shard->reused || s->dir_borrowed || s == &a->installed)
			docs_put_keep(&w, shard->sha256);
		else
			e = put_object(a, shard->sha256, &w, sink, d);
	}
	docs_put_head(&w, s->head_text, s->head_n);
	if (e == CLUSTER_OK && (e = pass_on(&w, sink)) != CLUSTER_OK)
		diag_set(d, e, "documents: %s", err_name(e));
	wr_done(&w);
	return e;
}

/* The three outputs, one after the other: which of them, and how. */
struct plan {
	bool documents, accounts; /* trust.snap goes with the documents */
	bool change;
};

static enum cluster_err build_documents(struct assemble *a, const struct assemble_set *s, const struct plan *p, struct assemble_output *o, struct diag *d)
{
	enum cluster_err e;

	if ((e = memory_begin("documents", &o->docs, d)) != CLUSTER_OK || (e = build_docs(a, s, &(struct snap_sink){ memory_put, &o->docs }, d)) != CLUSTER_OK ||
	    (e = memory_end(&o->docs, d)) != CLUSTER_OK)
		return e;
	assemble_forget_shards(a); /* their texts are handed over: room for the snapshots */
	if ((e = memory_begin("trust.snap", &o->trust, d)) != CLUSTER_OK || (e = build_trust(a, s, p->change, &(struct snap_sink){ memory_put, &o->trust }, d)) != CLUSTER_OK)
		return e;
	return memory_end(&o->trust, d);
}

static enum cluster_err build_all(struct assemble *a, const struct assemble_set *s, const struct plan *p, const struct local_report *report, struct assemble_output *o, struct diag *d)
{
	enum cluster_err e;

	if (p->documents && (e = build_documents(a, s, p, o, d)) != CLUSTER_OK)
		return e;
	if (!p->accounts)
		return CLUSTER_OK;
	if ((e = memory_begin("accounts.snap", &o->accounts, d)) != CLUSTER_OK ||
	    (e = build_accounts(a, s, p->change && !a->local_changed, report, &(struct snap_sink){ memory_put, &o->accounts }, d)) != CLUSTER_OK)
		return e;
	a->local_offered = a->local_changed;
	return memory_end(&o->accounts, d);
}

enum cluster_err assemble_build(struct assemble *a, const struct local_report *report, struct assemble_output *ret, struct diag *d)
{
	const struct assemble_set *s = a->next.used ? &a->next : &a->installed, *last = &a->installed;
	struct assemble_output o;
	struct plan p;
	enum cluster_err e;

	memset(&o, 0, sizeof o);
	if (!s->used || !s->dir || !s->revocations)
		return diag_set(d, CLUSTER_ENOTFOUND, "no verified set");
	p.documents = !last->used || a->whole || !same_documents(&s->head, &last->head);
	p.accounts = !last->used || a->whole || a->local_changed || !same_ref(&s->head.directory, &last->head.directory);
	p.change = s != last && !a->whole && assemble_change_small(last, s);
	if ((e = build_all(a, s, &p, report, &o, d)) != CLUSTER_OK)
		goto out;
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
	memory_done(&o->accounts);
	memory_done(&o->trust);
	memory_done(&o->docs);
	memset(o, 0, sizeof *o);
}
