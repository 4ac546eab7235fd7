/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ASSEMBLE_SET_H
#define AGENT_ASSEMBLE_SET_H

#include "assemble.h"

#include "cluster/directory.h"
#include "cluster/document.h"
#include "cluster/revoke.h"

#include "objects.h"

/* Shared by assemble.c (verification) and assemble_build.c (outputs). */

/* One head and all that hangs on it. */
struct assemble_set {
	bool used;
	char *head_text;
	size_t head_n;
	struct document_head head;
	struct document_root root;
	struct document_keyset keyset;
	struct directory *dir;
	bool dir_borrowed; /* `dir` belongs to the installed set */
	struct revoke_list *revocations;
};

struct assemble {
	struct assemble_conf conf;
	struct assemble_floor floor;
	struct local *local;
	bool local_changed; /* since the installed accounts.snap was built */
	bool local_offered; /* the output in flight has seen it */
	struct objects *objects;
	struct assemble_set installed, next;
	bool whole;         /* outputs have to be complete */
	bool raised;        /* installed.head.version comes from the floor and not from head_text */
	bool restoring;     /* `next` comes from disk */
	struct assemble_want *want;
	size_t n_want, want_room;
};
/* The texts of shards are not needed any more once they are read and handed over. Only the documents of both sets stay. */
void assemble_forget_shards(struct assemble *a);

#endif
