/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker KEYS pinned|conf SERVICE CPU LIMIT: looks up what the file KEYS names, its first LIMIT lines over and over, on the CPU of that number and for the
 * second thread on the next one. Commands come in on standard input, a line each; each is answered by a line of numbers.
 *
 *   time OPERATION THREADS WARM CHUNK CHUNKS   CHUNK lookups, CHUNKS times in each thread, after WARM that do not count: ps for a lookup in the median
 *                                              chunk (of all threads together), ns for everything, wrong answers
 *   large COUNT                                the large group by name: ns for a lookup, and for a copy of the result (medians), wrong answers
 *   cold COUNT                                 ns of `getent passwd NAME` from start to exit, COUNT times
 *   memory                                     what a fresh process has after its first lookup: more private dirty kB, more libraries
 *
 * A chunk is short, so that most of them run undisturbed even where the machine has other things to do.
 */
#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 2
#define GROUP_BUFFER (8u << 20)
#define GROUPS_MAX 4096
#define CHUNKS_MAX 4096

struct key {
	const char *name, *group, *missing;
	uint32_t uid, primary, groups, gid, members;
};

/* One thread's place and room. */
struct room {
	uint32_t at; /* the next key */
	char *group_buffer;
	gid_t groups[GROUPS_MAX];
	char buffer[4096];
};

typedef uint64_t lookups(struct room *r, uint64_t count);

struct task {
	struct room *room;
	lookups *run;
	uint64_t warm, chunk, chunks, wrong, elapsed;
	uint64_t took[CHUNKS_MAX];
	pthread_barrier_t *start;
	unsigned int cpu;
};

static struct key *keys;
static uint32_t n_keys, large_members;
static char large[32], *arguments[8];
static bool is_null;
static unsigned int first_cpu;
extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % (unsigned int)sysconf(_SC_NPROCESSORS_CONF), &set);
	sched_setaffinity(0, sizeof set, &set);
}

static const struct key *next_key(struct room *r)
{
	const struct key *k = &keys[r->at];

	r->at = r->at + 1 == n_keys ? 0 : r->at + 1;
	return k;
}

static uint64_t run_getpwnam(struct room *r, uint64_t count)
{
	struct passwd pw, *result;
	uint64_t wrong = 0;

	for (; count; count--) {
		const struct key *k = next_key(r);

		wrong += getpwnam_r(k->name, &pw, r->buffer, sizeof r->buffer, &result) != 0 || !result || pw.pw_uid != k->uid;
	}
	return wrong;
}

static uint64_t run_getpwuid(struct room *r, uint64_t count)
{
	struct passwd pw, *result;
	uint64_t wrong = 0;

	for (; count; count--) {
		const struct key *k = next_key(r);

		wrong += getpwuid_r(k->uid, &pw, r->buffer, sizeof r->buffer, &result) != 0 || !result || pw.pw_uid != k->uid;
	}
	return wrong;
}

static uint64_t run_getpwnam_miss(struct room *r, uint64_t count)
{
	struct passwd pw, *result;
	uint64_t wrong = 0;

	for (; count; count--) {
		const struct key *k = next_key(r);

		wrong += getpwnam_r(k->missing, &pw, r->buffer, sizeof r->buffer, &result) != 0 || result;
	}
	return wrong;
}

/* The last of its members is there, and none behind it. */
static bool members_right(const struct group *gr, uint32_t members)
{
	return is_null || (gr->gr_mem[members - 1] && !gr->gr_mem[members]);
}

static uint64_t run_getgrnam(struct room *r, uint64_t count)
{
	struct group gr, *result;
	uint64_t wrong = 0;

	for (; count; count--) {
		const struct key *k = next_key(r);

		wrong += getgrnam_r(k->group, &gr, r->group_buffer, GROUP_BUFFER, &result) != 0 || !result || gr.gr_gid != k->gid ||
		    !members_right(&gr, k->members);
	}
	return wrong;
}

static uint64_t run_getgrgid(struct room *r, uint64_t count)
{
	struct group gr, *result;
	uint64_t wrong = 0;

	for (; count; count--) {
		const struct key *k = next_key(r);

		wrong += getgrgid_r(k->gid, &gr, r->group_buffer, GROUP_BUFFER, &result) != 0 || !result || gr.gr_gid != k->gid ||
		    !members_right(&gr, k->members);
	}
	return wrong;
}

static uint64_t run_getgrouplist(struct room *r, uint64_t count)
{
	uint64_t wrong = 0;

	for (; count; count--) {
		const struct key *k = next_key(r);
		int n = GROUPS_MAX;

		wrong += getgrouplist(k->name, k->primary, r->groups, &n) < 0 || (uint32_t)n != k->groups;
	}
	return wrong;
}

