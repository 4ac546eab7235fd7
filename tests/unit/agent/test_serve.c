/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "cluster/agent_msg.h"
#include "ipc.h"

/* The serve process; this test is its root. */
struct place {
	char dir[64], path[96];
	struct agent agent;
	int root;
	pid_t pid;
	struct diag d;
};

static void setup_with(struct place *x, uid_t gate)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int listener, pair[2];

	memset(x, 0, sizeof *x);
	strcpy(x->dir, "/tmp/serve-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	assert_int_equal(chmod(x->dir, 0755), 0);
	snprintf(x->path, sizeof x->path, "%s/agent.sock", x->dir);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", x->path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(chmod(x->path, 0666), 0);
	assert_int_equal(listen(listener, 128), 0);
	assert_ok(ipc_pair(pair, &x->d));
	x->agent.owner = geteuid();
	x->agent.gate = gate;
	x->agent.user = (struct sandbox_user){ .drop = geteuid() == 0, .uid = 65534, .gid = 65534 };
	x->agent.parent = getpid();
	x->pid = fork();
	assert_true(x->pid >= 0);
	if (x->pid == 0)
		_exit(serve_process(&x->agent, pair[1], listener));
	close(pair[1]);
	close(listener);
	x->root = pair[0];
}

static void setup(struct place *x)
{
	setup_with(x, geteuid());
}

static void teardown(struct place *x)
{
	int status;

	close(x->root);
	assert_int_equal(waitpid(x->pid, &status, 0), x->pid);
	assert_int_equal(status, 0);
	unlink(x->path);
	rmdir(x->dir);
}

static int dial(const struct place *x)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", x->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* Runs as another user if this is root; else it is the owner all the same. */
static enum cluster_err as_other(const struct place *x, enum agent_msg_type type, enum cluster_err *ret_result)
{
	const struct agent_msg_request q = { .type = type, .refusal = { .time = 1800000000, .id = "id000000", .stage = "auth", .reason = "no_grant",
		.person = "alice", .jti = "AAAAAAAAAAAAAAAAAAAAAA", .rhost = "192.0.2.7" } };
	int out[2], status, got[2];
	struct agent_msg_answer a;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(1) != 0 || setuid(1) != 0))
			_exit(1);
		got[0] = (int)agent_msg_call(x->path, &q, 60000, &a);
		got[1] = (int)a.result;
		(void)!write(out[1], got, sizeof got);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(out[0], got, sizeof got), sizeof got);
	close(out[0]);
	close(out[1]);
	*ret_result = (enum cluster_err)got[1];
	return (enum cluster_err)got[0];
}

static void send_status(struct place *x, uint64_t version, bool connected)
{
	struct ipc m;

	ipc_init(&m, IPC_STATUS);
	m.status.connected = connected;
	m.status.head_version = version;
	strcpy(m.status.last_error, "none");
	assert_ok(ipc_send(x->root, &m, NULL, 0, 1));
}

/* I2: each request as root and as another user. */
static void test_who_may_ask_what(void **state)
{
	const struct agent_msg_request q = { .type = AGENT_MSG_STATUS };
	enum cluster_err result;
	struct agent_msg_answer a;
	struct place x;

	(void)state;
	setup(&x);
	send_status(&x, 77, false);
	do {
		assert_ok(agent_msg_call(x.path, &q, 60000, &a));
	} while (a.status.head_version != 77);
	assert_string_equal(a.status.last_error, "none");
	assert_ok(as_other(&x, AGENT_MSG_STATUS, &result));
	assert_int_equal(result, CLUSTER_OK);
	if (geteuid() == 0) {
		assert_ok(as_other(&x, AGENT_MSG_SESSION_OPENED, &result));
		assert_int_equal(result, CLUSTER_EDENIED);
		assert_ok(as_other(&x, AGENT_MSG_SESSION_CLOSED, &result));
		assert_int_equal(result, CLUSTER_EDENIED);
		assert_ok(as_other(&x, AGENT_MSG_REFUSED, &result));
		assert_int_equal(result, CLUSTER_EDENIED);
		assert_ok(as_other(&x, AGENT_MSG_EXPLAIN, &result));
		assert_int_equal(result, CLUSTER_EDENIED);
	}
	teardown(&x);
}

