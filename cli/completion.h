/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stddef.h>

#include "command.h"

/* What may stand at the end of a command line: from the tables that parse it, and from what is known of the cluster. */

struct completion_names {
	size_t n_nodes, n_accounts;
	const char *const *nodes;    /* names, roles, leader */
	const char *const *accounts;
};

struct completion {
	const struct command_row *rows;
	size_t n_rows;
	/* Asked at most once, and only if names are wanted; NULL: none are known. */
	const struct completion_names *(*names)(void *arg);
	void (*emit)(void *arg, const char *word, const char *help); /* `help` may be empty */
	void *arg;
};

/*
 * Emits each word that can complete the last one of `line`, which is what has been typed up to the cursor, the program's name included. Words are separated by blanks; quotes mean nothing. A word
 * that wants more behind it ends with "@", ":" or "=". Nothing at all: names of files, perhaps.
 */
void completion_each(const struct completion *c, const char *line);

/* The script that makes "bash", "zsh" or "fish" ask `cluster-login complete`. NULL: another shell. */
const char *completion_script(const char *shell);

#endif