static uint64_t run_getpwent(struct room *r, uint64_t count)
{
	struct passwd pw, *result;
	uint64_t wrong = 0;

	setpwent();
	for (; count; count--)
		wrong += getpwent_r(&pw, r->buffer, sizeof r->buffer, &result) != 0 || !result;
	endpwent();
	return wrong;
}

static const struct {
	const char *name;
	lookups *run;
} operations[] = {
	{ "getpwnam", run_getpwnam },
	{ "getpwuid", run_getpwuid },
	{ "getpwnam_miss", run_getpwnam_miss },
	{ "getgrnam", run_getgrnam },
	{ "getgrgid", run_getgrgid },
	{ "getgrouplist", run_getgrouplist },
	{ "getpwent", run_getpwent },
};

static lookups *operation(const char *name)
{
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
		if (strcmp(operations[i].name, name) == 0)
			return operations[i].run;
	errx(2, "no operation %s", name);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *values, uint64_t n)
{
	qsort(values, n, sizeof *values, by_value);
	return values[n / 2];
}

static void *run_task(void *p)
{
	struct task *t = p;
	uint64_t from, begin;

	if (t->start)
		pin(t->cpu);
	t->wrong = t->run(t->room, t->warm);
	if (t->start)
		pthread_barrier_wait(t->start);
	begin = from = now_ns();
	for (uint64_t i = 0; i < t->chunks; i++) {
		uint64_t to;

		t->wrong += t->run(t->room, t->chunk);
		to = now_ns();
		t->took[i] = to - from;
		from = to;
	}
	t->elapsed = from - begin;
	return NULL;
}

static struct room *room(unsigned int i)
{
	static struct room *rooms[THREADS_MAX];

	if (!rooms[i]) {
		rooms[i] = calloc(1, sizeof *rooms[i]);
		if (!rooms[i] || !(rooms[i]->group_buffer = malloc(GROUP_BUFFER)))
			err(1, "malloc");
		rooms[i]->at = n_keys / THREADS_MAX * i;
	}
	return rooms[i];
}

static void do_time(lookups *run, unsigned int threads, uint64_t warm, uint64_t chunk, uint64_t chunks)
{
	static struct task task[THREADS_MAX];
	pthread_barrier_t start;
	pthread_t id[THREADS_MAX];
	uint64_t elapsed = 0, wrong = 0;
	double rate = 0; /* lookups in a ps */

	if (threads < 1 || threads > THREADS_MAX || !chunk || !chunks || chunks > CHUNKS_MAX)
		errx(2, "time: out of range");
	pthread_barrier_init(&start, NULL, threads);
	for (unsigned int i = 0; i < threads; i++)
		task[i] = (struct task){ .room = room(i), .run = run, .warm = warm, .chunk = chunk, .chunks = chunks, .cpu = first_cpu + i,
			.start = threads > 1 ? &start : NULL };
	for (unsigned int i = 0; threads > 1 && i < threads; i++)
		if (pthread_create(&id[i], NULL, run_task, &task[i]) != 0)
			errx(1, "pthread_create");
	if (threads == 1)
		run_task(&task[0]);
	for (unsigned int i = 0; i < threads; i++) {
		if (threads > 1)
			pthread_join(id[i], NULL);
		wrong += task[i].wrong;
		elapsed = task[i].elapsed > elapsed ? task[i].elapsed : elapsed;
		rate += (double)chunk / ((double)median(task[i].took, chunks) * 1000);
	}
	pthread_barrier_destroy(&start);
	printf("%.0f %llu %llu\n", 1 / rate, (unsigned long long)elapsed, (unsigned long long)(is_null ? 0 : wrong));
}

static void do_large(uint64_t count)
{
	char *copy = calloc(1, GROUP_BUFFER), *buffer = room(0)->group_buffer;
	uint64_t from, wrong = 0, found[CHUNKS_MAX], copied[CHUNKS_MAX];
	struct group gr, *result;
	size_t size = 0;

	if (!copy || count < 1 || count > CHUNKS_MAX)
		errx(2, "large: out of range");
	for (uint64_t i = 0; i < count && !wrong; i++) {
		from = now_ns();
		wrong = getgrnam_r(large, &gr, buffer, GROUP_BUFFER, &result) != 0 || !result || !members_right(&gr, large_members);
		found[i] = now_ns() - from;
		if (!is_null && !wrong)
			size = (size_t)(gr.gr_mem[large_members - 1] - buffer) + strlen(gr.gr_mem[large_members - 1]) + 1;
		from = now_ns();
		memcpy(copy, buffer, size);
		__asm__ volatile("" : : "r"(copy) : "memory");
		copied[i] = now_ns() - from;
	}
	free(copy);
	printf("%llu %llu %llu\n", (unsigned long long)(wrong ? 0 : median(found, count)), (unsigned long long)(wrong ? 0 : median(copied, count)),
	    (unsigned long long)wrong);
}

