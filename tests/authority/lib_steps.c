/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Preloaded into the authority: counts its steps towards the disk and the network, dies by SIGKILL before a chosen one, and writes down what it did to files, so that a test
 * can put together what a power cut would have left.
 *   STEPS_LOG   where to write: records of u8 kind ('w' data, 't' truncated, 's' synced, 'u' removed), u64 offset or length, u64 bytes, u32 length of the path, path, bytes; in
 *               the machine's order
 *   STEPS_ARM   steps count from when this file is there
 *   STEPS_KILL  the number of the step before which it dies
 */
#define NAME_MAX_HERE 512

static int log_fd = -1;
static long kill_at, steps;

static void *next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		_exit(99);
	return f;
}

static ssize_t (*real_write)(int, const void *, size_t);

__attribute__((constructor)) static void steps_start(void)
{
	const char *log = getenv("STEPS_LOG"), *at = getenv("STEPS_KILL");

	*(void **)&real_write = next("write");
	if (log)
		log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	for (; at && *at >= '0' && *at <= '9'; at++)
		kill_at = kill_at * 10 + (*at - '0');
}

static void step(void)
{
	const char *arm = getenv("STEPS_ARM");

	if (!arm || (steps == 0 && access(arm, F_OK) != 0))
		return;
	if (++steps == kill_at)
		kill(getpid(), SIGKILL);
}

/* The path of a regular file or directory; empty for everything else. */
static void path_of(int fd, char path[NAME_MAX_HERE])
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, NAME_MAX_HERE - 1);
	path[n > 0 && path[0] == '/' ? n : 0] = '\0';
}

static void note(char kind, const char *path, uint64_t at, const void *data, size_t n)
{
	uint32_t length = (uint32_t)strlen(path);
	uint64_t size = n;
	struct iovec parts[] = { { &kind, 1 }, { &at, sizeof at }, { &size, sizeof size }, { &length, sizeof length }, { (void *)(uintptr_t)path, length }, { (void *)(uintptr_t)data, n } };
	ssize_t (*real)(int, const struct iovec *, int);

	if (log_fd < 0 || length == 0)
		return;
	*(void **)&real = next("writev");
	if (real(log_fd, parts, 6) != (ssize_t)(1 + sizeof at + sizeof size + sizeof length + length + n))
		_exit(98);
}

static void note_fd(char kind, int fd, uint64_t at, const void *data, size_t n)
{
	char path[NAME_MAX_HERE];

	path_of(fd, path);
	note(kind, path, at, data, n);
}

#define EXPORT __attribute__((visibility("default")))
ssize_t steps_pwrite(const char *name, int fd, const void *data, size_t n, off_t at);
int steps_sync(const char *name, int fd);
int steps_truncate(const char *name, int fd, off_t length);

ssize_t steps_pwrite(const char *name, int fd, const void *data, size_t n, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t), done;

	*(void **)&real = next(name);
	step();
	done = real(fd, data, n, at);
	if (done > 0)
		note_fd('w', fd, (uint64_t)at, data, (size_t)done);
	return done;
}

int steps_sync(const char *name, int fd)
{
	int (*real)(int), done;

	*(void **)&real = next(name);
	step();
	done = real(fd);
	if (done == 0)
		note_fd('s', fd, 0, "", 0);
	return done;
}

int steps_truncate(const char *name, int fd, off_t length)
{
	int (*real)(int, off_t), done;

	*(void **)&real = next(name);
	step();
	done = real(fd, length);
	if (done == 0)
		note_fd('t', fd, (uint64_t)length, "", 0);
	return done;
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
	return steps_pwrite("pwrite", fd, data, n, at);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
	return steps_pwrite("pwrite64", fd, data, n, at);
}

EXPORT int fsync(int fd)
{
	return steps_sync("fsync", fd);
}

EXPORT int fdatasync(int fd)
{
	return steps_sync("fdatasync", fd);
}

EXPORT int ftruncate(int fd, off_t length)
{
	return steps_truncate("ftruncate", fd, length);
}

EXPORT int ftruncate64(int fd, off64_t length)
{
	return steps_truncate("ftruncate64", fd, length);
}

EXPORT int unlink(const char *path)
{
	int (*real)(const char *), done;

	*(void **)&real = next("unlink");
	step();
	done = real(path);
	if (done == 0)
		note('u', path, 0, "", 0);
	return done;
}

/* What goes to peers; regular files are written at the end of what is there. */
EXPORT ssize_t write(int fd, const void *data, size_t n)
{
	char path[NAME_MAX_HERE];
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t done;

	step();
	done = real_write(fd, data, n);
	path_of(fd, path);
	if (done > 0 && at >= 0)
		note('w', path, (uint64_t)at, data, (size_t)done);
	return done;
}

EXPORT ssize_t writev(int fd, const struct iovec *v, int n)
{
	ssize_t (*real)(int, const struct iovec *, int);

	*(void **)&real = next("writev");
	step();
	return real(fd, v, n);
}

EXPORT ssize_t send(int fd, const void *data, size_t n, int flags)
{
	ssize_t (*real)(int, const void *, size_t, int);

	*(void **)&real = next("send");
	step();
	return real(fd, data, n, flags);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int);

	*(void **)&real = next("sendmsg");
	step();
	return real(fd, m, flags);
}
