/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc.h"

#define MORE_THAN_ENOUGH 6

static size_t open_descriptors(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What a process that has been taken over may send. */
static void send_descriptors(int to, size_t n)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * MORE_THAN_ENOUGH)];
		struct cmsghdr align;
	} control;
	struct ipc m;
	struct iovec part = { .iov_base = &m, .iov_len = sizeof m };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = CMSG_SPACE(sizeof(int) * n) };
	struct cmsghdr *c;
	int zeros[MORE_THAN_ENOUGH] = { 0 };

	memset(&control, 0, sizeof control);
	ipc_init(&m, IPC_LOG);
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), zeros, sizeof(int) * n);
	assert_int_equal(sendmsg(to, &msg, 0), sizeof m);
}

/* I1: a process of the agent cannot fill up root's descriptors, however many it sends along. */
static void test_descriptors(void **state)
{
	int pair[2], fds[IPC_FDS_MAX];
	size_t before, n, sent;
	enum cluster_err e;
	struct ipc m;
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_ok(ipc_pair(pair, &d));
	before = open_descriptors();
	for (sent = 1; sent <= MORE_THAN_ENOUGH; sent++) {
		send_descriptors(pair[1], sent);
		e = ipc_receive(pair[0], &m, fds, &n);
		assert_int_equal(e, sent <= IPC_FDS_MAX ? CLUSTER_OK : CLUSTER_EFORMAT);
		if (e == CLUSTER_OK) {
			assert_int_equal(n, sent);
			ipc_close_fds(fds, n);
		}
		assert_int_equal(open_descriptors(), before);
	}
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_descriptors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
