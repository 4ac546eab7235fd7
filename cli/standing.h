/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_STANDING_H
#define CLI_STANDING_H

#include "profile.h"
#include "wallet.h"

/* What the authority says of a credential that has not expired. */
enum standing_kind {
	STANDING_UNKNOWN, /* it was not asked, or did not answer: `why` */
	STANDING_GOOD,
	STANDING_REVOKED, /* the credential, or what it comes from: `why` */
	STANDING_REFUSED  /* not revoked, but no good any more, or not from here: `why` */
};

struct standing {
	enum standing_kind kind;
	char why[400];
};

/* "good", "revoked", "refused", "unknown". */
const char *standing_word(enum standing_kind k);

/* Asks with the credential itself; a few seconds at most. If it is good, the list of accounts is brought up to date. */
void standing_ask(const struct profile *p, const struct wallet *w, struct standing *ret);

#endif
