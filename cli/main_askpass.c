/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ssh starts for each login: askpass PROMPT, askpass known-hosts [--home=DIR] HOST [KEY], and askpass reach ADDRESS PORT COMMAND [WORD ...]. A program of its own because of
 * what it does not link: no network library, no tables, so that it starts in a third of the time, and less of other people's code is beside the credential's key.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "askpass.h"
#include "cluster/crypto.h"
#include "exit.h"
#include "known_hosts.h"
#include "out.h"
#include "reach.h"
#include "self.h"

#define HOME "--home="

static int known_hosts(int argc, char **argv)
{
	int i = 2;

	if (strncmp(argv[i], HOME, strlen(HOME)) == 0 && setenv("CLUSTER_LOGIN_HOME", argv[i++] + strlen(HOME), 1) != 0)
		return EXIT_LATER;
	if (argc - i < 1 || argc - i > 2)
		return EXIT_USAGE;
	return known_hosts_print(argv[i], argv[i + 1]);
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc > 2 && strcmp(argv[1], SELF_REACH) == 0)
		return reach_run(argc - 2, argv + 2);
	self_guard();
	if (crypto_start() != CLUSTER_OK) {
		out_error("cannot start libcrypto");
		return EXIT_BUG;
	}
	if (argc > 2 && strcmp(argv[1], SELF_KNOWN_HOSTS) == 0)
		return out_end(known_hosts(argc, argv));
	return askpass_run(argc, argv);
}