/* A session goes to root, and root's answer back to the one who asked. */
static void test_session(void **state)
{
	struct agent_msg_request q = { .type = AGENT_MSG_SESSION_OPENED };
	uint8_t packet[AGENT_MSG_MAX];
	struct agent_msg_answer a;
	int fds[IPC_FDS_MAX], fd, idle;
	struct place x;
	struct ipc m;
	size_t n;

	(void)state;
	setup(&x);
	memset(q.session.b, 9, ID_SIZE);
	idle = dial(&x);
	fd = dial(&x);
	assert_ok(agent_msg_request_build(&q, packet, &n));
	assert_int_equal(send(fd, packet, n, 0), n);
	assert_ok(ipc_receive(x.root, &m, fds, &n));
	assert_int_equal(m.type, IPC_SESSION);
	assert_int_equal(m.session.request, AGENT_MSG_SESSION_OPENED);
	assert_true(id_equal(&m.session.id, &q.session));
	m.session.err = CLUSTER_OK;
	assert_ok(ipc_send(x.root, &m, NULL, 0, 1));
	n = (size_t)recv(fd, packet, sizeof packet, 0);
	assert_ok(agent_msg_answer_parse(packet, n, &a));
	assert_int_equal(a.type, AGENT_MSG_SESSION_OPENED);
	assert_int_equal(a.result, CLUSTER_OK);
	close(fd);
	close(idle);
	/* who does not wait for the answer is served all the same */
	assert_ok(agent_msg_call(x.path, &q, 0, NULL));
	assert_ok(ipc_receive(x.root, &m, fds, &n));
	assert_int_equal(m.type, IPC_SESSION);
	teardown(&x);
}

static struct refusal refusal(unsigned int i, const char *rhost)
{
	struct refusal x = { .time = 1800000000, .stage = "auth", .reason = "no_grant", .account = "emr-user", .service = "sshd" };

	snprintf(x.id, sizeof x.id, "id%06u", i);
	snprintf(x.rhost, sizeof x.rhost, "%s", rhost);
	return x;
}

static void refuse(const struct place *x, unsigned int i, const char *rhost)
{
	struct agent_msg_request q = { .type = AGENT_MSG_REFUSED, .refusal = refusal(i, rhost) };
	struct agent_msg_answer a;

	assert_ok(agent_msg_call(x->path, &q, 60000, &a));
	assert_int_equal(a.result, CLUSTER_OK);
}

static enum cluster_err explain(const struct place *x, unsigned int i, struct refusal *ret)
{
	struct agent_msg_request q = { .type = AGENT_MSG_EXPLAIN, .refusal = refusal(i, "") };
	struct agent_msg_answer a;

	assert_ok(agent_msg_call(x->path, &q, 60000, &a));
	*ret = a.refusal;
	return a.result;
}

/* A refusal is kept and found by its id; whoever is refused all day takes nobody's place. */
static void test_refusals(void **state)
{
	struct refusal got, want = refusal(1, "192.0.2.1");
	struct place x;
	unsigned int i;

	(void)state;
	setup(&x);
	assert_err(explain(&x, 1, &got), CLUSTER_ENOTFOUND);
	refuse(&x, 1, "192.0.2.1");
	assert_ok(explain(&x, 1, &got));
	assert_memory_equal(&got, &want, sizeof want);
	for (i = 2; i < 1400; i++)
		refuse(&x, i, "203.0.113.9");
	assert_ok(explain(&x, 1, &got));
	assert_ok(explain(&x, 1399, &got));
	assert_err(explain(&x, 2, &got), CLUSTER_ENOTFOUND);
	teardown(&x);
}

