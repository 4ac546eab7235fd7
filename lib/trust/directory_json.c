/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/directory.h"

#include <stdlib.h>

#include "cluster/b64.h"
#include "cluster/json.h"

#define HASH_TEXT 43

/* Row i of an array of strings, however it is laid out. */
static struct json *rows_json(const char *rows, size_t n, size_t width)
{
	struct json *list = json_list();

	for (size_t i = 0; i < n; i++)
		if (json_append(list, json_make("s", rows + i * width)) != CLUSTER_OK) {
			json_free(list);
			return NULL;
		}
	return list;
}

static struct json *strings_json(char *const *strings, size_t n)
{
	struct json *list = json_list();

	for (size_t i = 0; i < n; i++)
		if (json_append(list, json_make("s", strings[i])) != CLUSTER_OK) {
			json_free(list);
			return NULL;
		}
	return list;
}

/* Sets a flag that is only written when it is true; `j` is freed and NULL is returned on failure. */
static struct json *with_flag(struct json *j, const char *name, bool flag)
{
	if (!flag || json_set(j, name, json_make("b", 1)) == CLUSTER_OK)
		return j;
	json_free(j);
	return NULL;
}

static struct json *with_int(struct json *j, const char *name, long long value, long long otherwise)
{
	if (value == otherwise || json_set(j, name, json_make("I", value)) == CLUSTER_OK)
		return j;
	json_free(j);
	return NULL;
}

struct json *directory_account_json(const struct directory_account *a)
{
	char person[ID_TEXT + 1];

	id_text(&a->person, person);
	return json_make("{s:s, s:I, s:s, s:s, s:s*, s:s, s:I}", "gecos", a->gecos, "gid", (long long)a->gid, "home", a->home, "name", a->name,
		"person", a->personal ? person : NULL, "shell", a->shell, "uid", (long long)a->uid);
}

struct json *directory_group_json(const struct directory_group *g)
{
	return json_make("{s:I, s:o, s:s}", "gid", (long long)g->gid, "members", strings_json(g->members, g->n_members), "name", g->name);
}

static struct json *devices_json(const struct directory_person *p)
{
	struct json *list = json_list();

	for (size_t i = 0; i < p->n_devices; i++) {
		char id[ID_TEXT + 1];

		id_text(&p->devices[i].id, id);
		if (json_append(list, json_make("{s:s, s:s}", "id", id, "jkt", p->devices[i].jkt)) != CLUSTER_OK) {
			json_free(list);
			return NULL;
		}
	}
	return list;
}

struct json *directory_person_json(const struct directory_person *p)
{
	struct json *j;
	char id[ID_TEXT + 1];

	id_text(&p->id, id);
	j = json_make("{s:o, s:s, s:s, s:o}", "devices", devices_json(p), "id", id, "name", p->name, "roles", rows_json((const char *)p->roles, p->n_roles, sizeof *p->roles));
	return with_flag(with_flag(j, "admin", p->admin), "disabled", p->disabled);
}

struct json *directory_node_json(const struct directory_node *n)
{
	struct json *j;
	char id[ID_TEXT + 1];

	id_text(&n->id, id);
	j = json_make("{s:o, s:o, s:o, s:s, s:s*, s:s*, s:o, s:s, s:o}", "addresses", rows_json((const char *)n->addresses, n->n_addresses, sizeof *n->addresses),
		"hop", jwk_build(&n->hop, JWK_BARE), "hostkeys", strings_json(n->hostkeys, n->n_hostkeys), "id", id, "instance", n->instance, "jump", n->jump,
		"key", jwk_build(&n->key, JWK_BARE), "name", n->name, "roles", rows_json((const char *)n->roles, n->n_roles, sizeof *n->roles));
	return with_int(with_flag(j, "leader", n->leader), "port", n->port ? n->port : 22, 22);
}

static const char *on_revoke_name(enum directory_on_revoke r)
{
	switch (r) {
	case DIRECTORY_END:
		return NULL; /* the default is not written */
	case DIRECTORY_WARN:
		return "warn";
	case DIRECTORY_KEEP:
		return "keep";
	}
	return NULL;
}

struct json *directory_grant_json(const struct directory_grant *g)
{
	struct json *j;
	char id[ID_TEXT + 1], person[ID_TEXT + 1];

	id_text(&g->id, id);
	id_text(&g->person, person);
	j = json_make("{s:o, s:s, s:o, s:s*, s:s*, s:s*, s:s*}", "accounts", rows_json((const char *)g->accounts, g->n_accounts, sizeof *g->accounts), "id", id,
		"nodes", strings_json(g->nodes, g->n_nodes), "on_expiry", g->end_at_expiry ? "end" : NULL, "on_revoke", on_revoke_name(g->on_revoke), "person", g->to_role || g->n_from ? NULL : person,
		"role", g->to_role ? g->role : NULL);
	if (g->n_from && json_set(j, "from", strings_json(g->from, g->n_from)) != CLUSTER_OK) {
		json_free(j);
		return NULL;
	}
	j = with_flag(with_flag(with_flag(j, "hop", g->hop), "onetime", g->onetime), "sudo", g->sudo);
	return with_int(j, "ttl", g->ttl, 0);
}

static struct json *shards_json(const struct directory *dir)
{
	struct json *list = json_list();

	for (size_t i = 0; i < dir->n_shards; i++) {
		const struct directory_shard *s = &dir->shards[i];
		char hash[HASH_TEXT + 1];

		if (b64_encode(s->sha256, sizeof s->sha256, hash, sizeof hash) != CLUSTER_OK ||
		    json_append(list, json_make("{s:s, s:s, s:I}", "kind", directory_kind_name(s->kind), "sha256", hash, "size", (long long)s->size)) != CLUSTER_OK) {
			json_free(list);
			return NULL;
		}
	}
	return list;
}

enum cluster_err directory_index_build(const struct directory *dir, const struct cluster_id *cluster, char **ret)
{
	struct json *tree;
	char id[ID_TEXT + 1];
	enum cluster_err e;

	id_text(cluster, id);
	tree = json_make("{s:s, s:I, s:{s:I, s:I, s:I}, s:o, s:I}", "cluster", id, "iat", (long long)dir->iat, "policy", "max_stale", (long long)dir->max_stale,
		"skew", (long long)dir->skew, "sudo_fresh", (long long)dir->sudo_fresh, "shards", shards_json(dir), "version", (long long)dir->version);
	e = json_text(tree, ret, NULL);
	json_free(tree);
	return e;
}
