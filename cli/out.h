/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

struct json;

/* Data to stdout, everything else to stderr. Control bytes in what is printed become \xHH: foreign text drives no terminal. */

/* What others have written, for a terminal: each byte of a control character (C1 and those of the order of writing too) and of what is no UTF-8 as \xHH; cut where dst is full. */
void out_plain(const char *src, char *dst, size_t size);

/* One line of data. */
void out_line(const char *fmt, ...) CLUSTER_PRINTF(1, 2);
/* One line of narration, to stderr. */
void out_note(const char *fmt, ...) CLUSTER_PRINTF(1, 2);
/* "cluster-login: <sentence>", to stderr. */
void out_error(const char *fmt, ...) CLUSTER_PRINTF(1, 2);
/* What is being done, while it is: on a terminal only, and gone with the next thing that is said. */
void out_progress(const char *fmt, ...) CLUSTER_PRINTF(1, 2);
/* Nothing is any more. */
void out_progress_end(void);
/* The next command to try, to stderr. */
void out_try(const char *fmt, ...) CLUSTER_PRINTF(1, 2);
/* The sentence of `d`, the next command if `next` is not NULL, and the exit status for d->code. */
int out_failed(const struct diag *d, const char *next);
/* Indented JSON; takes `j` (NULL: out of memory). The exit status. */
int out_json(struct json *j);
/* May colour be used on this descriptor? */
bool out_colour(int fd);
/* Flushes stdout: `status`, or EXIT_IO if something could not be written. */
int out_end(int status);

#endif
