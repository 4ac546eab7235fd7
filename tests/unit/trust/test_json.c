/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/json.h"
#include "cluster/name.h"

#define MAX 4096

/* jansson's own, to show what the scan keeps away from it. */
extern void *json_loads(const char *text, size_t flags, void *error);

/* B11, F5: every thread of this program is in a locale whose decimal point has two bytes, as ps_AF has. */
CLUSTER_EXPORT struct lconv *localeconv(void)
{
	static char point[] = "\xd9\xab", none[] = "";
	static struct lconv l;

	l.decimal_point = point;
	l.thousands_sep = none;
	l.grouping = none;
	return &l;
}

static enum cluster_err parse(const char *text)
{
	struct json *j = NULL;
	struct diag d = { 0 };
	enum cluster_err e = json_parse(text, strlen(text), MAX, &j, &d);

	assert_true((e == CLUSTER_OK) == (j != NULL));
	assert_true(e == CLUSTER_OK || d.text[0]);
	json_free(j);
	return e;
}

static void test_accepts(void **state)
{
	static const char *const good[] = {
		"{}", "[]", " [ ] ", "{\"a\":0}", "[-1,0,1,9223372036854775807,-9223372036854775808]", "[true,false,null]", "[\"\"]", "[\"\\u0001\\n\\\"\\\\\"]",
		"[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]", "[\"\\ud83d\\ude00\"]", "[[[[[[[[]]]]]]]]", "{\"e\":\"1.5e3\"}", "[\"[[[[[[[[[[\"]", "[\"\\\\u0000\"]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (parse(good[i]) != CLUSTER_OK)
			fail_msg("refused: %s", good[i]);
}

/* B10, B11 */
static void test_refuses(void **state)
{
	static const char *const bad[] = {
		"", " ", "1", "\"a\"", "null", "{", "[", "]", "}", "[]]", "[}", "{]", "[] []", "[],", "{}x", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}", "{'a':1}", "[\"a]",
		"[\"a\\\"]", "[\"\\", "[1", "[1,", "[[1]", "{\"a\":1", "{\"a\":", "{\"a\"", "[1}", "{\"a\":1]", "[1;2]", "[\"\\u12", /* unfinished or mismatched */
		"[1.0]", "[1.]", "[.5]", "[1e3]", "[1E3]", "[1e+3]", "[-1.5]", "[0e0]", "[1.5e300]", "[NaN]", "[Infinity]", "[-Infinity]", "[1_000]", "[0x10]", "[1f]",
		"[-0]", "[00]", "[01]", "[-01]", "[-]", "[+1]", "[1-1]", "[1+1]", "[--1]", /* not plain integers */
		"[9223372036854775808]", "[-9223372036854775809]", "[18446744073709551616]", "[99999999999999999999999999999999999999]", /* beyond 64 bits */
		"{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "{\"a\":{\"b\":1,\"b\":2}}", "[{\"\":1,\"\":2}]", /* twice */
		"[\"\\u0000\"]", "[\"a\\u0000b\"]", "{\"a\\u0000\":1}", "[\"\\ud800\"]", "[\"\\udc00\"]", "[\"\\ud800\\u0041\"]", "[\"\\x41\"]", "[\"\\u12g4\"]",
		"[\"\x80\"]", "[\"\xc0\xaf\"]", "[\"\xc1\xbf\"]", "[\"\xc3\"]", "[\"\xe0\x80\xaf\"]", "[\"\xed\xa0\x80\"]", "[\"\xf0\x80\x80\xaf\"]", "[\"\xf4\x90\x80\x80\"]",
		"[\"\xf5\x80\x80\x80\"]", "[\"\xfe\"]", "[\"\xff\"]", "[\"\xe2\x82\"]", /* not UTF-8 */
		"\xef\xbb\xbf[]", "[\xc2\xa0]", "[]\x80", "[\"\t\"]", "[\"\n\"]", "[\"\x01\"]", "[tru]", "[TRUE]", "// c\n[]", "[/* c */]", "[1 2]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (parse(bad[i]) != CLUSTER_EFORMAT)
			fail_msg("not refused as a format error: %s", bad[i]);
}

static void test_nul_bytes(void **state)
{
	struct json *j = NULL;

	(void)state;
	assert_err(json_parse("[]\0", 3, MAX, &j, NULL), CLUSTER_EFORMAT);
	assert_err(json_parse("[\"\0\"]", 5, MAX, &j, NULL), CLUSTER_EFORMAT);
	assert_err(json_parse("\0", 1, MAX, &j, NULL), CLUSTER_EFORMAT);
	assert_err(json_parse(NULL, 0, MAX, &j, NULL), CLUSTER_EFORMAT);
	assert_null(j);
}

/* B11: size and depth. */
static void test_limits(void **state)
{
	struct json *j = NULL;
	char deep[4000];

	(void)state;
	assert_err(json_parse("[1]", 3, 2, &j, NULL), CLUSTER_ELIMIT);
	assert_err(parse("[[[[[[[[[]]]]]]]]]"), CLUSTER_ELIMIT);
	assert_err(parse("{\"a\":[{\"a\":[{\"a\":[{\"a\":[{}]}]}]}]}"), CLUSTER_ELIMIT);
	memset(deep, '[', sizeof deep);
	assert_err(json_parse(deep, sizeof deep, MAX, &j, NULL), CLUSTER_ELIMIT);
	for (size_t i = 0; i + 5 <= sizeof deep; i += 5)
		memcpy(deep + i, "{\"\":", 4), deep[i + 4] = ' ';
	assert_err(json_parse(deep, sizeof deep, MAX, &j, NULL), CLUSTER_ELIMIT);
	assert_null(j);
}

/* B11: a real kills the process inside jansson here; it never gets there. */
static void test_locale(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		json_loads("[1.5]", 0, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_err(parse("[1.5]"), CLUSTER_EFORMAT);
	assert_err(parse("[1e5]"), CLUSTER_EFORMAT);
	assert_ok(parse("[15]"));
}

static void *parse_deep(void *arg)
{
	char text[MAX + 1];

	memset(text, '[', MAX);
	text[MAX] = '\0';
	*(enum cluster_err *)arg = parse(text);
	if (*(enum cluster_err *)arg == CLUSTER_ELIMIT)
		*(enum cluster_err *)arg = parse("{\"a\":[{\"a\":[{\"a\":[{\"a\":[]}]}]}]}");
	return NULL;
}

/* B11: with 64 KiB of stack. */
static void test_small_stack(void **state)
{
	enum cluster_err e = CLUSTER_EDENIED;
	pthread_attr_t attr;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstacksize(&attr, 65536), 0);
	assert_int_equal(pthread_create(&thread, &attr, parse_deep, &e), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_ok(e);
	pthread_attr_destroy(&attr);
}

struct sample {
	char name[9];
	const char *text;
	int64_t number;
	bool flag, has_flag, has_number;
	const struct json *object, *array;
};

static enum cluster_err read_sample(const char *text, struct sample *s, struct json **ret)
{
	const struct json_field fields[] = {
		{ .name = "name", .kind = JSON_KIND_STRING, .dst = s->name, .size = sizeof s->name, .ok = name_account_ok },
		{ .name = "text", .kind = JSON_KIND_TEXT, .dst = &s->text, .max = 5 },
		{ .name = "number", .kind = JSON_KIND_INT, .dst = &s->number, .min = -2, .max = 10, .optional = true, .present = &s->has_number },
		{ .name = "flag", .kind = JSON_KIND_BOOL, .dst = &s->flag, .optional = true, .present = &s->has_flag },
		{ .name = "object", .kind = JSON_KIND_OBJECT, .dst = &s->object },
		{ .name = "array", .kind = JSON_KIND_ARRAY, .dst = &s->array, .min = 1, .max = 2 },
	};
	struct diag d = { 0 };
	enum cluster_err e;

	memset(s, 0, sizeof *s);
	s->number = 77;
	assert_ok(json_parse(text, strlen(text), MAX, ret, &d));
	e = json_read(*ret, fields, sizeof fields / sizeof fields[0], &d);
	assert_true(e == CLUSTER_OK || d.text[0]);
	return e;
}

static enum cluster_err read_only(const char *text)
{
	struct json *j = NULL;
	struct sample s;
	enum cluster_err e = read_sample(text, &s, &j);

	json_free(j);
	return e;
}

static void test_read(void **state)
{
	struct json *j = NULL;
	struct sample s;

	(void)state;
	assert_ok(read_sample("{\"name\":\"eight-88\",\"text\":\"12345\",\"number\":-2,\"flag\":true,\"object\":{},\"array\":[\"x\",2]}", &s, &j));
	assert_string_equal(s.name, "eight-88");
	assert_string_equal(s.text, "12345");
	assert_int_equal(s.number, -2);
	assert_true(s.flag && s.has_flag && s.has_number);
	assert_int_equal(json_count(s.array), 2);
	assert_string_equal(json_string_at(s.array, 0), "x");
	assert_null(json_string_at(s.array, 1));
	assert_null(json_at(s.array, 2));
	json_free(j);
	assert_ok(read_sample("{\"name\":\"a\",\"text\":\"\",\"object\":{},\"array\":[1]}", &s, &j));
	assert_false(s.has_flag || s.has_number);
	assert_int_equal(s.number, 77);
	json_free(j);
}

static void test_read_refuses(void **state)
{
	static const struct {
		const char *text;
		enum cluster_err want;
	} bad[] = {
		{ "[]", CLUSTER_EFORMAT },
		{ "{}", CLUSTER_EFORMAT },
		{ "{\"text\":\"\",\"object\":{},\"array\":[1]}", CLUSTER_EFORMAT },                                        /* one is missing */
		{ "{\"name\":\"a\",\"text\":\"\",\"object\":{},\"array\":[1],\"more\":1}", CLUSTER_EFORMAT },                /* one too many */
		{ "{\"name\":\"a\",\"text\":\"\",\"object\":{},\"array\":[1],\"Flag\":true}", CLUSTER_EFORMAT },
		{ "{\"name\":\"A\",\"text\":\"\",\"object\":{},\"array\":[1]}", CLUSTER_EFORMAT },                           /* grammar */
		{ "{\"name\":\"ninechars\",\"text\":\"\",\"object\":{},\"array\":[1]}", CLUSTER_ELIMIT },
		{ "{\"name\":1,\"text\":\"\",\"object\":{},\"array\":[1]}", CLUSTER_EFORMAT },
		{ "{\"name\":\"a\",\"text\":\"123456\",\"object\":{},\"array\":[1]}", CLUSTER_ELIMIT },
		{ "{\"name\":\"a\",\"text\":null,\"object\":{},\"array\":[1]}", CLUSTER_EFORMAT },
		{ "{\"name\":\"a\",\"text\":\"\",\"number\":\"1\",\"object\":{},\"array\":[1]}", CLUSTER_EFORMAT },
		{ "{\"name\":\"a\",\"text\":\"\",\"number\":-3,\"object\":{},\"array\":[1]}", CLUSTER_ELIMIT },
		{ "{\"name\":\"a\",\"text\":\"\",\"number\":11,\"object\":{},\"array\":[1]}", CLUSTER_ELIMIT },
		{ "{\"name\":\"a\",\"text\":\"\",\"number\":9223372036854775807,\"object\":{},\"array\":[1]}", CLUSTER_ELIMIT },
		{ "{\"name\":\"a\",\"text\":\"\",\"number\":null,\"object\":{},\"array\":[1]}", CLUSTER_EFORMAT },           /* null is not absent */
		{ "{\"name\":\"a\",\"text\":\"\",\"flag\":1,\"object\":{},\"array\":[1]}", CLUSTER_EFORMAT },
		{ "{\"name\":\"a\",\"text\":\"\",\"object\":[],\"array\":[1]}", CLUSTER_EFORMAT },
		{ "{\"name\":\"a\",\"text\":\"\",\"object\":{},\"array\":{}}", CLUSTER_EFORMAT },
		{ "{\"name\":\"a\",\"text\":\"\",\"object\":{},\"array\":[]}", CLUSTER_ELIMIT },
		{ "{\"name\":\"a\",\"text\":\"\",\"object\":{},\"array\":[1,2,3]}", CLUSTER_ELIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (read_only(bad[i].text) != bad[i].want)
			fail_msg("wrong answer for %s", bad[i].text);
}

/* A value that breaks its grammar may be a secret typed into the wrong place: it is not repeated. */
static void test_values_are_not_told(void **state)
{
	static const char text[] = "{\"code\":\"HUNTER2\"}";
	char code[20];
	const struct json_field fields[] = { { .name = "code", .kind = JSON_KIND_STRING, .dst = code, .size = sizeof code, .ok = name_account_ok } };
	struct json *j = NULL;
	struct diag d = { 0 };

	(void)state;
	assert_ok(json_parse(text, sizeof text - 1, MAX, &j, &d));
	assert_err(json_read(j, fields, 1, &d), CLUSTER_EFORMAT);
	assert_non_null(strstr(d.text, "code"));
	assert_null(strstr(d.text, "HUNTER2"));
	json_free(j);
}

static void test_members(void **state)
{
	static const char text[] = "{\"a\":\"x\",\"b\":5,\"c\":true,\"d\":{}}";
	struct json *j = NULL;
	const char *name = NULL;
	void *iter = NULL;
	int n = 0;

	(void)state;
	assert_ok(json_parse(text, sizeof text - 1, MAX, &j, NULL));
	assert_string_equal(json_member_text(j, "a"), "x");
	assert_null(json_member_text(j, "b"));
	assert_null(json_member_text(j, "z"));
	assert_int_equal(json_member_int(j, "b", -1), 5);
	assert_int_equal(json_member_int(j, "a", -1), -1);
	assert_true(json_member_bool(j, "c", false));
	assert_true(json_member_bool(j, "b", true));
	assert_non_null(json_member(j, "d"));
	assert_null(json_member(j, "z"));
	assert_null(json_member(NULL, "z"));
	assert_int_equal(json_count(j), 0);
	while (json_each(j, &iter, &name)) {
		assert_int_equal(strlen(name), 1);
		n++;
	}
	assert_int_equal(n, 4);
	json_free(j);
	json_free(NULL);
}

static void test_build(void **state)
{
	struct json *list = json_list(), *map = json_map(), *all;
	char *text = NULL;
	size_t n = 0;

	(void)state;
	assert_ok(json_append(list, json_make("s", "\xc3\xa9/\"\n")));
	assert_ok(json_append(list, json_make("I", 9007199254740992LL)));
	assert_ok(json_set(map, "k", json_make("b", 1)));
	all = json_make("{s:o, s:o, s:s*, s:s*, s:s}", "z", list, "m", map, "gone", NULL, "here", "h", "A", "");
	assert_ok(json_text(all, &text, &n));
	assert_string_equal(text, "{\"A\":\"\",\"here\":\"h\",\"m\":{\"k\":true},\"z\":[\"\xc3\xa9/\\\"\\n\",9007199254740992]}");
	assert_int_equal(n, strlen(text));
	free(text);
	assert_ok(json_pretty(all, &text, &n));
	assert_string_equal(text, "{\n  \"A\": \"\",\n  \"here\": \"h\",\n  \"m\": {\n    \"k\": true\n  },\n  \"z\": [\n    \"\xc3\xa9/\\\"\\n\",\n    9007199254740992\n  ]\n}\n");
	assert_int_equal(n, strlen(text));
	free(text);
	json_free(all);
}

/* What is missing makes the whole missing, and nothing leaks (the sanitizers say). */
static void test_build_missing(void **state)
{
	struct json *list = json_list();
	char *text = NULL;

	(void)state;
	assert_null(json_make("{s:s, s:o}", "a", "b", "c", NULL));
	assert_null(json_make("{s:o, s:o, s:o}", "a", json_map(), "b", NULL, "c", json_list()));
	assert_null(json_make("{s:s, s:o}", "a", NULL, "b", json_list()));
	assert_null(json_make("{s:s, s:o}", "a", "\xff", "b", json_list()));
	assert_err(json_append(list, NULL), CLUSTER_ENOMEM);
	assert_err(json_append(NULL, json_map()), CLUSTER_ENOMEM);
	assert_err(json_set(NULL, "a", json_map()), CLUSTER_ENOMEM);
	assert_err(json_text(NULL, &text, NULL), CLUSTER_ENOMEM);
	assert_null(text);
	json_free(list);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_nul_bytes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_locale),
		cmocka_unit_test(test_small_stack),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refuses),
		cmocka_unit_test(test_values_are_not_told),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_build_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
