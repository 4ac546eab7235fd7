/* SPDX-License-Identifier: Apache-2.0 */
/* When the files for sshd and ssh are made, counted: at each thing that they follow from, at none other, and again when somebody has touched them. */
#include <sys/stat.h>

#include "ssh_files.h"
#include "ssh_ground.h"
#include "ssh_keep.h"
#include "user_ca.h"

#define HOP_HERE "\"hop\":true,\"nodes\":[\"any\"],\"role\":\"ops\""

static const char *const names[] = { USER_CA_FILE, SSH_FILES_KNOWN_HOSTS, SSH_FILES_CONFIG };
static struct ssh_keep keep;
static char said[8192];
static unsigned complaints;

static void hear(int level, const char *line)
{
	(void)level;
	(void)line;
	complaints++;
}

static struct ssh_keep new_keep(void)
{
	return (struct ssh_keep){ .state_dir = dir, .run_dir = "/run/cluster-login", .owner = geteuid(), .log = hear };
}

static int setup(void **state)
{
	(void)state;
	if (ground_begin("ssh-keep") != 0)
		return 1;
	keep = new_keep();
	complaints = 0;
	ground_snapshot(NULL, NULL, "[]");
	return 0;
}

/* One look; how often files were made at it. */
static unsigned look(int64_t now)
{
	unsigned before = keep.made;

	ssh_keep_look(&keep, &t, now);
	return keep.made - before;
}

static bool has(const char *name, const char *text)
{
	ground_read(name, said, sizeof said);
	return strstr(said, text) != NULL;
}

static ino_t inode(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(trustgen_format(g, "%s/%s", dir, name), &st), 0);
	return st.st_ino;
}

/* Of the addresses of core-1-1, the rest as in the sample. */
static const char *nodes(const char *address)
{
	return trustgen_format(g, "[{\"addresses\":[\"%s\"],\"hop\":%s,\"hostkeys\":[\"%s\"],\"id\":\"%s\",\"key\":%s,\"name\":\"core-1-1\",\"roles\":[\"core\"]}]", address,
		trustgen_jwk(g, g->role_key[KEYRING_HEAD]), trustgen_hostkey(g, "core-1-1"), trustgen_id_text(g, "core-1-1"), trustgen_jwk(g, g->role_key[KEYRING_DIRECTORY]));
}

static void test_once(void **state)
{
	ino_t before[SSH_KEEP_FILES];

	(void)state;
	assert_int_equal(look(NOW), 1);
	for (size_t i = 0; i < SSH_KEEP_FILES; i++)
		before[i] = inode(names[i]);
	for (int64_t minute = 1; minute < 10; minute++)
		assert_int_equal(look(NOW + minute * 60), 0);
	keep = new_keep(); /* the agent starts again: what stands there is read, and stays */
	assert_int_equal(look(NOW), 1);
	assert_int_equal(look(NOW), 0);
	for (size_t i = 0; i < SSH_KEEP_FILES; i++)
		assert_true(inode(names[i]) == before[i]);
	assert_int_equal(complaints, 0);
}

/* A generation that differs in what the files do not say. */
static void test_other_generation(void **state)
{
	const char *person = trustgen_format(g, "[{\"iat\":%lld,\"kind\":\"person\",\"seq\":1,\"until\":4102444800,\"value\":\"%s\"}]", (long long)NOW, trustgen_id_text(g, "alice"));

	(void)state;
	ground_snapshot(nodes("10.0.0.2"), NULL, "[]");
	assert_int_equal(look(NOW), 1);
	ground_snapshot(nodes("10.0.0.2"), ground_grant("\"nodes\":[\"any\"],\"role\":\"ops\""), "[]");
	assert_int_equal(look(NOW), 0);
	ground_snapshot(nodes("10.0.0.2"), ground_grant("\"nodes\":[\"any\"],\"role\":\"ops\""), person);
	assert_int_equal(look(NOW), 0);
}

static void test_nodes(void **state)
{
	(void)state;
	ground_snapshot(nodes("10.0.0.2"), NULL, "[]");
	assert_int_equal(look(NOW), 1);
	ground_snapshot(nodes("10.0.0.7"), NULL, "[]");
	assert_int_equal(look(NOW), 1);
	assert_true(has(SSH_FILES_CONFIG, " 10.0.0.7"));
}

