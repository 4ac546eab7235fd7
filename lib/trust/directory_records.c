/* SPDX-License-Identifier: Apache-2.0 */
#include "directory_records.h"

#include <stdlib.h>
#include <string.h>

#include "json_field.h"

#include "cluster/b64.h"

#define SELECTOR_MAX (5 + NAME_NODE_MAX)
#define ON_REVOKE_MAX 7

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All strings, all in the grammar, none twice. */
static enum cluster_err check_strings(const struct json *array, bool (*ok)(const char *), struct diag *d)
{
	size_t n = json_count(array);
	const char **sorted = n ? calloc(n, sizeof *sorted) : NULL;
	enum cluster_err e = CLUSTER_OK;

	if (n && !sorted)
		return CLUSTER_ENOMEM;
	for (size_t i = 0; i < n && e == CLUSTER_OK; i++) {
		sorted[i] = json_string_at(array, i);
		if (!sorted[i] || !ok(sorted[i]))
			e = diag_set(d, CLUSTER_EFORMAT, "element %zu of a list breaks its grammar", i);
	}
	if (e == CLUSTER_OK && n > 1)
		qsort(sorted, n, sizeof *sorted, by_text);
	for (size_t i = 1; i < n && e == CLUSTER_OK; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			e = diag_set(d, CLUSTER_EFORMAT, "\"%.80s\" is in a list twice", sorted[i]);
	free(sorted);
	return e;
}

enum cluster_err directory_rows_read(const struct directory_list *l, size_t width, void **ret, size_t *ret_n, struct diag *d)
{
	size_t n = json_count(l->array);
	char *rows;
	enum cluster_err e = check_strings(l->array, l->ok, d);

	if (e != CLUSTER_OK || n == 0)
		return e;
	if (!(rows = directory_arena_zeroed(l->a, n, width)))
		return CLUSTER_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_at(l->array, i);
		size_t len = strlen(s);

		if (len >= width)
			return diag_set(d, CLUSTER_ELIMIT, "element %zu of a list is too long", i);
		memcpy(rows + i * width, s, len + 1);
	}
	*ret = rows;
	*ret_n = n;
	return CLUSTER_OK;
}

enum cluster_err directory_strings_read(const struct directory_list *l, char ***ret, size_t *ret_n, struct diag *d)
{
	size_t n = json_count(l->array);
	char **strings;
	enum cluster_err e = check_strings(l->array, l->ok, d);

	if (e != CLUSTER_OK || n == 0)
		return e;
	if (!(strings = directory_arena_zeroed(l->a, n, sizeof *strings)))
		return CLUSTER_ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!(strings[i] = directory_arena_text(l->a, json_string_at(l->array, i))))
			return CLUSTER_ENOMEM;
	*ret = strings;
	*ret_n = n;
	return CLUSTER_OK;
}

static bool account_name_ok(const char *s)
{
	return name_account_ok(s) && !name_account_reserved(s);
}

static bool group_name_ok(const char *s)
{
	return name_group_ok(s) && !name_group_reserved(s);
}

static bool id_ok(const char *s)
{
	struct cluster_id id;

	return id_parse(s, &id) == CLUSTER_OK && !id_is_zero(&id);
}

static bool jkt_ok(const char *s)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	return b64_decode_exact(s, strlen(s), hash, sizeof hash) == CLUSTER_OK;
}

enum cluster_err directory_account_read(const struct json *j, struct directory_arena *a, struct directory_account *ret, struct diag *d)
{
	const char *gecos = NULL, *home = NULL, *shell = NULL;
	char person[ID_TEXT + 1] = "";
	int64_t uid = 0, gid = 0;
	const struct json_field fields[] = {
		FIELD_TEXT("gecos", gecos, NAME_GECOS_MAX, name_gecos_ok),
		FIELD_INT("gid", gid, 0, UINT32_MAX),
		FIELD_TEXT("home", home, NAME_PATH_MAX, name_path_ok),
		FIELD_STRING("name", ret->name, account_name_ok),
		FIELD_TEXT("shell", shell, NAME_PATH_MAX, name_path_ok),
		FIELD_INT("uid", uid, 0, UINT32_MAX),
		{ .name = "person", .kind = JSON_KIND_STRING, .dst = person, .size = sizeof person, .ok = id_ok, .optional = true, .present = &ret->personal },
	};
	enum cluster_err e = json_read(j, fields, FIELD_COUNT(fields), d);

	if (e != CLUSTER_OK)
		return e;
	ret->uid = (uint32_t)uid;
	ret->gid = (uint32_t)gid;
	if (!name_id_ok(ret->uid) || !name_id_ok(ret->gid))
		return diag_set(d, CLUSTER_EFORMAT, "account %s: uid %u or gid %u is outside what a directory may give", ret->name, ret->uid, ret->gid);
	if (ret->personal && (e = id_parse(person, &ret->person)) != CLUSTER_OK)
		return e;
	if (!(ret->gecos = directory_arena_text(a, gecos)) || !(ret->home = directory_arena_text(a, home)) || !(ret->shell = directory_arena_text(a, shell)))
		return CLUSTER_ENOMEM;
	return CLUSTER_OK;
}

