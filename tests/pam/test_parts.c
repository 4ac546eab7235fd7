/* SPDX-License-Identifier: Apache-2.0 */
/* The module's parts by themselves: the passwd file, service classes, arguments, and the map of results. THREATS.md A1, A2, A10, E11. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <security/pam_modules.h>

#include "pam_conf.h"
#include "pam_facts.h"
#include "pam_result.h"
#include "unit.h"
#include "world.h"

static char path[200];

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(path, sizeof path, "%s/pam-parts-XXXXXX", tmp ? tmp : "/tmp");
	return close(mkstemp(path));
}

static int teardown(void **state)
{
	(void)state;
	return remove(path);
}

/* ---- the passwd file ---- */

static enum local_found find(const char *text, const char *name, uid_t *uid)
{
	world_file(path, text, strlen(text), 0644);
	return local_find(path, name, uid);
}

static void test_local(void **state)
{
	static const char file[] = "root:x:0:0:root:/root:/bin/bash\n\n#comment\nalice:x:1001:1001:,,,:/home/alice:/bin/sh\nalice:x:0:0::/:/bin/sh\nlast:x:1002:1002::/:";
	uid_t uid = 77;

	(void)state;
	assert_int_equal(find(file, "alice", &uid), LOCAL_YES);
	assert_int_equal(uid, 1001); /* the first one, as files does */
	assert_int_equal(find(file, "root", &uid), LOCAL_YES);
	assert_int_equal(uid, 0);
	assert_int_equal(find(file, "last", &uid), LOCAL_YES); /* no newline at the end */
	assert_int_equal(uid, 1002);
	uid = 77;
	assert_int_equal(find(file, "alic", &uid), LOCAL_NO);
	assert_int_equal(find(file, "alicee", &uid), LOCAL_NO);
	assert_int_equal(find(file, "Alice", &uid), LOCAL_NO);
	assert_int_equal(find(file, "", &uid), LOCAL_NO);
	assert_int_equal(find(file, "#comment", &uid), LOCAL_NO);
	assert_int_equal(find(file, "root:x", &uid), LOCAL_NO);
	assert_int_equal(find("", "root", &uid), LOCAL_NO);
	assert_int_equal(uid, 77);
}

static void test_local_broken_lines(void **state)
{
	static const char *const lines[] = {
		"alice", "alice:", "alice:x", "alice:x:1001", "alice:x:1001:1001::/home/alice", "alice:x::1001::/:/bin/sh", "alice:x:-1:1001::/:/bin/sh", "alice:x:1001:x::/:/bin/sh",
		"alice:x:4294967295:1::/:/bin/sh", "alice:x:4294967296:1::/:/bin/sh", "alice:x: 1001:1::/:/bin/sh", "alice:x:1001:1::/:/bin/sh:more", "+alice:x:1001:1::/:/bin/sh",
	};
	uid_t uid;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (find(lines[i], "alice", &uid) != LOCAL_NO)
			fail_msg("%s", lines[i]);
	assert_int_equal(find("+::::::\n-alice:x:1:1::/:/bin/sh", "+", &uid), LOCAL_NO);
	assert_int_equal(find("-alice:x:1:1::/:/bin/sh\n", "-alice", &uid), LOCAL_NO);
}

/* Lines longer than the buffer, and lines that end at every place within it. */
static void test_local_long_lines(void **state)
{
	char *text = malloc(40000);
	uid_t uid;

	(void)state;
	for (size_t fill = 4000; fill < 4200; fill++) {
		int n = snprintf(text, 40000, "long:x:9:9:%0*d:/:/bin/sh\n", (int)fill, 0);

		snprintf(text + n, 40000 - (size_t)n, "alice:x:1001:1001::/:/bin/sh\n");
		assert_int_equal(find(text, "alice", &uid), LOCAL_YES);
		assert_int_equal(uid, 1001);
	}
	/* what stands inside a line that is too long is not a line */
	for (size_t at = 4000; at < 8300; at++) {
		memset(text, 'x', at);
		snprintf(text + at, 40000 - at, "alice:x:0:0::/:/bin/sh\n");
		if (find(text, "alice", &uid) != LOCAL_NO)
			fail_msg("at %zu", at);
	}
	free(text);
}

static void test_local_unreadable(void **state)
{
	uid_t uid;

	(void)state;
	assert_int_equal(local_find("/nonexistent/passwd", "root", &uid), LOCAL_UNKNOWN);
	assert_int_equal(local_find("/", "root", &uid), LOCAL_UNKNOWN);
	assert_int_equal(local_find("/dev/zero", "root", &uid), LOCAL_UNKNOWN);
	remove(path);
	assert_int_equal(mkfifo(path, 0644), 0); /* does not wait for a writer */
	assert_int_equal(local_find(path, "root", &uid), LOCAL_UNKNOWN);
}

