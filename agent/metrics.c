/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/wr.h"

#define PREFIX "cluster_login_"

static void about(struct wr *w, const char *name, const char *type, const char *help)
{
	wr_printf(w, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void gauge(struct wr *w, const char *name, const char *help, int64_t value)
{
	about(w, name, "gauge", help);
	wr_printf(w, PREFIX "%s %" PRId64 "\n", name, value);
}

static void counter(struct wr *w, const char *name, const char *help, uint64_t value)
{
	about(w, name, "counter", help);
	wr_printf(w, PREFIX "%s %" PRIu64 "\n", name, value);
}

static void ages(const struct metrics *m, struct wr *w)
{
	gauge(w, "fresh", "1 if, as far as the head's age and the clocks are concerned, people may log on.", m->fresh);
	if (!m->has_age)
		return;
	about(w, "head_age_seconds", "gauge", "Age of the installed head when this file was written, by the wall clock and by the boot clock.");
	wr_printf(w, PREFIX "head_age_seconds{clock=\"wall\"} %" PRId64 "\n" PREFIX "head_age_seconds{clock=\"boot\"} %" PRId64 "\n", m->age_wall, m->age_boot);
	about(w, "head_age_limit_seconds", "gauge", "Age above which this node refuses people.");
	wr_printf(w, PREFIX "head_age_limit_seconds{service=\"login\"} %" PRId64 "\n" PREFIX "head_age_limit_seconds{service=\"sudo\"} %" PRId64 "\n", m->age_limit, m->age_limit_sudo);
}

static void refusals(const struct metrics *m, struct wr *w)
{
	int e;

	about(w, "fetch_failures_total", "counter", "Exchanges with the authority that did not go well, by reason.");
	for (e = CLUSTER_ENOMEM; e <= CLUSTER_ECONFIG && e < METRICS_ERRORS; e++)
		wr_printf(w, PREFIX "fetch_failures_total{reason=\"%s\"} %" PRIu64 "\n", err_name((enum cluster_err)e), m->refused[e]);
}

static void hop(const struct metrics *m, struct wr *w)
{
	if (!m->hop)
		return;
	gauge(w, "hop_connections", "Connections to the socket of hops.", (int64_t)m->hop_now);
	counter(w, "hop_vouched_total", "Hops that this node has vouched for.", m->hop_vouched);
	counter(w, "hop_refused_total", "Requests for a hop that this node has refused.", m->hop_refused);
}

static void relay(const struct metrics *m, struct wr *w)
{
	if (!m->relay)
		return;
	gauge(w, "relay_connections", "Connections that this node relays to the authority.", (int64_t)m->relay_now);
	counter(w, "relay_accepted_total", "Connections accepted by the relay.", m->relay_accepted);
	counter(w, "relay_refused_total", "Connections over a limit of the relay.", m->relay_refused);
	counter(w, "relay_failed_total", "Connections for which the relay could not reach the authority.", m->relay_failed);
}

void metrics_text(const struct metrics *m, struct wr *w)
{
	about(w, "build_info", "gauge", "The agent's version.");
	wr_printf(w, PREFIX "build_info{version=\"%s\"} 1\n", m->version);
	gauge(w, "written_timestamp_seconds", "When this file was written.", m->written);
	gauge(w, "generation", "Number of the installed pair of snapshots; 0: none.", (int64_t)m->generation);
	gauge(w, "head_version", "Version of the installed head.", (int64_t)m->head_version);
	gauge(w, "head_timestamp_seconds", "When the installed head was signed.", m->head_iat);
	gauge(w, "revocations_version", "Version of the installed revocations.", m->revocations);
	ages(m, w);
	gauge(w, "connected", "1 if the last exchange with the authority went well.", m->connected);
	gauge(w, "last_contact_timestamp_seconds", "When the last exchange went well.", m->last_contact);
	counter(w, "fetches_total", "Exchanges that went well.", m->polls);
	refusals(m, w);
	gauge(w, "sessions", "Live sessions of cluster people.", m->sessions);
	counter(w, "sessions_ended_total", "Sessions that the agent has ended.", m->sessions_ended);
	hop(m, w);
	relay(m, w);
}

static enum cluster_err replace(const char *path, const char *temporary, const struct wr *w, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;
	int fd;

	if (unlink(temporary) != 0 && errno != ENOENT)
		return diag_errno(d, "cannot remove %s", temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || fchmod(fd, 0644) != 0 || file_write_all(fd, w->p, w->n) != CLUSTER_OK || rename(temporary, path) != 0)
		e = diag_errno(d, "cannot write %s", path);
	file_close(fd);
	if (e != CLUSTER_OK)
		(void)unlink(temporary);
	return e;
}

enum cluster_err metrics_store(const char *run, const struct metrics *m, struct diag *d)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, METRICS_MAX);
	metrics_text(m, &w);
	if ((e = wr_end(&w)) != CLUSTER_OK || (e = file_join(path, sizeof path, run, METRICS_FILE)) != CLUSTER_OK ||
	    (e = file_join(temporary, sizeof temporary, run, "." METRICS_FILE)) != CLUSTER_OK)
		diag_set(d, e, "%s/" METRICS_FILE ": %s", run, err_name(e));
	else
		e = replace(path, temporary, &w, d);
	wr_done(&w);
	return e;
}

void metrics_remove(const char *run)
{
	char path[PATH_MAX];

	if (file_join(path, sizeof path, run, METRICS_FILE) == CLUSTER_OK)
		(void)unlink(path);
}
