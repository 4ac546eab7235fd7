/* SPDX-License-Identifier: Apache-2.0 */
/* The file of CA keys that sshd trusts: keys of the one role, in force, and a key that has left the keyset leaves it too. THREATS.md B9. */
#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/sshcert.h"
#include "trustgen.h"
#include "user_ca.h"

#define NOW INT64_C(1800000000)

static struct trustgen *g;
static struct trust t;
static char dir[64], path[128], text[8192];
static struct diag d;

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/user-ca-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/" USER_CA_FILE, dir);
	g = trustgen_new("prod", NOW);
	memset(&t, 0, sizeof t);
	t.ring = g->keyset.ring;
	t.self.skew = TRUSTGEN_SKEW;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	trustgen_free(g);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(int64_t now)
{
	assert_ok(user_ca_put(dir, geteuid(), &t, now, &d));
}

/* What the file says; and that it is `n` lines. */
static const char *content(size_t n)
{
	FILE *f = fopen(path, "re");
	size_t size, lines = 0;

	assert_non_null(f);
	size = fread(text, 1, sizeof text - 1, f);
	text[size] = '\0';
	fclose(f);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, n);
	return text;
}

static struct keyring_key *key_of(enum keyring_role role)
{
	for (size_t i = 0; i < t.ring.n; i++)
		if (t.ring.key[i].role == role)
			return &t.ring.key[i];
	fail();
	return NULL;
}

static const char *line_of(const struct keyring_key *k)
{
	static char line[400];
	char *made = NULL;

	assert_ok(sshcert_public_line(&k->pub, &made));
	snprintf(line, sizeof line, "%s\n", made);
	free(made);
	return line;
}

static void test_one_role(void **state)
{
	struct stat st;

	(void)state;
	put(NOW);
	assert_string_equal(content(1), line_of(key_of(KEYRING_SSHCA)));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void test_window(void **state)
{
	struct keyring_key *k = key_of(KEYRING_SSHCA);

	(void)state;
	put(k->exp - 1);
	content(1);
	put(k->exp);
	content(0);
	put(k->nbf - TRUSTGEN_SKEW);
	content(1);
	put(k->nbf - TRUSTGEN_SKEW - 1);
	content(0);
}

/* Rotation: both while both are in the keyset, then the new one alone. */
static void test_rotation(void **state)
{
	struct keyring_key second = *key_of(KEYRING_SSHCA), *first = key_of(KEYRING_SSHCA);
	const char *both;

	(void)state;
	put(NOW);
	assert_ok(crypto_key_pub(trustgen_key(g), &second.pub));
	strcpy(second.kid, "AAAAAAAAAAAAAAAAAAAAAA");
	assert_ok(keyring_add(&t.ring, &second));
	put(NOW);
	both = content(2);
	assert_non_null(strstr(both, line_of(&second)));
	first = key_of(KEYRING_SSHCA);
	assert_non_null(strstr(both, line_of(first)));
	*first = t.ring.key[--t.ring.n];
	put(NOW);
	assert_string_equal(content(1), line_of(&second));
	t.ring.n = 0;
	put(NOW);
	assert_string_equal(content(0), "");
}

/* One that says what it should is not written again; one that does not, or that others may write, is. */
static void test_left_alone(void **state)
{
	struct stat before, after;
	FILE *f;

	(void)state;
	put(NOW);
	assert_int_equal(stat(path, &before), 0);
	put(NOW + 60);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(chmod(path, 0666), 0);
	put(NOW);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mode & 07777, 0644);
	f = fopen(path, "ae");
	assert_non_null(f);
	fputs("ssh-ed25519 AAAA somebody else's\n", f);
	fclose(f);
	put(NOW);
	assert_string_equal(content(1), line_of(key_of(KEYRING_SSHCA)));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_one_role), T(test_window), T(test_rotation), T(test_left_alone) };

	return cmocka_run_group_tests_name("user_ca", tests, NULL, NULL);
}
