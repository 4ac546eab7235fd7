/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_AGENT_MSG_H
#define CLUSTER_AGENT_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/refusal.h"

/* The agent socket's codec and a client call (PROTOCOL.md 5.7). */

#define AGENT_MSG_SOCKET "/run/cluster-login/agent.sock"
#define AGENT_MSG_MAX 1024

enum agent_msg_type { AGENT_MSG_STATUS = 1, AGENT_MSG_SESSION_OPENED = 2, AGENT_MSG_SESSION_CLOSED = 3, AGENT_MSG_REDEEM = 4, AGENT_MSG_CONFIRM = 5, AGENT_MSG_REFUSED = 6,
	AGENT_MSG_EXPLAIN = 7 };

struct agent_msg_request {
	enum agent_msg_type type;
	struct cluster_id session;      /* SESSION_OPENED, SESSION_CLOSED */
	struct cluster_id jti, receipt; /* REDEEM, CONFIRM: of a one-time credential, and a random number of PAM's */
	int64_t iat, exp;               /* REDEEM */
	struct cluster_id person;       /* REDEEM */
	uint32_t skew;                  /* REDEEM: how far ahead of this clock iat may be */
	struct refusal refusal;         /* REFUSED; EXPLAIN: its id only */
};

struct agent_msg_status {
	uint64_t generation, head_version;
	int64_t head_iat, last_contact;
	uint32_t sessions, closing; /* open; closed with processes left */
	bool connected;
	char last_error[201];
};

struct agent_msg_answer {
	enum agent_msg_type type;
	enum cluster_err result;
	struct agent_msg_status status; /* STATUS */
	struct refusal refusal;         /* EXPLAIN, CLUSTER_OK */
};

enum cluster_err agent_msg_request_build(const struct agent_msg_request *m, uint8_t dst[AGENT_MSG_MAX], size_t *ret_n) CLUSTER_MUST_USE;
enum cluster_err agent_msg_request_parse(const void *data, size_t n, struct agent_msg_request *ret) CLUSTER_MUST_USE;
enum cluster_err agent_msg_answer_build(const struct agent_msg_answer *m, uint8_t dst[AGENT_MSG_MAX], size_t *ret_n) CLUSTER_MUST_USE;
enum cluster_err agent_msg_answer_parse(const void *data, size_t n, struct agent_msg_answer *ret) CLUSTER_MUST_USE;

/*
 * Connects, sends, and if ret != NULL waits for the answer; at most `timeout_ms` for all of it, which 0 makes never. CLUSTER_EUNAVAIL: no agent, or it did not answer. The peer must
 * be root or the caller's own user: CLUSTER_EUNTRUSTED.
 */
enum cluster_err agent_msg_call(const char *path, const struct agent_msg_request *m, int timeout_ms, struct agent_msg_answer *ret) CLUSTER_MUST_USE;

#endif
