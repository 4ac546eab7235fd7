/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requirement E6: 64 threads look up while generations change as fast as they can be written and the process forks; every answer is of one
 * generation or another, every child answers and ends, descriptors and mappings stay as they were. NSS_STORM_SECONDS (2) says how long.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nss_world.h"

#define THREADS 64
#define ACCOUNTS 200

static uint8_t *files[2];
static size_t sizes[2];
static uint64_t generation;
static _Atomic bool stop;
static _Atomic unsigned long lookups, wrong;

/* One of everything; 0 if each answer is right for one of the two contents. */
static int look_up(unsigned int i)
{
	long start = 0, size = 0;
	gid_t *gids = NULL;
	struct passwd pw;
	struct group gr;
	char buf[256], name[16];
	int code, bad = 0;

	snprintf(name, sizeof name, "user%04u", i);
	if (module.getpwnam(name, &pw, buf, sizeof buf, &code) != NSS_STATUS_SUCCESS)
		bad |= 1;
	else if ((pw.pw_uid != WORLD_UID(i, 0) && pw.pw_uid != WORLD_UID(i, 1000)) || pw.pw_gid != pw.pw_uid || strcmp(pw.pw_name, name) != 0)
		bad |= 2;
	snprintf(name, sizeof name, "group%04u", i);
	if (module.getgrnam(name, &gr, buf, sizeof buf, &code) != NSS_STATUS_SUCCESS || gr.gr_gid != WORLD_GID(i) || strcmp(gr.gr_name, name) != 0)
		bad |= 4;
	if (module.getgrgid(WORLD_GID(i), &gr, buf, sizeof buf, &code) != NSS_STATUS_SUCCESS || strcmp(gr.gr_name, name) != 0)
		bad |= 8;
	snprintf(name, sizeof name, "user%04u", i);
	if (module.initgroups(name, 1, &start, &size, &gids, -1, &code) != NSS_STATUS_SUCCESS || start != 2)
		bad |= 16;
	free(gids);
	snprintf(name, sizeof name, "none%04u", i);
	if (module.getpwnam(name, &pw, buf, sizeof buf, &code) != NSS_STATUS_NOTFOUND)
		bad |= 32;
	return bad;
}

static void *reader(void *argument)
{
	unsigned int i = (unsigned int)(uintptr_t)argument;

	setpriority(PRIO_PROCESS, (id_t)gettid(), 19); /* publisher and forks must get their turn */
	while (!atomic_load(&stop)) {
		i = (i * 1103515245u + 12345u) & 0x7fffffff;
		if (look_up(i % ACCOUNTS))
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add_explicit(&lookups, 1, memory_order_relaxed);
	}
	return NULL;
}

static void *publisher(void *argument)
{
	(void)argument;
	while (!atomic_load(&stop)) {
		generation++;
		world_publish(generation, files[generation % 2], sizes[generation % 2]);
	}
	return NULL;
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned int mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	unsigned int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		n += strstr(line, "accounts.snap") != NULL;
	fclose(f);
	return n;
}

static unsigned int open_descriptors(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static int look_up_some(void)
{
	int bad = 0;

	for (unsigned int i = 0; i < 20; i++)
		bad |= look_up(i * 7 % ACCOUNTS);
	return bad;
}

/* A child of the many-threaded process: looks up, forks once more, ends. An alarm ends one that hangs. */
static void child(void)
{
	int bad, status = 1;
	pid_t pid;

	alarm(20);
	bad = look_up_some();
	pid = fork();
	if (pid == 0) {
		alarm(20);
		_exit(look_up_some());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		bad |= 64;
	_exit(bad);
}

static void fork_for(double seconds, unsigned int *ret_forks)
{
	double end = seconds_now() + seconds;
	unsigned int forks = 0;

	while (seconds_now() < end) {
		int status = -1;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			child();
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		forks++;
	}
	*ret_forks = forks;
}

static void test_e6_storm(void **state)
{
	const char *knob = getenv("NSS_STORM_SECONDS");
	pthread_t threads[THREADS + 1];
	unsigned int before, forks = 0;

	(void)state;
	assert_int_equal(look_up(0), 0);
	before = open_descriptors();
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, (void *)i), 0);
	assert_int_equal(pthread_create(&threads[THREADS], NULL, publisher, NULL), 0);
	fork_for(knob ? atof(knob) : 2, &forks);
	atomic_store(&stop, true);
	for (size_t i = 0; i <= THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	print_message("%lu lookups, %llu generations, %u forks\n", atomic_load(&lookups), (unsigned long long)generation, forks);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_true(forks > 0 && generation > 5 && atomic_load(&lookups) > 100);
	assert_int_equal(open_descriptors(), before);
	/* with all threads gone, one renewal lets go of all that went before */
	generation++;
	world_publish(generation, files[0], sizes[0]);
	assert_int_equal(look_up(1), 0);
	assert_int_equal(mappings(), 1);
}

/* Requirement E5: nothing of ours is found on descriptors that the program closes or takes over between calls. */
static void test_e5_descriptors(void **state)
{
	pid_t pid = fork();
	int status = -1;

	(void)state;
	if (pid == 0) {
		int bad = 0, zero = open("/dev/zero", O_RDONLY);

		for (int fd = 0; fd < 64; fd++)
			if (fd != zero)
				dup2(zero, fd);
		for (int round = 0; round < 50; round++) {
			generation++;
			world_publish(generation, files[generation % 2], sizes[generation % 2]);
			bad |= look_up((unsigned int)round);
			for (int fd = 0; fd < 64; fd++)
				close(fd);
			bad |= look_up((unsigned int)round + 1);
		}
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int set_up(void **state)
{
	(void)state;
	world_enter();
	world_load();
	world_enroll();
	for (uint32_t i = 0; i < 2; i++)
		files[i] = world_accounts(ACCOUNTS, 1000 * i, &sizes[i]);
	generation = 1;
	world_publish(generation, files[1], sizes[1]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_e6_storm),
		cmocka_unit_test(test_e5_descriptors),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
