/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAM_LOCAL_H
#define PAM_LOCAL_H

#include <sys/types.h>

enum pam_local {
	PAM_LOCAL_UNKNOWN, /* the file cannot be read: nothing is known, so nobody counts as local */
	PAM_LOCAL_NO,
	PAM_LOCAL_YES
};

/*
 * Does the passwd file itself have this name? Not through NSS, no allocation, so that a local account is recognised when nothing else works. *ret_uid if PAM_LOCAL_YES. A line
 * that breaks passwd(5) or is longer than 4 KiB is passed over.
 */
enum pam_local pam_local_find(const char *path, const char *name, uid_t *ret_uid);

#endif
