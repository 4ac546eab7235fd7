/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_MOMENT_H
#define CLUSTER_MOMENT_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/id.h"

#define MOMENT_MIN INT64_C(1577836800) /* 2020-01-01: earlier times in signed data are refused (PROTOCOL.md 1.5) */
#define MOMENT_MAX INT64_C(4102444800) /* 2100-01-01 */
#define MOMENT_TEXT 21                 /* "2026-11-21T00:22:00Z" and a NUL */

/* The clocks a decision looks at, read once and passed in, so that tests need no sleep. */
struct moment {
	int64_t wall;           /* CLOCK_REALTIME, seconds since 1970 UTC */
	int64_t boot;           /* CLOCK_BOOTTIME, seconds: counts through suspend */
	struct cluster_id boot_id; /* /proc/sys/kernel/random/boot_id as 16 bytes */
};

/* Reads all three. CLUSTER_ESYSTEM if one of them cannot be had. Opens and closes one descriptor. */
enum cluster_err moment_now(struct moment *ret) CLUSTER_MUST_USE;

/* Milliseconds of CLOCK_MONOTONIC, for how long something takes or may take; 0 if it cannot be had. */
int64_t moment_ms(void);

/* RFC 3339 in UTC, integer arithmetic only (no tz database, no locale). Out of [1970, 9999] gives "-". */
void moment_text(int64_t wall, char dst[MOMENT_TEXT]);

/* Parses that form ("2026-11-21T00:22:00Z"). CLUSTER_EFORMAT otherwise. */
enum cluster_err moment_parse(const char *text, int64_t *ret) CLUSTER_MUST_USE;

/* A length of time for people: "47s", "14m 5s", "2h 3m", "3d 4h". */
void moment_span(int64_t seconds, char *dst, size_t size);

#endif
