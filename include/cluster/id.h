/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_ID_H
#define CLUSTER_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"

#define ID_SIZE 16
#define ID_TEXT 22 /* characters of base64url, without the NUL */

/* 16 bytes that name a cluster, person, node, device, grant, session or credential (PROTOCOL.md 1.3). */
struct cluster_id {
	uint8_t b[ID_SIZE];
};

bool id_equal(const struct cluster_id *a, const struct cluster_id *b);
bool id_is_zero(const struct cluster_id *a);
/* Strict: exactly 22 characters of base64url, canonical. CLUSTER_EFORMAT otherwise. */
enum cluster_err id_parse(const char *text, struct cluster_id *ret) CLUSTER_MUST_USE;
/* Always succeeds; `dst` holds the text and a NUL. */
void id_text(const struct cluster_id *id, char dst[ID_TEXT + 1]);

#endif
