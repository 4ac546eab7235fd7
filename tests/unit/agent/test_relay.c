/* SPDX-License-Identifier: Apache-2.0 */
/* The relay's own behaviour on loopback: bytes, ends, limits, back-pressure, silence (PROTOCOL.md 6.6; THREATS.md H6). One loop runs relay and both sides; nothing waits for a clock. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "relay.h"

#define TURNS 20000

struct scene {
	struct event_base *base;
	struct relay *relay;
	struct relay_conf conf;
	struct endpoint target[2];
	int authority; /* its listening socket */
	uint16_t port;
	unsigned int lines;
};

static void line(void *arg, int level, const char *text)
{
	struct scene *s = arg;

	(void)level;
	assert_non_null(text);
	s->lines++;
}

static int listener(uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 64) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void start(struct scene *s, size_t most, size_t of_address)
{
	const struct endpoint where = { .host = "127.0.0.1" };
	struct diag d;

	memset(s, 0, sizeof *s);
	s->authority = listener(&s->port);
	s->target[0] = (struct endpoint){ .host = "127.0.0.1", .port = s->port };
	s->conf = (struct relay_conf){ .target = s->target, .n_targets = 1, .most = most, .most_of_address = of_address, .connect_ms = 60000, .idle_ms = 3600000, .sweep_ms = 10, .log = line, .log_arg = s };
	s->base = event_base_new();
	assert_non_null(s->base);
	diag_clear(&d);
	assert_int_equal(relay_new(s->base, &s->conf, &s->relay, &d), CLUSTER_OK);
	assert_int_equal(relay_listen(s->relay, &where, &s->port, &d), CLUSTER_OK);
	assert_int_not_equal(s->port, 0);
}

static void stop(struct scene *s)
{
	relay_free(s->relay);
	event_base_free(s->base);
	close(s->authority);
}

static void turn(struct scene *s)
{
	assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
}

/* Runs the loop until the descriptor is ready. */
static void until(struct scene *s, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int i;

	for (i = 0; i < TURNS; i++) {
		turn(s);
		if (poll(&p, 1, i > 100) > 0)
			return;
	}
	fail_msg("the descriptor never became ready");
}

