/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and passwords of the time before: whose they are, and which count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "leftover.h"

static char dir[] = "/tmp/test_leftover.XXXXXX";
static char passwd[64], shadow[64], homes[64];

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void home(const char *name, const char *file, const char *text)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", homes, name);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/%s/.ssh", homes, name);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/%s/.ssh/%s", homes, name, file);
	put(path, text);
}

static void test_find(void **state)
{
	const struct leftover_places where = { .passwd = passwd, .shadow = shadow, .homes = homes };
	struct conf_list adopt = { .n = 1, .item = { "ecs-user" } };
	struct leftover found;
	char text[1000];

	(void)state;
	snprintf(text, sizeof text, "root:x:0:0::%s/root:/bin/sh\nbin:x:2:2::%s/bin:/bin/sh\nnobody:x:65534:65534::%s/bin:/bin/sh\necs-user:x:1000:1000::%s/ecs-user:/bin/sh\n"
				    "rescue:x:1001:1001::%s/rescue:/bin/sh\n", homes, homes, homes, homes, homes);
	put(passwd, text);
	put(shadow, "root:*:1::::::\necs-user:$y$j9T$x:1::::::\nrescue:$6$x:1::::::\nlocked:!$6$x:1::::::\nopen::1::::::\n");
	home("root", "authorized_keys", "");
	home("bin", "authorized_keys", "ssh-rsa x\n");
	home("ecs-user", "authorized_keys2", "ssh-rsa x\n");
	home("rescue", "authorized_keys", "ssh-rsa x\n");
	home("emr-user", "authorized_keys", "ssh-rsa x\n");
	home("hdfs", "known_hosts", "x\n");
	home("no.account", "authorized_keys", "ssh-rsa x\n");
	leftover_find(&where, &adopt, &found);
	assert_int_equal(found.keys[LEFTOVER_CLUSTER].n, 2);
	assert_string_equal(found.keys[LEFTOVER_CLUSTER].names, "ecs-user emr-user");
	assert_int_equal(found.keys[LEFTOVER_LOCAL].n, 1);
	assert_string_equal(found.keys[LEFTOVER_LOCAL].names, "rescue");
	assert_string_equal(found.passwords[LEFTOVER_CLUSTER].names, "ecs-user");
	assert_string_equal(found.passwords[LEFTOVER_LOCAL].names, "rescue open");
	/* without a list of local people nobody is taken for the cluster's */
	snprintf(text, sizeof text, "%s.none", passwd);
	leftover_find(&(struct leftover_places){ .passwd = text, .shadow = text, .homes = homes }, &adopt, &found);
	assert_int_equal(found.keys[LEFTOVER_CLUSTER].n + found.keys[LEFTOVER_LOCAL].n + found.passwords[LEFTOVER_CLUSTER].n + found.passwords[LEFTOVER_LOCAL].n, 0);
}

static void test_many(void **state)
{
	const struct leftover_places where = { .passwd = passwd, .shadow = shadow, .homes = homes };
	struct conf_list adopt = { .n = 0 };
	struct leftover found;
	FILE *f = fopen(shadow, "w");

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 500; i++)
		fprintf(f, "a-person-%d:$6$x:1::::::\n", i);
	assert_int_equal(fclose(f), 0);
	leftover_find(&where, &adopt, &found);
	assert_int_equal(found.passwords[LEFTOVER_LOCAL].n, 500);
	assert_true(strlen(found.passwords[LEFTOVER_LOCAL].names) < LEFTOVER_NAMES);
	assert_memory_equal(found.passwords[LEFTOVER_LOCAL].names, "a-person-0 a-person-1 ", 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_find), cmocka_unit_test(test_many) };
	char command[100];
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(passwd, sizeof passwd, "%s/passwd", dir);
	snprintf(shadow, sizeof shadow, "%s/shadow", dir);
	snprintf(homes, sizeof homes, "%s/home", dir);
	if (mkdir(homes, 0700) != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) != 0 || failed;
}
