/* SPDX-License-Identifier: Apache-2.0 */
/* What ssh is told of the nodes, as ssh itself reads it. THREATS.md I9: no name breaks out of its line, and nothing is said of other hosts. */
#include "ssh_files.h"
#include "ssh_ground.h"

#define RUN "/run/cluster-login"
#define HOP "\"hop\":true,"

static const char *revoked, *run_dir;
static char config[8192], known[8192], said[65536];
static struct diag d;

static int setup(void **state)
{
	(void)state;
	revoked = "[]";
	run_dir = RUN;
	return ground_begin("ssh-files");
}

static const char *node(const char *name, const char *addresses, const char *rest)
{
	return trustgen_format(g, "{\"addresses\":[%s],\"hop\":%s,\"hostkeys\":[\"%s\"],\"id\":\"%s\",\"key\":%s,\"name\":\"%s\",%s}", addresses, trustgen_jwk(g, trustgen_key(g)),
		trustgen_hostkey(g, name), trustgen_id_text(g, name), trustgen_jwk(g, trustgen_key(g)), name, rest);
}

static const char *cluster(void)
{
	return trustgen_format(g, "[%s,%s,%s,%s]", node("master-1-1", "\"10.0.0.1\",\"fd00::1\"", "\"instance\":\"i-0abc\",\"leader\":true,\"roles\":[\"master\"]"),
		node("core-1-1", "\"10.0.0.2\"", "\"port\":2222,\"roles\":[\"core\",\"all_of_them\"]"), node("core-1-2", "\"10.0.0.3\",\"169.254.1.1\"", "\"roles\":[\"core\"]"),
		node("wpad", "\"10.0.0.4\"", "\"instance\":\"core\",\"roles\":[\"core-1-1\",\"leader\"]"));
}

static enum cluster_err put(void)
{
	const struct ssh_files files = { .state_dir = dir, .run_dir = run_dir, .owner = geteuid(), .now = NOW };

	return ssh_files_put(&files, &t, &d);
}

static void make(const char *nodes, const char *hop)
{
	ground_snapshot(nodes, ground_grant(trustgen_format(g, "%s\"nodes\":[\"role:master\"],\"role\":\"ops\"", hop)), revoked);
	assert_ok(put());
	ground_read(SSH_FILES_CONFIG, config, sizeof config);
	ground_read(SSH_FILES_KNOWN_HOSTS, known, sizeof known);
}

/* What a program says; its status. */
static int run(const char *command)
{
	FILE *f = popen(command, "re"); /* NOLINT: words and a path of our own */
	size_t n;

	assert_non_null(f);
	n = fread(said, 1, sizeof said - 1, f);
	said[n] = '\0';
	return pclose(f);
}

/* How ssh would reach a host: by a configuration that includes ours as the system's does, behind a person's own. */
static void ssh(const char *host)
{
	const char *path = trustgen_format(g, "%s/system_config", dir);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f, "Include %s/" SSH_FILES_CONFIG "\nHost *\n    HashKnownHosts yes\n", dir);
	fclose(f);
	assert_int_equal(run(trustgen_format(g, "ssh -G -F %s %s", path, host)), 0);
}

static bool says(const char *line)
{
	return strstr(trustgen_format(g, "\n%s", said), trustgen_format(g, "\n%s\n", line)) != NULL;
}

static void assert_ours(const char *host, const char *name, const char *port)
{
	ssh(host);
	assert_true(says("identityagent " RUN "/hop.sock") && says("identitiesonly no") && says("forwardagent no") && says("stricthostkeychecking true"));
	assert_true(says("userknownhostsfile /dev/null") && says(trustgen_format(g, "globalknownhostsfile %s/known_hosts", dir)));
	assert_true(says(trustgen_format(g, "hostname %s", name)) && says(trustgen_format(g, "port %s", port)) && says("hashknownhosts yes"));
}

static void test_ours(void **state)
{
	static const char *const names[] = { "master-1-1", "10.0.0.1", "fd00::1", "core-1-2", "10.0.0.3", "10.0.0.4", "master", "core", "all_of_them", "leader" };

	(void)state;
	make(cluster(), HOP);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_ours(names[i], names[i], "22");
	assert_ours("core-1-1", "core-1-1", "2222");
	assert_ours("10.0.0.2", "10.0.0.2", "2222");
	assert_ours("i-0abc", "master-1-1", "22");
}

/* Names that are not told, addresses that are not, and whatever else there is: nothing of ours. */
static void test_others(void **state)
{
	static const char *const names[] = { "example.com", "core-1-3", "169.254.1.1", "wpad", "i-0", "core-1-1.example.com", "localhost" };

	(void)state;
	make(cluster(), HOP);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		ssh(names[i]);
		assert_true(says(trustgen_format(g, "hostname %s", names[i])) && says("port 22"));
		assert_null(strstr(said, "hop.sock"));
		assert_null(strstr(said, dir));
		assert_null(strstr(said, "/dev/null"));
	}
}

/* Where nobody may hop, ssh keeps whatever agent it has. */
static void test_nobody_hops(void **state)
{
	(void)state;
	make(cluster(), "");
	ssh("core-1-1");
	assert_true(says("port 2222") && says("stricthostkeychecking true"));
	assert_null(strstr(said, "identityagent"));
	run_dir = NULL; /* nor where the agent does not listen */
	make(cluster(), HOP);
	ssh("core-1-1");
	assert_true(says("port 2222") && says("stricthostkeychecking true"));
	assert_null(strstr(said, "identityagent"));
}

