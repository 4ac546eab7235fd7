/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_GENERATION_H
#define AGENT_GENERATION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* <state>/gen/<number>: made as <number>.tmp, renamed when complete and durable. And the generation word that readers map. */

enum cluster_err generation_begin(const char *gen, uint64_t number, struct diag *d) CLUSTER_MUST_USE;
/* A file of it in the making. */
struct generation_file {
	int fd;
	uint64_t n, started; /* bytes written; of them, on their way to the disk */
};
enum cluster_err generation_open(const char *gen, uint64_t number, const char *name, struct generation_file *ret, struct diag *d) CLUSTER_MUST_USE;
/* As the function of a struct snap_sink. Lets the disk begin before the end. */
enum cluster_err generation_put(void *file, const void *p, size_t n) CLUSTER_MUST_USE;
enum cluster_err generation_sync(const struct generation_file *file, const char *name, struct diag *d) CLUSTER_MUST_USE;
void generation_close(struct generation_file *file);
/* The name of a file of an unfinished generation. */
enum cluster_err generation_path(char *dst, size_t size, const char *gen, uint64_t number, const char *name, struct diag *d) CLUSTER_MUST_USE;
/* The same file as in generation `from`. */
enum cluster_err generation_link(const char *gen, uint64_t from, uint64_t number, const char *name, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err generation_end(const char *gen, uint64_t number, struct diag *d) CLUSTER_MUST_USE;
/* Takes a generation away, finished or not. */
void generation_drop(const char *gen, uint64_t number);
/* Takes away everything but `current` and the one before. */
void generation_clear(const char *gen, uint64_t current);

/* <state>/generation: 4096 bytes of which the first eight are the number, native. Made once, never replaced: readers keep it mapped. */
enum cluster_err generation_word_open(const char *state, uid_t owner, uint64_t **ret, struct diag *d) CLUSTER_MUST_USE;
void generation_word_close(uint64_t *word);

#endif