enum cluster_err directory_group_read(const struct json *j, struct directory_arena *a, struct directory_group *ret, struct diag *d)
{
	const struct json *members = NULL;
	int64_t gid = 0;
	const struct json_field fields[] = {
		FIELD_INT("gid", gid, 0, UINT32_MAX),
		FIELD_ARRAY("members", members, 0, DIRECTORY_MEMBERS_MAX),
		FIELD_STRING("name", ret->name, group_name_ok),
	};
	enum cluster_err e = json_read(j, fields, FIELD_COUNT(fields), d);

	if (e != CLUSTER_OK)
		return e;
	ret->gid = (uint32_t)gid;
	if (!name_id_ok(ret->gid))
		return diag_set(d, CLUSTER_EFORMAT, "group %s: gid %u is outside what a directory may give", ret->name, ret->gid);
	e = directory_strings_read(&(struct directory_list){ members, account_name_ok, a }, &ret->members, &ret->n_members, d);
	if (e == CLUSTER_OK && ret->n_members > 1)
		qsort(ret->members, ret->n_members, sizeof *ret->members, by_text);
	return e;
}

static enum cluster_err read_devices(const struct json *devices, struct directory_arena *a, struct directory_person *ret, struct diag *d)
{
	size_t n = json_count(devices);
	enum cluster_err e;

	if (n == 0)
		return CLUSTER_OK;
	if (!(ret->devices = directory_arena_zeroed(a, n, sizeof *ret->devices)))
		return CLUSTER_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		char id[ID_TEXT + 1];
		const struct json_field fields[] = {
			FIELD_STRING("id", id, id_ok),
			FIELD_STRING("jkt", ret->devices[i].jkt, jkt_ok),
		};

		if ((e = json_read(json_at(devices, i), fields, FIELD_COUNT(fields), d)) != CLUSTER_OK || (e = id_parse(id, &ret->devices[i].id)) != CLUSTER_OK)
			return e;
		ret->n_devices = i + 1;
	}
	return CLUSTER_OK;
}

enum cluster_err directory_person_read(const struct json *j, struct directory_arena *a, struct directory_person *ret, struct diag *d)
{
	const struct json *devices = NULL, *roles = NULL;
	char id[ID_TEXT + 1];
	void *rows = NULL;
	const struct json_field fields[] = {
		FIELD_BOOL_OPTIONAL("admin", ret->admin),
		FIELD_ARRAY("devices", devices, 0, DIRECTORY_DEVICES_MAX),
		FIELD_BOOL_OPTIONAL("disabled", ret->disabled),
		FIELD_STRING("id", id, id_ok),
		FIELD_STRING("name", ret->name, name_person_ok),
		FIELD_ARRAY("roles", roles, 0, DIRECTORY_ROLES_MAX),
	};
	enum cluster_err e;

