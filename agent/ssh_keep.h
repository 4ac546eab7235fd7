/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SSH_KEEP_H
#define AGENT_SSH_KEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "cluster/crypto.h"
#include "cluster/trust_snap.h"

/*
 * What sshd and ssh read of the cluster (user_ca.h, ssh_files.h), kept as it should be. The files are made again when something that they follow from has changed, or when somebody else has
 * touched them; another generation alone, or the time, is no reason.
 */
#define SSH_KEEP_FILES 3

struct ssh_keep {
	const char *state_dir, *run_dir; /* run_dir: where the hop socket is; NULL: there is none */
	uid_t owner;
	void (*log)(int level, const char *line);
	bool good;                       /* at the last look all was as it should be, by what follows */
	uint8_t from[CRYPTO_SHA256_SIZE]; /* of all that they follow from */
	struct stat file[SSH_KEEP_FILES];
	unsigned int made;               /* how often they have been made, for tests */
};

/* The first four are filled in, the others zeros. What goes wrong is said, and tried again at the next look. */
void ssh_keep_look(struct ssh_keep *k, const struct trust *t, int64_t now);

#endif
