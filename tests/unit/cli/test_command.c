/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "command.h"
#include "exit.h"

struct words {
	const char *text;
	struct command_list list, words;
	uint64_t seconds, number;
	bool flag;
};

static const struct command_option options[] = {
	{ "flag", 'f', COMMAND_FLAG, offsetof(struct words, flag), 0, 0, NULL, "x" },
	{ "text", 't', COMMAND_TEXT, offsetof(struct words, text), 0, 0, "T", "x" },
	{ "list", 0, COMMAND_LIST, offsetof(struct words, list), 0, 0, "L", "x" },
	{ "words", 0, COMMAND_WORDS, offsetof(struct words, words), 0, 0, "W", "x" },
	{ "seconds", 0, COMMAND_SECONDS, offsetof(struct words, seconds), 60, 3600, "S", "x" },
	{ "number", 0, COMMAND_NUMBER, offsetof(struct words, number), 1, 10, "N", "x" },
};

static struct words seen;
static const char *first;
static int n_operands;

static int run(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	int status;

	memset(&seen, 0, sizeof seen);
	if ((status = command_parse(self, argc, argv, &seen, &rest)) != COMMAND_GO)
		return status;
	n_operands = rest.n;
	first = rest.n > 0 ? rest.v[0] : NULL;
	return EXIT_DONE;
}

static const struct command plain = { .run = run, .usage = "A [B]", .example = "  x\n", COMMAND_OPTIONS(options), .least = 1, .most = 2 };
static const struct command ordered = { .run = run, .usage = "A ...", .example = "  x\n", COMMAND_OPTIONS(options), .most = -1, .in_order = true };
static const struct command_row verbs[] = { { "add", &plain, "x", COMMAND_ADMIN } };
static const struct command family = { .verbs = verbs, .n_verbs = 1 };
static const struct command_row rows[] = { { "plain", &plain, "x", COMMAND_PERSON }, { "ordered", &ordered, "x", COMMAND_PERSON }, { "user", &family, "x", COMMAND_ADMIN } };

/* Runs the words of a line; stderr is not looked at. */
static int line(const char *text)
{
	static char copy[300];
	char *argv[20], *rest = NULL, *word;
	int argc = 0;

	snprintf(copy, sizeof copy, "%s", text);
	for (word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	return command_run(rows, sizeof rows / sizeof rows[0], "", argc, argv);
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(line("plain a"), EXIT_DONE);
	assert_int_equal(line("plain a -f --text=x --list p,q --list r b --seconds 5m --number 7 --words u,v"), EXIT_DONE);
	assert_int_equal(n_operands, 2);
	assert_true(seen.flag);
	assert_string_equal(seen.text, "x");
	assert_int_equal(seen.list.n, 3);
	assert_string_equal(seen.list.item[2], "r");
	assert_int_equal(seen.words.n, 1);
	assert_string_equal(seen.words.item[0], "u,v");
	assert_int_equal(seen.seconds, 300);
	assert_int_equal(seen.number, 7);
	assert_int_equal(line("user add a"), EXIT_DONE);
	assert_int_equal(line("ordered -f a -t b --nonsense"), EXIT_DONE);
	assert_int_equal(n_operands, 4);
	assert_true(seen.flag);
	assert_null(seen.text);
	assert_int_equal(line("plain -- -f"), EXIT_DONE);
	assert_false(seen.flag);
	assert_int_equal(line("plain --help"), EXIT_DONE);
	assert_int_equal(line("user --help"), EXIT_DONE);
}

/* Ids may begin with "-". */
static void test_ids(void **state)
{
	(void)state;
	assert_int_equal(line("plain -f -AAAAAAAAAAAAAAAAAAAAA --text -BBBBBBBBBBBBBBBBBBBBA"), EXIT_DONE);
	assert_int_equal(n_operands, 1);
	assert_string_equal(first, "-AAAAAAAAAAAAAAAAAAAAA");
	assert_string_equal(seen.text, "-BBBBBBBBBBBBBBBBBBBBA");
	assert_int_equal(line("plain -- -AAAAAAAAAAAAAAAAAAAAA"), EXIT_DONE);
	assert_string_equal(first, "-AAAAAAAAAAAAAAAAAAAAA");
	assert_int_equal(line("plain -AAAAAAAAAAAAAAAAAAAA"), EXIT_USAGE);
}

/* Unknown subcommands and options, and values that break their grammar: 64. */
static void test_bad(void **state)
{
	static const char *const lines[] = { "plan a", "user", "user ad x", "plain", "plain a b c", "plain a --flg", "plain a --flag=1", "plain a --text", "plain a -x", "plain a --seconds 59",
		"plain a --seconds 2h", "plain a --seconds 5x", "plain a --number 0", "plain a --number 11", "plain a --number 1e1", "plain a --number -1", "--help-me" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (line(lines[i]) != EXIT_USAGE)
			fail_msg("accepted: %s", lines[i]);
	}
}

static void test_long(void **state)
{
	char name[] = "ssh", a[] = "--text=v", b[] = "--flag", c[] = "--list", d[] = "p,q", e[] = "--flag=1", f[] = "--bad", g[] = "--text";
	char *argv[] = { name, a, b, c, d, NULL }, *bad1[] = { name, e, NULL }, *bad2[] = { name, f, NULL }, *bad3[] = { name, g, NULL };
	struct words w = { .text = NULL };
	int i;

	(void)state;
	for (i = 1; i < 5; i++)
		assert_int_equal(command_long(&plain, argv, &i, &w), COMMAND_GO);
	assert_string_equal(w.text, "v");
	assert_true(w.flag);
	assert_int_equal(w.list.n, 2);
	i = 1;
	assert_int_equal(command_long(&plain, bad1, &i, &w), EXIT_USAGE);
	i = 1;
	assert_int_equal(command_long(&plain, bad2, &i, &w), EXIT_USAGE);
	i = 1;
	assert_int_equal(command_long(&plain, bad3, &i, &w), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_ids), cmocka_unit_test(test_bad), cmocka_unit_test(test_long) };

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
