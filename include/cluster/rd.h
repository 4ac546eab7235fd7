/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_RD_H
#define CLUSTER_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/*
 * A bounded cursor over bytes that somebody else owns. Integers are big-endian (PROTOCOL.md 1.2). A failed call leaves the cursor and the
 * destination as they were. CLUSTER_ETRUNC: not enough bytes. CLUSTER_ELIMIT: the destination is too small. CLUSTER_EFORMAT: see each call.
 */
struct rd {
	const uint8_t *p;
	size_t n;
};

void rd_init(struct rd *r, const void *data, size_t n);
size_t rd_left(const struct rd *r);

enum cluster_err rd_u8(struct rd *r, uint8_t *ret) CLUSTER_MUST_USE;
enum cluster_err rd_u16(struct rd *r, uint16_t *ret) CLUSTER_MUST_USE;
enum cluster_err rd_u32(struct rd *r, uint32_t *ret) CLUSTER_MUST_USE;
enum cluster_err rd_u64(struct rd *r, uint64_t *ret) CLUSTER_MUST_USE;

/* Copies exactly `n` bytes into `dst`, which has room for `size`. */
enum cluster_err rd_bytes(struct rd *r, void *dst, size_t size, size_t n) CLUSTER_MUST_USE;

/* Points *ret at the next `n` bytes, which stay the property of whoever owns the buffer. */
enum cluster_err rd_view(struct rd *r, size_t n, const uint8_t **ret) CLUSTER_MUST_USE;

/* Takes the next `n` bytes as a cursor of their own. */
enum cluster_err rd_sub(struct rd *r, size_t n, struct rd *ret) CLUSTER_MUST_USE;

/*
 * A string of u8 length (rd_str8) or u16 length (rd_str16), copied and terminated; `size` includes the terminator.
 * CLUSTER_EFORMAT if it holds a NUL byte.
 */
enum cluster_err rd_str8(struct rd *r, char *dst, size_t size) CLUSTER_MUST_USE;
enum cluster_err rd_str16(struct rd *r, char *dst, size_t size) CLUSTER_MUST_USE;

/* CLUSTER_EFORMAT unless every byte has been read: leftovers are an error. */
enum cluster_err rd_end(const struct rd *r) CLUSTER_MUST_USE;

#endif
