/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_HOP_TALK_H
#define AGENT_HOP_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/crypto.h"
#include "cluster/sshkey.h"
#include "cluster/sshagent_msg.h"

#include "hop_judge.h"
#include "hop_offer.h"

/*
 * What is said on one connection to the hop socket (PROTOCOL.md 5.8): a session-bind, a list, signatures. No socket, no clock, no question to root here: all that comes in is an argument. The
 * ephemeral key lives and dies with it.
 */

#define HOP_TALK_REQUESTS_MAX 16

struct hop_talk {
	enum { HOP_TALK_NEW, HOP_TALK_BOUND, HOP_TALK_SPOILT } state;
	unsigned int requests;
	uint8_t session_id[SSHAGENT_MSG_SESSION_ID_MAX], hostkey[SSHKEY_BLOB_MAX];
	size_t session_id_n, hostkey_n;
	struct crypto_key *key; /* owned; NULL until something is offered */
	struct hop claims;      /* of what has been offered */
	size_t n;
	struct hop_offer offer[HOP_JUDGE_ACCOUNTS_MAX];
};

/* One request. Borrowed. */
struct hop_talk_request {
	const uint8_t *p;                /* without its length */
	size_t n;
	const struct hop_view *view;     /* NULL: there is none, because of */
	enum reason why;
	const struct hop_caller *caller; /* NULL: nobody has asked root yet */
	const struct crypto_key *key;    /* the node's hop key */
};

enum hop_talk_step {
	HOP_TALK_ANSWERED, /* the answer is in the writer */
	HOP_TALK_ASK,      /* nothing has been done: once more, with `caller` */
	HOP_TALK_END       /* no answer: the connection is to be closed */
};

/* What is to be counted and logged of it. */
struct hop_talk_note {
	enum { HOP_TALK_NOTHING, HOP_TALK_VOUCHED, HOP_TALK_REFUSED } what;
	enum reason reason;
	struct diag detail;
	char person[NAME_PERSON_MAX + 1], account[NAME_ACCOUNT_MAX + 1], target[NAME_NODE_MAX + 1]; /* what is not known is "-" */
	struct cluster_id session, jti;
};

void hop_talk_init(struct hop_talk *t);
/* Wipes the key. */
void hop_talk_done(struct hop_talk *t);
/* Is this a request to be judged? Then hop_talk_take wants a view. */
bool hop_talk_judges(const struct hop_talk *t, const uint8_t *p, size_t n);
/* The answer without its length goes to `w`, whose failure is the caller's to see. */
enum hop_talk_step hop_talk_take(struct hop_talk *t, const struct hop_talk_request *q, struct wr *w, struct hop_talk_note *ret);

#endif
