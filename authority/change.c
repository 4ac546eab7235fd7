/* SPDX-License-Identifier: Apache-2.0 */
#include "change.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/credential.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "keys.h"
#include "nodes.h"
#include "poll.h"
#include "record.h"
#include "revoked.h"

enum cluster_err change_store_error(struct change *c, enum cluster_err e, struct diag *d)
{
	return diag_set(d, e, "store: %s", e == CLUSTER_ENOMEM ? "out of memory" : store_error(c->store));
}

enum cluster_err change_begin(struct change *c, struct authority *a, int64_t now, struct diag *d)
{
	enum cluster_err e;

	memset(c, 0, sizeof *c);
	c->a = a;
	c->store = a->store;
	c->now = now;
	c->stage = (struct publish_stage){ .store = a->store, .keys = a->keys, .conf = &a->conf, .cluster = &a->cluster, .now = now };
	if ((e = store_begin(a->store, d)) != CLUSTER_OK)
		return e;
	c->open = true;
	/* another process may have committed since: what we prepare must follow it */
	if (authority_behind(a) && (e = authority_reload(a, d)) != CLUSTER_OK)
		goto out;
	c->stage.keys = a->keys;
	if ((e = publish_stage_init(&c->stage, a->published)) != CLUSTER_OK)
		diag_set(d, e, "out of memory");
out:
	if (e != CLUSTER_OK)
		change_done(c);
	return e;
}

void change_done(struct change *c)
{
	if (c->open)
		store_rollback(c->store);
	c->open = false;
	publish_stage_done(&c->stage);
	revoked_free(c->revoked);
	c->revoked = NULL;
	free(c->touch);
	c->touch = NULL;
	c->n_touch = c->room = 0;
}

static enum cluster_err touch(struct change *c, enum directory_kind kind, const char *key)
{
	if (strlen(key) > NAME_PERSON_MAX)
		return CLUSTER_ELIMIT;
	if (c->n_touch == c->room) {
		size_t room = c->room ? 2 * c->room : 8;
		struct change_touch *grown = reallocarray(c->touch, room, sizeof *grown);

		if (!grown)
			return CLUSTER_ENOMEM;
		c->touch = grown;
		c->room = room;
	}
	c->touch[c->n_touch].kind = kind;
	memcpy(c->touch[c->n_touch++].key, key, strlen(key) + 1);
	return publish_touch(&c->stage, kind, key);
}

typedef enum cluster_err writer(struct store *s, enum store_kind kind, const char *key, const void *value, size_t n);

static enum cluster_err write_record(struct change *c, writer *how, const struct change_touch *at, struct json *record, struct diag *d)
{
	struct directory *dir = NULL;
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if ((e = json_text(record, &text, &n)) != CLUSTER_OK || (e = record_parse(at->kind, text, n, &dir, d)) != CLUSTER_OK)
		goto out;
	if ((e = how(c->store, record_kind(at->kind), at->key, text, n)) == CLUSTER_EVERSION)
		diag_set(d, e, "\"%s\" is there already", at->key);
	else if (e != CLUSTER_OK)
		change_store_error(c, e, d);
	else
		e = touch(c, at->kind, at->key);
out:
	directory_free(dir);
	free(text);
	json_free(record);
	return e;
}

static struct change_touch place(enum directory_kind kind, const char *key)
{
	struct change_touch at = { .kind = kind };

	memcpy(at.key, key, strnlen(key, sizeof at.key - 1));
	return at;
}

enum cluster_err change_put(struct change *c, enum directory_kind kind, const char *key, struct json *record, struct diag *d)
{
	struct change_touch at = place(kind, key);

	return write_record(c, store_put, &at, record, d);
}

enum cluster_err change_add(struct change *c, enum directory_kind kind, const char *key, struct json *record, struct diag *d)
{
	struct change_touch at = place(kind, key);

	return write_record(c, store_add, &at, record, d);
}

