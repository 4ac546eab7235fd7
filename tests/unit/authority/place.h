/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PLACE_H
#define TESTS_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authority.h"
#include "cluster/crypto.h"
#include "init.h"

/* A cluster of its own in a new directory under /tmp, opened as serve does it. */
struct place {
	char dir[64];
	struct init_made made;
	struct authority a;
};

static inline void place_remove(const char *dir)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static inline int place_open(struct place *p)
{
	struct diag d = { 0 };
	struct init in = { .conf = &p->a.conf, .name = "prod", .url = "https://authority:7443" };

	config_defaults(&p->a.conf);
	strcpy(p->dir, "/tmp/test_authority.XXXXXX");
	if (crypto_start() != CLUSTER_OK || !mkdtemp(p->dir))
		return -1;
	snprintf(p->a.conf.dir, sizeof p->a.conf.dir, "%s/a", p->dir);
	if (geteuid() == 0)
		in.user = "root"; /* whatever users this machine has */
	if (init_run(&in, &p->made, &d) != CLUSTER_OK || authority_open(&p->a, &d) != CLUSTER_OK) {
		fprintf(stderr, "%s\n", d.text);
		return -1;
	}
	return 0;
}

static inline void place_close(struct place *p)
{
	authority_close(&p->a);
	place_remove(p->dir);
}

#endif
