/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ssh starts for each login: askpass PROMPT, and askpass known-hosts [--home=DIR] HOST. A program of its own because of what it does not link: no network, no tables, so that it
 * starts in a third of the time, and less of other people's code is beside the credential's key.
 */
#include <stdlib.h>
#include <string.h>

#include "askpass.h"
#include "cluster/crypto.h"
#include "exit.h"
#include "known_hosts.h"
#include "out.h"
#include "self.h"

#define HOME "--home="

static int known_hosts(int argc, char **argv)
{
	if (argc == 4 && strncmp(argv[2], HOME, strlen(HOME)) == 0) {
		if (setenv("CLUSTER_LOGIN_HOME", argv[2] + strlen(HOME), 1) != 0)
			return EXIT_LATER;
	} else if (argc != 3) {
		return EXIT_USAGE;
	}
	return known_hosts_print(argv[argc - 1]);
}

int main(int argc, char **argv)
{
	self_guard();
	if (crypto_start() != CLUSTER_OK) {
		out_error("cannot start libcrypto");
		return EXIT_BUG;
	}
	if (argc > 2 && strcmp(argv[1], SELF_KNOWN_HOSTS) == 0)
		return out_end(known_hosts(argc, argv));
	return askpass_run(argc, argv);
}
