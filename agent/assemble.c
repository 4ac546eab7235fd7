/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble.h"

#include <stdlib.h>
#include <string.h>

#include "assemble_set.h"

#define FIRST_SKEW DIRECTORY_SKEW_MAX /* before any directory has said which skew holds */

enum cluster_err assemble_new(const struct assemble_conf *conf, const struct assemble_floor *floor, struct assemble **ret)
{
	struct assemble *a = calloc(1, sizeof *a);

	if (!a)
		return CLUSTER_ENOMEM;
	a->conf = *conf;
	a->floor = *floor;
	if (objects_new(&a->objects) != CLUSTER_OK || local_parse("", 0, "", 0, &a->local) != CLUSTER_OK) {
		assemble_free(a);
		return CLUSTER_ENOMEM;
	}
	*ret = a;
	return CLUSTER_OK;
}

static void set_done(struct assemble_set *s)
{
	free(s->head_text);
	if (!s->dir_borrowed)
		directory_free(s->dir);
	revoke_free(s->revocations);
	memset(s, 0, sizeof *s);
}

void assemble_free(struct assemble *a)
{
	if (!a)
		return;
	set_done(&a->next);
	set_done(&a->installed);
	objects_free(a->objects);
	local_free(a->local);
	free(a->want);
	free(a);
}

enum cluster_err assemble_local(struct assemble *a, const char *passwd, size_t passwd_n, const char *group, size_t group_n)
{
	struct local *l;
	enum cluster_err e;

	if ((e = local_parse(passwd, passwd_n, group, group_n, &l)) != CLUSTER_OK)
		return e;
	local_free(a->local);
	a->local = l;
	a->local_changed = true;
	a->local_offered = false; /* what is on its way was made before */
	return CLUSTER_OK;
}

bool assemble_installed(const struct assemble *a)
{
	return a->installed.used;
}

int64_t assemble_version(const struct assemble *a)
{
	return a->installed.used ? a->installed.head.version : a->floor.head;
}

const struct document_keyset *assemble_keyset(const struct assemble *a)
{
	return a->installed.used ? &a->installed.keyset : NULL;
}

const struct assemble_want *assemble_wanted(const struct assemble *a, size_t *ret_n)
{
	*ret_n = a->n_want;
	return a->want;
}

static bool same_hash(const uint8_t *x, const uint8_t *y)
{
	return crypto_equal(x, y, CRYPTO_SHA256_SIZE);
}

enum cluster_err assemble_object(struct assemble *a, const void *bytes, size_t n, struct diag *d)
{
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	struct object *x;
	enum cluster_err e;
	size_t i;

	if ((e = crypto_sha256(bytes, n, sha256)) != CLUSTER_OK)
		return diag_set(d, e, "cannot hash an object");
	for (i = 0; i < a->n_want; i++) {
		if (same_hash(a->want[i].sha256, sha256) && n <= a->want[i].max) {
			if ((e = objects_put(a->objects, bytes, n, &x)) != CLUSTER_OK)
				return diag_set(d, e, "out of memory for an object of %zu bytes", n);
			x->stored |= a->restoring;
			return CLUSTER_OK;
		}
	}
	return diag_set(d, CLUSTER_ESIGNATURE, "an object of %zu bytes that the head does not name", n);
}

/* The object if it is here; else it is wanted, and *ret is NULL. */
static enum cluster_err need(struct assemble *a, const uint8_t *sha256, uint64_t max, struct object **ret)
{
	struct assemble_want *want;
	size_t room;

	*ret = objects_get(a->objects, sha256);
	if (*ret)
		return CLUSTER_OK;
	if (a->n_want == a->want_room) {
		room = a->want_room ? a->want_room * 2 : 16;
		want = reallocarray(a->want, room, sizeof *want);
		if (!want)
			return CLUSTER_ENOMEM;
		a->want = want;
		a->want_room = room;
	}
	a->want[a->n_want] = (struct assemble_want){ .max = max };
	memcpy(a->want[a->n_want++].sha256, sha256, CRYPTO_SHA256_SIZE);
	return CLUSTER_OK;
}