static void test_hops(void **state)
{
	(void)state;
	ground_snapshot(nodes("10.0.0.2"), NULL, "[]");
	assert_int_equal(look(NOW), 1);
	assert_false(has(SSH_FILES_CONFIG, "IdentityAgent"));
	ground_snapshot(nodes("10.0.0.2"), ground_grant("\"hop\":true,\"nodes\":[\"role:master\"],\"role\":\"ops\""), "[]");
	assert_int_equal(look(NOW), 1);
	assert_true(has(SSH_FILES_CONFIG, "IdentityAgent"));
	ground_snapshot(nodes("10.0.0.2"), ground_grant(HOP_HERE), "[]");
	assert_int_equal(look(NOW), 1);
}

/* Revoked, and for things before some time only: then no longer from that time on. */
static void test_revoked(void **state)
{
	(void)state;
	ground_snapshot(nodes("10.0.0.2"), ground_grant(HOP_HERE), "[]");
	assert_int_equal(look(NOW), 1);
	assert_true(has(SSH_FILES_KNOWN_HOSTS, "ssh-ed25519"));
	ground_snapshot(nodes("10.0.0.2"), ground_grant(HOP_HERE), ground_revoked("core-1-1", NOW + 30));
	assert_int_equal(look(NOW), 1);
	assert_false(has(SSH_FILES_KNOWN_HOSTS, "ssh-ed25519"));
	assert_int_equal(look(NOW + 29), 0);
	assert_int_equal(look(NOW + 30), 1);
	assert_true(has(SSH_FILES_KNOWN_HOSTS, "ssh-ed25519"));
	ground_snapshot(nodes("10.0.0.2"), ground_grant(HOP_HERE), ground_revoked("core-1-1", 0));
	assert_int_equal(look(NOW + 31), 1);
	assert_false(has(SSH_FILES_KNOWN_HOSTS, "ssh-ed25519"));
}

static void test_ca_key(void **state)
{
	int64_t end = 0;

	(void)state;
	for (size_t i = 0; i < t.ring.n; i++)
		if (t.ring.key[i].role == KEYRING_SSHCA)
			end = t.ring.key[i].exp;
	assert_int_equal(look(NOW), 1);
	assert_int_equal(look(end - 1), 0);
	assert_true(has(USER_CA_FILE, "ssh-ed25519"));
	assert_int_equal(look(end), 1);
	assert_false(has(USER_CA_FILE, "ssh-ed25519"));
}

static void test_touched(void **state)
{
	(void)state;
	assert_int_equal(look(NOW), 1);
	for (size_t i = 0; i < SSH_KEEP_FILES; i++) {
		const char *path = trustgen_format(g, "%s/%s", dir, names[i]);
		FILE *f = fopen(path, "ae");

		assert_non_null(f);
		fputs("somebody else's\n", f);
		fclose(f);
		assert_int_equal(look(NOW), 1);
		assert_false(has(names[i], "somebody"));
		assert_int_equal(chmod(path, 0666), 0);
		assert_int_equal(look(NOW), 1);
		assert_true(has(names[i], ""));
		assert_int_equal(remove(path), 0);
		assert_int_equal(look(NOW), 1);
		assert_true(has(names[i], ""));
		assert_int_equal(look(NOW), 0);
	}
	assert_int_equal(complaints, 0);
}

/* What fails is said and tried again, and does not hold up the others. */
static void test_failure(void **state)
{
	const char *path = trustgen_format(g, "%s/" USER_CA_FILE, dir);

	(void)state;
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(look(NOW), 1);
	assert_int_equal(complaints, 1);
	assert_true(has(SSH_FILES_CONFIG, "Host "));
	assert_int_equal(look(NOW), 1);
	assert_int_equal(complaints, 2);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(look(NOW), 1);
	assert_int_equal(complaints, 2);
	assert_true(has(USER_CA_FILE, "ssh-ed25519"));
	assert_int_equal(look(NOW), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, ground_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_once), T(test_other_generation), T(test_nodes), T(test_hops), T(test_revoked), T(test_ca_key), T(test_touched), T(test_failure),
	};

	return cmocka_run_group_tests_name("ssh_keep", tests, NULL, NULL);
}