static void run_child(const char *path, char **argv, bool silent)
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	if (silent)
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, path, &actions, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid || status != 0)
		warnx("%s through %s: wait status %d", path, arguments[3], status);
	posix_spawn_file_actions_destroy(&actions);
}

static void do_cold(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		char *argv[] = { "getent", "passwd", (char *)(uintptr_t)next_key(room(0))->name, NULL };
		uint64_t from = now_ns();

		run_child("/usr/bin/getent", argv, true);
		printf("%llu ", (unsigned long long)(now_ns() - from));
	}
	printf("\n");
}

/* The number behind `Private_Dirty:` */
static unsigned int private_dirty(void)
{
	static char text[4096];
	int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	char *at;

	if (n < 0)
		return 0;
	close(fd);
	text[n] = '\0';
	at = strstr(text, "Private_Dirty:");
	return at ? (unsigned int)strtoul(at + 14, NULL, 10) : 0;
}

static unsigned int libraries(void)
{
	static char text[65536];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	unsigned int count = 0;
	size_t n = 0;
	ssize_t got;

	while (fd >= 0 && n < sizeof text - 1 && (got = read(fd, text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	text[n] = '\0';
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		count += strstr(line, ".so") && strstr(line, " 00000000 "); /* each library begins once */
	}
	return count;
}

/* memory's fresh process: probe pinned|conf SERVICE NAME */
static int probe(char **argv)
{
	static char buffer[4096];
	struct passwd pw, *result;
	unsigned int dirty, count;

	memset(buffer, 1, sizeof buffer);
	private_dirty(); /* what it writes to itself */
	if (strcmp(argv[1], "pinned") == 0)
		__nss_configure_lookup("passwd", argv[2]);
	count = libraries();
	dirty = private_dirty();
	getpwnam_r(argv[3], &pw, buffer, sizeof buffer, &result);
	dirty = private_dirty() - dirty;
	printf("%u %u\n", dirty, libraries() - count);
	return 0;
}

static void do_memory(void)
{
	char *argv[] = { "worker", "probe", arguments[2], arguments[3], (char *)(uintptr_t)keys[0].name, NULL };

	run_child("/proc/self/exe", argv, false);
}

static void read_keys(const char *path, uint32_t limit)
{
	FILE *f = fopen(path, "re");
	char *name, *group, *missing;

	if (!f || fscanf(f, "%u %31s %u", &n_keys, large, &large_members) != 3)
		err(1, "%s", path);
	if (limit && limit < n_keys)
		n_keys = limit;
	keys = calloc(n_keys, sizeof *keys);
	for (uint32_t i = 0; keys && i < n_keys; i++) {
		struct key *k = &keys[i];

		if (fscanf(f, "%ms %u %u %u %ms %u %u %ms", &name, &k->uid, &k->primary, &k->groups, &group, &k->gid, &k->members, &missing) != 8)
			errx(1, "%s: line %u", path, i + 2);
		k->name = name;
		k->group = group;
		k->missing = missing;
	}
	fclose(f);
}

static void command(const char *line)
{
	unsigned long long warm, chunk, count;
	unsigned int threads;
	char name[32];

	if (sscanf(line, "time %31s %u %llu %llu %llu", name, &threads, &warm, &chunk, &count) == 5)
		do_time(operation(name), threads, warm, chunk, count);
	else if (sscanf(line, "large %llu", &count) == 1)
		do_large(count);
	else if (sscanf(line, "cold %llu", &count) == 1)
		do_cold((unsigned int)count);
	else if (strncmp(line, "memory", 6) == 0)
		do_memory();
	else
		errx(2, "what is %s", line);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[128];

	if (argc == 5 && strcmp(argv[1], "probe") == 0)
		return probe(argv + 1);
	if (argc != 6)
		errx(2, "usage: worker KEYS pinned|conf SERVICE CPU LIMIT");
	memcpy(arguments, argv, 6 * sizeof *argv);
	read_keys(argv[1], (uint32_t)strtoul(argv[5], NULL, 10));
	is_null = strcmp(argv[3], "null") == 0;
	first_cpu = (unsigned int)strtoul(argv[4], NULL, 10);
	pin(first_cpu);
	if (strcmp(argv[2], "pinned") == 0 && (__nss_configure_lookup("passwd", argv[3]) != 0 || __nss_configure_lookup("group", argv[3]) != 0))
		err(1, "__nss_configure_lookup");
	while (fgets(line, sizeof line, stdin))
		command(line);
	return 0;
}
