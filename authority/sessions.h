/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_SESSIONS_H
#define AUTHORITY_SESSIONS_H

#include "call.h"
#include "cluster/report.h"

/* POST /v1/sessions (PROTOCOL.md 6.5): what a node says of its own live sessions. */
call_handler sessions_run;

/* Another result than CLUSTER_OK ends the walk and is its result. */
typedef enum cluster_err sessions_visit(void *ctx, const struct nodes_one *node, const struct report_session *s);
/* All that are known, node by node in order of name. */
enum cluster_err sessions_each(const struct authority *a, sessions_visit *visit, void *ctx) CLUSTER_MUST_USE;

/* The name of the person of the last session asked about, so that many of one person cost one look into the store. */
struct sessions_name {
	struct cluster_id person;
	bool known;
	char name[NAME_PERSON_MAX + 1]; /* "": there is no such person */
};
const char *sessions_person(const struct authority *a, const struct cluster_id *person, struct sessions_name *last);
/* SESSION of 6.5 with "node", "person_name" and of a hop "via"; NULL when out of memory. */
struct json *sessions_json(const struct authority *a, const struct nodes_one *node, const struct report_session *s, struct sessions_name *last);

#endif
