/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_SNAP_DIFF_H
#define HARNESS_SNAP_DIFF_H

#include "cluster/snap_change.h"

/* The change that makes one snapshot out of another, found by comparing the two; the caller frees *ret. CLUSTER_ENOMEM. */
enum cluster_err snap_diff(const struct snap *from, const struct snap *to, const struct snap_base *base, uint8_t **ret, size_t *ret_n) CLUSTER_MUST_USE;
/* Applies a change in memory: merge, write, parse, check. *ret_checked: what snap_merge_check says. The caller frees *ret. */
enum cluster_err snap_diff_apply(const struct snap *old, const uint8_t *change, size_t n, enum cluster_err *ret_checked, uint8_t **ret, size_t *ret_n) CLUSTER_MUST_USE;

#endif
