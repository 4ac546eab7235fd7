/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ADMIN_PART_H
#define AUTHORITY_ADMIN_PART_H

#include "call.h"
#include "change.h"
#include "cluster/attr.h"
#include "cluster/directory.h"
#include "cluster/json.h"

/* What the files admin_*.c share, and the handlers that admin.c's table names. */

#define ADMIN_FIELDS(f) (f), sizeof(f) / sizeof *(f)

/* A list of strings to rows of `width` bytes (NULL for none); the caller frees *ret. Grammar is judged with the record. CLUSTER_EFORMAT names `what`. */
enum cluster_err admin_rows(const struct json *list, size_t width, const char *what, void **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;
/* Rows back to a list; NULL when out of memory. */
struct json *admin_list(const void *rows, size_t n, size_t width);
/* Commits and answers {"version"}. */
enum cluster_err admin_commit(struct call *c, struct change *ch, const char *action, const char *object, struct json **ret, struct diag *d) CLUSTER_MUST_USE;
/* Commits; what is answered is the caller's. */
enum cluster_err admin_commit_only(struct call *c, struct change *ch, const char *action, const char *object, struct diag *d) CLUSTER_MUST_USE;
/* Of `n` records of one import `added` are new: commits, or where nothing is, only says so in the audit. */
#define ADMIN_IMPORT_MAX 2000
struct admin_imported {
	size_t added, n;
};
enum cluster_err admin_commit_import(struct call *c, struct change *ch, const char *action, struct admin_imported what, struct diag *d) CLUSTER_MUST_USE;
/* {"<name>": [...]} of all stored texts of a kind, as they are. */
enum cluster_err admin_all(struct call *c, enum store_kind kind, const char *name, struct json **ret, struct diag *d) CLUSTER_MUST_USE;
/* Walks directory records, parsed. */
typedef enum cluster_err admin_visit(void *ctx, const struct directory *one);
enum cluster_err admin_each(struct call *c, enum directory_kind kind, admin_visit *visit, void *ctx, struct diag *d) CLUSTER_MUST_USE;

call_handler admin_status, admin_wait, admin_audit_list;
call_handler admin_person_add, admin_person_list, admin_person_set, admin_person_remove, admin_person_invite;
call_handler admin_account_add, admin_account_import, admin_account_list, admin_account_remove;
call_handler admin_group_add, admin_group_import, admin_group_list, admin_group_member, admin_group_remove;
call_handler admin_device_list, admin_device_remove, admin_device_rename;
/* The same by a person, for the devices that are his or hers. */
call_handler admin_device_own_list, admin_device_own_remove, admin_device_own_rename;
call_handler admin_node_token, admin_node_list, admin_node_set, admin_node_remove;
call_handler admin_grant_add, admin_grant_list, admin_grant_remove;
call_handler admin_revoke_add, admin_revoke_list, admin_revoke_remove, admin_revoke_preview;
call_handler admin_sessions_list, admin_refusal_find;

/* Takes an account out of every group (admin_group.c); a gid that nobody has yet (admin_account.c). */
enum cluster_err admin_group_forget(struct change *ch, const char *account, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err admin_gid_claim(struct change *ch, uint32_t gid, const char *group, struct diag *d) CLUSTER_MUST_USE;
/* The next number that was never a uid nor a gid (admin_account.c). */
enum cluster_err admin_number(struct change *ch, uint32_t *ret, struct diag *d) CLUSTER_MUST_USE;
/* Removes one grant and what finds it (admin_grant.c). */
enum cluster_err admin_grant_drop(struct change *ch, const struct directory_grant *g, struct diag *d) CLUSTER_MUST_USE;
/* Removes a device of its person's record and the store (admin_device.c). */
struct device;
enum cluster_err admin_device_drop(struct change *ch, const struct device *device, struct diag *d) CLUSTER_MUST_USE;

#endif
