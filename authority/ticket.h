/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_TICKET_H
#define AUTHORITY_TICKET_H

#include "call.h"
#include "change.h"
#include "cluster/attr.h"
#include "store.h"

/*
 * Join tokens and invite codes: random text that is handed over once and kept only as a hash. A code is for people to type: capitals, hyphens do not matter.
 */
#define TICKET_TEXT_MAX 32
#define TICKET_KEY 43

/* STORE_TOKEN or STORE_INVITE */
enum cluster_err ticket_make(enum store_kind kind, char ret[TICKET_TEXT_MAX]) CLUSTER_MUST_USE;
/* The key under which it is kept. */
enum cluster_err ticket_key(enum store_kind kind, const char *text, char ret[TICKET_KEY + 1]) CLUSTER_MUST_USE;

/*
 * Takes the ticket out of the store, inside the change, and hands over what was kept (the caller frees *ret with json_free). Wrong ones are counted by address:
 * CLUSTER_EDENIED (unknown, used, expired), CLUSTER_EUNAVAIL (too many wrong ones). The sentence is for strangers.
 */
enum cluster_err ticket_take(struct call *c, struct change *ch, enum store_kind kind, const char *text, struct json **ret, struct diag *d) CLUSTER_MUST_USE;
/* May this address try at all? CLUSTER_EUNAVAIL. */
enum cluster_err ticket_may_try(struct call *c, struct diag *d) CLUSTER_MUST_USE;
/* Forgets those that have expired. */
enum cluster_err ticket_sweep(struct store *s, enum store_kind kind, int64_t now) CLUSTER_MUST_USE;

#endif
