/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_IN_HAND_H
#define CLI_IN_HAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/credential.h"
#include "profile.h"

struct json;
struct standing;

/* What a person has in hand, as `get` and `show` tell it. */

/* A credential's members; NULL: out of memory. */
struct json *in_hand_json(const struct profile *p, const struct credential *c, const char *cluster_name);
/* Who, until when, and as which accounts where; what the authority says of it, unless `s` is NULL. The exit status. */
int in_hand_print(const struct profile *p, const struct credential *c, const char *cluster_name, const struct standing *s, bool json);
/* Does the credential open this account? Unless it is narrowed, it opens all. */
bool in_hand_serves(const struct credential *c, const char *account);
/* The certificates in the agent, if there is one: a line each, or appended to `list` if that is not NULL. How many. */
size_t in_hand_certificates(const struct profile *p, struct json *list);

#endif
