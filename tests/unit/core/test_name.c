/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements D1 (id windows), D3 (reserved groups), D6 (grammar of names, paths and gecos), E11 (long names). */
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "cluster/name.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void check(bool (*ok)(const char *), const char *const *texts, size_t n, bool want)
{
	for (size_t i = 0; i < n; i++)
		if (ok(texts[i]) != want)
			fail_msg("\"%s\" was %s", texts[i], want ? "refused" : "accepted");
	assert_false(ok(NULL));
}

/* A name of `n` times 'a' is ok exactly up to `max`. */
static void check_length(bool (*ok)(const char *), size_t max)
{
	char text[512];

	for (size_t n = 0; n < sizeof text; n++) {
		memset(text, 'a', n);
		text[n] = '\0';
		assert_int_equal(ok(text), n >= 1 && n <= max);
	}
}

static void test_d6_accounts_groups_and_roles(void **state)
{
	static const char *const good[] = { "a", "_", "emr-user", "u1", "_x", "a-", "core_1" };
	static const char *const bad[] = { "", "A", "1a", "-a", "a.b", "a b", "a\n", "root:", "a/b", "../x", "\xc3\xa4", "a$", "a\x7f" };
	bool (*const all[])(const char *) = { name_account_ok, name_group_ok, name_role_ok };

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		check(all[i], good, COUNT(good), true);
		check(all[i], bad, COUNT(bad), false);
		check_length(all[i], 32);
	}
}

static void test_nodes(void **state)
{
	static const char *const good[] = { "master-1-1", "a", "1a", "n--x", "ip-10-0-0-1", "xn--a" };
	static const char *const bad[] = {
		"", "-a", "a-", "a.b", "A", "a_b", "10", "0", "localhost", "localhost4", "localhost6", "localdomain", "ip6-localhost", "ip6-loopback",
		"ip6-allnodes", "ip6-allrouters", "broadcasthost", "loopback", "any", "all", "none", "leader",
	};

	(void)state;
	check(name_node_ok, good, COUNT(good), true);
	check(name_node_ok, bad, COUNT(bad), false);
	check_length(name_node_ok, 63);
}

static void test_hosts(void **state)
{
	static const char *const good[] = { "master-1-1", "leader", "gpu_a", "_x", "1a", "a-", "ip6", "ip-10-0-0-1" };
	static const char *const bad[] = {
		"", "-a", "1_", "a.b", "A", "10", "localhost", "localhost4", "localhost6", "localdomain", "ip6-localhost", "ip6-mcastprefix", "ip6-x",
		"broadcasthost", "loopback", "any", "all", "none", "_gateway", "_outbound", "_localdnsstub", "_localdnsproxy", "metadata", "instance-data",
		"wpad", "isatap",
	};

	(void)state;
	check(name_host_ok, good, COUNT(good), true);
	check(name_host_ok, bad, COUNT(bad), false);
	check_length(name_host_ok, 63);
}

static void test_kids_services_and_people(void **state)
{
	static const char *const kids[] = { "A", "-", "_", "aZ09-_" }, *const no_kids[] = { "", "a.b", "a/b", "a b", "a+b", "a'", "%s" };
	static const char *const services[] = { "sshd", "su-l", "sudo-i", "Gdm.x" }, *const no_services[] = { "", ".sshd", "a/b", "a b", "a:b" };
	static const char *const people[] = { "alice", "alice@example.org", "a+b", "1a", "_x", "a.b" };
	static const char *const no_people[] = { "", "Alice", ".a", "@a", "-a", "+a", "a b", "a/b", "a:b", "a\nb" };

	(void)state;
	check(name_kid_ok, kids, COUNT(kids), true);
	check(name_kid_ok, no_kids, COUNT(no_kids), false);
	check_length(name_kid_ok, 32);
	check(name_service_ok, services, COUNT(services), true);
	check(name_service_ok, no_services, COUNT(no_services), false);
	check_length(name_service_ok, 32);
	check(name_person_ok, people, COUNT(people), true);
	check(name_person_ok, no_people, COUNT(no_people), false);
	check_length(name_person_ok, 64);
}

