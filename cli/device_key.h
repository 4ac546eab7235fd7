/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DEVICE_KEY_H
#define CLI_DEVICE_KEY_H

#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/jws.h"
#include "cluster/sshkey.h"
#include "profile.h"

struct json;

/* This device's key where it is one that an ssh-agent holds (PROTOCOL.md 6.3); profile.conf names it. */
struct device_key;

/*
 * The key of the agent at SSH_AUTH_SOCK that is meant: by its fingerprint "SHA256:...", the path of its public (or private) key file, or its comment. CLUSTER_ENOTFOUND: no such
 * key, or several. CLUSTER_EDENIED: one that cannot be a device's. Errors of ssh_agent_open.
 */
enum cluster_err device_key_find(const char *wanted, struct device_key **ret, struct diag *d) CLUSTER_MUST_USE;
/* The profile's own; p->device_key is not empty. The sentence names the key and what to do. */
enum cluster_err device_key_open(const struct profile *p, struct device_key **ret, struct diag *d) CLUSTER_MUST_USE;
void device_key_free(struct device_key *k);

/* What the agent holds, to stderr; nothing if there is no agent. */
void device_key_list(void);

const struct sshkey *device_key_public(const struct device_key *k);
/* What profile.conf says of it: "agent SHA256:...". */
enum cluster_err device_key_name(const struct device_key *k, char *dst, size_t size) CLUSTER_MUST_USE;
/* Is this such a name? */
bool device_key_name_ok(const char *s);

/* The body {"request","sshsig"} of a request, signed by the agent; it may ask the person. The caller frees *ret with json_free. */
enum cluster_err device_key_request(struct device_key *k, const char *text, size_t n, struct json **ret, struct diag *d) CLUSTER_MUST_USE;
/* To sign a JWS with it: an Ed25519 or P-256 key, else CLUSTER_EDENIED. Borrows `k`; what the agent says to it is in `d`, which is borrowed too. */
enum cluster_err device_key_signer(struct device_key *k, struct diag *d, struct jws_signer *ret) CLUSTER_MUST_USE;

#endif
