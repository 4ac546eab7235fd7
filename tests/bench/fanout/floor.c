/* SPDX-License-Identifier: Apache-2.0 */
/* The least that any server can do: one thread, epoll, one short line to each of N held connections, no parsing, no TLS. */
#include "sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS 512
static const char line[] = "{\"version\":1234567890123}\n";

static void serve_line(const int *fd, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (send(fd[i], line, sizeof line - 1, MSG_NOSIGNAL) < 0)
			_exit(1);
	}
}

/* The first connection is the one that says when. */
static void serve(int at, size_t max)
{
	struct epoll_event ev[EVENTS], one = { .events = EPOLLIN, .data.fd = at };
	int ep = epoll_create1(EPOLL_CLOEXEC), *fd = calloc(max, sizeof *fd);
	char text[256];
	size_t n = 0;

	if (ep < 0 || !fd || epoll_ctl(ep, EPOLL_CTL_ADD, at, &one) != 0)
		_exit(1);
	for (;;) {
		int got = epoll_wait(ep, ev, EVENTS, -1);

		for (int i = 0; i < got; i++) {
			if (ev[i].data.fd == at) {
				one.data.fd = accept4(at, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
				if (one.data.fd < 0 || n == max || epoll_ctl(ep, EPOLL_CTL_ADD, one.data.fd, &one) != 0)
					_exit(1);
				setsockopt(one.data.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
				fd[n++] = one.data.fd;
			} else if (recv(ev[i].data.fd, text, sizeof text, 0) <= 0) {
				if (ev[i].data.fd == fd[0])
					_exit(0);
			} else if (ev[i].data.fd == fd[0]) {
				if (send(fd[0], "!", 1, MSG_NOSIGNAL) != 1)
					_exit(1);
				serve_line(fd, n);
			}
		}
	}
}

static int listen_any(int *ret_port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof sa;

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, n) != 0 || listen(fd, 4096) != 0 || getsockname(fd, (struct sockaddr *)&sa, &n) != 0)
		sim_die("floor: %s", strerror(errno));
	*ret_port = ntohs(sa.sin_port);
	return fd;
}

/* One round: `ms` of each from the acknowledgement on. Each answers with a line of its own when all have been served: agents poll again meanwhile, so this floor is a low one. */
static void one_round(struct sim_peer *peer, size_t n, int ep, size_t *order, double *ms)
{
	struct epoll_event ev[EVENTS];
	double start = 0;
	size_t served = 0, answered = 0;
	char text[256];

	if (send(peer[0].fd, "?", 1, MSG_NOSIGNAL) != 1)
		sim_die("floor: gone");
	memset(ms, 0, n * sizeof *ms);
	while (served < n || start == 0 || answered < n) {
		int got = epoll_wait(ep, ev, EVENTS, served == n ? 0 : 10000);

		if (got < 0 || (got == 0 && served < n))
			sim_die("floor: %zu of %zu", served, n);
		while (got == 0 && answered < served)
			(void)!send(peer[order[answered++]].fd, line, sizeof line - 1, MSG_NOSIGNAL);
		for (int i = 0; i < got; i++) {
			size_t at = ev[i].data.u32;

			if (!(ev[i].events & EPOLLIN) || recv(peer[at].fd, text, sizeof text, 0) <= 0)
				continue;
			if (at == 0) {
				start = sim_ms();
				continue;
			}
			ms[at - 1] = sim_ms();
			order[served++] = at;
		}
	}
	for (size_t i = 0; i < n; i++)
		ms[i] = ms[i] > start ? ms[i] - start : 0;
}

void sim_floor_run(size_t n, struct sim_result *ret)
{
	int port, at = listen_any(&port), ep = epoll_create1(EPOLL_CLOEXEC);
	struct sim_peer *peer = calloc(n + 1, sizeof *peer);
	double *ms = calloc(n * SIM_ROUNDS, sizeof *ms);
	size_t *order = calloc(n, sizeof *order);
	pid_t pid;

	if (ep < 0 || !peer || !ms || !order || (pid = fork()) < 0)
		sim_die("floor: %s", strerror(errno));
	if (pid == 0)
		serve(at, n + 1);
	close(at);
	for (size_t i = 0; i <= n; i++) {
		struct epoll_event one = { .events = EPOLLIN | EPOLLET, .data.u32 = (uint32_t)i };

		if (!sim_peer_open(&peer[i], NULL, port, i))
			sim_die("floor: connect");
		while (peer[i].state != SIM_READY) {
			if (!sim_peer_step(&peer[i]))
				sim_die("floor: connect");
		}
		if (epoll_ctl(ep, EPOLL_CTL_ADD, peer[i].fd, &one) != 0)
			sim_die("epoll_ctl: %s", strerror(errno));
	}
	sim_pause(200);
	for (size_t r = 0; r < SIM_ROUNDS; r++) {
		one_round(peer, n, ep, order, ms + r * n);
		sim_pause(50);
	}
	sim_samples(ms, n, SIM_ROUNDS, ret);
	ret->rss = sim_world_rss_mb(&(struct sim_world){ .pid = pid });
	for (size_t i = 0; i <= n; i++)
		sim_peer_close(&peer[i]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ep);
	free(order);
	free(peer);
	free(ms);
}
