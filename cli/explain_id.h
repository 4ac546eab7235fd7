/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXPLAIN_ID_H
#define CLI_EXPLAIN_ID_H

#include <stdbool.h>

#include "admin.h"
#include "node_view.h"

/* `explain ID`: the refusal that somebody was shown the id of, from this node's agent, else from the authority (PROTOCOL.md 5.7, 6.5). */

/* As long as those that people are shown. */
bool explain_id_ok(const char *text);
/* Prints what is known; the exit status. EXIT_NO: nothing. */
int explain_id(const struct node_words *node, const struct admin_words *admin, const char *id);

#endif
