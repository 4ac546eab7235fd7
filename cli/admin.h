/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ADMIN_H
#define CLI_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "command.h"

struct json;

/* The administrator's calls (PROTOCOL.md 6.4): over the admin socket, or with --remote as the person who is set up here. */

/* First member of each administrator's command's own struct. */
struct admin_words {
	const char *socket;
	bool remote, json;
	bool own; /* not an administrator's call but the same one of a person for what is his or hers: /v1/<call> (PROTOCOL.md 6) */
};
#define ADMIN_OPTIONS(type) \
	{ "json", 0, COMMAND_FLAG, offsetof(type, admin.json), 0, 0, NULL, "JSON" }, \
	{ "socket", 0, COMMAND_TEXT, offsetof(type, admin.socket), 0, 0, "PATH", "the authority's admin socket (/run/cluster-login/authority.sock)" }, \
	{ "remote", 0, COMMAND_FLAG, offsetof(type, admin.remote), 0, 0, NULL, "over the network, with your own credential" }

/* What to try when there is no authority's socket. */
#define ADMIN_TRY "on the authority's host, as root; from elsewhere --remote"

struct admin;
struct diag;

/* What to try after an administrator's call has failed; NULL: nothing is known. */
const char *admin_next(const struct admin_words *w, const struct diag *d);

enum cluster_err admin_open(const struct admin_words *w, struct admin **ret, struct diag *d) CLUSTER_MUST_USE;
void admin_close(struct admin *a);
/* POST /v1/admin/<call>; takes `body` (NULL: out of memory). The caller frees *ret. */
enum cluster_err admin_call(struct admin *a, const char *call, struct json *body, struct json **ret, struct diag *d) CLUSTER_MUST_USE;
/* The same for calls that wait on the authority's side. */
enum cluster_err admin_call_wait(struct admin *a, const char *call, struct json *body, int timeout_ms, struct json **ret, struct diag *d) CLUSTER_MUST_USE;

/* GET of text on the admin socket, at most `max` bytes; the caller frees *ret with free(). CLUSTER_ECONFIG: not from elsewhere. */
enum cluster_err admin_text_get(struct admin *a, const char *path, size_t max, char **ret, struct diag *d) CLUSTER_MUST_USE;

/* One call from beginning to end: the answer, or NULL after an error was reported and *ret_status set. Takes `body`. */
struct json *admin_once(const struct admin_words *w, const char *call, struct json *body, int *ret_status);
/* admin_once for calls whose answer says nothing to a person: JSON if asked for, else `done` as narration (NULL: nothing). The exit status. */
int admin_simple(const struct admin_words *w, const char *call, struct json *body, const char *done);

/* COMMAND_GO if all of --role are names of roles, or the exit status. */
int admin_roles_check(const char *name, const struct command_list *roles);
/* A JSON list of texts; NULL when out of memory or if `list` is empty and `or_null`. */
struct json *admin_texts(const struct command_list *list, bool or_null);
/* `body` with one more number, unless that is 0. NULL when out of memory. */
struct json *admin_with_number(struct json *body, const char *name, uint64_t n);
/* The strings of a list, or the `member` strings of its objects, with spaces between. */
void admin_words_of(const struct json *list, const char *member, char *dst, size_t size);
/* A member as text, or "". */
const char *admin_text(const struct json *object, const char *member);
/* "2026-11-21T00:22:00Z", or "never" for 0. Static storage of two results in turn. */
const char *admin_time(long long when);

#endif
