/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_SNAP_KEYS_H
#define TRUST_SNAP_KEYS_H

#include <stdbool.h>

#include "cluster/rd.h"
#include "cluster/snap_format.h"

/* Which bytes of a record are its keys (PROTOCOL.md 5.2, 5.3). */
struct snap_text {
	const uint8_t *p;
	size_t n;
};

/* What orders the records of a section: the key of its first index, but for ADDRESSES, which no key orders (false), as for bytes that are no such record. */
bool snap_keys_order(enum snap_kind kind, uint32_t records, const struct rd *body, struct snap_text *ret);
/* The key by which index `type` finds the record. False: no such record. */
bool snap_keys_index(enum snap_kind kind, uint32_t type, const struct rd *body, struct snap_text *ret);
/* As memcmp, a beginning before what goes on. */
int snap_keys_compare(const struct snap_text *a, const struct snap_text *b);

#endif
