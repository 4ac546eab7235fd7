/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

struct secret;

#define PROGRAM_OUT_MAX ((size_t)1 << 20)

/* A program that has ended. */
struct program_result {
	int status;          /* its exit status; 128 + n when signal n ended it */
	struct secret *out;  /* stdout and stderr together, NUL-terminated */
};

/*
 * Runs argv[0], an absolute path, with an environment of its own and `in` as its stdin, and waits. No shell. CLUSTER_ESYSTEM: could not be started. The caller frees
 * ret->out with secret_free.
 */
enum cluster_err program_run(const char *const *argv, const void *in, size_t n, struct program_result *ret, struct diag *d) CLUSTER_MUST_USE;

/* program_run of a program whose success is what counts: CLUSTER_ECONFIG with the end of its output otherwise. */
enum cluster_err program_check(const char *const *argv, struct diag *d) CLUSTER_MUST_USE;

#endif
