/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "completion.h"

static const struct command_option options[] = {
	{ "for", 'f', COMMAND_LIST, 0, 0, 0, "ACCOUNT", "x" },
	{ "on", 0, COMMAND_LIST, 0, 0, 0, "NODE", "x" },
	{ "json", 0, COMMAND_FLAG, 0, 0, 0, NULL, "x" },
};
static const struct command get = { .usage = "", .example = "", COMMAND_OPTIONS(options) };
static const struct command ssh = { .usage = "[ACCOUNT@]NODE [COMMAND ...]", .example = "" };
static const struct command scp = { .usage = "[[ACCOUNT@]NODE:]FILE ...", .example = "" };
static const struct command shell = { .usage = "bash|zsh|fish", .example = "" };
static const struct command_row verbs[] = { { "add", &get, "x", COMMAND_ADMIN }, { "all", &ssh, "x", COMMAND_ADMIN } };
static const struct command family = { .verbs = verbs, .n_verbs = 2 };
static const struct command_row rows[] = {
	{ "get", &get, "a credential", COMMAND_PERSON }, { "ssh", &ssh, "", COMMAND_PERSON }, { "scp", &scp, "", COMMAND_PERSON },
	{ "shell", &shell, "", COMMAND_HIDDEN }, { "grant", &family, "", COMMAND_ADMIN }, { "secret", &get, "", COMMAND_HIDDEN },
};

static const char *const nodes[] = { "core-1-1", "master-1-1", "core" };
static const char *const accounts[] = { "core", "emr-user" };
static const struct completion_names known = { .n_nodes = 3, .n_accounts = 2, .nodes = nodes, .accounts = accounts };
static char seen[2000];
static bool nothing_known;

static const struct completion_names *names(void *arg)
{
	(void)arg;
	return nothing_known ? NULL : &known;
}

static void emit(void *arg, const char *word, const char *help)
{
	(void)arg, (void)help;
	strncat(seen, word, 200);
	strcat(seen, " ");
}

static const char *after(const char *line)
{
	const struct completion c = { .rows = rows, .n_rows = sizeof rows / sizeof rows[0], .names = names, .emit = emit };

	seen[0] = '\0';
	completion_each(&c, line);
	return seen;
}

static void test_commands(void **state)
{
	(void)state;
	assert_string_equal(after("cluster-login "), "get ssh scp grant ");
	assert_string_equal(after("cluster-login g"), "get grant ");
	assert_string_equal(after("cluster-login grant "), "add all ");
	assert_string_equal(after("cluster-login grant ad"), "add ");
	assert_string_equal(after("cluster-login nothing x"), "");
	assert_string_equal(after("cluster-login"), "");
	assert_string_equal(after(""), "");
}

static void test_options(void **state)
{
	(void)state;
	assert_string_equal(after("cluster-login get --"), "--for --on --json --help ");
	assert_string_equal(after("cluster-login grant add --j"), "--json ");
	assert_string_equal(after("cluster-login get --for "), "core emr-user ");
	assert_string_equal(after("cluster-login get -f e"), "emr-user ");
	assert_string_equal(after("cluster-login get --on core-"), "core-1-1 ");
	assert_string_equal(after("cluster-login get --json "), "");
}

static void test_destinations(void **state)
{
	(void)state;
	assert_string_equal(after("cluster-login ssh "), "core-1-1 master-1-1 core core@ emr-user@ ");
	assert_string_equal(after("cluster-login ssh emr-user@m"), "emr-user@master-1-1 ");
	assert_string_equal(after("cluster-login scp file emr-user@core"), "emr-user@core-1-1: emr-user@core: ");
	assert_string_equal(after("cluster-login shell "), "bash zsh fish ");
	assert_string_equal(after("cluster-login shell z"), "zsh ");
	nothing_known = true;
	assert_string_equal(after("cluster-login ssh "), "");
	assert_string_equal(after("cluster-login get --on "), "");
	nothing_known = false;
}

/* What a line holds is never written past its end. */
static void test_long_lines(void **state)
{
	static char line[20000];

	(void)state;
	memset(line, 'x', sizeof line - 1);
	assert_string_equal(after(line), "");
	memcpy(line, "cluster-login ", 14);
	assert_string_equal(after(line), "");
	for (size_t i = 0; i + 1 < sizeof line; i++)
		line[i] = i % 2 ? ' ' : 'x';
	assert_string_equal(after(line), "");
}

static void test_scripts(void **state)
{
	(void)state;
	assert_non_null(completion_script("bash"));
	assert_non_null(completion_script("zsh"));
	assert_non_null(completion_script("fish"));
	assert_null(completion_script("csh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands), cmocka_unit_test(test_options), cmocka_unit_test(test_destinations), cmocka_unit_test(test_long_lines), cmocka_unit_test(test_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
