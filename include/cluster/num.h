/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_NUM_H
#define CLUSTER_NUM_H

#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/*
 * Decimal text to number: first byte a digit, the whole string consumed, no sign, no space, no leading zero but "0" itself.
 * CLUSTER_EFORMAT: not such a text. CLUSTER_ELIMIT: outside [min, max].
 */
enum cluster_err num_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret) CLUSTER_MUST_USE;
enum cluster_err num_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret) CLUSTER_MUST_USE;

/* A length of time to seconds: a number with an optional unit s, m, h or d ("90", "15m", "12h"). Errors as above. */
enum cluster_err num_seconds(const char *text, uint64_t min, uint64_t max, uint64_t *ret) CLUSTER_MUST_USE;

#endif
