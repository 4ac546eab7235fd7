/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SECRET_H
#define CLUSTER_SECRET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/* Bytes that are wiped when they are released. Owns its memory; bytes[n] is always 0. */
struct secret {
	size_t n;
	uint8_t bytes[];
};

/* `n` zero bytes. CLUSTER_ENOMEM; CLUSTER_ELIMIT above 64 MiB. */
enum cluster_err secret_new(size_t n, struct secret **ret) CLUSTER_MUST_USE;
/* A copy of `n` bytes at `src`, which stays the caller's. */
enum cluster_err secret_copy(const void *src, size_t n, struct secret **ret) CLUSTER_MUST_USE;
/* Wipes and frees; NULL is allowed. */
void secret_free(struct secret *s);
/* Wipes and frees a C string that a library allocated with malloc (a PAM reply); NULL is allowed. */
void secret_free_string(char *s);

/* Wipes an array; a pointer does not compile. */
#define secret_wipe(array) \
	do { \
		_Static_assert(!__builtin_types_compatible_p(__typeof__(array), __typeof__(&(array)[0])), "secret_wipe needs an array"); \
		explicit_bzero((array), sizeof(array)); \
	} while (0)

#endif