	if ((e = json_read(j, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK || (e = id_parse(id, &ret->id)) != CLUSTER_OK ||
	    (e = directory_rows_read(&(struct directory_list){ roles, name_role_ok, a }, sizeof *ret->roles, &rows, &ret->n_roles, d)) != CLUSTER_OK)
		return e;
	ret->roles = rows;
	return read_devices(devices, a, ret, d);
}

bool directory_selector_ok(const char *selector)
{
	if (!selector || strnlen(selector, SELECTOR_MAX + 1) > SELECTOR_MAX)
		return false;
	if (strncmp(selector, "role:", 5) == 0)
		return name_role_ok(selector + 5);
	if (strncmp(selector, "node:", 5) == 0)
		return name_node_ok(selector + 5);
	return strcmp(selector, "any") == 0;
}

bool directory_selects(const char *selector, const struct directory_node *node)
{
	if (!directory_selector_ok(selector))
		return false;
	if (strncmp(selector, "node:", 5) == 0)
		return strcmp(selector + 5, node->name) == 0;
	if (strncmp(selector, "role:", 5) != 0)
		return true;
	for (size_t i = 0; i < node->n_roles; i++)
		if (strcmp(selector + 5, node->roles[i]) == 0)
			return true;
	return false;
}

bool directory_select(char *const *selectors, size_t n, const struct directory_node *node)
{
	for (size_t i = 0; i < n; i++)
		if (directory_selects(selectors[i], node))
			return true;
	return false;
}

/* A machine is named: not whatever may join some day. */
static bool from_ok(const char *selector)
{
	return directory_selector_ok(selector) && strcmp(selector, "any") != 0;
}

static enum cluster_err read_on_revoke(const char *word, enum directory_on_revoke *ret, struct diag *d)
{
	if (strcmp(word, "end") == 0)
		*ret = DIRECTORY_END;
	else if (strcmp(word, "warn") == 0)
		*ret = DIRECTORY_WARN;
	else if (strcmp(word, "keep") == 0)
		*ret = DIRECTORY_KEEP;
	else
		return diag_set(d, CLUSTER_EFORMAT, "on_revoke is none of end, warn, keep");
	return CLUSTER_OK;
}

static enum cluster_err read_on_expiry(const char *word, bool *ret, struct diag *d)
{
	if (strcmp(word, "end") != 0 && strcmp(word, "keep") != 0)
		return diag_set(d, CLUSTER_EFORMAT, "on_expiry is none of keep, end");
	*ret = strcmp(word, "end") == 0;
	return CLUSTER_OK;
}

/* Of a grant to nodes: who logs in by it has no credential that could be fresh, last, or be asked for. */
static enum cluster_err check_from(const struct directory_grant *g, bool no_more, struct diag *d)
{
	if (!g->hop || g->sudo || g->onetime || no_more)
		return diag_set(d, CLUSTER_EFORMAT, "a grant from nodes has hop, and no sudo, onetime, on_expiry or ttl");
	if (g->n_accounts > DIRECTORY_GRANT_FROM_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "a grant from nodes has more than %d accounts", DIRECTORY_GRANT_FROM_MAX);
	return CLUSTER_OK;
}

enum cluster_err directory_grant_read(const struct json *j, struct directory_arena *a, struct directory_grant *ret, struct diag *d)
{
	const struct json *accounts = NULL, *nodes = NULL, *from = NULL;
	char id[ID_TEXT + 1], person[ID_TEXT + 1] = "", on_revoke[ON_REVOKE_MAX + 1] = "end", on_expiry[ON_REVOKE_MAX + 1] = "keep";
	void *rows = NULL;
	bool to_person = false, to_nodes = false, expires = false, has_ttl = false;
	int64_t ttl = 0;
	const struct json_field fields[] = {
		FIELD_ARRAY("accounts", accounts, 1, DIRECTORY_GRANT_ACCOUNTS_MAX),
		{ .name = "from", .kind = JSON_KIND_ARRAY, .dst = &from, .min = 1, .max = DIRECTORY_GRANT_FROM_MAX, .optional = true, .present = &to_nodes },
		FIELD_BOOL_OPTIONAL("hop", ret->hop),
		FIELD_STRING("id", id, id_ok),
		FIELD_ARRAY("nodes", nodes, 1, DIRECTORY_GRANT_NODES_MAX),
		{ .name = "on_expiry", .kind = JSON_KIND_STRING, .dst = on_expiry, .size = sizeof on_expiry, .optional = true, .present = &expires },
		{ .name = "on_revoke", .kind = JSON_KIND_STRING, .dst = on_revoke, .size = sizeof on_revoke, .optional = true },
		FIELD_BOOL_OPTIONAL("onetime", ret->onetime),
		{ .name = "person", .kind = JSON_KIND_STRING, .dst = person, .size = sizeof person, .ok = id_ok, .optional = true, .present = &to_person },
		{ .name = "role", .kind = JSON_KIND_STRING, .dst = ret->role, .size = sizeof ret->role, .ok = name_role_ok, .optional = true, .present = &ret->to_role },
		FIELD_BOOL_OPTIONAL("sudo", ret->sudo),
		{ .name = "ttl", .kind = JSON_KIND_INT, .dst = &ttl, .min = 1, .max = DIRECTORY_TTL_MAX, .optional = true, .present = &has_ttl },
	};
	enum cluster_err e;

	if ((e = json_read(j, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK)
		return e;
	if (to_person + ret->to_role + to_nodes != 1)
		return diag_set(d, CLUSTER_EFORMAT, "a grant is to a person, to a role, or from nodes");
	if ((e = id_parse(id, &ret->id)) != CLUSTER_OK || (to_person && (e = id_parse(person, &ret->person)) != CLUSTER_OK) ||
	    (e = read_on_revoke(on_revoke, &ret->on_revoke, d)) != CLUSTER_OK || (e = read_on_expiry(on_expiry, &ret->end_at_expiry, d)) != CLUSTER_OK ||
	    (e = directory_rows_read(&(struct directory_list){ accounts, account_name_ok, a }, sizeof *ret->accounts, &rows, &ret->n_accounts, d)) != CLUSTER_OK)
		return e;
	ret->accounts = rows;
	ret->ttl = (uint32_t)ttl;
	if (to_nodes && ((e = check_from(ret, expires || has_ttl, d)) != CLUSTER_OK ||
	    (e = directory_strings_read(&(struct directory_list){ from, from_ok, a }, &ret->from, &ret->n_from, d)) != CLUSTER_OK))
		return e;
	return directory_strings_read(&(struct directory_list){ nodes, directory_selector_ok, a }, &ret->nodes, &ret->n_nodes, d);
}
