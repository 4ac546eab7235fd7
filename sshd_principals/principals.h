/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRINCIPALS_H
#define PRINCIPALS_H

#include <sys/types.h>

#include "cluster/node_conf.h"
#include "cluster/policy.h"
#include "cluster/sshcert_hop.h"

/* sshd's question, and by which files it is answered. */
struct principals_query {
	const char *account, *type, *certificate; /* %u %t %k */
	const char *passwd;
	const struct node_conf *conf;
	uid_t owner;                              /* of the snapshots */
};

#define PRINCIPALS_TEXT SSHCERT_HOP_PRINCIPAL /* the longest: a credential's is 2 * ID_TEXT + 1 */

struct principals_answer {
	char principal[PRINCIPALS_TEXT + 1];      /* if the reason is REASON_OK, else empty */
	struct policy_certificate certificate;
	struct diag detail;
};

/*
 * May this certificate open this account here? Looks at files and clocks, changes nothing. REASON_OK: then `principal` is the one name that sshd has to find in the certificate. Nothing is
 * proved here: sshd asks before it has checked the signature of the login, for expired certificates too.
 */
enum reason principals_decide(const struct principals_query *q, struct principals_answer *ret);

#endif
