/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/api.h"
#include "cluster/http.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "cluster/name.h"
#include "cmd.h"
#include "out.h"
#include "remote.h"
#include "renewal.h"
#include "view.h"

#define CALL_MAX 100
#define TIMEOUT_MS 30000

struct admin {
	struct http *http;      /* over the socket, or */
	struct profile p;       /* as a person */
	struct remote *remote;
	struct wallet wallet;
	bool own;
};

static enum cluster_err open_socket(const char *path, struct admin *a, struct diag *d)
{
	char base[200];
	const struct http_options o = { .base = base };
	int n = snprintf(base, sizeof base, "unix:%s", path);

	if (n < 0 || (size_t)n >= sizeof base)
		return diag_set(d, CLUSTER_ECONFIG, "%s: the path is too long", path);
	if (access(path, F_OK) != 0)
		return diag_set(d, CLUSTER_EUNAVAIL, "no authority here: %s: %s", path, strerror(errno));
	return http_new(&o, &a->http, d);
}

static enum cluster_err open_remote(struct admin *a, struct diag *d)
{
	struct view *v = NULL;
	enum cluster_err e;

	if ((e = profile_load(&a->p, d)) != CLUSTER_OK || (e = renewal_ensure(&a->p, &a->wallet, &v, d)) != CLUSTER_OK)
		return e;
	view_free(v);
	return remote_open(&a->p, &a->remote, d);
}

enum cluster_err admin_open(const struct admin_words *w, struct admin **ret, struct diag *d)
{
	struct admin *a = calloc(1, sizeof *a);
	enum cluster_err e;

	if (a == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	a->own = w->own;
	e = w->remote || w->own ? open_remote(a, d) : open_socket(w->socket != NULL ? w->socket : API_ADMIN_SOCKET, a, d);
	if (e == CLUSTER_OK)
		*ret = a;
	else
		admin_close(a);
	return e;
}

void admin_close(struct admin *a)
{
	if (a == NULL)
		return;
	http_free(a->http);
	remote_close(a->remote);
	wallet_done(&a->wallet);
	free(a);
}

enum cluster_err admin_call_wait(struct admin *a, const char *call, struct json *body, int timeout_ms, struct json **ret, struct diag *d)
{
	char path[CALL_MAX];
	enum cluster_err e;

	(void)snprintf(path, sizeof path, "/v1/%s%s", a->own ? "" : "admin/", call);
	if (body == NULL)
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
	else if (a->remote != NULL)
		e = remote_json(a->remote, path, &a->wallet, body, timeout_ms, ret, d);
	else
		e = api_json(a->http, path, NULL, body, timeout_ms, ret, d);
	json_free(body);
	return e;
}

enum cluster_err admin_call(struct admin *a, const char *call, struct json *body, struct json **ret, struct diag *d)
{
	return admin_call_wait(a, call, body, TIMEOUT_MS, ret, d);
}

enum cluster_err admin_text_get(struct admin *a, const char *path, size_t max, char **ret, struct diag *d)
{
	struct http_response r = { .status = 0 };
	enum cluster_err e;

	if (a->http == NULL)
		return diag_set(d, CLUSTER_ECONFIG, "only on the authority's host, by its admin socket");
	if ((e = api_bytes(a->http, path, NULL, max, TIMEOUT_MS, &r, d)) != CLUSTER_OK)
		return e;
	*ret = r.body;
	r.body = NULL;
	http_response_done(&r);
	return CLUSTER_OK;
}

/* The list in which the authority has looked for what it says there is, or is not. */
static const char *list_of(const char *text)
{
	static const char *const lists[][2] = {
		{ " person ", "cluster-login user list" }, { " account ", "cluster-login account list" }, { " group ", "cluster-login group list" }, { " node ", "cluster-login node list" },
		{ " grant ", "cluster-login grant list" }, { " device ", "cluster-login device list" }, { " devices of ", "cluster-login device list" }, { "revo", "cluster-login revoke --list" },
	};
	const char *at = strstr(text, "there is ");

	if (at == NULL)
		at = text;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		if (strstr(at, lists[i][0]) != NULL)
			return lists[i][1];
	}
	return NULL;
}

