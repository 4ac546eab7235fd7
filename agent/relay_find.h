/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_RELAY_FIND_H
#define AGENT_RELAY_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "cluster/attr.h"
#include "cluster/endpoint.h"
#include "cluster/err.h"

#define RELAY_ADDRESSES_MAX 16

struct event_base;

struct relay_address {
	struct sockaddr_storage sa;
	socklen_t n;
};

/* The authority's addresses: by number, /etc/hosts and DNS, without ever waiting. Found again each minute, and soon after a failure. */
struct relay_find;

/* `targets` are borrowed. CLUSTER_ENOMEM. The caller calls relay_find_free. */
enum cluster_err relay_find_new(struct event_base *base, const struct endpoint *targets, size_t n, struct relay_find **ret) CLUSTER_MUST_USE;
void relay_find_free(struct relay_find *f);
/* Those known now, in order of preference: how many. Borrowed until the loop goes on. */
size_t relay_find_known(const struct relay_find *f, const struct relay_address **ret);
/* None of them could be reached. */
void relay_find_again(struct relay_find *f);

#endif
