/* SPDX-License-Identifier: Apache-2.0 */
/* A node's state directory with one generation of accounts.snap; prints what building it took. */
#include "world.h"

#include <err.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cluster/snap.h"
#include "cluster/snap_write.h"

static const struct cluster_id cluster = { { 0xc1, 0xd2 } };

static void write_file(const char *dir, const char *name, const void *data, size_t n)
{
	FILE *f = world_create(dir, name);

	fwrite(data, 1, n, f);
	world_close(f);
}

static uint8_t *build(const struct world *w, size_t *ret_n, struct diag *d)
{
	struct snap_account_in *accounts = world_room(w->accounts, sizeof *accounts);
	struct snap_group_in *groups = world_room(w->groups, sizeof *groups);
	const char **members, **next;
	struct snap_names names;
	size_t total = 0;
	uint8_t *file;

	for (uint32_t i = 0; i < w->accounts; i++) {
		const struct world_account *a = &w->account[i];

		accounts[i] = (struct snap_account_in){ a->name, a->gecos, a->home, "/bin/bash", a->uid, WORLD_PRIMARY };
		total += a->groups;
	}
	members = next = world_room(total, sizeof *members);
	for (uint32_t i = 0; i < w->groups; i++) {
		const struct world_group *g = &w->group[i];

		groups[i] = (struct snap_group_in){ g->name, g->gid, next, g->members };
		for (uint32_t j = 0; j < g->members; j++)
			*next++ = w->account[g->member[j]].name;
	}
	names = (struct snap_names){ .accounts = accounts, .n_accounts = w->accounts, .groups = groups, .n_groups = w->groups };
	if (snap_accounts_build(&cluster, &names, &file, ret_n, d) != CLUSTER_OK)
		errx(1, "%s", d->text);
	free(accounts);
	free(groups);
	free(members);
	return file;
}

static void publish(const struct world *w, const char *state)
{
	struct snap_fresh f = { .cluster = cluster, .generation = 1, .head_version = 1, .head_iat = 1700000000, .newest_iat = 1700000000 };
	struct timespec start, end;
	uint8_t fresh[SNAP_FRESH_SIZE], *file;
	struct rusage usage;
	struct diag d;
	size_t n;

	diag_clear(&d);
	clock_gettime(CLOCK_MONOTONIC, &start);
	file = build(w, &n, &d);
	clock_gettime(CLOCK_MONOTONIC, &end);
	getrusage(RUSAGE_SELF, &usage);
	write_file(state, "gen/1/accounts.snap", file, n);
	snap_fresh_build(&f, fresh);
	write_file(state, "fresh", fresh, sizeof fresh);
	write_file(state, "enrolled", "", 0);
	if (snap_word_finish(state) != CLUSTER_OK)
		err(1, "generation");
	printf("{\"bytes\": %zu, \"ms\": %ld, \"peak_kb\": %ld}\n", n,
	    (long)(end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000, usage.ru_maxrss);
	fflush(stdout);
	free(file);
}

void world_cluster(const struct world *w, const char *dir)
{
	static const char *const below[] = { "", "/gen", "/gen/1" };
	char state[512], path[600];
	int status;
	pid_t pid;

	snprintf(state, sizeof state, "%s/cluster-login", dir);
	for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
		snprintf(path, sizeof path, "%s%s", state, below[i]);
		if (mkdir(path, 0755) != 0)
			err(1, "%s", path);
	}
	pid = fork(); /* so that its memory is given back, and counted alone */
	if (pid == 0) {
		publish(w, state);
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "building accounts.snap");
}
