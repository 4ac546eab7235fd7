/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_LOCAL_H
#define AGENT_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/conf.h"
#include "cluster/diag.h"
#include "cluster/directory.h"
#include "cluster/err.h"
#include "cluster/snap_write.h"

/* The node's own accounts and groups, and what of the directory may stand beside them in accounts.snap (THREATS.md D1, D3, D4, D7). Pure. */
struct local;

/* From the bytes of passwd and group files. Lines that are not entries are passed over, as glibc does. The caller calls local_free. */
enum cluster_err local_parse(const char *passwd, size_t passwd_n, const char *group, size_t group_n, struct local **ret) CLUSTER_MUST_USE;
void local_free(struct local *l);

bool local_has_account(const struct local *l, const char *name);
bool local_has_uid(const struct local *l, uint32_t uid);
bool local_has_group(const struct local *l, const char *name);
bool local_has_gid(const struct local *l, uint32_t gid);

/* A snapshot in memory. */
struct snap_bytes {
	uint8_t *p;
	size_t n;
};

struct local_rules {
	const struct conf_list *adopt; /* names whose identity is the local one: left out without a word */
	uint32_t id_min, id_max;       /* the node's window of uids and gids */
};

/* Called for each entry that is left out, with a sentence. */
struct local_report {
	void (*line)(void *arg, const char *sentence);
	void *arg;
};

/* accounts.snap of the directory without what collides, is reserved or out of the window. The caller frees *ret with free(). */
enum cluster_err local_accounts_build(const struct cluster_id *cluster, const struct directory *dir, const struct local *l, const struct local_rules *rules,
    const struct local_report *report, struct snap_bytes *ret, struct diag *d) CLUSTER_MUST_USE;/* The same, piece by piece. */
enum cluster_err local_accounts_put(const struct cluster_id *cluster, const struct directory *dir, const struct local *l, const struct local_rules *rules,
    const struct local_report *report, const struct snap_sink *sink, struct diag *d) CLUSTER_MUST_USE;

/*
 * The gids of the groups that list `name` in accounts.snap of this directory, ascending; the directory must know its order by member. The caller frees *ret, which may be NULL if there are
 * none. CLUSTER_ENOMEM.
 */
enum cluster_err local_member_gids(const struct directory *dir, const struct local *l, const struct local_rules *rules, const char *name, uint32_t **ret, size_t *ret_n) CLUSTER_MUST_USE;

#endif