/* The keys of the set that comes in; the skew of the one that is installed. */
static struct keyring_at judge_at(const struct assemble *a, int64_t now)
{
	return (struct keyring_at){
		.cluster = &a->conf.cluster, .ring = &a->next.keyset.ring, .now = now, .skew = a->installed.used ? a->installed.dir->skew : FIRST_SKEW,
	};
}

static enum cluster_err check_version(const char *what, int64_t inside, const struct document_ref *ref, struct diag *d)
{
	if (inside != ref->version)
		return diag_set(d, CLUSTER_EVERSION, "%s says version %lld, the head says %lld", what, (long long)inside, (long long)ref->version);
	return CLUSTER_OK;
}

/* Root and keyset, from the pin down. */
static enum cluster_err verify_keys(struct assemble *a, const struct object *root, const struct object *keyset, struct diag *d)
{
	struct assemble_set *s = &a->next;
	enum cluster_err e;

	if ((e = document_ref_check(&s->head.root, root->bytes, root->n, "root", d)) != CLUSTER_OK ||
	    (e = document_root_verify((const char *)root->bytes, root->n, a->conf.pin, &s->root, d)) != CLUSTER_OK ||
	    (e = check_version("root", s->root.version, &s->head.root, d)) != CLUSTER_OK)
		return e;
	if (!id_equal(&s->root.cluster, &a->conf.cluster))
		return diag_set(d, CLUSTER_ESIGNATURE, "root is another cluster's");
	if ((e = document_ref_check(&s->head.keyset, keyset->bytes, keyset->n, "keyset", d)) != CLUSTER_OK ||
	    (e = document_keyset_verify((const char *)keyset->bytes, keyset->n, &s->root, &s->keyset, d)) != CLUSTER_OK)
		return e;
	return check_version("keyset", s->keyset.version, &s->head.keyset, d);
}

static enum cluster_err check_floor(const struct assemble *a, const struct document_head *h, struct diag *d)
{
	const struct assemble_floor *f = &a->floor;

	if (h->keyset.version < f->keyset || h->directory.version < f->directory || h->revocations.version < f->revocations)
		return diag_set(d, CLUSTER_EVERSION, "keyset %lld, directory %lld, revocations %lld are older than %lld, %lld, %lld, which this node has had",
		    (long long)h->keyset.version, (long long)h->directory.version, (long long)h->revocations.version, (long long)f->keyset,
		    (long long)f->directory, (long long)f->revocations);
	if (a->restoring)
		return CLUSTER_OK;
	if (h->version < f->head)
		return diag_set(d, CLUSTER_EVERSION, "head went back from version %lld to %lld", (long long)f->head, (long long)h->version);
	if (f->head > 0 && h->version - f->head > DOCUMENT_VERSION_STEP)
		return diag_set(d, CLUSTER_EVERSION, "head jumped from version %lld to %lld", (long long)f->head, (long long)h->version);
	return CLUSTER_OK;
}

/* The head's signature, now that its keyset is known, and its versions. What was only peeked at before is replaced by what is signed. */
static enum cluster_err verify_head(struct assemble *a, const struct keyring_at *at, struct diag *d)
{
	struct assemble_set *s = &a->next;
	enum cluster_err e;

	if ((e = document_head_verify(s->head_text, s->head_n, at, &s->head, d)) != CLUSTER_OK)
		return e;
	if (a->installed.used && (e = document_head_step(&a->installed.head, &s->head, d)) != CLUSTER_OK)
		return e;
	return check_floor(a, &s->head, d);
}

/* From the installed directory, or else from its text. */
static enum cluster_err read_shard(struct assemble *a, struct directory *dir, const struct directory *from, size_t i, struct diag *d)
{
	enum cluster_err e = from ? directory_shard_reuse(dir, i, from) : CLUSTER_ENOTFOUND;
	const struct object *x;

	if (e != CLUSTER_ENOTFOUND)
		return e == CLUSTER_OK ? e : diag_set(d, e, "directory: out of memory");
	x = objects_get(a->objects, dir->shards[i].sha256);
	return x ? directory_shard_add(dir, i, (const char *)x->bytes, x->n, d) : diag_set(d, CLUSTER_ENOTFOUND, "shard %zu is missing", i);
}

