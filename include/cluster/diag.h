/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_DIAG_H
#define CLUSTER_DIAG_H

#include "cluster/attr.h"
#include "cluster/err.h"

#define DIAG_TEXT_MAX 400

/* What went wrong, in one sentence, without allocation. Text is for an administrator and never holds a secret. */
struct diag {
	enum cluster_err code;
	int sys_errno;
	char text[DIAG_TEXT_MAX];
};

/* An empty diag: CLUSTER_OK, no text. */
void diag_clear(struct diag *d);

/*
 * Records `code` and the sentence, and returns `code`, so that a failing line is
 * `return diag_set(d, CLUSTER_EFORMAT, "record %u: ...", i)`. `d` may be NULL. Control bytes from arguments are escaped.
 */
enum cluster_err diag_set(struct diag *d, enum cluster_err code, const char *fmt, ...) CLUSTER_PRINTF(3, 4);

/* As diag_set with CLUSTER_ESYSTEM; stores the present errno and appends ": <its message>". */
enum cluster_err diag_errno(struct diag *d, const char *fmt, ...) CLUSTER_PRINTF(2, 3);

/* Puts "prefix: " before the text that is there (context added by a caller). Returns d->code, or CLUSTER_OK if `d` is NULL. */
enum cluster_err diag_prefix(struct diag *d, const char *fmt, ...) CLUSTER_PRINTF(2, 3);

#endif
