/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROFILE_H
#define CLI_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/api.h"
#include "cluster/attr.h"
#include "cluster/conf.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"

struct secret;

/* A person's directory: $CLUSTER_LOGIN_HOME or ~/.config/cluster-login, mode 0700. */

#define PROFILE_PATH_MAX 512
#define PROFILE_DOCUMENT_MAX ((size_t)64 << 20)

/* File names in it. */
#define PROFILE_CONF "profile.conf"
#define PROFILE_DEVICE_KEY "device.key"
#define PROFILE_ROOT "root.jws"
#define PROFILE_KEYSET "keyset.jws"
#define PROFILE_HEAD "head.jws"
#define PROFILE_OBJECTS "objects"
#define PROFILE_CREDENTIAL "credential.jwt"
#define PROFILE_CREDENTIAL_KEY "credential.key"
#define PROFILE_CREDENTIAL_KEY_NEXT "credential.key.next"
#define PROFILE_ACCOUNTS "accounts.json"
#define PROFILE_SSH_CONFIG "ssh_config"
#define PROFILE_WALLET_LOCK "credential.lock"
#define PROFILE_RENEWAL_LOCK "renewal.lock"
#define PROFILE_TRIAL "setup.room"

struct profile {
	char dir[PROFILE_PATH_MAX];
	char url[CONF_STRING_SIZE], name[CONF_STRING_SIZE];
	char relay[CONF_STRING_SIZE]; /* "host:port" through which the authority is reached, or empty */
	char device_key[CONF_STRING_SIZE]; /* "agent SHA256:..." (device_key.h); empty: the file PROFILE_DEVICE_KEY */
	uint8_t pin[CRYPTO_SHA256_SIZE];
	struct cluster_id cluster, person, device;
};

/* Where it is, whether or not it is there. CLUSTER_ECONFIG: no home directory is known. */
enum cluster_err profile_dir(char dst[PROFILE_PATH_MAX], struct diag *d) CLUSTER_MUST_USE;
/* The authority as the profile reaches it; borrows from it. */
struct api_where profile_where(const struct profile *p);
/* CLUSTER_ECONFIG when nobody has run setup, or the file is wrong. */
enum cluster_err profile_load(struct profile *ret, struct diag *d) CLUSTER_MUST_USE;
/* What to try after profile_load has failed: it depends on what is there, and on whether this machine is a node. */
const char *profile_next(enum cluster_err e);
/* Makes the directory (and ~/.config) if need be. */
enum cluster_err profile_make_dir(const char *dir, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err profile_store(const struct profile *p, struct diag *d) CLUSTER_MUST_USE;

/* One file of it. CLUSTER_ENOTFOUND: not there; CLUSTER_EUNTRUSTED: others may write it, or read it if `private`. The caller frees *ret with secret_free. */
enum cluster_err profile_read(const struct profile *p, const char *name, bool private, struct secret **ret, struct diag *d) CLUSTER_MUST_USE;
/* Replaces one file, mode 0600. */
enum cluster_err profile_write(const struct profile *p, const char *name, const void *data, size_t n, struct diag *d) CLUSTER_MUST_USE;
/* Gives one file the name of another, which it replaces. */
enum cluster_err profile_rename(const struct profile *p, const char *from, const char *to, struct diag *d) CLUSTER_MUST_USE;
/* Removes one file; CLUSTER_OK if it is not there. */
enum cluster_err profile_remove(const struct profile *p, const char *name, struct diag *d) CLUSTER_MUST_USE;

/*
 * Locks one of the files *_LOCK, made if need be; `how` as flock(2). The descriptor to close, or -1: another process has it (LOCK_NB), or there is no locking here: what the
 * lock is for goes on without.
 */
int profile_lock(const struct profile *p, const char *name, int how);

/* A private key in a file of its own. */
enum cluster_err profile_key_read(const struct profile *p, const char *name, struct crypto_key **ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err profile_key_write(const struct profile *p, const char *name, const struct crypto_key *key, struct diag *d) CLUSTER_MUST_USE;

#endif
