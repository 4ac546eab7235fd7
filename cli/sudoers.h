/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SUDOERS_H
#define CLI_SUDOERS_H

#include <stdbool.h>

/*
 * Reading sudoers(5) as far as `doctor` needs it: settings that make sudo ask for another user's password than the caller's. PAM then hears of that other user, and pam_cluster of none of its
 * own. Pure.
 */
enum sudoers_setting { SUDOERS_ROOTPW, SUDOERS_RUNASPW, SUDOERS_TARGETPW, SUDOERS_N };

struct sudoers {
	bool on[SUDOERS_N]; /* for anybody */
	/* Called where a file is included, or a folder of them; a path is as it stands there. */
	void (*include)(struct sudoers *s, const char *path, bool folder);
	void *arg;
};

/* Later settings win over earlier ones; one that is for certain users or hosts only can be switched on, and off again by none but one for all. */
void sudoers_read(struct sudoers *s, const char *text);
const char *sudoers_name(enum sudoers_setting which);

#endif