/* All shards are here: reads them. Takes over `dir` in any case. */
static enum cluster_err read_shards(struct assemble *a, struct directory *dir, struct diag *d)
{
	const struct directory *from = a->installed.used ? a->installed.dir : NULL;
	enum cluster_err e = CLUSTER_OK;
	size_t i;

	for (i = 0; i < dir->n_shards && e == CLUSTER_OK; i++)
		e = read_shard(a, dir, from, i, d);
	if (e == CLUSTER_OK)
		e = directory_check(dir, d);
	if (e == CLUSTER_OK && (e = directory_sort(dir, from)) != CLUSTER_OK)
		diag_set(d, e, "directory: out of memory");
	if (e != CLUSTER_OK) {
		directory_free(dir);
		return e;
	}
	a->next.dir = dir;
	a->next.dir_borrowed = false;
	return CLUSTER_OK;
}

/* The directory's index is verified each time, also when it has not changed: its key may have left the keyset. */
static enum cluster_err verify_directory(struct assemble *a, const struct object *index, const struct keyring_at *at, struct diag *d)
{
	struct assemble_set *s = &a->next;
	struct directory *dir;
	enum cluster_err e;
	struct object *x;
	size_t i;

	if ((e = document_ref_check(&s->head.directory, index->bytes, index->n, "directory", d)) != CLUSTER_OK ||
	    (e = directory_parse((const char *)index->bytes, index->n, at, &dir, d)) != CLUSTER_OK)
		return e;
	if ((e = check_version("directory", dir->version, &s->head.directory, d)) != CLUSTER_OK) {
		directory_free(dir);
		return e;
	}
	if (a->installed.used && same_hash(s->head.directory.sha256, a->installed.head.directory.sha256)) {
		directory_free(dir);
		s->dir = a->installed.dir;
		s->dir_borrowed = true;
		return CLUSTER_OK;
	}
	for (i = 0; i < dir->n_shards && e == CLUSTER_OK; i++) {
		if (!a->installed.used || !directory_shard_has(a->installed.dir, &dir->shards[i], i))
			e = need(a, dir->shards[i].sha256, dir->shards[i].size, &x);
	}
	if (e != CLUSTER_OK || a->n_want > 0) {
		directory_free(dir);
		return e == CLUSTER_OK ? CLUSTER_OK : diag_set(d, e, "directory: out of memory");
	}
	return read_shards(a, dir, d);
}

static enum cluster_err verify_revocations(struct assemble *a, const struct object *list, const struct keyring_at *at, struct diag *d)
{
	struct assemble_set *s = &a->next;
	enum cluster_err e;

	if ((e = document_ref_check(&s->head.revocations, list->bytes, list->n, "revocations", d)) != CLUSTER_OK)
		return e;
	revoke_free(s->revocations);
	s->revocations = NULL;
	if ((e = revoke_parse((const char *)list->bytes, list->n, at, &s->revocations, d)) != CLUSTER_OK)
		return e;
	return check_version("revocations", s->revocations->version, &s->head.revocations, d);
}

/* As far as the objects at hand allow. Wanted objects, if any, stand in a->want. */
static enum cluster_err advance(struct assemble *a, int64_t now, struct diag *d)
{
	struct object *root, *keyset, *directory, *revocations;
	struct assemble_set *s = &a->next;
	struct keyring_at at;
	enum cluster_err e;

	if ((e = document_head_peek(s->head_text, s->head_n, &s->head, d)) != CLUSTER_OK)
		return e;
	at = judge_at(a, a->restoring ? s->head.iat : now);
	if ((e = need(a, s->head.root.sha256, (uint64_t)s->head.root.size, &root)) != CLUSTER_OK ||
	    (e = need(a, s->head.keyset.sha256, (uint64_t)s->head.keyset.size, &keyset)) != CLUSTER_OK || a->n_want > 0)
		return e;
	if ((e = verify_keys(a, root, keyset, d)) != CLUSTER_OK || (e = verify_head(a, &at, d)) != CLUSTER_OK)
		return e;
	if ((e = need(a, s->head.directory.sha256, (uint64_t)s->head.directory.size, &directory)) != CLUSTER_OK ||
	    (e = need(a, s->head.revocations.sha256, (uint64_t)s->head.revocations.size, &revocations)) != CLUSTER_OK || a->n_want > 0)
		return e;
	if ((e = verify_revocations(a, revocations, &at, d)) != CLUSTER_OK)
		return e;
	return verify_directory(a, directory, &at, d);
}

