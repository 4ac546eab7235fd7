/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_REPORTER_H
#define AGENT_REPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/report.h"
#include "cluster/session.h"

/* What fetch has to tell the authority of sessions, and to ask it for them (PROTOCOL.md 6.5). Pure: time is an argument. */

#define REPORTER_RENEWALS_MAX 64
#define REPORTER_AGAIN_MS 5000  /* after a failure */
#define REPORTER_PACE_MS 1000   /* between two reports */

struct reporter_renewal {
	struct cluster_id session, jti;
};

struct reporter {
	struct session *told, *now; /* what the authority knows, what is; both in order of id */
	size_t n_told, n_now;
	bool heard;                 /* root has said what is */
	bool full;                  /* the next report names all */
	bool changed;
	int64_t not_before;
	struct reporter_renewal renewal[REPORTER_RENEWALS_MAX];
	size_t n_renewals;
};

void reporter_init(struct reporter *r);
void reporter_done(struct reporter *r);
/* What is: n bytes of struct session, in order of id. CLUSTER_EFORMAT, CLUSTER_ENOMEM: as before. */
enum cluster_err reporter_set(struct reporter *r, const void *list, size_t n) CLUSTER_MUST_USE;
/* The authority has to hear everything again: another one, or it has been away. */
void reporter_forget(struct reporter *r);
/* A session wants a newer credential; one that asks already asks once. */
void reporter_want(struct reporter *r, const struct reporter_renewal *w);
/* In how many milliseconds there is something to do; 0: now, -1: nothing. */
int reporter_due(const struct reporter *r, int64_t now_ms);
/* The report that is due. Its lists are freed with reporter_report_done. */
enum cluster_err reporter_report(const struct reporter *r, struct report *ret) CLUSTER_MUST_USE;
void reporter_report_done(struct report *report);
/* It has been sent, and the authority knows (or does not know) everything now; or it could not be sent. */
void reporter_sent(struct reporter *r, bool known, int64_t now_ms);
void reporter_failed(struct reporter *r, int64_t now_ms);

#endif