const char *admin_next(const struct admin_words *w, const struct diag *d)
{
	bool person = w->remote || w->own;

	if (d->code == CLUSTER_EUNAVAIL)
		return person ? "again later: credentials in hand serve until they expire, also without the authority" : "systemctl status cluster-authorityd";
	if (d->code == CLUSTER_EDENIED && w->remote)
		return "as an administrator (cluster-login user add NAME --admin), or as root on the authority's host";
	return d->code == CLUSTER_ENOTFOUND || strstr(d->text, " already") != NULL ? list_of(d->text) : NULL;
}

struct json *admin_once(const struct admin_words *w, const char *call, struct json *body, int *ret_status)
{
	struct json *answer = NULL;
	struct admin *a = NULL;
	enum cluster_err e;
	struct diag d;

	diag_clear(&d);
	if ((e = admin_open(w, &a, &d)) != CLUSTER_OK) {
		json_free(body);
		*ret_status = out_failed(&d, !w->remote && !w->own ? ADMIN_TRY : e == CLUSTER_ECONFIG ? profile_next(e) : admin_next(w, &d));
		return NULL;
	}
	if (admin_call(a, call, body, &answer, &d) != CLUSTER_OK) {
		answer = NULL;
		*ret_status = out_failed(&d, admin_next(w, &d));
	}
	admin_close(a);
	return answer;
}

int admin_simple(const struct admin_words *w, const char *call, struct json *body, const char *done)
{
	int status = EXIT_DONE;
	struct json *answer = admin_once(w, call, body, &status);

	if (answer == NULL)
		return status;
	if (w->json)
		return out_json(answer);
	if (done != NULL)
		out_note("%s", done);
	json_free(answer);
	return EXIT_DONE;
}

int admin_roles_check(const char *name, const struct command_list *roles)
{
	for (size_t i = 0; i < roles->n; i++) {
		if (!name_role_ok(roles->item[i]))
			return command_usage_error(name, "--role %s: a role's name begins with a-z or _ and has at most %d characters of a-z 0-9 _ -", roles->item[i], NAME_ROLE_MAX);
	}
	return COMMAND_GO;
}

struct json *admin_texts(const struct command_list *list, bool or_null)
{
	struct json *j = or_null && list->n == 0 ? NULL : json_list();
	size_t i;

	for (i = 0; j != NULL && i < list->n; i++) {
		if (json_append(j, json_make("s", list->item[i])) != CLUSTER_OK) {
			json_free(j);
			j = NULL;
		}
	}
	return j;
}

struct json *admin_with_number(struct json *body, const char *name, uint64_t n)
{
	if (body == NULL || n == 0 || json_set(body, name, json_make("I", (long long)n)) == CLUSTER_OK)
		return body;
	json_free(body);
	return NULL;
}

void admin_words_of(const struct json *list, const char *member, char *dst, size_t size)
{
	size_t i, at = 0;

	dst[0] = '\0';
	for (i = 0; i < json_count(list) && at < size; i++) {
		const char *s = member != NULL ? json_member_text(json_at(list, i), member) : json_string_at(list, i);
		int n = snprintf(dst + at, size - at, "%s%s", at > 0 ? " " : "", s != NULL ? s : "");

		at += n > 0 ? (size_t)n : 0;
	}
}

const char *admin_text(const struct json *object, const char *member)
{
	const char *s = json_member_text(object, member);

	return s != NULL ? s : "";
}

const char *admin_time(long long when)
{
	static char text[2][MOMENT_TEXT];
	static unsigned int turn;

	if (when <= 0)
		return "never";
	turn ^= 1;
	moment_text(when, text[turn]);
	return text[turn];
}
