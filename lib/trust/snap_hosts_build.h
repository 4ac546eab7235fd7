/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_SNAP_HOSTS_BUILD_H
#define TRUST_SNAP_HOSTS_BUILD_H

#include "cluster/snap_write.h"

/* The part of snap_accounts_build that knows nodes: writes HOSTS and ADDRESSES with their indexes. */
enum cluster_err snap_hosts_build(const struct snap_node_in *nodes, size_t n, struct snap_writer *w, struct diag *d) CLUSTER_MUST_USE;

#endif
