/* SPDX-License-Identifier: Apache-2.0 */
/* Requirement H9: absent, empty, unreadable and unparsable are different answers. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/conf.h"
#include "cluster/file.h"
#include "cluster/name.h"
#include "cluster/wr.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

struct fields {
	char name[CONF_STRING_SIZE], path[CONF_STRING_SIZE];
	uint64_t port, wait;
	bool strict;
	int mode;
	struct conf_list adopt;
};

static const char *const modes[] = { "refuse", "ignore", NULL };
static const struct conf_key keys[] = {
	{ .section = "agent", .name = "name", .type = CONF_STRING, .offset = offsetof(struct fields, name) },
	{ .section = "agent", .name = "path", .type = CONF_PATH, .offset = offsetof(struct fields, path) },
	{ .section = "agent", .name = "port", .type = CONF_NUMBER, .offset = offsetof(struct fields, port), .min = 1, .max = 65535 },
	{ .section = "agent", .name = "wait", .type = CONF_SECONDS, .offset = offsetof(struct fields, wait), .min = 0, .max = 86400 },
	{ .section = "login", .name = "strict", .type = CONF_BOOL, .offset = offsetof(struct fields, strict) },
	{ .section = "login", .name = "foreign", .type = CONF_CHOICE, .offset = offsetof(struct fields, mode), .choices = modes },
	{ .section = "login", .name = "adopt", .type = CONF_LIST, .offset = offsetof(struct fields, adopt), .item_ok = name_account_ok },
};

static struct fields fields;
static struct diag diag;

static enum cluster_err parse(const char *text)
{
	fields = (struct fields){ .name = "default", .path = "/default", .port = 7443, .wait = 60 };
	diag_clear(&diag);
	return conf_parse(text, strlen(text), "x.conf", keys, COUNT(keys), &fields, &diag);
}

static void test_every_type(void **state)
{
	(void)state;
	assert_ok(parse("# a comment\n\n[agent]\nname = two words # kept\n\tpath=/a/b  \nport = 1\nwait = 15m\n [login] \nstrict = yes\n"
			"foreign = ignore\n  # another\nadopt = emr-user, ecs-user\tcore,\n#end"));
	assert_string_equal(fields.name, "two words # kept");
	assert_string_equal(fields.path, "/a/b");
	assert_int_equal(fields.port, 1);
	assert_int_equal(fields.wait, 900);
	assert_true(fields.strict);
	assert_int_equal(fields.mode, 1);
	assert_int_equal(fields.adopt.n, 3);
	assert_string_equal(fields.adopt.item[0], "emr-user");
	assert_string_equal(fields.adopt.item[2], "core");
}

static void test_defaults_hold(void **state)
{
	(void)state;
	assert_ok(parse(""));
	assert_string_equal(fields.name, "default");
	assert_int_equal(fields.port, 7443);
	assert_ok(parse("[agent]\nname =\n[login]\nadopt =\n"));
	assert_string_equal(fields.name, "");
	assert_int_equal(fields.adopt.n, 0);
}

static void test_every_error_names_file_line_and_what_was_meant(void **state)
{
	static const struct {
		const char *text, *message;
	} v[] = {
		{ "[agent]\nprot = 1\n", "x.conf:2: unknown key \"prot\" in [agent]; did you mean \"port\"?" },
		{ "[agent]\nzzzzzzzz = 1\n", "x.conf:2: unknown key \"zzzzzzzz\" in [agent]" },
		{ "[agent]\nstrict = yes\n", "x.conf:2: \"strict\" belongs into [login] and not into [agent]" },
		{ "[agnet]\n", "x.conf:1: unknown section [agnet]; did you mean [agent]?" },
		{ "[qqqqqqq]\n", "x.conf:1: unknown section [qqqqqqq]" },
		{ "[]\n", "x.conf:1: unknown section []" },
		{ "[", "x.conf:1: a section is written [name]" },
		{ "[agent\n", "x.conf:1: a section is written [name]" },
		{ "\nport = 1\n", "x.conf:2: a key before the first [section]" },
		{ "[agent]\nport\n", "x.conf:2: neither \"key = value\" nor [section] nor a # comment" },
		{ "[agent]\nport = 1\nport = 1\n", "x.conf:3: \"port\" stands twice in this file" },
		{ "[agent]\nport = 1\n[login]\n[agent]\nport = 1\n", "x.conf:5: \"port\" stands twice in this file" },
		{ "[agent]\nport = 0\n", "x.conf:2: port: 0 is outside of 1..65535" },
		{ "[agent]\nport = 08\n", "x.conf:2: port: \"08\" is not a number" },
		{ "[agent]\nport =\n", "x.conf:2: port: \"\" is not a number" },
		{ "[agent]\nwait = 5w\n", "x.conf:2: wait: \"5w\" is not a number with an optional unit s, m, h or d" },
		{ "[agent]\nwait = 2d\n", "x.conf:2: wait: 2d is outside of 0..86400 seconds" },
		{ "[agent]\npath = a/b\n", "x.conf:2: path: \"a/b\" is not an absolute path without \".\", \"..\", \"//\" or \":\"" },
		{ "[login]\nstrict = true\n", "x.conf:2: strict: \"true\" is neither yes nor no" },
		{ "[login]\nforeign = x\n", "x.conf:2: foreign: \"x\" is not one of: refuse, ignore" },
		{ "[login]\nadopt = emr-user Root\n", "x.conf:2: adopt: \"Root\" is not a value for this key" },
		{ "[login]\r\n", "x.conf:1: control byte 0x0d" },
		{ "[agent]\nname = a\x1b[2J\n", "x.conf:2: control byte 0x1b" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(v); i++) {
		assert_err(parse(v[i].text), CLUSTER_ECONFIG);
		assert_string_equal(diag.text, v[i].message);
	}
}

static void test_limits(void **state)
{
	static char text[CONF_FILE_MAX + 2];

	(void)state;
	assert_err(conf_parse("#\0", 2, "x.conf", keys, COUNT(keys), &fields, &diag), CLUSTER_ECONFIG);
	assert_string_equal(diag.text, "x.conf:1: a NUL byte");
	memset(text, '\n', sizeof text);
	assert_ok(conf_parse(text, CONF_FILE_MAX, "x.conf", keys, COUNT(keys), &fields, &diag));
	assert_err(conf_parse(text, CONF_FILE_MAX + 1, "x.conf", keys, COUNT(keys), &fields, &diag), CLUSTER_ECONFIG);
	memset(text, '#', 4096);
	assert_err(conf_parse(text, 4096, "x.conf", keys, COUNT(keys), &fields, &diag), CLUSTER_ECONFIG);
	assert_ok(conf_parse(text, 4095, "x.conf", keys, COUNT(keys), &fields, &diag));
	memset(text, 'a', 400);
	memcpy(text, "[agent]\nname=", 13);
	text[13 + CONF_STRING_SIZE] = '\0';
	assert_err(parse(text), CLUSTER_ECONFIG);
	text[13 + CONF_STRING_SIZE - 1] = '\0';
	assert_ok(parse(text));
	assert_int_equal(strlen(fields.name), CONF_STRING_SIZE - 1);
}

static void test_lists_are_bounded(void **state)
{
	char text[256 + 2 * CONF_LIST_MAX] = "[login]\nadopt =";

	(void)state;
	for (size_t i = 0; i < CONF_LIST_MAX; i++)
		strncat(text, " a", 3);
	assert_ok(parse(text));
	assert_int_equal(fields.adopt.n, CONF_LIST_MAX);
	strncat(text, " a", 3);
	assert_err(parse(text), CLUSTER_ECONFIG);
	snprintf(text, sizeof text, "[login]\nadopt = %064d\n", 1);
	assert_err(parse(text), CLUSTER_ECONFIG);
}

static void test_words(void **state)
{
	(void)state;
	assert_ok(parse(""));
	assert_ok(conf_word("port=22", "pam.d/sshd", keys, COUNT(keys), &fields, &diag));
	assert_int_equal(fields.port, 22);
	assert_ok(conf_word("name=a=b", "pam.d/sshd", keys, COUNT(keys), &fields, &diag));
	assert_string_equal(fields.name, "a=b");
	assert_ok(conf_word("foreign=ignore", "pam.d/sshd", keys, COUNT(keys), &fields, &diag));
	assert_err(conf_word("foreign", "pam.d/sshd", keys, COUNT(keys), &fields, &diag), CLUSTER_ECONFIG);
	assert_string_equal(diag.text, "pam.d/sshd: \"foreign\" is not written name=value");
	assert_err(conf_word("stric=yes", "pam.d/sshd", keys, COUNT(keys), &fields, &diag), CLUSTER_ECONFIG);
	assert_string_equal(diag.text, "pam.d/sshd: unknown key \"stric\"; did you mean \"strict\"?");
	assert_err(conf_word("port=x", "pam.d/sshd", keys, COUNT(keys), &fields, &diag), CLUSTER_ECONFIG);
	assert_string_equal(diag.text, "pam.d/sshd: port: \"x\" is not a number");
	assert_err(conf_word("=yes", "pam.d/sshd", keys, COUNT(keys), &fields, &diag), CLUSTER_ECONFIG);
}

static void test_dump_reads_back(void **state)
{
	char text[2048];
	struct fields before;
	struct wr w;

	(void)state;
	assert_ok(parse("[agent]\nname = n\nwait = 120\n[login]\nadopt = a b\nforeign = ignore\n"));
	before = fields;
	wr_init(&w, text, sizeof text);
	conf_dump(keys, COUNT(keys), &fields, &w);
	wr_terminate(&w);
	assert_ok(wr_end(&w));
	assert_string_equal(text, "[agent]\nname = n\npath = /default\nport = 7443\nwait = 2m\n\n[login]\nstrict = no\nforeign = ignore\nadopt = a b\n");
	assert_ok(parse(text));
	assert_memory_equal(&before, &fields, sizeof fields);
}

static void test_nearest(void **state)
{
	const char *const words[] = { "head", "keyset", "directory", NULL };

	(void)state;
	assert_string_equal(conf_nearest("haed", words, 4, sizeof words[0]), "head");
	assert_string_equal(conf_nearest("keyst", words, 4, sizeof words[0]), "keyset");
	assert_string_equal(conf_nearest("diretcory", words, 4, sizeof words[0]), "directory");
	assert_null(conf_nearest("xyz", words, 4, sizeof words[0]));
	assert_null(conf_nearest("", words, 4, sizeof words[0]));
	assert_null(conf_nearest("keyset", words, 0, sizeof words[0]));
}

static char top[64];

static void put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_ok(file_write_all(fd, text, strlen(text)));
	assert_return_code(fchmod(fd, mode), errno);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	umask(022);
	snprintf(top, sizeof top, "/tmp/test_conf.XXXXXX");
	return mkdtemp(top) && chdir(top) == 0 && mkdir("x.conf.d", 0755) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const files[] = { "x.conf", "x.conf.d/10.conf", "x.conf.d/20.conf", "x.conf.d/note", "x.conf.d/.30.conf" };

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		unlink(files[i]);
	rmdir("x.conf.d");
	return chdir("/") == 0 ? rmdir(top) : -1;
}

static enum cluster_err load(void)
{
	char path[96];

	snprintf(path, sizeof path, "%s/x.conf", top);
	fields = (struct fields){ .path = "/default", .port = 7443 };
	diag_clear(&diag);
	return conf_load(path, geteuid(), keys, COUNT(keys), &fields, &diag);
}

static void test_h9_load(void **state)
{
	(void)state;
	assert_ok(load());
	assert_int_equal(fields.port, 7443);
	put("x.conf", "", 0644);
	assert_ok(load());
	put("x.conf", "[agent]\nport = 1\nwait = 1\n", 0644);
	put("x.conf.d/20.conf", "[agent]\nport = 20\n", 0644);
	put("x.conf.d/10.conf", "[agent]\nport = 10\nname = ten\n", 0644);
	put("x.conf.d/note", "not for us", 0644);
	put("x.conf.d/.30.conf", "nor this", 0644);
	assert_ok(load());
	assert_int_equal(fields.port, 20);
	assert_int_equal(fields.wait, 1);
	assert_string_equal(fields.name, "ten");
	assert_string_equal(diag.text, "");
	put("x.conf.d/10.conf", "[agent]\nport = ten\n", 0644);
	assert_err(load(), CLUSTER_ECONFIG);
	assert_non_null(strstr(diag.text, "x.conf.d/10.conf:2: port"));
	put("x.conf.d/10.conf", "", 0664);
	assert_err(load(), CLUSTER_EUNTRUSTED);
	put("x.conf.d/10.conf", "", 0644);
	put("x.conf", "", 0666);
	assert_err(load(), CLUSTER_EUNTRUSTED);
	unlink("x.conf");
	assert_ok(load());
	assert_int_equal(fields.port, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_defaults_hold),
		cmocka_unit_test(test_every_error_names_file_line_and_what_was_meant),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_lists_are_bounded),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_dump_reads_back),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test_setup_teardown(test_h9_load, setup, teardown),
	};
	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
