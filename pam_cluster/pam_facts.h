/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAM_FACTS_H
#define PAM_FACTS_H

#include <stdbool.h>
#include <sys/types.h>

#include <security/pam_modules.h>

#include "cluster/identity.h"
#include "cluster/policy.h"

#include "pam_conf.h"

#define PAM_FACTS_SOURCE_MAX 45

/* What the application and the machine say about this call. Strings are PAM's, never NULL. */
struct pam_facts {
	const char *user, *service, *rhost, *tty;
	const char *ruser; /* who runs the program, as it says itself */
	char source[PAM_FACTS_SOURCE_MAX + 1]; /* address of the client, or empty */
	enum policy_class class;
	struct identity who;
};

/* Who: PAM_USER and whether it is a local account. False: PAM has no user. */
bool pam_facts_user(struct pam_facts *f, pam_handle_t *pamh, const struct pam_conf *conf);
/* The rest, for a name that is not left to the local stack: service class, client, name service. */
void pam_facts_rest(struct pam_facts *f, pam_handle_t *pamh, const struct pam_conf *conf);
enum policy_class pam_facts_class(const struct node_conf *node, const char *service, bool root);

#endif
