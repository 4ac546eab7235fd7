/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#endif

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#else
#error "the system call filter does not know this machine"
#endif

enum cluster_err sandbox_user_find(const char *name, struct sandbox_user *ret, struct diag *d)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return diag_set(d, CLUSTER_ECONFIG, "the user \"%s\" does not exist; make it (systemd-sysusers, or useradd --system %s), or set user in [agent] of node.conf", name, name);
	if (pw->pw_uid == 0)
		return diag_set(d, CLUSTER_ECONFIG, "user = %s: the unprivileged processes must not run as root", name);
	*ret = (struct sandbox_user){ .drop = true, .uid = pw->pw_uid, .gid = pw->pw_gid };
	return CLUSTER_OK;
}

enum cluster_err sandbox_descriptors(const int *keep, size_t n, struct diag *d)
{
	unsigned int first = 3;
	size_t i;
	int null, lowest;

	if (clearenv() != 0)
		return diag_set(d, CLUSTER_ENOMEM, "clearenv");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		return diag_errno(d, "/dev/null");
	for (;;) { /* the lowest kept one that has not been passed yet */
		lowest = -1;
		for (i = 0; i < n; i++) {
			if (keep[i] >= (int)first && (lowest < 0 || keep[i] < lowest))
				lowest = keep[i];
		}
		if (lowest < 0)
			break;
		if ((unsigned int)lowest > first && close_range(first, (unsigned int)lowest - 1, 0) != 0)
			return diag_errno(d, "close_range");
		first = (unsigned int)lowest + 1;
	}
	if (close_range(first, ~0u, 0) != 0)
		return diag_errno(d, "close_range");
	return CLUSTER_OK;
}

static enum cluster_err drop_user(const struct sandbox_user *u, struct diag *d)
{
	if (!u->drop)
		return CLUSTER_OK;
	if (setgroups(0, NULL) != 0 || setresgid(u->gid, u->gid, u->gid) != 0 || setresuid(u->uid, u->uid, u->uid) != 0)
		return diag_errno(d, "cannot become uid %u, gid %u", u->uid, u->gid);
	if (setuid(0) == 0 || geteuid() != u->uid)
		return diag_set(d, CLUSTER_ESYSTEM, "privileges could be regained");
	return CLUSTER_OK;
}

enum cluster_err sandbox_enter(const char *name, const struct sandbox_user *u, pid_t parent, struct diag *d)
{
	const struct rlimit none = { 0 };
	enum cluster_err e;

	if ((e = drop_user(u, d)) != CLUSTER_OK)
		return e;
	if (signal(SIGINT, SIG_IGN) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGHUP, SIG_IGN) == SIG_ERR || signal(SIGTERM, SIG_DFL) == SIG_ERR)
		return diag_errno(d, "signal");
	if (prctl(PR_SET_NAME, name) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return diag_errno(d, "prctl");
	if (setrlimit(RLIMIT_CORE, &none) != 0 && errno != EPERM) /* EPERM: the service's own filter has forbidden it, and set the limit itself */
		return diag_errno(d, "setrlimit");
	if (getppid() != parent)
		return diag_set(d, CLUSTER_EUNAVAIL, "the parent has gone");
	return CLUSTER_OK;
}

