/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An authority with many accounts: how long it takes to put them in (BATCH records a change), what one change costs then, from the beginning of its transaction until it is durable
 * and announced, what of the published documents it moves, how long an authority takes to open such a store, and its memory. N accounts, N/10 groups with ten members each, N/10
 * people. Writes build/bench/import.json. Sizes are arguments.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "authority.h"
#include "change.h"
#include "cluster/crypto.h"
#include "cluster/json.h"
#include "init.h"

#define ROUNDS 7
#define BATCH 100000
#define MEMBERS 10

enum what { IMPORT, OPEN, ACCOUNT, REVOCATION, WHATS };
static const char *const names[WHATS] = { "import", "open", "one account", "one revocation" };

struct shared {
	double ms[WHATS];
	size_t shards, shard_bytes, index_bytes, store_bytes;
	long import_kb, open_kb;
};
static struct shared *shared;
static char work[200];
static const struct change_audit by_bench = { "root", "bench", "", "ok" };

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_import: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must_ok(enum cluster_err e, const struct diag *d)
{
	if (e == CLUSTER_OK)
		return;
	fprintf(stderr, "bench_import: %s: %s\n", err_name(e), d->text);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long peak_kb(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_maxrss;
}

/* The texts live until the next call. */
static struct json *account(unsigned i, const char *gecos, char name[20])
{
	static char home[40], text[60];
	struct directory_account a = { .uid = 100000000 + i, .gid = 100000000 + i, .gecos = text, .home = home, .shell = (char[]){ "/bin/bash" } };

	snprintf(name, 20, "user%07u", i);
	snprintf(home, sizeof home, "/home/%s", name);
	snprintf(text, sizeof text, "User number %u%s", i, gecos);
	memcpy(a.name, name, 12);
	return directory_account_json(&a);
}

static struct json *group(unsigned i, unsigned n, char name[20])
{
	static char text[MEMBERS][20];
	char *members[MEMBERS];
	struct directory_group g = { .gid = 200000000 + i, .members = members, .n_members = MEMBERS };

	for (unsigned k = 0; k < MEMBERS; k++) {
		snprintf(text[k], sizeof text[k], "user%07u", (unsigned)(((uint64_t)i * MEMBERS + k * 7919u) % n));
		members[k] = text[k];
	}
	snprintf(name, 20, "group%06u", i);
	memcpy(g.name, name, 12);
	return directory_group_json(&g);
}

static struct json *person(unsigned i, char key[ID_TEXT + 1])
{
	struct directory_person p = { .id.b = "person", .n_roles = 0 };

	memcpy(p.id.b + 8, &i, sizeof i);
	id_text(&p.id, key);
	snprintf(p.name, sizeof p.name, "person%u", i);
	return directory_person_json(&p);
}

static void put_one(struct change *ch, unsigned i, unsigned n, struct diag *d)
{
	char name[32];
	struct json *j;

	j = account(i, "", name);
	must_ok(change_add(ch, DIRECTORY_ACCOUNTS, name, j, d), d);
	if (i % 10)
		return;
	j = group(i / 10, n, name);
	must_ok(change_add(ch, DIRECTORY_GROUPS, name, j, d), d);
	j = person(i / 10, name);
	must_ok(change_add(ch, DIRECTORY_PEOPLE, name, j, d), d);
}

static void import(struct authority *a, unsigned n, struct diag *d)
{
	struct change ch;

	for (unsigned i = 0; i < n;) {
		must_ok(change_begin(&ch, a, authority_now(), d), d);
		do
			put_one(&ch, i, n, d);
		while (++i % BATCH && i < n);
		must_ok(change_commit(&ch, &by_bench, NULL, d), d);
		change_done(&ch);
	}
}

static int compare(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return (d > 0) - (d < 0);
}

/* Median of ROUNDS changes. */
static double changes(struct authority *a, unsigned n, enum what what, struct diag *d)
{
	struct revoke_entry entry = { .kind = REVOKE_ACCOUNT, .until = authority_now() + 1000 };
	double ms[ROUNDS], t;
	char name[20], gecos[20];
	struct change ch;

	for (unsigned r = 0; r < ROUNDS; r++) {
		snprintf(gecos, sizeof gecos, " changed %u", r);
		t = now_ms();
		must_ok(change_begin(&ch, a, authority_now(), d), d);
		if (what == ACCOUNT) {
			struct json *j = account((unsigned)((uint64_t)n * r / ROUNDS), gecos, name);

			must_ok(change_put(&ch, DIRECTORY_ACCOUNTS, name, j, d), d);
		} else {
			entry.value = name;
			snprintf(name, sizeof name, "user%07u", r);
			must_ok(change_revoke(&ch, &entry, d), d);
		}
		must_ok(change_commit(&ch, &by_bench, NULL, d), d);
		change_done(&ch);
		ms[r] = now_ms() - t;
	}
	qsort(ms, ROUNDS, sizeof ms[0], compare);
	return ms[ROUNDS / 2];
}

static void importer(unsigned n)
{
	struct init in = { .name = "bench", .url = "https://authority:7443" };
	struct authority a = { .store = NULL };
	struct init_made made;
	struct diag d = { .code = CLUSTER_OK };
	double t;

	config_defaults(&a.conf);
	snprintf(a.conf.dir, sizeof a.conf.dir, "%s/a", work);
	in.conf = &a.conf;
	if (geteuid() == 0)
		in.user = "root";
	must_ok(init_run(&in, &made, &d), &d);
	must_ok(authority_open(&a, &d), &d);
	t = now_ms();
	import(&a, n, &d);
	shared->ms[IMPORT] = now_ms() - t;
	shared->import_kb = peak_kb();
	authority_close(&a);
}

static void changer(unsigned n)
{
	struct authority a = { .store = NULL };
	const struct publish_shards *shards;
	struct diag d = { .code = CLUSTER_OK };
	char path[AUTHORITY_PATH_MAX];
	struct stat st;
	double t = now_ms();

	config_defaults(&a.conf);
	snprintf(a.conf.dir, sizeof a.conf.dir, "%s/a", work);
	must_ok(authority_open(&a, &d), &d);
	shared->ms[OPEN] = now_ms() - t;
	shared->ms[ACCOUNT] = changes(&a, n, ACCOUNT, &d);
	shared->ms[REVOCATION] = changes(&a, n, REVOCATION, &d);
	shards = &a.published->shards[DIRECTORY_ACCOUNTS];
	shared->shards = shards->n;
	for (size_t i = 0; i < shards->n; i++)
		shared->shard_bytes += shards->at[i].size;
	shared->shard_bytes /= shards->n;
	shared->index_bytes = a.published->doc[PUBLISH_DIRECTORY].size;
	shared->open_kb = peak_kb();
	must_ok(authority_store_path(a.conf.dir, path, &d), &d);
	authority_close(&a);
	must(stat(path, &st) == 0, path);
	shared->store_bytes = (size_t)st.st_size;
}

/* In a process of its own, so that its memory can be told. */
static void run(void (*part)(unsigned n), unsigned n)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		part(n);
		_exit(0);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "a part of the bench failed");
}

