/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_NET_SERVER_H
#define TEST_NET_SERVER_H

/* Starts and stops server.py; included by the tests of lib/net only. */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/crypto.h"

extern char **environ;

struct server {
	pid_t pid;
	int in; /* closing it ends the server */
	uint8_t pin[1][CRYPTO_SHA256_SIZE];
	char folder[64], url[64], url_old[64], url_plain[64], unix_base[128];
};

static void server_stop(struct server *s)
{
	static const char *const files[] = { "key.pem", "cert.pem", "pub.der", "socket" };
	char path[128];
	size_t i;

	close(s->in);
	waitpid(s->pid, NULL, 0);
	for (i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", s->folder, files[i]);
		unlink(path);
	}
	rmdir(s->folder);
}

static int server_start(struct server *s)
{
	char *argv[] = { (char *)"python3", (char *)"tests/unit/net/server.py", s->folder, NULL };
	posix_spawn_file_actions_t actions;
	int in[2], out[2], port[3];
	char line[200], hex[65];
	FILE *f;
	size_t i;

	strcpy(s->folder, "/tmp/cluster-net-XXXXXX");
	if (mkdtemp(s->folder) == NULL || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	if (posix_spawn_file_actions_adddup2(&actions, in[0], 0) != 0 || posix_spawn_file_actions_adddup2(&actions, out[1], 1) != 0 ||
	    posix_spawnp(&s->pid, argv[0], &actions, NULL, argv, environ) != 0)
		return -1;
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	s->in = in[1];
	if ((f = fdopen(out[0], "r")) == NULL || fgets(line, sizeof line, f) == NULL || sscanf(line, "%d %d %d %64s", &port[0], &port[1], &port[2], hex) != 4)
		return -1;
	fclose(f);
	for (i = 0; i < CRYPTO_SHA256_SIZE; i++) {
		unsigned int v;

		if (sscanf(hex + 2 * i, "%2x", &v) != 1)
			return -1;
		s->pin[0][i] = (uint8_t)v;
	}
	snprintf(s->url, sizeof s->url, "https://127.0.0.1:%d", port[0]);
	snprintf(s->url_old, sizeof s->url_old, "https://127.0.0.1:%d", port[1]);
	snprintf(s->url_plain, sizeof s->url_plain, "https://127.0.0.1:%d", port[2]);
	snprintf(s->unix_base, sizeof s->unix_base, "unix:%s/socket", s->folder);
	return 0;
}

#endif