/* Many nodes: more than one Host line. */
static void test_many(void **state)
{
	const char *nodes = "";

	(void)state;
	for (unsigned i = 0; i < 150; i++)
		nodes = trustgen_format(g, "%s%s%s", nodes, i ? "," : "", node(i ? trustgen_format(g, "n-%u", i) : "core-1-1", trustgen_format(g, "\"10.1.0.%u\"", i + 1), "\"roles\":[]"));
	make(trustgen_format(g, "[%s]", nodes), HOP);
	for (unsigned i = 1; i < 150; i += 37)
		assert_ours(trustgen_format(g, "n-%u", i), trustgen_format(g, "n-%u", i), "22");
}

static bool knows(const char *host, const char *of)
{
	const char *key = strchr(trustgen_hostkey(g, of), ' ') + 1;

	return run(trustgen_format(g, "ssh-keygen -F '%s' -f %s/known_hosts", host, dir)) == 0 && strstr(said, key);
}

/* As ssh looks for them; each by the node's own key, a role by those of all its nodes. */
static void test_known_hosts(void **state)
{
	(void)state;
	make(cluster(), HOP);
	assert_true(knows("master-1-1", "master-1-1") && knows("10.0.0.1", "master-1-1") && knows("fd00::1", "master-1-1") && knows("master", "master-1-1") && knows("leader", "master-1-1"));
	assert_true(knows("[core-1-1]:2222", "core-1-1") && knows("[10.0.0.2]:2222", "core-1-1") && knows("[core]:2222", "core-1-1") && knows("core", "core-1-2"));
	assert_false(knows("master-1-1", "core-1-2"));
	assert_false(knows("core-1-1", "core-1-1")); /* at port 22 somebody else may answer, or a role's name may stand for it */
	assert_false(knows("core-1-1", "wpad"));
	assert_false(knows("leader", "wpad"));
	assert_false(knows("wpad", "wpad"));
	assert_false(knows("169.254.1.1", "core-1-2"));
}

/* A node that is revoked is believed nowhere any more, nor for its role; its names still lead nowhere else. */
static void test_revoked(void **state)
{
	(void)state;
	revoked = ground_revoked("core-1-2", 0);
	make(cluster(), HOP);
	assert_false(knows("core-1-2", "core-1-2") || knows("10.0.0.3", "core-1-2") || knows("core", "core-1-2"));
	assert_true(knows("[core]:2222", "core-1-1") && knows("master-1-1", "master-1-1"));
	assert_ours("core-1-2", "core-1-2", "22");
}

/* An instance id that two nodes say is theirs leads to neither. */
static void test_two_instances(void **state)
{
	const char *nodes;

	(void)state;
	nodes = trustgen_format(g, "[%s,%s]", node("core-1-1", "\"10.0.0.2\"", "\"instance\":\"i-0abc\",\"roles\":[]"), node("core-1-2", "\"10.0.0.3\"", "\"instance\":\"i-0abc\",\"roles\":[]"));
	make(nodes, HOP);
	ssh("i-0abc");
	assert_true(says("hostname i-0abc"));
	assert_null(strstr(said, dir));
	assert_ours("core-1-2", "core-1-2", "22");
}

/* The longest instance id there may be, of any of three nodes, is told of none and does the others no harm. */
static void test_long_instance(void **state)
{
	const char *longest = trustgen_format(g, "%0*d", DIRECTORY_INSTANCE_MAX, 0), *of[3], *nodes;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 3; j++)
			of[j] = trustgen_format(g, "\"instance\":\"%s\",\"roles\":[]", j == i ? longest : "i-0abc");
		nodes = trustgen_format(g, "[%s,%s,%s]", node("core-1-1", "\"10.0.0.2\"", of[0]), node("core-1-2", "\"10.0.0.3\"", of[1]), node("core-1-3", "\"10.0.0.4\"", of[2]));
		make(nodes, HOP);
		assert_null(strstr(config, longest));
		assert_null(strstr(config, "i-0abc"));
		assert_ours("core-1-3", "core-1-3", "22");
	}
}

/* What stands in a record is judged again, whoever wrote it. */
static void test_breaking_out(void **state)
{
	static const char *const evil[] = { "x\n    ProxyCommand id", "x y", "*", "!x", "?", "a,b", "#", "\"", "a\tb",
		"master-1-1", "core", "leader", "example.com", "10.9.9.9", "localhost", "-oProxyCommand", "$HOME", "%h" };
	struct directory_node *n;

	(void)state;
	for (size_t i = 0; i < sizeof evil / sizeof *evil; i++) {
		char *instance;

		make(cluster(), HOP);
		n = &directory->nodes[2];
		n->instance = instance = strdup(evil[i]);
		ground_build();
		assert_ok(put());
		ground_read(SSH_FILES_CONFIG, said, sizeof said);
		assert_string_equal(said, config);
		ground_read(SSH_FILES_KNOWN_HOSTS, said, sizeof said);
		assert_string_equal(said, known);
		free(instance);
	}
}

static void test_paths(void **state)
{
	static const char *const bad[] = { "relative", "/run/a b", "/run/%h", "/run/$HOME", "/run/\"", "/run/a\nb" };

	(void)state;
	make(cluster(), HOP);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct ssh_files with_run = { .state_dir = dir, .run_dir = bad[i], .owner = geteuid() }, state_dir = { .state_dir = bad[i], .run_dir = RUN, .owner = geteuid() };

		assert_err(ssh_files_put(&with_run, &t, &d), CLUSTER_ECONFIG);
		assert_err(ssh_files_put(&state_dir, &t, &d), CLUSTER_ECONFIG);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, ground_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ours), T(test_others), T(test_nobody_hops), T(test_many), T(test_known_hosts), T(test_revoked), T(test_two_instances), T(test_long_instance), T(test_breaking_out), T(test_paths),
	};

	return cmocka_run_group_tests_name("ssh_files", tests, NULL, NULL);
}