#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* A call whose third argument may not have PROT_EXEC. */
#define ALLOW_NO_EXEC(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 4), LOAD(args[2]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#ifdef SYS_newfstatat
#define ALLOW_STAT ALLOW(fstat), ALLOW(newfstatat) /* what fstat(3) calls */
#else
#define ALLOW_STAT ALLOW(fstat)
#endif
#ifdef SYS_poll
#define ALLOW_POLL ALLOW(ppoll), ALLOW(poll)
#else
#define ALLOW_POLL ALLOW(ppoll)
#endif
#ifdef SYS_epoll_wait
#define ALLOW_EPOLL ALLOW(epoll_create1), ALLOW(epoll_ctl), ALLOW(epoll_pwait), ALLOW(epoll_wait)
#else
#define ALLOW_EPOLL ALLOW(epoll_create1), ALLOW(epoll_ctl), ALLOW(epoll_pwait)
#endif
#ifdef SYS_open
#define ALLOW_OPEN ALLOW_READ_ONLY(openat, 2), ALLOW_READ_ONLY(open, 1)
#else
#define ALLOW_OPEN ALLOW_READ_ONLY(openat, 2)
#endif
/* A call whose argument of that number has flags of open(2) that only read. */
#define ALLOW_READ_ONLY(call, n) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 4), LOAD(args[n]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* ioctl(2) that asks how many bytes there are to read. */
#define ALLOW_FIONREAD \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4), LOAD(args[1]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FIONREAD, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
/* Sockets of the internet only. */
#define ALLOW_INTERNET \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5), LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0), \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

#define PROLOGUE \
	LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), LOAD(nr)
/* Talking on descriptors that are open; memory; the clock; an orderly or disorderly end. */
#define EVERYBODY \
	ALLOW(read), ALLOW(write), ALLOW(sendto), ALLOW(recvfrom), ALLOW(sendmsg), ALLOW(recvmsg), ALLOW(close), ALLOW_POLL, ALLOW(fcntl), ALLOW_STAT, \
	    ALLOW(brk), ALLOW_NO_EXEC(mmap), ALLOW_NO_EXEC(mprotect), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(futex), ALLOW(getrandom), ALLOW(sysinfo), \
	    ALLOW(clock_gettime), ALLOW(gettimeofday), ALLOW(exit), ALLOW(exit_group), ALLOW(rt_sigreturn), ALLOW(rt_sigprocmask), ALLOW(rt_sigaction), \
	    ALLOW(getpid), ALLOW(gettid), ALLOW(tgkill), ALLOW(restart_syscall)
#define EPILOGUE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static enum cluster_err install(struct sock_filter *code, size_t n, struct diag *d)
{
	const struct sock_fprog program = { .len = (unsigned short)n, .filter = code };

#ifdef SANDBOX_SANITIZED
	(void)program;
	return CLUSTER_OK;
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		return diag_errno(d, "cannot install the system call filter");
	return CLUSTER_OK;
}

enum cluster_err sandbox_filter(struct diag *d)
{
	static struct sock_filter code[] = { PROLOGUE, EVERYBODY, ALLOW(memfd_create) /* snapshots in memory that are sealed and handed over */, EPILOGUE };

	return install(code, sizeof code / sizeof code[0], d);
}

enum cluster_err sandbox_filter_local(struct diag *d)
{
	static struct sock_filter code[] = {
		PROLOGUE, EVERYBODY, ALLOW(accept4), ALLOW(getsockopt), ALLOW(readv), ALLOW(writev), ALLOW_FIONREAD, ALLOW_EPOLL, ALLOW_OPEN, ALLOW(pread64), ALLOW(readlinkat),
		ALLOW(pidfd_open), EPILOGUE,
	};

	return install(code, sizeof code / sizeof code[0], d);
}

enum cluster_err sandbox_filter_network(struct diag *d)
{
	static struct sock_filter code[] = {
		PROLOGUE, EVERYBODY, ALLOW_INTERNET, ALLOW(connect), ALLOW(bind), ALLOW(listen), ALLOW(accept4), ALLOW(getsockname), ALLOW(getpeername), ALLOW(setsockopt),
		ALLOW(getsockopt), ALLOW(shutdown), ALLOW(readv), ALLOW(writev), ALLOW(ioctl), ALLOW_EPOLL,
		/* /etc/hosts and /etc/resolv.conf */
		ALLOW_OPEN, ALLOW(lseek), ALLOW(uname), EPILOGUE,
	};

	return install(code, sizeof code / sizeof code[0], d);
}
