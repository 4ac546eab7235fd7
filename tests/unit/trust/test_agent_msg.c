/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/agent_msg.h"

static void test_requests(void **state)
{
	struct agent_msg_request m = { .type = AGENT_MSG_SESSION_OPENED }, again;
	uint8_t bytes[AGENT_MSG_MAX];
	size_t n, i;

	(void)state;
	memset(m.session.b, 7, ID_SIZE);
	assert_ok(agent_msg_request_build(&m, bytes, &n));
	assert_int_equal(n, 2 + ID_SIZE);
	assert_ok(agent_msg_request_parse(bytes, n, &again));
	assert_int_equal(again.type, AGENT_MSG_SESSION_OPENED);
	assert_true(id_equal(&again.session, &m.session));
	for (i = 0; i < n; i++)
		assert_int_not_equal(agent_msg_request_parse(bytes, i, &again), CLUSTER_OK);
	assert_err(agent_msg_request_parse(bytes, n + 1, &again), CLUSTER_EFORMAT);
	bytes[0] = 2;
	assert_err(agent_msg_request_parse(bytes, n, &again), CLUSTER_EVERSION);
	bytes[0] = 1;
	bytes[1] = 0;
	assert_err(agent_msg_request_parse(bytes, n, &again), CLUSTER_EFORMAT);
	bytes[1] = AGENT_MSG_EXPLAIN + 1;
	assert_err(agent_msg_request_parse(bytes, n, &again), CLUSTER_EFORMAT);
	m.type = AGENT_MSG_STATUS;
	assert_ok(agent_msg_request_build(&m, bytes, &n));
	assert_int_equal(n, 2);
}

static void test_uses(void **state)
{
	struct agent_msg_request m = { .type = AGENT_MSG_REDEEM, .iat = 1800000000, .exp = 1800000120, .skew = 30 }, again;
	uint8_t bytes[AGENT_MSG_MAX];
	size_t n, i;

	(void)state;
	memset(m.jti.b, 7, ID_SIZE);
	memset(m.receipt.b, 8, ID_SIZE);
	memset(m.person.b, 9, ID_SIZE);
	assert_ok(agent_msg_request_build(&m, bytes, &n));
	assert_int_equal(n, 2 + 3 * ID_SIZE + 16 + 4);
	assert_ok(agent_msg_request_parse(bytes, n, &again));
	assert_true(id_equal(&again.jti, &m.jti) && id_equal(&again.receipt, &m.receipt) && again.iat == m.iat && again.exp == m.exp);
	assert_true(id_equal(&again.person, &m.person) && again.skew == m.skew);
	for (i = 0; i < n; i++)
		assert_int_not_equal(agent_msg_request_parse(bytes, i, &again), CLUSTER_OK);
	bytes[2 + 2 * ID_SIZE] = 0x80; /* a time before all times */
	assert_err(agent_msg_request_parse(bytes, n, &again), CLUSTER_EFORMAT);
	m.type = AGENT_MSG_CONFIRM;
	assert_ok(agent_msg_request_build(&m, bytes, &n));
	assert_int_equal(n, 2 + 2 * ID_SIZE);
	assert_ok(agent_msg_request_parse(bytes, n, &again));
	assert_true(again.type == AGENT_MSG_CONFIRM && id_equal(&again.receipt, &m.receipt));
}

static void test_answers(void **state)
{
	struct agent_msg_answer m = { .type = AGENT_MSG_STATUS, .result = CLUSTER_OK }, again;
	uint8_t bytes[AGENT_MSG_MAX];
	size_t n, i;

	(void)state;
	m.status.generation = 3;
	m.status.head_version = 12345678901;
	m.status.head_iat = 1700000000;
	m.status.last_contact = 1700000060;
	m.status.sessions = 2;
	m.status.connected = true;
	memset(m.status.last_error, 'e', 200);
	memset(&again, 0, sizeof again);
	assert_ok(agent_msg_answer_build(&m, bytes, &n));
	assert_ok(agent_msg_answer_parse(bytes, n, &again));
	assert_memory_equal(&m, &again, sizeof m);
	for (i = 0; i < n; i++)
		assert_int_not_equal(agent_msg_answer_parse(bytes, i, &again), CLUSTER_OK);
	bytes[2] = CLUSTER_ECONFIG + 1;
	assert_err(agent_msg_answer_parse(bytes, n, &again), CLUSTER_EFORMAT);
	m.result = CLUSTER_EDENIED;
	assert_ok(agent_msg_answer_build(&m, bytes, &n));
	assert_int_equal(n, 3);
	assert_ok(agent_msg_answer_parse(bytes, n, &again));
	assert_int_equal(again.result, CLUSTER_EDENIED);
}

