/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_WATCH_H
#define AGENT_WATCH_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* The node's passwd and group files, read when they change. */
struct watch;

enum cluster_err watch_new(const char *passwd, const char *group, struct watch **ret, struct diag *d) CLUSTER_MUST_USE;
void watch_free(struct watch *w);
/* Both files as sealed memory if either has changed since the last success; CLUSTER_ENOTFOUND if not. The caller closes the descriptors. */
enum cluster_err watch_read(struct watch *w, int ret_fds[2], struct diag *d) CLUSTER_MUST_USE;
/* The next watch_read gives the files in any case. */
void watch_forget(struct watch *w);

#endif
