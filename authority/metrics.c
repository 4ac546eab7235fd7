/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <inttypes.h>
#include <string.h>

#include "call.h"
#include "cluster/wr.h"
#include "head.h"
#include "nodes.h"
#include "poll.h"
#include "revoked.h"
#include "version.h"

#define TEXT_MAX 16384
#define PREFIX "cluster_authority_"

static const int statuses[METRICS_STATUS] = { 200, 400, 401, 403, 404, 409, 413, 429, 503, 500 };

void metrics_count(struct metrics *m, int status)
{
	size_t i = 0;

	while (i < METRICS_STATUS - 1 && statuses[i] != status)
		i++;
	m->answers[i]++;
}

static void gauge(struct wr *w, const char *name, const char *help, int64_t value)
{
	wr_printf(w, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s gauge\n" PREFIX "%s %" PRId64 "\n", name, help, name, name, value);
}

static void put_nodes(struct wr *w, const struct authority *a, int64_t now)
{
	int64_t reachable = 0, behind = 0, unknown = 0;

	for (size_t i = 0; i < a->nodes->n; i++) {
		const struct nodes_one *o = a->nodes->one[i];
		bool there = nodes_reachable(a->nodes, o, now);

		reachable += there;
		behind += there && nodes_applied(o) < a->published->head_version;
		unknown += !o->live.known;
	}
	gauge(w, "nodes", "Nodes of the directory.", (int64_t)a->nodes->n);
	gauge(w, "nodes_reachable", "Nodes heard of within the longest poll.", reachable);
	gauge(w, "nodes_silent", "Nodes not heard of for longer.", (int64_t)a->nodes->n - reachable);
	gauge(w, "nodes_behind", "Reachable nodes that have not proved the newest head.", behind);
	gauge(w, "sessions", "Live sessions that nodes have reported.", (int64_t)a->nodes->sessions);
	gauge(w, "nodes_sessions_unknown", "Nodes that have not told their live sessions since the start.", unknown);
}

static void put_answers(struct wr *w, const struct metrics *m)
{
	wr_printf(w, "# HELP " PREFIX "requests_total Requests by status of their answer; a poll counts when it is taken.\n# TYPE " PREFIX "requests_total counter\n");
	for (size_t i = 0; i < METRICS_STATUS; i++)
		wr_printf(w, PREFIX "requests_total{code=\"%d\"} %" PRIu64 "\n", statuses[i], m->answers[i]);
}

enum cluster_err metrics_run(struct call *c, struct json **ret, struct diag *d)
{
	const struct authority *a = c->a;
	enum cluster_err e;
	struct wr w;

	(void)ret;
	if (c->head->query)
		return diag_set(d, CLUSTER_EFORMAT, "this call takes no query");
	wr_grow(&w, TEXT_MAX);
	wr_printf(&w, "# HELP " PREFIX "info Version of the program.\n# TYPE " PREFIX "info gauge\n" PREFIX "info{version=\"%s\"} 1\n", VERSION_TEXT);
	gauge(&w, "start_time_seconds", "Start of the authority, unix time.", a->nodes->since);
	gauge(&w, "head_version", "Version of the newest head.", a->published->head_version);
	gauge(&w, "head_age_seconds", "Age of the newest head.", c->now - a->published->head_iat);
	put_nodes(&w, a, c->now);
	gauge(&w, "revocations", "Revocations in force.", (int64_t)a->revoked->n);
	gauge(&w, "polls_held", "Polls that wait for the next head.", (int64_t)poll_held(a->poll));
	put_answers(&w, &a->metrics);
	if ((e = wr_end(&w)) != CLUSTER_OK || !(c->raw = blob_new(w.p, w.n)))
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
	c->cache = "no-store";
	wr_done(&w);
	return e;
}
