/* SPDX-License-Identifier: Apache-2.0 */
/* user_ca, known_hosts and ssh_config of a cluster of N nodes (10000): how long a processor works in root's process to make them, and to see that there is nothing to make. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/wr.h"
#include "ssh_keep.h"
#include "trustgen.h"

#define NOW INT64_C(1800000000)

static char dir[] = "/var/tmp/bench-ssh-files-XXXXXX";

static void must(enum cluster_err e, const char *what)
{
	if (e == CLUSTER_OK)
		return;
	fprintf(stderr, "bench_ssh_files: %s: %s\n", what, err_name(e));
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static const char *nodes(struct trustgen *g, unsigned n, unsigned changed)
{
	const char *text;
	struct wr w;

	wr_grow(&w, DIRECTORY_SHARD_MAX);
	for (unsigned i = 0; i < n; i++) {
		const char *name = trustgen_format(g, "core-%u-%u", i / 100 + 1, i % 100 + 1), *key = trustgen_jwk(g, trustgen_key(g)), *hop = trustgen_jwk(g, trustgen_key(g));

		wr_printf(&w, "%s{\"addresses\":[\"10.%u.%u.%u\"],\"hop\":%s,\"hostkeys\":[\"%s\"],\"id\":\"%s\",\"instance\":\"i-%08x\",\"key\":%s,\"name\":\"%s\",\"roles\":[\"core\"]}",
			i ? "," : "[", 1 + i / 40000 + (i == changed ? 100 : 0), i / 200 % 200, i % 200 + 1, hop, trustgen_hostkey(g, name), trustgen_id_text(g, name), i * 2654435761u, key, name);
	}
	wr_text(&w, "]");
	wr_terminate(&w);
	must(wr_end(&w), "nodes");
	text = trustgen_format(g, "%s", (const char *)w.p);
	wr_done(&w);
	return text;
}

static uint8_t *snapshot(struct trustgen *g, unsigned n, unsigned changed, struct trust *ret)
{
	struct trustgen_records r = trustgen_sample(g);
	struct revoke_list *list = trustgen_revocations_read(g, trustgen_revocations(g, 7, "[]"));
	struct trust_documents from = { .root = &g->root, .keyset = &g->keyset, .revocations = list };
	struct cluster_id self = trustgen_id("core-1-1");
	struct directory *directory;
	uint8_t *bytes;
	size_t size;

	r.kind[DIRECTORY_NODES] = nodes(g, n, changed);
	r.kind[DIRECTORY_GRANTS] = trustgen_format(g, "[{\"accounts\":[\"emr-user\"],\"hop\":true,\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"ops\"}]", trustgen_id_text(g, "a"));
	from.dir = directory = trustgen_directory_read(g, trustgen_directory(g, 5, r));
	must(trust_build(&from, &self, &bytes, &size, NULL), "build");
	must(trust_parse(bytes, size, ret), "parse");
	directory_free(directory);
	revoke_free(list);
	return bytes;
}

static void complain(int level, const char *line)
{
	(void)level;
	fprintf(stderr, "bench_ssh_files: %s\n", line);
}

static void measure(const char *what, struct ssh_keep *k, const struct trust *t)
{
	unsigned made = k->made;
	double begun = now_ms();

	ssh_keep_look(k, t, NOW);
	printf("%-20s %8.2f ms%s\n", what, now_ms() - begun, k->made > made ? ", made" : "");
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	struct trustgen *g = trustgen_new("prod", NOW);
	struct ssh_keep k = { .state_dir = dir, .run_dir = "/run/cluster-login", .owner = geteuid(), .log = complain }, again = k;
	uint8_t *before, *after;
	struct trust t;
	char command[100];

	if (!mkdtemp(dir))
		must(CLUSTER_ESYSTEM, dir);
	before = snapshot(g, n, n, &t);
	printf("%u nodes\n", n);
	measure("nothing there", &k, &t);
	for (unsigned i = 0; i < 3; i++)
		measure("once more", &k, &t);
	measure("another start", &again, &t);
	after = snapshot(g, n, n / 2, &t);
	measure("a node changed", &k, &t);
	free(before);
	free(after);
	trustgen_free(g);
	snprintf(command, sizeof command, "ls -l %s; rm -r %s", dir, dir);
	return system(command) == 0 ? 0 : 1;
}
