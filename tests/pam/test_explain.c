/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent hears of a refusal, under the id that the user is shown: the real module, and a socket in the agent's place. THREATS.md A1, G5. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "pam_app.h"
#include "unit.h"

#include "cluster/agent_msg.h"

static struct app a;
static int listener;

static void listen_here(int backlog)
{
	struct sockaddr_un s = { .sun_family = AF_UNIX };

	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(s.sun_path, sizeof s.sun_path, "%.90s/agent.sock", a.run);
	unlink(s.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&s, sizeof s), 0);
	assert_int_equal(listen(listener, backlog), 0);
}

static int setup(void **state)
{
	(void)state;
	app_init(&a);
	app_store(&a);
	if (mkdir(a.run, 0755) != 0)
		assert_int_equal(chmod(a.run, 0755), 0);
	listen_here(16);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(listener);
	app_done(&a);
	return 0;
}

/* The next message that nobody waits for an answer to; false: none. */
static bool heard(struct refusal *ret)
{
	struct agent_msg_request q;
	uint8_t packet[AGENT_MSG_MAX];
	int fd = accept(listener, NULL, NULL);
	ssize_t n;

	if (fd < 0)
		return false;
	n = recv(fd, packet, sizeof packet, 0);
	assert_true(n > 0);
	assert_ok(agent_msg_request_parse(packet, (size_t)n, &q));
	assert_int_equal(q.type, AGENT_MSG_REFUSED);
	assert_int_equal(recv(fd, packet, sizeof packet, 0), 0);
	close(fd);
	*ret = q.refusal;
	return true;
}

static void shown_is(const struct refusal *x)
{
	char want[64];

	snprintf(want, sizeof want, "Access refused (id %s).", x->id);
	assert_string_equal(a.message, want);
	snprintf(want, sizeof want, " id=%s ", x->id);
	assert_non_null(strstr(a.log, want));
	assert_int_not_equal(x->id[0], '-');
}

static void test_refused(void **state)
{
	struct refusal x;

	(void)state;
	a.cred = world_credential(&a.w, WORLD_BOB); /* nobody has granted him anything */
	a.person = WORLD_BOB;
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_MAXTRIES);
	assert_true(heard(&x));
	assert_false(heard(&x));
	shown_is(&x);
	assert_true(app_logged(&a, x.reason));
	assert_string_equal(x.stage, "auth");
	assert_string_equal(x.account, "emr-user");
	assert_string_equal(x.service, "sshd");
	assert_string_equal(x.rhost, "192.0.2.7");
	assert_true(refusal_proved(&x));
	assert_int_equal(strlen(x.jti), ID_TEXT);
	assert_true(x.time > 1700000000);
}

/* Somebody who proves nothing is a stranger, whatever he calls himself; foreign text is text. */
static void test_stranger(void **state)
{
	struct refusal x;

	(void)state;
	a.reply = APP_TEXT;
	a.text = "alice";
	a.rhost = "evil\nid=x detail=\"\x1b[2J";
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "no\nsuch"), PAM_MAXTRIES);
	assert_true(heard(&x));
	shown_is(&x);
	assert_false(refusal_proved(&x));
	assert_string_equal(x.account, "no\\x0asuch");
	assert_string_equal(x.rhost, "evil\\x0aid=x detail=\"\\x1b[2J");
	assert_int_equal(x.jti[0] + x.person[0], 0);
}

/* Where sshd does not know the account or does not admit it, the module sees its junk and not the answer: that is said. */
static void test_withheld(void **state)
{
	struct refusal x;

	(void)state;
	a.reply = APP_TEXT;
	a.text = "\b\n\r\177INCORRECT\b\n\r\177INCORR";
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "nobody-here"), PAM_MAXTRIES);
	assert_true(heard(&x));
	assert_string_equal(x.reason, "answer_format");
	assert_non_null(strstr(x.detail, "sshd withheld the answer"));
	assert_false(refusal_proved(&x));
}

/* Another gate of the same login has an id of its own; what nobody is shown is not told. */
static void test_stages(void **state)
{
	struct refusal x;

	(void)state;
	app_forget(&a);
	assert_int_not_equal(app_open(&a, "sshd", "emr-user", NULL), PAM_SUCCESS);
	assert_true(heard(&x));
	shown_is(&x);
	assert_string_equal(x.stage, "session_open");
	assert_string_equal(x.reason, "no_credential_login");
	assert_string_equal(x.detail, "");
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	assert_int_equal(app_auth(&a, "sshd", "root"), APP_IGNORED);
	assert_false(heard(&x));
}

/* No agent, or one that has no place for us: the same decision, at once. */
static void test_agent_away(void **state)
{
	struct refusal x;

	(void)state;
	a.reply = APP_NO_CONV;
	close(listener);
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_AUTH_ERR);
	listen_here(0);
	for (int i = 0; i < 4; i++) {
		app_forget(&a);
		assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_AUTH_ERR);
	}
	assert_true(heard(&x));
	assert_string_equal(x.reason, "no_answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown), cmocka_unit_test_setup_teardown(test_stranger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_withheld, setup, teardown), cmocka_unit_test_setup_teardown(test_stages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_agent_away, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
