/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_LOCAL_H
#define CLUSTER_LOCAL_H

#include <sys/types.h>

/* What this machine itself says of an account name. lib/core/local.c. */

enum local_found {
	LOCAL_UNKNOWN, /* the file cannot be read: nothing is known, so nobody counts as local */
	LOCAL_NO,
	LOCAL_YES
};

/*
 * Does the passwd file itself have this name? Not through NSS, no allocation, so that a local account is recognised when nothing else works. *ret_uid if LOCAL_YES. A line
 * that breaks passwd(5) or is longer than 4 KiB is passed over.
 */
enum local_found local_find(const char *path, const char *name, uid_t *ret_uid);

enum local_nss { LOCAL_NSS_ERROR, LOCAL_NSS_NONE, LOCAL_NSS_FOUND };

/* What getpwnam says. *ret_uid if LOCAL_NSS_FOUND. Nobody has a name of 256 bytes: it is not asked for. Never from within an NSS module. */
enum local_nss local_ask_nss(const char *name, uid_t *ret_uid);

#endif
