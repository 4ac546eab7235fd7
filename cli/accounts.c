/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/directory.h"
#include "cluster/json.h"
#include "cluster/name.h"
#include "cluster/secret.h"

#define TEXT_MAX ((size_t)1 << 20)

void accounts_done(struct accounts *a)
{
	free(a->names);
	json_free(a->from);
	*a = (struct accounts){ 0 };
}

const char *accounts_row_name(const struct json *row)
{
	const char *name = json_member_text(row, "account");

	return name != NULL && name_account_ok(name) ? name : NULL;
}

static void add(struct accounts *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->names[i], name) == 0)
			return;
	a->names[a->n++] = name;
}

enum cluster_err accounts_load(const struct profile *p, struct accounts *ret)
{
	struct accounts a = { 0 };
	struct secret *text = NULL;
	const struct json *list;
	enum cluster_err e;

	if ((e = profile_read(p, PROFILE_ACCOUNTS, false, &text, NULL)) != CLUSTER_OK ||
	    (e = json_parse((const char *)text->bytes, text->n, TEXT_MAX, &a.from, NULL)) != CLUSTER_OK)
		goto out;
	list = json_member(a.from, "accounts");
	if ((a.names = calloc(json_count(list) + 1, sizeof *a.names)) == NULL) {
		e = CLUSTER_ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < json_count(list); i++) {
		const char *name = accounts_row_name(json_at(list, i));

		if (name != NULL)
			add(&a, name);
	}
	*ret = a;
	a = (struct accounts){ 0 };
	e = CLUSTER_OK;
out:
	accounts_done(&a);
	secret_free(text);
	return e;
}

bool accounts_row_covers(const struct json *row, const struct directory_node *node)
{
	const struct json *nodes = json_member(row, "nodes");

	for (size_t i = 0; i < json_count(nodes); i++) {
		const char *s = json_string_at(nodes, i);

		if (s != NULL && (strcmp(s, node->name) == 0 || directory_selects(s, node)))
			return true;
	}
	return false;
}

static bool listed(const struct json *list, const char *name)
{
	for (size_t i = 0; i < json_count(list); i++) {
		if (strcmp(json_string_at(list, i), name) == 0)
			return true;
	}
	return false;
}

struct json *accounts_on(const struct accounts *a, const struct directory_node *node)
{
	const struct json *rows = a->from != NULL ? json_member(a->from, "accounts") : NULL;
	struct json *list = json_list();

	for (size_t i = 0; i < json_count(rows) && list != NULL; i++) {
		const char *name = accounts_row_name(json_at(rows, i));

		if (name == NULL || !accounts_row_covers(json_at(rows, i), node) || listed(list, name))
			continue;
		if (json_append(list, json_make("s", name)) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return list;
}