/* ---- classes and arguments ---- */

static void test_classes(void **state)
{
	static struct node_conf c;

	(void)state;
	node_conf_init(&c);
	assert_int_equal(pam_facts_class(&c, "sshd", true), POLICY_LOGIN);
	assert_int_equal(pam_facts_class(&c, "", true), POLICY_LOGIN);
	assert_int_equal(pam_facts_class(&c, "anything", true), POLICY_LOGIN);
	assert_int_equal(pam_facts_class(&c, "cron", true), POLICY_JOB);
	assert_int_equal(pam_facts_class(&c, "systemd-user", false), POLICY_JOB);
	assert_int_equal(pam_facts_class(&c, "sudo", true), POLICY_SUDO);
	assert_int_equal(pam_facts_class(&c, "su", true), POLICY_JOB);
	assert_int_equal(pam_facts_class(&c, "su-l", false), POLICY_SUDO);
	c.login_services.n = 1;
	strcpy(c.login_services.item[0], "cron");
	assert_int_equal(pam_facts_class(&c, "cron", true), POLICY_LOGIN);
}

static void test_arguments(void **state)
{
	static const char *const bad[] = { "unknown=1", "unknown", "state=relative", "state=", "owner=-1", "owner=root", "owner=99999999999", "debug=maybe", "debug=", "=", "" };
	const char *good[] = { "config=/c/d.conf", "state=/s", "run=/r", "passwd=/p", "owner=12", "debug" };
	struct pam_conf c;

	(void)state;
	pam_conf_args(&c, 6, good);
	assert_int_equal(c.diag.code, CLUSTER_OK);
	assert_string_equal(c.args.config, "/c/d.conf");
	assert_string_equal(pam_conf_state(&c), "/s");
	assert_string_equal(pam_conf_run(&c), "/r");
	assert_string_equal(c.args.passwd, "/p");
	assert_int_equal(c.args.owner, 12);
	assert_true(c.args.debug);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *argv[] = { bad[i], "state=/s" };

		pam_conf_args(&c, 2, argv);
		if (c.diag.code != CLUSTER_ECONFIG || c.diag.text[0] == '\0')
			fail_msg("accepted: %s", bad[i]);
		assert_string_equal(pam_conf_state(&c), "/s"); /* what can be understood still holds: the passwd file is found */
	}
	pam_conf_args(&c, 0, NULL);
	assert_string_equal(pam_conf_state(&c), "/var/lib/cluster-login");
	assert_string_equal(pam_conf_run(&c), "/run/cluster-login");
	assert_string_equal(c.args.passwd, "/etc/passwd");
	assert_int_equal(c.args.owner, 0);
}

/* ---- results ---- */

static bool one_of(int code, const int *codes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (codes[i] == code)
			return true;
	return false;
}

#define ONE_OF(code, ...) one_of(code, (const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

/* A1, A2: success only for "ok", ignore only for three reasons, and everything else is one of the codes that deny. */
static void test_results(void **state)
{
	(void)state;
	for (int r = 0; r < REASON_N + 3; r++) {
		bool ignored = r == REASON_LOCAL || r == REASON_NOT_ENROLLED || r == REASON_FOREIGN_IGNORED;
		bool unavailable = reason_err((enum reason)r) == CLUSTER_EUNAVAIL;

		for (int s = PAM_STAGE_AUTH; s <= PAM_STAGE_PASSWORD; s++) {
			int code = pam_result_code((enum pam_stage)s, (enum reason)r);

			assert_int_equal(code == PAM_SUCCESS, r == REASON_OK);
			assert_int_equal(code == PAM_IGNORE, ignored);
			if (r == REASON_OK || ignored)
				continue;
			if (s == PAM_STAGE_AUTH)
				assert_int_equal(code, r == REASON_NO_ANSWER ? PAM_AUTH_ERR : unavailable ? PAM_AUTHINFO_UNAVAIL : PAM_MAXTRIES);
			else if (s == PAM_STAGE_ACCOUNT)
				assert_int_equal(code, unavailable ? PAM_AUTHINFO_UNAVAIL : PAM_PERM_DENIED);
			else
				assert_true(ONE_OF(code, PAM_SESSION_ERR, PAM_CRED_ERR, PAM_CRED_UNAVAIL, PAM_AUTHTOK_ERR));
		}
	}
	assert_int_equal(pam_result_code(PAM_STAGE_OPEN, REASON_NO_HANDOVER), PAM_SESSION_ERR);
	assert_int_equal(pam_result_code(PAM_STAGE_OPEN, REASON_SESSION_RECORD), PAM_SESSION_ERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_local, setup, teardown),
		cmocka_unit_test_setup_teardown(test_local_broken_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_local_long_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_local_unreadable, setup, teardown),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_results),
	};

	return cmocka_run_group_tests_name("pam parts", tests, NULL, NULL);
}
