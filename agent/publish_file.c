/* SPDX-License-Identifier: Apache-2.0 */
#include "publish_file.h"

#include <limits.h>
#include <string.h>

static enum cluster_err open_old(const struct publish_file *f, const struct publish_place *p, struct snap *ret)
{
	char path[PATH_MAX];
	enum cluster_err e;

	if (p->damaged || p->generation == 0)
		return CLUSTER_EUNAVAIL;
	if ((e = snap_path(path, sizeof path, p->state, p->generation, f->name)) != CLUSTER_OK)
		return e;
	return snap_open(path, p->owner, f->kind, ret);
}

static enum cluster_err plan_change(struct publish_file *f, const struct publish_place *p, struct diag *d)
{
	enum cluster_err e;

	if ((e = open_old(f, p, &f->old)) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EUNAVAIL, "the installed %s cannot be changed: %s", f->name, err_name(e));
	if ((e = snap_merge_new(&f->old, f->bytes.p, f->bytes.n, &f->merge, d)) != CLUSTER_OK) {
		(void)diag_prefix(d, "%s", f->name);
		return e;
	}
	if (memcmp(snap_merge_base(f->merge), &p->base, sizeof p->base) != 0)
		return diag_set(d, CLUSTER_EVERSION, "%s: the change is not of what is installed", f->name);
	f->same = !snap_merge_changes(f->merge);
	return CLUSTER_OK;
}

enum cluster_err publish_file_plan(struct publish_file *f, const struct publish_place *p, struct diag *d)
{
	struct snap s;

	f->same = !f->bytes.p && !p->damaged;
	if (!f->bytes.p)
		return CLUSTER_OK;
	if (snap_change_is(f->bytes.p, f->bytes.n))
		return plan_change(f, p, d);
	if (open_old(f, p, &s) != CLUSTER_OK)
		return CLUSTER_OK;
	f->same = s.size == f->bytes.n && memcmp(s.base, f->bytes.p, s.size) == 0;
	snap_close(&s);
	return CLUSTER_OK;
}

/* trust.snap is also read as its readers do, at once. */
static enum cluster_err check_read(const struct snap *s, struct diag *d)
{
	struct trust t;
	enum cluster_err e;

	if (s->kind == SNAP_TRUST && (e = trust_parse(s->base, s->size, &t)) != CLUSTER_OK)
		return diag_set(d, e, "trust.snap as changed does not hold: %s", err_name(e));
	return CLUSTER_OK;
}

static enum cluster_err check_made(const struct publish_file *f, const struct publish_place *p, uint64_t number, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;
	struct snap s;

	if ((e = generation_path(path, sizeof path, p->gen, number, f->name, d)) != CLUSTER_OK)
		return e;
	if ((e = snap_open(path, p->owner, f->kind, &s)) != CLUSTER_OK)
		return diag_set(d, e, "%s as changed does not hold: %s", f->name, err_name(e));
	if ((e = snap_merge_check(f->merge, &s, d)) == CLUSTER_OK)
		e = check_read(&s, d);
	snap_close(&s);
	return e;
}

enum cluster_err publish_file_write(struct publish_file *f, const struct publish_place *p, uint64_t number, struct diag *d)
{
	const struct snap_sink sink = { .put = generation_put, .ctx = &f->out };
	enum cluster_err e;

	if (f->same)
		return generation_link(p->gen, p->generation, number, f->name, d);
	if ((e = generation_open(p->gen, number, f->name, &f->out, d)) != CLUSTER_OK)
		return e;
	f->open = true;
	if (!f->merge)
		return generation_put(&f->out, f->bytes.p, f->bytes.n) == CLUSTER_OK ? CLUSTER_OK : diag_errno(d, "cannot write %s", f->name);
	if ((e = snap_merge_put(f->merge, &sink, d)) != CLUSTER_OK)
		return e == CLUSTER_ESYSTEM ? diag_errno(d, "cannot write %s", f->name) : e;
	return check_made(f, p, number, d);
}

enum cluster_err publish_file_sync(struct publish_file *f, struct diag *d)
{
	return f->open ? generation_sync(&f->out, f->name, d) : CLUSTER_OK;
}

void publish_file_done(struct publish_file *f)
{
	if (f->open)
		generation_close(&f->out);
	f->open = false;
	snap_merge_free(f->merge);
	f->merge = NULL;
	snap_close(&f->old);
}
