/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SNAP_HOSTS_H
#define CORE_SNAP_HOSTS_H

#include "cluster/snap.h"

/* The record's parts agree with its length, its name may be answered, its addresses too. CLUSTER_EFORMAT. For snap_host.c and snap_verify_hosts.c. */
enum cluster_err snap_host_decode(const struct rd *body, struct snap_host *ret) CLUSTER_MUST_USE;

#endif