static void print(FILE *out, unsigned n, const char *comma)
{
	fprintf(out, "%s{\"accounts\":%u,\"account_shards\":%zu,\"shard_bytes\":%zu,\"index_bytes\":%zu,\"store_bytes\":%zu,\"import_peak_kb\":%ld,\"serve_peak_kb\":%ld,\"ms\":{", comma, n,
		shared->shards, shared->shard_bytes, shared->index_bytes, shared->store_bytes, shared->import_kb, shared->open_kb);
	printf("%u accounts: %zu shards of %.1f kB, index %.1f kB, store %.0f MB; peak memory: import %ld MB, after opening %ld MB\n", n, shared->shards, (double)shared->shard_bytes / 1e3,
		(double)shared->index_bytes / 1e3, (double)shared->store_bytes / 1e6, shared->import_kb / 1024, shared->open_kb / 1024);
	for (unsigned w = 0; w < WHATS; w++) {
		fprintf(out, "%s\"%s\":%.2f", w ? "," : "", names[w], shared->ms[w]);
		printf("  %-16s%10.1f ms\n", names[w], shared->ms[w]);
	}
	fprintf(out, "}}");
	fflush(stdout);
}

static void measure(unsigned n)
{
	const char *place = getenv("BENCH_DIR");
	char command[300];

	snprintf(work, sizeof work, "%s/bench-import-XXXXXX", place ? place : "/var/tmp");
	must(mkdtemp(work) != NULL, work);
	memset(shared, 0, sizeof *shared);
	run(importer, n);
	run(changer, n);
	snprintf(command, sizeof command, "rm -rf '%s'", work);
	must(system(command) == 0, command);
}

int main(int argc, char **argv)
{
	static const char *const usual[] = { "10000", "100000", "1000000" };
	const char *const *sizes = argc > 1 ? (const char *const *)argv + 1 : usual, *build = getenv("BUILD");
	int n = argc > 1 ? argc - 1 : 3;
	struct diag d = { .code = CLUSTER_OK };
	char path[400];
	FILE *out;

	must_ok(crypto_start(), &d);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "memory");
	snprintf(path, sizeof path, "%s/bench", build ? build : "build");
	mkdir(path, 0755);
	strcat(path, "/import.json");
	out = fopen(path, "we");
	must(out != NULL, path);
	fprintf(out, "[");
	for (int i = 0; i < n; i++) {
		measure((unsigned)strtoul(sizes[i], NULL, 10));
		print(out, (unsigned)strtoul(sizes[i], NULL, 10), i ? "," : "");
	}
	fprintf(out, "]\n");
	fclose(out);
	return 0;
}