/* What sshd's command says is believed as a stranger's word, whoever it names, and it is told no more than others. */
static void test_refusal_of_the_gate(void **state)
{
	struct refusal got, want = { .time = 1800000000, .id = "id000000", .stage = "principals", .reason = "no_grant", .service = "sshd", .rhost = "unknown" };
	enum cluster_err result;
	struct place x;

	(void)state;
	if (geteuid() != 0)
		return; /* there is no other user to be */
	setup_with(&x, 1);
	assert_ok(as_other(&x, AGENT_MSG_REFUSED, &result));
	assert_int_equal(result, CLUSTER_OK);
	assert_ok(explain(&x, 0, &got));
	assert_memory_equal(&got, &want, sizeof want);
	assert_ok(as_other(&x, AGENT_MSG_EXPLAIN, &result));
	assert_int_equal(result, CLUSTER_EDENIED);
	assert_ok(as_other(&x, AGENT_MSG_SESSION_OPENED, &result));
	assert_int_equal(result, CLUSTER_EDENIED);
	refuse(&x, 1, "192.0.2.1"); /* and root's word stays what it was */
	assert_ok(explain(&x, 1, &got));
	assert_string_equal(got.rhost, "192.0.2.1");
	assert_string_equal(got.stage, "auth");
	teardown(&x);
	setup_with(&x, 2);
	assert_ok(as_other(&x, AGENT_MSG_REFUSED, &result));
	assert_int_equal(result, CLUSTER_EDENIED);
	teardown(&x);
}

/* Told to root only while the authority is in reach, and no more at once than it can bear. */
static void test_refusals_told(void **state)
{
	struct place x;
	int fds[IPC_FDS_MAX];
	struct ipc m;
	unsigned int i;
	size_t n;

	(void)state;
	setup(&x);
	for (i = 0; i < 40; i++)
		refuse(&x, i, "203.0.113.9");
	refuse(&x, 99, "192.0.2.1");
	assert_int_equal(recv(x.root, &m, sizeof m, MSG_PEEK | MSG_DONTWAIT), -1);
	send_status(&x, 1, true);
	for (i = 0; i < 16; i++) {
		assert_ok(ipc_receive(x.root, &m, fds, &n));
		assert_int_equal(m.type, IPC_REFUSAL);
		if (i < 2) /* one of each source first */
			assert_string_equal(m.refusal.id, i == 0 ? "id000000" : "id000099");
	}
	refuse(&x, 100, "192.0.2.2"); /* it has been answered: nothing more was sent */
	assert_int_equal(recv(x.root, &m, sizeof m, MSG_PEEK | MSG_DONTWAIT), -1);
	teardown(&x);
}

/* What is not a request ends the connection and nothing else. */
static void test_rubbish(void **state)
{
	static const struct { const char *bytes; size_t n; } bad[] = { { "\1", 1 }, { "\2\1", 2 }, { "\1\0", 2 }, { "\1\1x", 3 }, { "\1\2", 2 }, { "\1\377", 2 } };
	const struct agent_msg_request q = { .type = AGENT_MSG_STATUS };
	char large[AGENT_MSG_MAX + 50] = "\1\1";
	struct agent_msg_answer a;
	struct place x;
	size_t i;
	char byte;
	int fd;

	(void)state;
	setup(&x);
	for (i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
		fd = dial(&x);
		if (i < sizeof bad / sizeof bad[0])
			assert_int_equal(send(fd, bad[i].bytes, bad[i].n, 0), bad[i].n);
		else
			assert_int_equal(send(fd, large, sizeof large, 0), sizeof large);
		assert_int_equal(recv(fd, &byte, 1, 0), 0);
		close(fd);
	}
	assert_ok(agent_msg_call(x.path, &q, 60000, &a));
	teardown(&x);
}

/* Two hundred idle connections of another user do not keep root out. */
static void test_crowd(void **state)
{
	const struct agent_msg_request q = { .type = AGENT_MSG_SESSION_OPENED };
	int fds[IPC_FDS_MAX], i, status, ready[2];
	struct place x;
	struct ipc m;
	size_t n;
	pid_t pid;
	char byte;

	(void)state;
	if (geteuid() != 0)
		return; /* there is no other user to be */
	setup(&x);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (setgid(1) != 0 || setuid(1) != 0)
			_exit(1);
		for (i = 0; i < 100; i++)
			(void)dial(&x);
		(void)!write(ready[1], "x", 1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_ok(agent_msg_call(x.path, &q, 0, NULL));
	assert_ok(ipc_receive(x.root, &m, fds, &n));
	assert_int_equal(m.type, IPC_SESSION);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
	teardown(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_may_ask_what),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_refusal_of_the_gate),
		cmocka_unit_test(test_refusals_told),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_crowd),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