enum cluster_err change_remove(struct change *c, enum directory_kind kind, const char *key, struct diag *d)
{
	enum cluster_err e = store_delete(c->store, record_kind(kind), key);

	if (e == CLUSTER_ENOTFOUND)
		return diag_set(d, e, "there is no \"%s\"", key);
	return e != CLUSTER_OK ? change_store_error(c, e, d) : touch(c, kind, key);
}

enum cluster_err change_claim(struct change *c, const char *claim, const char *owner, const char *what, struct diag *d)
{
	enum cluster_err e = store_add(c->store, STORE_CLAIM, claim, owner, strlen(owner));

	if (e == CLUSTER_EVERSION)
		return diag_set(d, e, "%s is taken, or was given out before", what);
	return e == CLUSTER_OK ? e : change_store_error(c, e, d);
}

/* ---- revocations ---- */

static enum cluster_err own_list(struct change *c)
{
	return c->revoked ? CLUSTER_OK : revoked_copy(c->a->revoked, c->now, (int64_t)c->a->conf.skew, &c->revoked);
}

enum cluster_err change_revoke(struct change *c, struct revoke_entry *entry, struct diag *d)
{
	struct revoked_item *item;
	char key[REVOKED_KEY_SIZE];
	enum cluster_err e;

	if ((e = store_next(c->store, "revocation", 1, &entry->seq)) != CLUSTER_OK)
		return change_store_error(c, e, d);
	entry->iat = c->now;
	if ((e = own_list(c)) != CLUSTER_OK || (e = revoked_add(c->revoked, entry, c->by)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	item = c->revoked->item[c->revoked->n - 1];
	revoked_key(entry->seq, key);
	e = store_add(c->store, STORE_REVOCATION, key, item->text, strlen(item->text));
	if (e == CLUSTER_OK && c->by)
		e = store_add(c->store, STORE_REVOKED_BY, key, c->by, strlen(c->by));
	return e == CLUSTER_OK ? e : change_store_error(c, e, d);
}

/* Takes both records of an entry; one that is not there is gone already. */
static enum cluster_err forget_entry(struct change *c, int64_t seq)
{
	char key[REVOKED_KEY_SIZE];
	enum cluster_err e;

	revoked_key(seq, key);
	if ((e = store_delete(c->store, STORE_REVOKED_BY, key)) != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return e;
	e = store_delete(c->store, STORE_REVOCATION, key);
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

enum cluster_err change_unrevoke(struct change *c, int64_t seq, struct diag *d)
{
	enum cluster_err e;

	if ((e = own_list(c)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	if ((e = revoked_remove(c->revoked, seq)) != CLUSTER_OK)
		return diag_set(d, e, "there is no revocation with that number in force");
	e = forget_entry(c, seq);
	return e == CLUSTER_OK ? e : change_store_error(c, e, d);
}

static bool endless(const struct revoke_entry *e, enum revoke_kind kind, const char *id)
{
	return e->kind == kind && e->until >= MOMENT_MAX && strcmp(e->value, id) == 0;
}

static enum cluster_err end_entry(struct change *c, size_t i)
{
	int64_t until = c->now + CREDENTIAL_LIFE_MAX + (int64_t)c->a->conf.skew;
	const struct revoked_item *item;
	char key[REVOKED_KEY_SIZE];
	enum cluster_err e;

	if ((e = revoked_end(c->revoked, i, until)) != CLUSTER_OK)
		return e;
	item = c->revoked->item[i];
	revoked_key(item->entry.seq, key);
	return store_put(c->store, STORE_REVOCATION, key, item->text, strlen(item->text));
}

enum cluster_err change_buried(struct change *c, enum revoke_kind kind, const char *id, struct diag *d)
{
	const struct revoked *now = c->revoked ? c->revoked : c->a->revoked;
	enum cluster_err e = CLUSTER_OK;
	bool any = false;

	for (size_t i = 0; i < now->n && !any; i++)
		any = endless(&now->item[i]->entry, kind, id);
	if (any && (e = own_list(c)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	for (size_t i = 0; any && i < c->revoked->n && e == CLUSTER_OK; i++) {
		if (endless(&c->revoked->item[i]->entry, kind, id))
			e = end_entry(c, i);
	}
	return e == CLUSTER_OK ? e : change_store_error(c, e, d);
}

/* Entries whose time is over leave list and store with the next change of any kind, which is the next head at the latest. */
static enum cluster_err expire(struct change *c)
{
	struct revoked *r = c->a->revoked;
	enum cluster_err e = CLUSTER_OK;

	revoked_settle(r, c->a->published->head_version, nodes_least(c->a->nodes), c->now);
	for (size_t i = 0; i < r->n && e == CLUSTER_OK; i++) {
		if (revoked_leaves(&r->item[i]->entry, r->item[i]->proved, (int64_t)c->a->conf.skew) >= c->now)
			continue;
		if ((e = own_list(c)) == CLUSTER_OK)
			e = forget_entry(c, r->item[i]->entry.seq);
	}
	return e;
}

/* ---- the end ---- */

static enum cluster_err audit(struct change *c, const struct change_audit *r, struct diag *d)
{
	struct store_audit record = { .time = c->now, .actor = r->actor, .action = r->action, .object = r->object, .reason = r->reason };
	enum cluster_err e = store_audit_add(c->store, &record, NULL);

	return e == CLUSTER_OK ? e : change_store_error(c, e, d);
}

/* What is in memory follows what is now durable. A failure here leaves memory behind the store: then everything is read again. */
static enum cluster_err follow(struct change *c)
{
	struct authority *a = c->a;
	enum cluster_err e = CLUSTER_OK;

	publish_free(a->published);
	a->published = c->stage.next;
	c->stage.next = NULL;
	if (c->revoked) {
		revoked_free(a->revoked);
		a->revoked = c->revoked;
		c->revoked = NULL;
	}
	revoked_settle(a->revoked, a->published->head_version, 0, c->now);
	for (size_t i = 0; i < c->n_touch && e == CLUSTER_OK; i++) {
		struct directory *dir = NULL;
		struct cluster_id id;

		if (c->touch[i].kind != DIRECTORY_NODES)
			continue;
		e = record_get(c->store, DIRECTORY_NODES, c->touch[i].key, &dir, NULL);
		if (e == CLUSTER_OK)
			e = nodes_set(a->nodes, &dir->nodes[0]);
		else if (e == CLUSTER_ENOTFOUND && (e = id_parse(c->touch[i].key, &id)) == CLUSTER_OK)
			nodes_remove(a->nodes, &id);
		directory_free(dir);
	}
	nodes_revoked(a->nodes, a->revoked, c->now);
	return e;
}

enum cluster_err change_commit(struct change *c, const struct change_audit *r, int64_t *ret_version, struct diag *d)
{
	enum cluster_err e;

	if ((e = expire(c)) != CLUSTER_OK)
		return change_store_error(c, e, d);
	c->stage.revoked = c->revoked ? c->revoked : c->a->revoked;
	if (c->revoked)
		c->stage.revocations = true;
	if ((e = publish_stage_end(&c->stage, d)) != CLUSTER_OK || (r && (e = audit(c, r, d)) != CLUSTER_OK) || (e = store_commit(c->store, d)) != CLUSTER_OK)
		return e;
	c->open = false;
	e = follow(c);
	if ((e != CLUSTER_OK || c->keyset) && (e = authority_reload(c->a, d)) != CLUSTER_OK)
		return e;
	if (c->a->poll)
		poll_publish(c->a->poll);
	if (ret_version)
		*ret_version = c->a->published->head_version;
	return CLUSTER_OK;
}

enum cluster_err change_commit_quietly(struct change *c, const struct change_audit *r, struct diag *d)
{
	enum cluster_err e;

	if ((r && (e = audit(c, r, d)) != CLUSTER_OK) || (e = store_commit(c->store, d)) != CLUSTER_OK)
		return e;
	c->open = false;
	return CLUSTER_OK;
}