static void test_d3_reserved(void **state)
{
	static const char *const accounts[] = { "_apt", "root", "daemon", "bin", "sys", "nobody", "sshd", "messagebus", "polkitd", "www-data", "systemd-x", "operator",
						"halt", "mail", "uucp", "tcpdump", "cluster-agent", "sync" };
	static const char *const groups[] = { "root", "wheel", "sudo", "admin", "adm", "docker", "lxd", "libvirt", "kvm", "disk", "shadow", "systemd-journal",
					      "_ssh", "www-data", "video", "tty", "kmem", "mem", "staff", "utmp", "ssh_keys", "netdev", "wireshark", "tape",
					      "incus-admin", "plugdev", "nogroup", "dialout", "sudoers", "users", "input", "render" };
	static const char *const free_names[] = { "emr-user", "ecs-user", "core", "hadoop", "alice", "systemd", "rootx", "roo", "dockers", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(accounts); i++) {
		assert_true(name_account_reserved(accounts[i]));
		assert_true(name_group_reserved(accounts[i]));
	}
	for (size_t i = 0; i < COUNT(groups); i++)
		if (!name_group_reserved(groups[i]))
			fail_msg("group %s is not reserved", groups[i]);
	for (size_t i = 0; i < COUNT(free_names); i++)
		assert_false(name_account_reserved(free_names[i]) || name_group_reserved(free_names[i]));
	assert_false(name_account_reserved(NULL) || name_group_reserved(NULL));
}

static void test_d6_paths(void **state)
{
	static const char *const good[] = { "/a", "/home/emr-user", "/bin/bash", "/a/..b", "/a b", "/.x", "/..." };
	static const char *const bad[] = { "", "a", "/", "/a/", "//a", "/a//b", "/.", "/..", "/a/../b", "/a/.", "/a:b", "/a\nb", "/a\x7f", "~/x" };
	char text[300];

	(void)state;
	check(name_path_ok, good, COUNT(good), true);
	check(name_path_ok, bad, COUNT(bad), false);
	memset(text, 'a', sizeof text);
	text[0] = '/';
	text[255] = '\0';
	assert_true(name_path_ok(text));
	text[255] = 'a';
	text[256] = '\0';
	assert_false(name_path_ok(text));
}

static void test_d6_gecos(void **state)
{
	static const char *const good[] = { "", "Alice", "J\xc3\xbcrgen", "\xe5\xbc\xa0\xe4\xb8\x89", "\xf0\x9f\x90\xb1", "\xc2\xa0", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = {
		"a:b", "a,b", "a\nb", "a\x7f", "\x1b", "\xff", "\xc3", "\xc3(", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\x80", "\xc2\x85", "\xe5\xbc", "\xf8\x88\x80\x80\x80",
	};
	char text[130];

	(void)state;
	check(name_gecos_ok, good, COUNT(good), true);
	check(name_gecos_ok, bad, COUNT(bad), false);
	memset(text, 'x', sizeof text);
	text[127] = '\0';
	assert_true(name_gecos_ok(text));
	text[127] = 'x';
	text[128] = '\0';
	assert_false(name_gecos_ok(text));
	memcpy(text + 126, "\xc3\xa4", 3); /* the last character crosses the limit */
	assert_false(name_gecos_ok(text));
}

static void test_d1_ids(void **state)
{
	static const uint32_t good[] = { 1000, 60000, 65536, 1880000000, 2147483647 };
	static const uint32_t bad[] = { 0, 1, 999, 60001, 61184, 65519, 65533, 65534, 65535, 2147483648u, 4294967294u, 4294967295u };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(name_id_ok(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(name_id_ok(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_d6_accounts_groups_and_roles),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_kids_services_and_people),
		cmocka_unit_test(test_d3_reserved),
		cmocka_unit_test(test_d6_paths),
		cmocka_unit_test(test_d6_gecos),
		cmocka_unit_test(test_d1_ids),
	};
	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
