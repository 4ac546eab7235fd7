/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_AUDIT_H
#define AUTHORITY_AUDIT_H

#include "cluster/attr.h"
#include "cluster/err.h"
#include "store.h"

/* The hash that follows `before` (32 bytes, zeros for the first record) in the chain. */
enum cluster_err audit_hash(const uint8_t before[32], const struct store_audit *r, uint8_t ret[32]) CLUSTER_MUST_USE;

#endif