static int leaf(struct scene *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(s->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	return fd;
}

static int accepted(struct scene *s)
{
	int fd;

	until(s, s->authority, POLLIN);
	fd = accept4(s->authority, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void expect_bytes(struct scene *s, int fd, const void *bytes, size_t n)
{
	uint8_t got[256];
	size_t have = 0;
	ssize_t r;

	while (have < n) {
		until(s, fd, POLLIN);
		r = read(fd, got + have, n - have);
		assert_true(r > 0);
		have += (size_t)r;
	}
	assert_memory_equal(got, bytes, n);
}

static void expect_end(struct scene *s, int fd)
{
	uint8_t byte;
	ssize_t r;

	until(s, fd, POLLIN);
	r = read(fd, &byte, 1);
	assert_true(r == 0 || (r < 0 && errno == ECONNRESET));
}

static void expect_now(struct scene *s, uint64_t n)
{
	int i;

	for (i = 0; i < TURNS && relay_counts(s->relay).now != n; i++) {
		turn(s);
		if (i > 100)
			(void)poll(NULL, 0, 1);
	}
	assert_int_equal(relay_counts(s->relay).now, n);
}

/* Both ways, and an end in one direction leaves the other open. */
static void test_bytes_and_half_close(void **state)
{
	struct scene s;
	int a, b;

	(void)state;
	start(&s, 10, 10);
	a = leaf(&s);
	b = accepted(&s);
	assert_int_equal(write(a, "question", 8), 8);
	expect_bytes(&s, b, "question", 8);
	assert_int_equal(write(b, "ans", 3), 3);
	expect_bytes(&s, a, "ans", 3);
	assert_int_equal(write(a, "last", 4), 4);
	assert_int_equal(shutdown(a, SHUT_WR), 0);
	expect_bytes(&s, b, "last", 4);
	expect_end(&s, b);
	assert_int_equal(write(b, "answer", 6), 6);
	expect_bytes(&s, a, "answer", 6);
	assert_int_equal(relay_counts(s.relay).now, 1);
	close(b);
	expect_end(&s, a);
	expect_now(&s, 0);
	close(a);
	stop(&s);
}

static void test_limits(void **state)
{
	int a[4], b[3], i;
	struct scene s;

	(void)state;
	start(&s, 3, 3);
	for (i = 0; i < 3; i++) {
		a[i] = leaf(&s);
		b[i] = accepted(&s);
	}
	a[3] = leaf(&s);
	expect_end(&s, a[3]);
	close(a[3]);
	assert_int_equal(relay_counts(s.relay).refused, 1);
	assert_int_equal(write(a[0], "x", 1), 1); /* those that are there are not touched */
	expect_bytes(&s, b[0], "x", 1);
	close(a[0]);
	expect_end(&s, b[0]);
	close(b[0]);
	expect_now(&s, 2);
	a[0] = leaf(&s); /* a place is free again */
	b[0] = accepted(&s);
	assert_int_equal(relay_counts(s.relay).accepted, 4);
	for (i = 0; i < 3; i++) {
		close(a[i]);
		close(b[i]);
	}
	expect_now(&s, 0);
	stop(&s);

	start(&s, 100, 2);
	for (i = 0; i < 2; i++) {
		a[i] = leaf(&s);
		b[i] = accepted(&s);
	}
	a[2] = leaf(&s);
	expect_end(&s, a[2]);
	assert_int_equal(relay_counts(s.relay).refused, 1);
	for (i = 0; i < 3; i++)
		close(a[i]);
	for (i = 0; i < 2; i++)
		close(b[i]);
	expect_now(&s, 0);
	stop(&s);
}

/* One side does not read: the relay holds little, stops reading from the other, and goes on when there is room; not a byte is lost. */
static void test_back_pressure(void **state)
{
	static uint8_t block[65536];
	uint64_t sent = 0, got = 0;
	struct scene s;
	int a, b, size = 4096, idle = 0;
	ssize_t r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof block; i++)
		block[i] = (uint8_t)(i * 7 + i / 256);
	start(&s, 10, 10);
	assert_int_equal(setsockopt(s.authority, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
	a = leaf(&s);
	assert_int_equal(setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	b = accepted(&s);
	while (idle < 200 && sent < (64u << 20)) { /* until it takes no more */
		turn(&s);
		r = write(a, block + sent % sizeof block, sizeof block - sent % sizeof block);
		idle = r > 0 ? 0 : idle + 1;
		sent += r > 0 ? (uint64_t)r : 0;
	}
	assert_true(sent < (64u << 20)); /* the relay, and the kernel for it, hold no more than that */
	assert_int_equal(shutdown(a, SHUT_WR), 0);
	while (got < sent) {
		uint8_t part[sizeof block];

		until(&s, b, POLLIN);
		r = read(b, part, sizeof part - got % sizeof block);
		assert_true(r > 0);
		assert_memory_equal(part, block + got % sizeof block, (size_t)r);
		got += (uint64_t)r;
	}
	expect_end(&s, b);
	close(b);
	expect_end(&s, a);
	expect_now(&s, 0);
	close(a);
	stop(&s);
}

static void test_silence(void **state)
{
	struct scene s;
	int a, b;

	(void)state;
	start(&s, 10, 10);
	a = leaf(&s);
	b = accepted(&s);
	s.conf.idle_ms = 1;
	expect_end(&s, a);
	expect_end(&s, b);
	expect_now(&s, 0);
	close(a);
	close(b);
	stop(&s);
}

/* The first authority is away: the second; all are: the leaf is told by the end of its connection. */
static void test_authority_away(void **state)
{
	const struct endpoint where = { .host = "127.0.0.1" };
	struct endpoint both[2];
	struct relay *r = NULL;
	uint16_t closed, port;
	struct scene s;
	struct diag d;
	int a, b, fd;

	(void)state;
	start(&s, 10, 10);
	fd = listener(&closed);
	assert_int_equal(shutdown(fd, SHUT_RDWR), 0); /* nobody listens there, and nobody else gets the port */
	both[0] = (struct endpoint){ .host = "127.0.0.1", .port = closed };
	both[1] = s.target[0];
	relay_free(s.relay);
	s.relay = NULL;
	s.conf.target = both;
	s.conf.n_targets = 2;
	diag_clear(&d);
	assert_int_equal(relay_new(s.base, &s.conf, &r, &d), CLUSTER_OK);
	s.relay = r;
	assert_int_equal(relay_listen(r, &where, &port, &d), CLUSTER_OK);
	s.port = port;
	a = leaf(&s);
	b = accepted(&s);
	assert_int_equal(write(a, "x", 1), 1);
	expect_bytes(&s, b, "x", 1);
	close(a);
	close(b);
	expect_now(&s, 0);
	assert_int_equal(relay_counts(r).failed, 0);
	assert_int_equal(shutdown(s.authority, SHUT_RDWR), 0);
	a = leaf(&s);
	expect_end(&s, a);
	close(a);
	assert_int_equal(relay_counts(r).failed, 1);
	assert_int_equal(s.lines, 1);
	a = leaf(&s); /* and again: not a line each time */
	expect_end(&s, a);
	close(a);
	assert_int_equal(s.lines, 1);
	close(fd);
	stop(&s);
}

/* A leaf that is gone before the authority answers, and an address that is taken. */
static void test_gone_and_taken(void **state)
{
	struct endpoint where = { .host = "127.0.0.1" };
	struct scene s;
	uint16_t port;
	struct diag d;
	int a;

	(void)state;
	start(&s, 10, 10);
	a = leaf(&s);
	close(a);
	close(accepted(&s));
	expect_now(&s, 0);
	where.port = s.port;
	diag_clear(&d);
	assert_int_equal(relay_listen(s.relay, &where, &port, &d), CLUSTER_EUNAVAIL);
	assert_int_equal(relay_listen(s.relay, &(struct endpoint){ .host = "no-number", .port = 1 }, &port, &d), CLUSTER_ECONFIG);
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_and_half_close), cmocka_unit_test(test_limits), cmocka_unit_test(test_back_pressure), cmocka_unit_test(test_silence),
		cmocka_unit_test(test_authority_away), cmocka_unit_test(test_gone_and_taken),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
