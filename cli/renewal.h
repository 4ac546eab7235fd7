/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_RENEWAL_H
#define CLI_RENEWAL_H

#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "profile.h"
#include "wallet.h"

struct view;

#define RENEWAL_LATEST 60 /* seconds left below which a credential is not begun with */

/*
 * How many seconds before its end a credential is renewed: a tenth of its life, and by its own id up to as much again, so that credentials of one moment do not come back in one
 * moment; RENEWAL_LATEST at least, half of the life at most.
 */
int64_t renewal_lead(const struct credential *c);

/*
 * The credential in hand and a view, renewed if its time has come, with the same life and narrowing. Of many processes one asks and the others take what it got. If the authority
 * cannot be reached, a credential that has not expired serves on, with a note once there is not much left, and it is asked again half a minute later at the soonest.
 * What another command has put in hand meanwhile is taken as it is. CLUSTER_EDENIED: it was dropped meanwhile, or the authority refuses.
 * The caller calls wallet_done and view_free.
 */
enum cluster_err renewal_ensure(const struct profile *p, struct wallet *ret, struct view **ret_view, struct diag *d) CLUSTER_MUST_USE;

#endif
