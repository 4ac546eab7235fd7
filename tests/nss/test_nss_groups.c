/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requirement E6: getgrouplist through glibc from several threads while the snapshot is replaced ten times a second. Every answer is the whole list of one
 * generation: no group too few, none too many, no two mixed. NSS_CALLS (20000) says how many at least; a million takes at least a hundred replacements.
 */
#include "unit.h"

#include <err.h>
#include <grp.h>
#include <nss.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cluster/snap.h"
#include "nss_world.h"

#define THREADS 4
#define ACCOUNTS 50
#define GROUPS 120
#define CALLS_MIN 20000
#define CALLS_A_REPLACEMENT 10000
#define INTERVAL_NS 100000000

static const struct cluster_id cluster = { { 0xc1, 0xd2 } };
static uint8_t *files[2];
static size_t sizes[2];
static uint64_t generation;
static unsigned long calls_wanted;
static _Atomic bool stop;
static _Atomic unsigned long calls, wrong, seen[2];

/* Which groups an account is in: some in both contents, some in one. */
static bool is_member(unsigned int content, unsigned int account, unsigned int group)
{
	uint32_t mixed = (account * 131 + group) * UINT32_C(0x9e3779b1) >> 16;

	return mixed % 4 == 0 || (mixed % 4 == 1 + content);
}

static uint8_t *build(unsigned int content, size_t *ret_n)
{
	static char names[ACCOUNTS][16], homes[ACCOUNTS][32], group_names[GROUPS][16];
	static const char *members[GROUPS][ACCOUNTS];
	struct snap_account_in accounts[ACCOUNTS];
	struct snap_group_in groups[GROUPS];
	const struct snap_names in = { .accounts = accounts, .n_accounts = ACCOUNTS, .groups = groups, .n_groups = GROUPS };
	uint8_t *file = NULL;
	struct diag d;

	for (unsigned int i = 0; i < ACCOUNTS; i++) {
		snprintf(names[i], sizeof names[i], "user%04u", i);
		snprintf(homes[i], sizeof homes[i], "/home/user%04u", i);
		accounts[i] = (struct snap_account_in){ names[i], "", homes[i], "/bin/sh", WORLD_UID(i, 0), WORLD_UID(i, 0) };
	}
	for (unsigned int g = 0; g < GROUPS; g++) {
		snprintf(group_names[g], sizeof group_names[g], "group%04u", g);
		groups[g] = (struct snap_group_in){ group_names[g], WORLD_GID(g), members[g], 0 };
		for (unsigned int i = 0; i < ACCOUNTS; i++)
			if (is_member(content, i, g))
				members[g][groups[g].n_members++] = names[i];
	}
	if (snap_accounts_build(&cluster, &in, &file, ret_n, &d) != CLUSTER_OK)
		errx(1, "%s", d.text);
	return file;
}

/* The list is the one of this content: the account's own group, then its groups in order. */
static bool is_content(unsigned int content, unsigned int account, const gid_t *gids, int n)
{
	int at = 1;

	if (n < 1 || gids[0] != WORLD_UID(account, 0))
		return false;
	for (unsigned int g = 0; g < GROUPS; g++)
		if (is_member(content, account, g) && (at == n || gids[at++] != WORLD_GID(g)))
			return false;
	return at == n;
}

static void call_once(unsigned int account)
{
	gid_t gids[GROUPS + 1];
	int n = GROUPS + 1;
	char name[16];

	snprintf(name, sizeof name, "user%04u", account);
	if (getgrouplist(name, WORLD_UID(account, 0), gids, &n) < 0)
		n = 0;
	for (unsigned int content = 0; content < 2; content++) {
		if (is_content(content, account, gids, n)) {
			atomic_fetch_add_explicit(&seen[content], 1, memory_order_relaxed);
			return;
		}
	}
	atomic_fetch_add(&wrong, 1);
}

static void *caller(void *argument)
{
	unsigned int i = (unsigned int)(uintptr_t)argument;

	setpriority(PRIO_PROCESS, (id_t)gettid(), 19); /* the publisher must get its turn */
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		i = (i * 1103515245u + 12345u) & 0x7fffffff;
		call_once(i % ACCOUNTS);
		atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
	}
	return NULL;
}

/* Ten times a second, until there were enough calls, of both contents, and for so many calls enough replacements. */
static unsigned int replace_until_done(void)
{
	const struct itimerspec ten_hertz = { { 0, INTERVAL_NS }, { 0, INTERVAL_NS } };
	int clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	unsigned int replacements = 0;
	uint64_t ticks;

	assert_true(clock >= 0);
	assert_int_equal(timerfd_settime(clock, 0, &ten_hertz, NULL), 0);
	while (atomic_load(&calls) < calls_wanted || replacements < 3 || replacements < calls_wanted / CALLS_A_REPLACEMENT ||
	    atomic_load(&seen[0]) == 0 || atomic_load(&seen[1]) == 0) {
		assert_int_equal(read(clock, &ticks, sizeof ticks), sizeof ticks);
		generation++;
		world_publish(generation, files[generation % 2], sizes[generation % 2]);
		replacements++;
	}
	close(clock);
	return replacements;
}

static void test_e6_no_wrong_list(void **state)
{
	pthread_t threads[THREADS];
	unsigned int replacements;

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, caller, (void *)i), 0);
	replacements = replace_until_done();
	atomic_store(&stop, true);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	print_message("%lu calls in %d threads, %u replacements, %lu wrong\n", atomic_load(&calls), THREADS, replacements, atomic_load(&wrong));
	assert_int_equal(atomic_load(&wrong), 0);
	assert_true(atomic_load(&calls) >= calls_wanted);
	assert_true(atomic_load(&seen[0]) > 0 && atomic_load(&seen[1]) > 0);
}

static int set_up(void **state)
{
	const char *knob = getenv("NSS_CALLS");

	(void)state;
	calls_wanted = knob ? strtoul(knob, NULL, 10) : CALLS_MIN;
	world_enter();
	world_enroll();
	for (unsigned int i = 0; i < 2; i++)
		files[i] = build(i, &sizes[i]);
	world_publish(++generation, files[1], sizes[1]);
	/* no others: nscd, local groups */
	return __nss_configure_lookup("group", "cluster") == 0 && __nss_configure_lookup("initgroups", "cluster") == 0 ? 0 : -1;
}

/* glibc finds the module as it is shipped: once more from the start with its folder in LD_LIBRARY_PATH. */
static void with_library_path(char **argv)
{
	char *folder = strdup(world_module_path()), *path = getenv("LD_LIBRARY_PATH");

	*strrchr(folder, '/') = '\0';
	if (!path || strcmp(path, folder) != 0) {
		setenv("LD_LIBRARY_PATH", folder, 1);
		execv("/proc/self/exe", argv);
		err(1, "exec");
	}
	free(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_e6_no_wrong_list),
	};

	(void)argc;
	with_library_path(argv);
	return cmocka_run_group_tests(tests, set_up, NULL);
}
