/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_WR_H
#define CLUSTER_WR_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/*
 * A bounded writer, the mirror of rd.h. The first failure sticks: later calls do nothing, and wr_end() reports it, so a chain of writes
 * needs one check. Either over the caller's array (wr_init) or over memory that grows up to a limit (wr_grow, released by wr_done).
 */
struct wr {
	uint8_t *p;
	size_t n;    /* bytes written */
	size_t size; /* room */
	size_t limit;
	enum cluster_err err;
	int owned;
};

void wr_init(struct wr *w, void *dst, size_t size);
void wr_grow(struct wr *w, size_t limit);
/* Wipes and releases what wr_grow took; harmless after wr_init and when called twice. */
void wr_done(struct wr *w);

void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_bytes(struct wr *w, const void *src, size_t n);
/* `n` zero bytes. */
void wr_zero(struct wr *w, size_t n);
/* Zero bytes up to the next multiple of `align`, a power of two. */
void wr_align(struct wr *w, size_t align);
/* Length (u8, u16) and bytes of a C string without its terminator; CLUSTER_ELIMIT if it is longer than the length can say. */
void wr_str8(struct wr *w, const char *s);
void wr_str16(struct wr *w, const char *s);
/* The bytes of a C string, no length, no terminator. */
void wr_text(struct wr *w, const char *s);
/* Formatted text, no terminator. */
void wr_printf(struct wr *w, const char *fmt, ...) CLUSTER_PRINTF(2, 3);
/* Overwrites a u32 written earlier at offset `at`. */
void wr_patch_u32(struct wr *w, size_t at, uint32_t v);
/* Adds a terminating NUL that is not counted in n, so that (char *)w->p is a C string. */
void wr_terminate(struct wr *w);

/* The first failure, or CLUSTER_OK: CLUSTER_ELIMIT (full), CLUSTER_ENOMEM. */
enum cluster_err wr_end(const struct wr *w) CLUSTER_MUST_USE;

/* Hands the grown memory over: the caller frees *ret with free(). `w` is empty afterwards. Fails as wr_end does, keeping `w`. */
enum cluster_err wr_take(struct wr *w, uint8_t **ret, size_t *ret_n) CLUSTER_MUST_USE;

#endif
