/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_PUBLISH_FILE_H
#define AGENT_PUBLISH_FILE_H

#include "generation.h"
#include "publish.h"

#include "cluster/snap_change.h"

/* One snapshot of a generation to be: written whole, made from the installed one and a change, or the installed one once more. For publish.c. */
struct publish_file {
	enum snap_kind kind;
	const char *name;
	struct publish_bytes bytes;
	bool same;                /* the installed file stays */
	struct snap old;          /* the installed one, opened while there is a merge */
	struct snap_merge *merge;
	struct generation_file out;
	bool open;
};

struct publish_place {
	const char *state, *gen;
	uid_t owner;
	uint64_t generation; /* the installed one */
	struct snap_base base; /* what that was made of */
	bool damaged;        /* it cannot be relied on */
};

/*
 * Judges a change against the installed file, compares a whole snapshot with it. Whole snapshots must have been judged before. CLUSTER_EUNAVAIL, CLUSTER_EVERSION: the change does not
 * fit what is installed, which has to be made anew, whole. The caller calls publish_file_done.
 */
enum cluster_err publish_file_plan(struct publish_file *f, const struct publish_place *p, struct diag *d) CLUSTER_MUST_USE;
/* Into the unfinished generation `number`; what was made of a change is read again and judged. */
enum cluster_err publish_file_write(struct publish_file *f, const struct publish_place *p, uint64_t number, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err publish_file_sync(struct publish_file *f, struct diag *d) CLUSTER_MUST_USE;
void publish_file_done(struct publish_file *f);

#endif
