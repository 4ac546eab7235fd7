/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/session.h"
#include "scope.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "0::/user.slice/user-1000.slice/session-3.scope\n", "/user.slice/user-1000.slice/session-3.scope" },
		{ "0::/session-c1.scope", "/session-c1.scope" },
		{ "12:pids:/user.slice/session-9.scope\n1:name=systemd:/x\n0::/user.slice/session-4.scope\n", "/user.slice/session-4.scope" },
		/* a service, a user's own manager, what a session made below its scope, a hierarchy of version 1 alone */
		{ "0::/system.slice/ssh.service\n", NULL }, { "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n", NULL },
		{ "0::/user.slice/session-3.scope/x\n", NULL }, { "1:name=systemd:/user.slice/session-3.scope\n", NULL },
		{ "0::/\n", NULL }, { "0::\n", NULL }, { "", NULL }, { "0::/session-.scope\n", NULL }, { "0::/session-3.scope.d\n", NULL },
		{ "0::/a/../session-3.scope\n", NULL }, { "0::/a//session-3.scope\n", NULL }, { "0::session-3.scope\n", NULL }, { "0::/xsession-3.scope\n", NULL },
	};
	char path[SCOPE_MAX], text[SCOPE_MAX + 100];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(path, 'x', sizeof path);
		if (scope_parse(rows[i].text, path) != (rows[i].want != NULL))
			fail_msg("%s", rows[i].text);
		assert_string_equal(path, rows[i].want ? rows[i].want : "");
	}
	memset(text, 'a', sizeof text);
	memcpy(text, "0::/", 4);
	memcpy(text + sizeof text - sizeof "/session-3.scope", "/session-3.scope", sizeof "/session-3.scope");
	assert_false(scope_parse(text, path));
}

static void test_kill(void **state)
{
	char root[] = "/tmp/scope-XXXXXX", dir[100], file[120], text[8] = "";
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(dir, sizeof dir, "%s/session-1.scope", root);
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(file, sizeof file, "%s/cgroup.kill", dir);
	scope_kill(root, "/session-1.scope"); /* an old kernel: no such file, and none is made */
	assert_int_equal(access(file, F_OK), -1);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	scope_kill(root, "");
	scope_kill(root, "/session-1.scope");
	f = fopen(file, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof text, f));
	fclose(f);
	assert_string_equal(text, "1");
	unlink(file);
	rmdir(dir);
	rmdir(root);
}

/* This process is in a cgroup that its parent, or itself, shares: never a session's own. */
static void test_of_leader(void **state)
{
	char scope[SCOPE_MAX];
	uint64_t start;
	uint32_t audit;

	(void)state;
	assert_ok(session_process(getpid(), &start, &audit));
	scope_of_leader(getpid(), start, scope);
	assert_string_equal(scope, "");
	scope_of_leader(4194300, 1, scope);
	assert_string_equal(scope, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse), cmocka_unit_test(test_kill), cmocka_unit_test(test_of_leader) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