enum cluster_err assemble_step(struct assemble *a, int64_t now, enum assemble_state *ret, struct diag *d)
{
	enum cluster_err e;

	if (!a->next.used)
		return diag_set(d, CLUSTER_ENOTFOUND, "no head is offered");
	a->n_want = 0;
	e = advance(a, now, d);
	if (e != CLUSTER_OK) {
		if (d && d->code == CLUSTER_OK)
			diag_set(d, e, "%s", err_name(e));
		assemble_drop(a);
		return e;
	}
	*ret = a->n_want > 0 ? ASSEMBLE_WANT : ASSEMBLE_READY;
	return CLUSTER_OK;
}

static enum cluster_err offer(struct assemble *a, const char *text, size_t n, struct diag *d)
{
	assemble_drop(a);
	a->next.head_text = malloc(n + 1);
	if (!a->next.head_text)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	memcpy(a->next.head_text, text, n);
	a->next.head_text[n] = '\0';
	a->next.head_n = n;
	a->next.used = true;
	return CLUSTER_OK;
}

enum cluster_err assemble_head(struct assemble *a, const char *text, size_t n, int64_t now, enum assemble_state *ret, struct diag *d)
{
	const struct document_head *last = &a->installed.head;
	struct document_head h;
	enum cluster_err e;

	if ((e = document_head_peek(text, n, &h, d)) != CLUSTER_OK)
		return e;
	if (a->installed.used && h.version == last->version) {
		/* a raised version stands for a head whose text was not kept: there is nothing to compare with */
		if (!a->raised && (e = document_head_step(last, &h, d)) != CLUSTER_OK)
			return e;
		*ret = ASSEMBLE_SAME;
		return CLUSTER_OK;
	}
	if ((e = offer(a, text, n, d)) != CLUSTER_OK)
		return e;
	return assemble_step(a, now, ret, d);
}

enum cluster_err assemble_restore(struct assemble *a, const char *text, size_t n, enum assemble_state *ret, struct diag *d)
{
	enum cluster_err e;

	if ((e = offer(a, text, n, d)) != CLUSTER_OK)
		return e;
	a->restoring = true;
	return assemble_step(a, 0, ret, d);
}

static void mark(struct assemble *a, const uint8_t *sha256, bool stored)
{
	struct object *x = objects_get(a->objects, sha256);

	if (!x)
		return;
	x->marked = true;
	x->stored |= stored;
}

static void mark_documents(struct assemble *a, const struct assemble_set *s, bool stored)
{
	if (!s->used)
		return;
	mark(a, s->head.root.sha256, stored);
	mark(a, s->head.keyset.sha256, stored);
	mark(a, s->head.directory.sha256, stored);
	mark(a, s->head.revocations.sha256, stored);
}

/* Only the documents of the installed set stay in memory: its shards are read, and on disk. */
static void prune(struct assemble *a)
{
	mark_documents(a, &a->installed, true);
	objects_sweep(a->objects);
}

void assemble_forget_shards(struct assemble *a)
{
	mark_documents(a, &a->installed, true);
	mark_documents(a, &a->next, false);
	objects_sweep(a->objects);
}

void assemble_drop(struct assemble *a)
{
	bool offered = a->next.used;

	set_done(&a->next);
	a->restoring = false;
	a->local_offered = false;
	a->n_want = 0;
	if (offered)
		prune(a);
}

void assemble_whole(struct assemble *a)
{
	a->whole = true;
}

void assemble_commit(struct assemble *a)
{
	struct assemble_set *s = &a->next;

	a->whole = false;
	if (a->local_offered)
		a->local_changed = a->local_offered = false;
	if (!s->used)
		return;
	if (s->dir_borrowed) {
		s->dir_borrowed = false;
		a->installed.dir = NULL;
	}
	set_done(&a->installed);
	a->installed = *s;
	memset(s, 0, sizeof *s);
	a->raised = a->installed.head.version < a->floor.head;
	if (a->raised)
		a->installed.head.version = a->floor.head;
	assemble_drop(a);
	prune(a);
}
