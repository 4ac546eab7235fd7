/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_TEXT_FILE_H
#define AGENT_TEXT_FILE_H

#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/wr.h"

/* A file of the state directory that other programs read: what all of them may know. */
struct text_file {
	const char *state_dir, *name;
	uid_t owner;
	size_t max; /* bytes; what is larger is not what we wrote */
};

/* Makes it say what `w` has (0644, replaced as a whole); one that says so already is left alone. CLUSTER_ESYSTEM: the old one stands. */
enum cluster_err text_file_put(const struct text_file *f, struct wr *w, struct diag *d) CLUSTER_MUST_USE;

#endif
