/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAM_CALL_H
#define PAM_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include <security/pam_modules.h>

#include "cluster/challenge.h"
#include "cluster/credential.h"
#include "cluster/policy.h"
#include "cluster/refusal.h"

#include "pam_conf.h"
#include "pam_facts.h"
#include "pam_result.h"
#include "pam_view.h"

#define PAM_CALL_ID REFUSAL_ID_NEW /* characters of the id that stands in the log and on the user's screen */
#define PAM_CALL_HANDOVER "CLUSTER_LOGIN_HANDOVER"
#define PAM_CALL_HANDOVER_MAX (CHALLENGE_TEXT + 1 + CHALLENGE_ANSWER_MAX)

/* One call of one entry point. */
struct pam_call {
	pam_handle_t *pamh;
	int flags;
	enum pam_stage stage;
	struct pam_conf conf;
	struct pam_facts facts;
	struct snapshots view;
	bool verified;                /* credential holds what a signature vouches for */
	struct credential credential;
	bool hopped;                  /* in its place: `hop` holds what the node `via` vouches for */
	struct hop hop;
	char via[NAME_NODE_MAX + 1];
	bool certified, has_facts;    /* it came in a certificate; cert is known, if only for the log */
	struct sshcert_facts cert;
	enum policy_use use;          /* what the grant must allow */
	bool onetime;                 /* it is a one-time credential, for only_node; `receipt` proves its one use to the session stage */
	struct cluster_id only_node, receipt;
	struct policy_answer answer;
	struct diag detail;
	enum reason excused;          /* what was only reported (static_keys = report), or REASON_OK */
};

/*
 * Configuration and facts. REASON_OK: the name is ours to decide, and snapshots are open if the stage needs them. A reason of pam_result_ignored: it is not. Else a failure.
 * pam_call_end must follow in any case.
 */
enum reason pam_call_begin(struct pam_call *c, pam_handle_t *pamh, int flags, enum pam_stage stage, int argc, const char **argv);
/* Reports the decision, tells the user, releases everything, and returns the PAM code. */
int pam_call_end(struct pam_call *c, enum reason r);

/* Looks at the world again: snapshots and clocks as they are now. */
void pam_call_refresh(struct pam_call *c);
/* How old a head may be for this service, as this node tightens it; 0: it does not. */
int64_t pam_call_max_stale(const struct pam_call *c);
/* policy_decide for this call, with the verified credential if there is one; before it, snapshots and identity. */
enum reason pam_call_decide(struct pam_call *c);

/* An answer to a challenge, judged in full: format, signature, binding, proof, identity, policy. Always one verification of a credential and one of a proof (THREATS.md G1). */
enum reason pam_judge_answer(struct pam_call *c, const struct challenge *ch, const char *answer, size_t n);
/* The text of the hand-over (PROTOCOL.md 4.4), believed as little as an answer from the network. */
enum reason pam_judge_handover(struct pam_call *c, const char *text);

/*
 * The certificate that sshd has proved (AUTHINFO_NAME), judged in full: CA, signature, the credential in it, identity, policy. REASON_NO_HANDOVER: there is none, or not sshd says so;
 * REASON_CERTIFICATE_CA: another CA's.
 */
enum reason pam_judge_certificate(struct pam_call *c);

/* A challenge of this node for this service and account. False: there is no nonce, and no answer counts. */
bool pam_auth_challenge(const struct pam_call *c, struct challenge *ch);
/* Asks one hidden question. REASON_NO_ANSWER; the caller frees *ret_reply with secret_free_string in any case. */
enum reason pam_auth_ask(struct pam_call *c, const char *prompt, char **ret_reply);

/* sudo and su (PROTOCOL.md 4.8): the caller's own fresh session on a personal account, or an answer to a challenge. */
enum reason pam_step_up(struct pam_call *c);

/* One-time credentials (PROTOCOL.md 4.7). Is this answer meant as one? */
bool pam_onetime_shown(const char *answer, size_t n);
/* One verification; fills credential, onetime and only_node. Errors as onetime_verify. */
enum cluster_err pam_onetime_verify(struct pam_call *c, const char *answer, size_t n, const struct keyring_at *at);
/* Asks the agent, the last of all checks: its one use, with a new receipt; and in the session stage, whether it was that. REASON_USED, REASON_NO_AGENT. */
enum reason pam_onetime_redeem(struct pam_call *c);
enum reason pam_onetime_confirm(struct pam_call *c);

/* What each stage decides. */
enum reason pam_auth_run(struct pam_call *c);
enum reason pam_account_run(struct pam_call *c);
enum reason pam_session_open(struct pam_call *c);
enum reason pam_session_close(struct pam_call *c);
/* The record of the session from which this process was started. REASON_SESSION_RECORD: nobody knows. */
struct session;
enum reason pam_session_of_caller(struct pam_call *c, struct session *ret, bool *ret_found);
/* Must the session from which this process was started end? REASON_OK if it may live, or if there is none. */
enum reason pam_session_caller(struct pam_call *c);

/* The one log line of a decision, and its id. */
void pam_report_line(const struct pam_call *c, enum reason r, const char id[PAM_CALL_ID + 1]);
/* The same of a refusal for the node's agent, so that `explain` knows the id; waits for nothing, and changes nothing if it fails. */
void pam_report_agent(const struct pam_call *c, enum reason r, const char id[PAM_CALL_ID + 1]);

#endif