/* A server that answers one request with `reply` bytes, or not at all (n == 0). */
static pid_t serve_once(const char *path, const uint8_t *reply, size_t n)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	uint8_t in[AGENT_MSG_MAX];
	int fd, client;
	pid_t pid;

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 4), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		close(fd);
		return pid;
	}
	client = accept(fd, NULL, NULL);
	if (client < 0 || recv(client, in, sizeof in, 0) <= 0)
		_exit(1);
	if (n > 0 && send(client, reply, n, MSG_NOSIGNAL) != (ssize_t)n)
		_exit(1);
	_exit(recv(client, in, sizeof in, 0) == 0 ? 0 : 1); /* until the caller has gone */
}

static void test_call(void **state)
{
	struct agent_msg_answer m = { .type = AGENT_MSG_STATUS, .result = CLUSTER_OK }, answer;
	struct agent_msg_request q = { .type = AGENT_MSG_STATUS };
	char dir[] = "/tmp/agent_msg-XXXXXX", path[64];
	uint8_t bytes[AGENT_MSG_MAX];
	int status;
	size_t n;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/sock", dir);
	assert_err(agent_msg_call(path, &q, 1000, &answer), CLUSTER_EUNAVAIL);
	m.status.head_version = 9;
	assert_ok(agent_msg_answer_build(&m, bytes, &n));
	pid = serve_once(path, bytes, n);
	assert_ok(agent_msg_call(path, &q, 5000, &answer));
	assert_true(answer.status.head_version == 9);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* silence ends at the deadline; an answer to something else is refused */
	pid = serve_once(path, NULL, 0);
	assert_err(agent_msg_call(path, &q, 50, &answer), CLUSTER_EUNAVAIL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	pid = serve_once(path, (const uint8_t *)"\1\2\0", 3);
	assert_err(agent_msg_call(path, &q, 5000, &answer), CLUSTER_EFORMAT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* without an answer wanted nothing is waited for */
	q.type = AGENT_MSG_SESSION_CLOSED;
	pid = serve_once(path, NULL, 0);
	assert_ok(agent_msg_call(path, &q, 0, NULL));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	unlink(path);
	rmdir(dir);
}

/* Returns when the process sleeps. */
static void await_sleep(pid_t pid)
{
	char path[64], text[512], *state = NULL;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	do {
		f = fopen(path, "re");
		if (!f)
			_exit(2);
		state = fgets(text, sizeof text, f) ? strrchr(text, ')') : NULL;
		fclose(f);
	} while (!state || strncmp(state, ") S", 3) != 0);
}

/* I2: a queue that others fill is waited for, but only by who waits at all. */
static void test_queue_full(void **state)
{
	struct agent_msg_answer m = { .type = AGENT_MSG_STATUS, .result = CLUSTER_OK }, answer;
	struct agent_msg_request q = { .type = AGENT_MSG_STATUS };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/agent_msg-XXXXXX";
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), filler = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), client, status;
	uint8_t bytes[AGENT_MSG_MAX], in[AGENT_MSG_MAX];
	size_t n;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(a.sun_path, sizeof a.sun_path, "%s/sock", dir);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(connect(filler, (struct sockaddr *)&a, sizeof a), 0);
	assert_err(agent_msg_call(a.sun_path, &q, 0, NULL), CLUSTER_EUNAVAIL);
	assert_err(agent_msg_call(a.sun_path, &q, 20, &answer), CLUSTER_EUNAVAIL);
	assert_ok(agent_msg_answer_build(&m, bytes, &n));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		await_sleep(getppid());
		if (accept(listener, NULL, NULL) < 0 || (client = accept(listener, NULL, NULL)) < 0 || recv(client, in, sizeof in, 0) <= 0)
			_exit(1);
		_exit(send(client, bytes, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : 1);
	}
	assert_ok(agent_msg_call(a.sun_path, &q, 20000, &answer));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(filler);
	close(listener);
	unlink(a.sun_path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests), cmocka_unit_test(test_uses),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_call), cmocka_unit_test(test_queue_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
