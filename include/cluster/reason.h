/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_REASON_H
#define CLUSTER_REASON_H

#include "cluster/diag.h"

/*
 * Why a decision fell as it did: one table for PAM, agent, authority and command line (PROTOCOL.md 8). X(enumerator, word, error, sentence, what to do).
 * Words are stable; rows are only added.
 */
#define REASON_TABLE(X) \
	X(OK, "ok", CLUSTER_OK, "everything holds", "") \
	X(LOCAL, "local", CLUSTER_OK, "a local account that is not adopted: left to the local stack", "") \
	X(NOT_ENROLLED, "not_enrolled", CLUSTER_OK, "this node has not joined a cluster", "run cluster-login join") \
	X(FOREIGN, "foreign_account", CLUSTER_EDENIED, "the account is known to another name service only", "set foreign = ignore in node.conf if that service shall decide") \
	X(ROOT, "uid_zero", CLUSTER_EDENIED, "uid 0 is never opened by a credential", "log on as an account and use sudo") \
	X(SHADOWED, "shadowed", CLUSTER_EDENIED, "a local account has the same name or another uid than the directory's", "rename one of them, or list the name in adopt = of node.conf") \
	X(NAME, "bad_name", CLUSTER_EDENIED, "the account name breaks the grammar", "") \
	X(SNAPSHOT_MISSING, "snapshot_missing", CLUSTER_EUNAVAIL, "the node has no snapshot yet", "check that cluster-agentd runs and reaches the authority") \
	X(SNAPSHOT_DAMAGED, "snapshot_damaged", CLUSTER_EUNAVAIL, "the snapshot is damaged", "restart cluster-agentd: it rebuilds the snapshot") \
	X(SNAPSHOT_OWNER, "snapshot_owner", CLUSTER_EUNAVAIL, "the snapshot has the wrong owner or mode", "find out who changed it; chown root and chmod go-w") \
	X(SNAPSHOT_VERSION, "snapshot_version", CLUSTER_EUNAVAIL, "the snapshot has a newer format than this module knows", "install the same version of agent and modules") \
	X(STALE_WALL, "stale", CLUSTER_EUNAVAIL, "the newest head is older than max_stale", "check that cluster-agentd reaches the authority") \
	X(STALE_BOOT, "stale_boot", CLUSTER_EUNAVAIL, "by the boot clock the head is older than max_stale", "check that cluster-agentd reaches the authority") \
	X(CLOCK_BEHIND, "clock_behind", CLUSTER_EUNAVAIL, "the clock stands before the newest signed time", "set the node's clock (chrony, timesyncd)") \
	X(CONFIG, "configuration", CLUSTER_EUNAVAIL, "the configuration of this node is wrong", "run cluster-agentd --check") \
	X(SYSTEM, "system_error", CLUSTER_EUNAVAIL, "out of memory, descriptors or another system error", "see the log line") \
	X(LOCKDOWN, "lockdown", CLUSTER_EREVOKED, "the cluster is locked down", "cluster-login revoke --list; cluster-login unrevoke") \
	X(NO_ANSWER, "no_answer", CLUSTER_EDENIED, "the prompt was not answered", "log on through cluster-login ssh, or run eval \"$(cluster-login env)\" first") \
	X(ANSWER_FORMAT, "answer_format", CLUSTER_EDENIED, "the answer is not a credential with its proof", "log on through cluster-login ssh, or run eval \"$(cluster-login env)\" first") \
	X(ISSUER_UNKNOWN, "issuer_unknown", CLUSTER_EDENIED, "the credential is signed by a key that is not in the keyset", "run cluster-login get again") \
	X(ISSUER_WINDOW, "issuer_window", CLUSTER_EDENIED, "the issuer's key is not in force", "run cluster-login get again") \
	X(SIGNATURE, "bad_signature", CLUSTER_ESIGNATURE, "the credential's signature does not hold", "run cluster-login get again") \
	X(CLUSTER, "other_cluster", CLUSTER_EDENIED, "the credential is of another cluster", "run cluster-login get for this cluster") \
	X(CHALLENGE, "challenge_mismatch", CLUSTER_EDENIED, "the answer is to another challenge", "log on again") \
	X(PROOF, "bad_proof", CLUSTER_ESIGNATURE, "the proof of possession does not hold: a replayed, relayed or stolen answer", "log on again; if it repeats, revoke the credential") \
	X(NOT_YET, "not_yet_valid", CLUSTER_EEARLY, "the credential is not valid yet", "compare the clocks of node and authority") \
	X(EXPIRED, "expired", CLUSTER_EEXPIRED, "the credential has expired", "run cluster-login get") \
	X(LIFE, "life_too_long", CLUSTER_EDENIED, "the credential's life is longer than the compiled limit", "") \
	X(NARROW_ACCOUNT, "narrowed_account", CLUSTER_EDENIED, "the credential is narrowed to other accounts", "run cluster-login get without --for") \
	X(NARROW_NODE, "narrowed_node", CLUSTER_EDENIED, "the credential is narrowed to other nodes", "run cluster-login get without --on") \
	X(NARROW_SOURCE, "narrowed_source", CLUSTER_EDENIED, "the credential is not valid from this address", "run cluster-login get from here") \
	X(PERSON_UNKNOWN, "person_unknown", CLUSTER_EDENIED, "the person is not in the directory", "cluster-login user add") \
	X(PERSON_DISABLED, "person_disabled", CLUSTER_EDENIED, "the person is disabled", "cluster-login user enable") \
	X(DEVICE_UNKNOWN, "device_unknown", CLUSTER_EDENIED, "the device is not enrolled for this person", "cluster-login user invite, then cluster-login setup") \
	X(ACCOUNT_UNKNOWN, "account_unknown", CLUSTER_EDENIED, "the directory has no such account", "cluster-login user add --account, or check the spelling") \
	X(ACCOUNT_OWNER, "account_owner", CLUSTER_EDENIED, "a personal account of somebody else", "") \
	X(REVOKED_CREDENTIAL, "revoked_credential", CLUSTER_EREVOKED, "the credential is revoked", "run cluster-login get") \
	X(REVOKED_DEVICE, "revoked_device", CLUSTER_EREVOKED, "the device is revoked", "enrol another device: cluster-login user invite") \
	X(REVOKED_PERSON, "revoked_person", CLUSTER_EREVOKED, "the person is revoked", "cluster-login unrevoke, if that is right") \
	X(REVOKED_ACCOUNT, "revoked_account", CLUSTER_EREVOKED, "the account is revoked", "cluster-login unrevoke, if that is right") \
	X(REVOKED_NODE, "revoked_node", CLUSTER_EREVOKED, "this node is revoked", "join it again") \
	X(REVOKED_ISSUER, "revoked_issuer", CLUSTER_EREVOKED, "the issuer's key is revoked", "run cluster-login get") \
	X(REVOKED_BEFORE, "revoked_before", CLUSTER_EREVOKED, "everything issued before a certain time is revoked", "run cluster-login get") \
	X(NO_GRANT, "no_grant", CLUSTER_EDENIED, "no grant lets this person use this account on this node", "cluster-login grant add") \
	X(NO_ONETIME, "no_onetime_grant", CLUSTER_EDENIED, "no grant lets this person use one-time credentials for this account on this node", "cluster-login grant add --onetime") \
	X(NO_SUDO, "no_sudo_grant", CLUSTER_EDENIED, "no grant lets this person use sudo as this account on this node", "cluster-login grant add --sudo") \
	X(USED, "used", CLUSTER_EDENIED, "the one-time credential has been used already, or may be older than this node's agent", "cluster-login token again; where the agent has only just started, half a minute later") \
	X(NO_AGENT, "no_agent", CLUSTER_EUNAVAIL, "the node's agent does not answer, and without it no one-time credential is accepted", "check that cluster-agentd runs") \
	X(NO_HANDOVER, "no_credential_login", CLUSTER_EDENIED, "logged in without a credential: a forgotten authorized_keys entry or another method", "remove the static key; log on through cluster-login ssh") \
	X(NO_STEPUP, "sudo_refused", CLUSTER_EDENIED, "a credential cannot be shown here", "") \
	X(NO_SESSION, "no_session", CLUSTER_EDENIED, "the session from which this was started is another account's", "log on as this account") \
	X(NOT_THE_CALLER, "not_the_caller", CLUSTER_EDENIED, "the answer is by another person than the one whose session this is", "the person who is logged on has to answer") \
	X(SESSION_RECORD, "session_record", CLUSTER_EUNAVAIL, "the session could not be registered", "check space and modes under /run/cluster-login") \
	X(STAGE, "wrong_stage", CLUSTER_EDENIED, "this PAM stage has nothing to offer for cluster accounts", "") \
	X(CERTIFICATE, "bad_certificate", CLUSTER_EDENIED, "the ssh certificate is not one as this cluster issues them", "run cluster-login get --ssh-cert") \
	X(CERTIFICATE_CA, "foreign_certificate", CLUSTER_EDENIED, "the ssh certificate is signed by a CA that is not in the keyset", "run cluster-login get --ssh-cert") \
	X(REVOKED_CERTIFICATE, "revoked_certificate", CLUSTER_EREVOKED, "the ssh certificate, its key or its CA is revoked", "run cluster-login get --ssh-cert") \
	X(REVOKED_SESSION, "revoked_session", CLUSTER_EREVOKED, "an administrator has ended this session", "log on again") \
	X(SESSION_EXPIRED, "session_expired", CLUSTER_EEXPIRED, "the credential has expired, and the grant ends sessions then", "run cluster-login get, and log on again") \
	X(NO_HOP, "no_hop_grant", CLUSTER_EDENIED, "a grant names this account on this node, but not for hops", "cluster-login grant add --hop") \
	X(HOP_SOURCE, "hop_source", CLUSTER_EDENIED, "the node that vouches for the hop is not in the directory", "run cluster-login node list; join that node again") \
	X(HOP_AGE, "hop_too_old", CLUSTER_EEXPIRED, "the hop was vouched for more than its life ago", "run ssh again; compare the clocks of both nodes") \
	X(SESSION_CLOSED, "session_closed", CLUSTER_EDENIED, "the session from which this was started has been closed", "log on again, and start it there") \
	X(HOP_ONETIME, "hop_onetime", CLUSTER_EDENIED, "a session by one-time credential goes no further", "log on with a credential") \
	X(HOP_COUNT, "hop_count", CLUSTER_EDENIED, "too many nodes in a row", "log on to the node directly") \
	X(HOP_TARGET, "hop_target", CLUSTER_EDENIED, "no node of the directory has the host key of where this goes", "run cluster-login node list; join that node again") \
	X(FOREIGN_IGNORED, "foreign_ignored", CLUSTER_OK, "the account is known to another name service, which decides (foreign = ignore)", "")

enum reason {
#define REASON_ENUM(e, word, err, text, advice) REASON_##e,
	REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
	REASON_N
};

/* Static strings; an unknown value gives those of REASON_SYSTEM. */
const char *reason_word(enum reason r);
const char *reason_text(enum reason r);
const char *reason_advice(enum reason r);
enum cluster_err reason_err(enum reason r);
/* REASON_N: no reason has this word. */
enum reason reason_of(const char *word);
/* Writes what was seen to `d`, and gives `r` back: return reason_refuse(...). */
enum reason reason_refuse(struct diag *d, enum reason r, const char *seen);

#endif
