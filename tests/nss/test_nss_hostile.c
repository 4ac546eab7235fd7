/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requirements E4/E7 (which system calls, under seccomp), E8 (chroot and user namespaces with somebody else's files), D2 (every caller), small
 * stacks. Each case is a child of its own, because what it does to itself cannot be undone.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nss_world.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define ACCOUNTS 20

/* All lookups; the exit status of a child says how each ended: 0 all found, 1 all unavailable, 2 all not found, 3 all try again, 9 otherwise. */
static int look_up(void)
{
	static gid_t room[64];
	gid_t *gids = room;
	long start = 0, size = 64;
	enum nss_status first, status[6];
	struct passwd pw;
	struct group gr;
	char buf[256];
	int code;

	status[0] = first = module.getpwnam("user0005", &pw, buf, sizeof buf, &code);
	status[1] = module.getpwuid(WORLD_UID(5, 0), &pw, buf, sizeof buf, &code);
	status[2] = module.getgrnam("group0005", &gr, buf, sizeof buf, &code);
	status[3] = module.getgrgid(WORLD_GID(5), &gr, buf, sizeof buf, &code);
	status[4] = module.initgroups("user0005", 1, &start, &size, &gids, -1, &code);
	module.setpwent(0);
	status[5] = module.getpwent(&pw, buf, sizeof buf, &code);
	module.endpwent();
	for (size_t i = 0; i < 6; i++)
		if (status[i] != first)
			return 9;
	return first == NSS_STATUS_SUCCESS ? 0 : first == NSS_STATUS_UNAVAIL ? 1 : first == NSS_STATUS_NOTFOUND ? 2 : 3;
}

/*
 * Not fork() under ThreadSanitizer: it would start a thread of its own in the child, one that blocks every signal. The child would never be gone after
 * SYS_exit, which ends a single thread and is all that strict seccomp allows, and could not leave its user namespace.
 */
static pid_t fork_alone(void)
{
#ifdef __SANITIZE_THREAD__
	return (pid_t)syscall(SYS_fork);
#else
	return fork();
#endif
}

/* Runs `what` in a child; the wait status. The parent itself never looks anything up, so each child starts cold. */
static int in_child(int (*what)(void))
{
	pid_t pid = fork_alone();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		syscall(SYS_exit, what());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void exited_with(int want, int status)
{
	if (!WIFEXITED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), want);
}

static void ends_with(int want, int (*what)(void))
{
	exited_with(want, in_child(what));
}

/* Strict seccomp leaves read, write, exit and sigreturn: any other call would be SIGKILL. */
static int warm_without_system_calls(void)
{
	if (look_up() != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
		return 8;
	for (int i = 0; i < 100; i++)
		if (look_up() != 0)
			return 9;
	return 0;
}

static void test_warm_without_system_calls(void **state)
{
	(void)state;
	ends_with(0, warm_without_system_calls);
}

/* Nothing but the calls listed, or SIGSYS. */
static bool allow_only(const unsigned int *calls, size_t n)
{
	struct sock_filter code[64] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	struct sock_fprog program = { .filter = code };
	size_t at = 1;

	for (size_t i = 0; i < n; i++) {
		code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	program.len = (unsigned short)at;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static const unsigned int cold_calls[] = { SYS_openat, SYS_newfstatat, SYS_pread64, SYS_close, SYS_mmap, SYS_munmap, SYS_exit,
#if SANITIZED
	SYS_fstat, SYS_madvise, SYS_gettid, SYS_getpid, SYS_sched_yield, SYS_futex, SYS_mprotect, SYS_readlink, SYS_rt_sigprocmask, SYS_sigaltstack,
#endif
};

static int cold_with_few_system_calls(void)
{
	if (!allow_only(cold_calls, sizeof cold_calls / sizeof cold_calls[0]))
		return 8;
	return look_up();
}

static int filter_kills(void)
{
	if (!allow_only(cold_calls, sizeof cold_calls / sizeof cold_calls[0]))
		return 8;
	return (int)getppid();
}

static void test_e7_few_system_calls(void **state)
{
	(void)state;
	ends_with(0, cold_with_few_system_calls);
	assert_int_equal(WTERMSIG(in_child(filter_kills)), SIGSYS); /* the control */
}

static int no_descriptor_left(void)
{
	struct rlimit three = { 3, 3 };

	if (setrlimit(RLIMIT_NOFILE, &three) != 0)
		return 8;
	return look_up();
}

static int descriptors_closed(void)
{
	close(0);
	close(1);
	close(2);
	return look_up() || fcntl(0, F_GETFD) != -1;
}

static void test_e7_descriptors(void **state)
{
	(void)state;
	ends_with(3, no_descriptor_left);
	ends_with(0, descriptors_closed);
}

static int as_nobody(void)
{
	if (setgid(65534) != 0 || setuid(65534) != 0)
		return 8;
	return look_up();
}

static void test_d2_every_caller(void **state)
{
	(void)state;
	ends_with(0, as_nobody);
}

/* Owners look foreign in a user namespace without a map: not believed, and never "no such user". */
static int in_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER) != 0)
		return 8;
	return look_up();
}

static int in_empty_chroot(void)
{
	if (mkdir("/var/lib/jail", 0755) != 0 || chroot("/var/lib/jail") != 0)
		return 8;
	return look_up();
}

/* A jail whose snapshot belongs to the person who built the jail. */
static int in_foreign_chroot(void)
{
	if (system("mkdir -p /var/lib/jail2/var/lib && cp -a " WORLD_STATE " /var/lib/jail2/var/lib && chown -R 1000:1000 /var/lib/jail2") != 0)
		return 8;
	if (chroot("/var/lib/jail2") != 0)
		return 8;
	return look_up();
}

/* The same, except that the small files are root's: hard links, say. */
static int in_half_foreign_chroot(void)
{
	if (system("mkdir -p /var/lib/jail3/var/lib && cp -a " WORLD_STATE " /var/lib/jail3/var/lib && chown -R 1000:1000 /var/lib/jail3/var/lib/*/gen") != 0)
		return 8;
	if (chroot("/var/lib/jail3") != 0)
		return 8;
	return look_up();
}

static void test_e8_other_roots(void **state)
{
	(void)state;
	ends_with(1, in_user_namespace);
	ends_with(2, in_empty_chroot);
	ends_with(1, in_foreign_chroot);
	ends_with(1, in_half_foreign_chroot);
}

static void *look_up_in_thread(void *ret)
{
	*(int *)ret = look_up();
	return NULL;
}

/* A cold lookup on the smallest stack that a thread can have. */
static int on_a_small_stack(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r = 9;

	if (pthread_attr_init(&attr) != 0 || pthread_attr_setstacksize(&attr, SANITIZED ? 256 << 10 : 16 << 10) != 0)
		return 8;
	if (pthread_create(&thread, &attr, look_up_in_thread, &r) != 0 || pthread_join(thread, NULL) != 0)
		return 8;
	return r;
}

static void test_e11_small_stack(void **state)
{
	pid_t pid = fork();
	int status = -1;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		_exit(on_a_small_stack());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	exited_with(0, status);
}

static int set_up(void **state)
{
	uint8_t *file;
	size_t n;

	(void)state;
	world_enter();
	world_load();
	world_enroll();
	file = world_accounts(ACCOUNTS, 0, &n);
	world_publish(1, file, n);
	free(file);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warm_without_system_calls),
		cmocka_unit_test(test_e7_few_system_calls),
		cmocka_unit_test(test_e7_descriptors),
		cmocka_unit_test(test_d2_every_caller),
		cmocka_unit_test(test_e8_other_roots),
		cmocka_unit_test(test_e11_small_stack),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
