/* SPDX-License-Identifier: Apache-2.0 */
/* The file of CA keys that sshd trusts: keys of the one role, in force, and a key that has left the keyset leaves it too. THREATS.md B9. */
#include <sys/stat.h>

#include "cluster/sshcert.h"
#include "ssh_ground.h"
#include "user_ca.h"

static char path[SCRATCH_SIZE + sizeof USER_CA_FILE], text[8192];
static struct diag d;

static int setup(void **state)
{
	(void)state;
	if (ground_begin("user-ca") != 0)
		return 1;
	snprintf(path, sizeof path, "%s/" USER_CA_FILE, dir);
	ground_snapshot(NULL, NULL, "[]");
	return 0;
}

static void put(int64_t now)
{
	assert_ok(user_ca_put(dir, geteuid(), &t, now, &d));
}

/* What the file says; and that it is `n` lines. */
static const char *content(size_t n)
{
	size_t lines = 0;

	ground_read(USER_CA_FILE, text, sizeof text);
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
	(void)state;
	put(NOW);
	assert_string_equal(content(1), line_of(key_of(KEYRING_SSHCA)));
}

static const char *hop_line(const char *node)
{
	const struct directory_node *n = directory_node_by_host(directory, node);
	struct keyring_key k = { .pub = n->hop };

	return line_of(&k);
}

/* Other nodes' hop keys are trusted only while somebody may hop here, and never those of a revoked node. */
static void test_hop_keys(void **state)
{
	const char *here = ground_grant("\"hop\":true,\"nodes\":[\"role:core\"],\"role\":\"ops\""), *from = ground_grant("\"from\":[\"role:master\"],\"hop\":true,\"nodes\":[\"role:core\"]");
	const char *there = ground_grant("\"hop\":true,\"nodes\":[\"role:master\"],\"role\":\"ops\""), *revoked = ground_revoked("master-1-1", 0);
	static const char *const nodes[] = { "master-1-1", "core-1-1", "task-1-1" };
	const char *sshca = line_of(key_of(KEYRING_SSHCA));

	(void)state;
	ground_snapshot(NULL, there, "[]");
	put(NOW);
	content(1);
	ground_snapshot(NULL, here, "[]");
	put(NOW);
	assert_memory_equal(content(4), sshca, strlen(sshca));
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(text, hop_line(nodes[i])));
	ground_snapshot(NULL, from, revoked);
	put(NOW);
	content(3);
	assert_null(strstr(text, hop_line("master-1-1")));
	assert_non_null(strstr(text, hop_line("task-1-1")));
	ground_snapshot(NULL, there, revoked);
	put(NOW);
	content(1);
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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, ground_end)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_one_role), T(test_hop_keys), T(test_window), T(test_rotation), T(test_left_alone) };

	return cmocka_run_group_tests_name("user_ca", tests, NULL, NULL);
}
