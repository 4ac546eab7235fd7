/* SPDX-License-Identifier: Apache-2.0 */
#include "reach.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/file.h"
#include "exit.h"
#include "out.h"

#define BANNER "SSH-"
#define BANNER_SIZE (sizeof BANNER - 1)

static bool ready(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static bool connected(int fd, const struct addrinfo *to)
{
	socklen_t size = sizeof(int);
	int err = 0;

	if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
		return true;
	return errno == EINPROGRESS && ready(fd, POLLOUT, REACH_CONNECT_MS) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0 && err == 0;
}

/* An ssh server speaks first. What only takes connections, as the proxies of some networks do for all the world, is none. */
static bool speaks_ssh(int fd)
{
	const int enough = BANNER_SIZE, any = 1;
	char head[BANNER_SIZE];

	return setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof enough) == 0 && ready(fd, POLLIN, REACH_BANNER_MS) &&
	       recv(fd, head, sizeof head, MSG_PEEK) == (ssize_t)sizeof head && memcmp(head, BANNER, sizeof head) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof any) == 0;
}

/* As ssh's own connections are: blocking, with keepalive. */
static bool as_ssh_has_them(int fd)
{
	const int on = 1;
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 && setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0;
}

/* -1: not reached. */
static int dial(const char *address, const char *port)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *to = NULL;
	int fd = -1;

	if (getaddrinfo(address, port, &hints, &to) != 0)
		return -1;
	if ((fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) >= 0 && !(connected(fd, to) && speaks_ssh(fd) && as_ssh_has_them(fd))) {
		file_close(fd);
		fd = -1;
	}
	freeaddrinfo(to);
	return fd;
}

static int spawn(char *const *argv, int fd)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t pipe_only;
	pid_t pid;
	int err;

	if ((err = posix_spawn_file_actions_init(&actions)) != 0)
		return err;
	if ((err = posix_spawnattr_init(&attr)) != 0)
		goto out;
	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	if ((err = posix_spawn_file_actions_adddup2(&actions, fd, 0)) == 0 && (err = posix_spawn_file_actions_adddup2(&actions, fd, 1)) == 0 &&
	    (err = posix_spawnattr_setsigdefault(&attr, &pipe_only)) == 0 && (err = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF)) == 0)
		err = posix_spawnp(&pid, argv[0], &actions, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
out:
	(void)posix_spawn_file_actions_destroy(&actions);
	return err;
}

/* The way around: a program that ends when ssh has closed its side. -1: it cannot be started. */
static int start(char *const *argv)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		out_error("cannot make a socket: %s", strerror(errno));
		return -1;
	}
	err = spawn(argv, pair[1]);
	file_close(pair[1]);
	if (err == 0)
		return pair[0];
	out_error("cannot run %s: %s", argv[0], strerror(err));
	file_close(pair[0]);
	return -1;
}

/* What ssh's mm_receive_fd takes: one byte and the descriptor. */
static bool hand_over(int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec byte = { .iov_base = (char[1]){ 0 }, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t n;

	memset(&control, 0, sizeof control);
	control.head.cmsg_len = CMSG_LEN(sizeof fd);
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	do
		n = sendmsg(1, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		out_error("cannot hand the connection to ssh: %s", strerror(errno));
	return n == 1;
}

int reach_run(int argc, char **argv)
{
	int fd;
	bool done;

	if (argc < 3)
		return EXIT_USAGE;
	if ((fd = dial(argv[0], argv[1])) < 0 && (fd = start(argv + 2)) < 0)
		return EXIT_CONFIG;
	done = hand_over(fd);
	file_close(fd);
	return done ? EXIT_DONE : EXIT_IO;
}
