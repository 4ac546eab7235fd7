/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_NAME_BAG_H
#define AGENT_NAME_BAG_H

#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/name.h"

/* Names, each as often as it was added: first all are added, then they are sorted, then looked up. Starts as zeros. */
struct name_bag {
	size_t n, room;
	char (*at)[NAME_NODE_MAX + 1];
};

void name_bag_done(struct name_bag *b);
/* CLUSTER_ENOMEM. CLUSTER_ELIMIT: longer than NAME_NODE_MAX. */
enum cluster_err name_bag_add(struct name_bag *b, const char *name) CLUSTER_MUST_USE;
void name_bag_sort(struct name_bag *b);
/* How often it was added; sorted only, as is the next. */
size_t name_bag_count(const struct name_bag *b, const char *name);
/* The first that comes after it in order, borrowed; NULL: none. */
const char *name_bag_after(const struct name_bag *b, const char *name);

#endif
