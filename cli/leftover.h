/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LEFTOVER_H
#define CLI_LEFTOVER_H

#include <stddef.h>

#include "cluster/conf.h"

/* What is left of the time before: ssh keys and passwords that a machine still has for its accounts (JOBS R29). */

enum leftover_whose {
	LEFTOVER_CLUSTER, /* adopted accounts, and homes of accounts that the machine itself does not know */
	LEFTOVER_LOCAL,   /* root and local people: the local stack's own affair */
	LEFTOVER_N
};

#define LEFTOVER_NAMES 100

struct leftover_list {
	size_t n;
	char names[LEFTOVER_NAMES]; /* the first of them, separated by blanks */
};

struct leftover {
	struct leftover_list keys[LEFTOVER_N], passwords[LEFTOVER_N];
};

struct leftover_places {
	const char *passwd, *shadow, *homes; /* "/etc/passwd", "/etc/shadow", "/home" */
};

/* As root, who may look into homes. authorized_keys and authorized_keys2 where sshd looks by default; a file that is empty is none. What cannot be read is passed over. */
void leftover_find(const struct leftover_places *where, const struct conf_list *adopt, struct leftover *ret);

#endif
