/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"

static char top[64], dir[80], a[80], b[80], c[80];
static const char *const paths[] = { a, b, c };

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void expect(const char *path, const char *text, mode_t mode)
{
	char now[100] = "";
	struct stat st;
	FILE *f;

	if (text == NULL) {
		assert_int_not_equal(access(path, F_OK), 0);
		return;
	}
	f = fopen(path, "r");
	assert_non_null(f);
	(void)!fread(now, 1, sizeof now - 1, f);
	fclose(f);
	assert_string_equal(now, text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

/* a and b are there, c is not. */
static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/cluster-backup-XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	snprintf(dir, sizeof dir, "%s/backup", top);
	snprintf(a, sizeof a, "%s/a", top);
	snprintf(b, sizeof b, "%s/b", top);
	snprintf(c, sizeof c, "%s/c", top);
	put(a, "one\n", 0644);
	put(b, "two", 0600);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)!backup_remove(dir, NULL);
	unlink(a);
	unlink(b);
	unlink(c);
	return rmdir(top);
}

static void change_all(void)
{
	put(a, "changed\n", 0600);
	assert_int_equal(unlink(b), 0);
	put(c, "new\n", 0644);
}

static void test_restore_at_once(void **state)
{
	struct diag d;

	(void)state;
	assert_false(backup_exists(dir));
	assert_int_equal(backup_begin(dir, paths, 3, &d), CLUSTER_OK);
	assert_true(backup_exists(dir));
	change_all();
	assert_false(backup_changed(dir, a));
	assert_int_equal(backup_restore(dir, NULL, NULL, &d), CLUSTER_OK);
	expect(a, "one\n", 0644);
	expect(b, "two", 0600);
	expect(c, NULL, 0);
	assert_int_equal(backup_remove(dir, &d), CLUSTER_OK);
	assert_false(backup_exists(dir));
}

static bool keep_changed(void *arg, const char *path, bool changed)
{
	(void)path;
	*(int *)arg += changed;
	return changed;
}

static void test_later_work_stays(void **state)
{
	struct diag d;
	int kept = 0;

	(void)state;
	assert_int_equal(backup_begin(dir, paths, 3, &d), CLUSTER_OK);
	change_all();
	assert_int_equal(backup_commit(dir, &d), CLUSTER_OK);
	put(a, "edited by somebody\n", 0644);
	assert_true(backup_changed(dir, a));
	assert_false(backup_changed(dir, b));
	assert_int_equal(backup_restore(dir, keep_changed, &kept, &d), CLUSTER_OK);
	assert_int_equal(kept, 1);
	expect(a, "edited by somebody\n", 0644);
	expect(b, "two", 0600);
	expect(c, NULL, 0);
}

static void test_only_one(void **state)
{
	struct diag d;

	(void)state;
	assert_int_equal(backup_begin(dir, paths, 3, &d), CLUSTER_OK);
	assert_int_equal(backup_begin(dir, paths, 3, &d), CLUSTER_EDENIED);
	change_all();
	assert_int_equal(backup_restore(dir, NULL, NULL, &d), CLUSTER_OK);
	expect(a, "one\n", 0644);
}

static void test_damaged_manifest(void **state)
{
	char manifest[100];
	struct diag d;

	(void)state;
	assert_int_equal(backup_begin(dir, paths, 3, &d), CLUSTER_OK);
	change_all();
	snprintf(manifest, sizeof manifest, "%s/manifest", dir);
	put(manifest, "33188 0 0 - relative\n", 0600);
	assert_int_equal(backup_restore(dir, NULL, NULL, &d), CLUSTER_EFORMAT);
	put(manifest, "x\n", 0600);
	assert_int_equal(backup_restore(dir, NULL, NULL, &d), CLUSTER_EFORMAT);
	put(manifest, "0 0 0 - /etc/passwd\n", 0666);
	assert_int_equal(backup_restore(dir, NULL, NULL, &d), CLUSTER_EUNTRUSTED);
	expect(a, "changed\n", 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restore_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later_work_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_manifest, setup, teardown),
	};

	return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
