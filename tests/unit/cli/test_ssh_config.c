/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "home.h"
#include "resolve.h"
#include "self.h"
#include "ssh_args.h"
#include "ssh_config.h"

static struct home home;
static struct directory *dir;

static int start(void **state)
{
	(void)state;
	home_make(&home);
	dir = trustgen_directory_read(home.g, home.directory);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	directory_free(dir);
	home_done(&home);
	return 0;
}

/* ---- the Include line ---- */

static void expect_round(const char *before, bool made)
{
	char *with = NULL, *twice = NULL, *without = NULL;
	bool gone = !made;

	assert_int_equal(ssh_config_include(before, "/home/alice/.config/cluster-login/ssh_config", made, &with), CLUSTER_OK);
	assert_true(ssh_config_included(with));
	assert_non_null(strstr(with, "\nInclude /home/alice/.config/cluster-login/ssh_config\n"));
	assert_int_equal(ssh_config_include(with, "/home/alice/.config/cluster-login/ssh_config", false, &twice), CLUSTER_OK);
	assert_string_equal(twice, with);
	assert_int_equal(ssh_config_exclude(twice, &without, &gone), CLUSTER_OK);
	assert_string_equal(without, before);
	assert_int_equal(gone, made);
	free(without);
	free(twice);
	free(with);
}

static void test_include(void **state)
{
	char *text = NULL;
	bool gone;

	(void)state;
	expect_round("", true);
	expect_round("", false);
	expect_round("Host *\n    ForwardAgent no\n", false);
	expect_round("Host a\n  User b", false);
	expect_round("\n\n# comment\n", false);
	assert_false(ssh_config_included("Host *\n"));
	assert_int_equal(ssh_config_exclude("Host *\n", &text, &gone), CLUSTER_ENOTFOUND);
	assert_null(text);
}

/* A file that we made and somebody has added to stays. */
static void test_made_and_used(void **state)
{
	char *with = NULL, *without = NULL, *more;
	bool gone = true;

	(void)state;
	assert_int_equal(ssh_config_include("", "/x", true, &with), CLUSTER_OK);
	more = trustgen_format(home.g, "%sHost b\n", with);
	assert_int_equal(ssh_config_exclude(more, &without, &gone), CLUSTER_OK);
	assert_string_equal(without, "Host b\n");
	assert_false(gone);
	free(without);
	free(with);
}

/* ---- the block file ---- */

static void test_build(void **state)
{
	static const char *const wanted[] = { "\nHost master-1-1\n", "\nHost core-1-1\n", "\nHost task-1-1\n", "    HostName 10.0.0.1\n", "    HostKeyAlias master-1-1\n", "    Port 22\n",
		"    StrictHostKeyChecking yes\n", "    UserKnownHostsFile none\n", "    GlobalKnownHostsFile none\n", "    KnownHostsCommand /usr/bin/cluster-login known-hosts %H %K\n",
		"    PreferredAuthentications publickey,keyboard-interactive\n", "    PubkeyAuthentication yes\n",
		"    PubkeyAcceptedAlgorithms ssh-ed25519-cert-v01@openssh.com\n", "    IdentityFile none\n", "    NumberOfPasswordPrompts 1\n", "    ForwardAgent no\n", "    ForwardX11 no\n" };
	char *text = NULL;
	size_t i;

	(void)state;
	assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", NULL, &text, NULL), CLUSTER_OK);
	assert_null(strstr(text, "Proxy")); /* a node without a jump host is dialled by ssh alone */
	for (i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		if (strstr(text, wanted[i]) == NULL)
			fail_msg("missing: %s", wanted[i]);
	}
	free(text);
	assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", "/tmp/h", &text, NULL), CLUSTER_OK);
	assert_non_null(strstr(text, "    KnownHostsCommand /usr/bin/cluster-login known-hosts --home=/tmp/h %H %K\n"));
	free(text);
}

/* The helper also signs for a host that was dialled by address: then too the host key has to be the directory's, not one that ssh took on trust. */
static void test_addresses(void **state)
{
	char *text = NULL, *block, *end;

	(void)state;
	assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", NULL, &text, NULL), CLUSTER_OK);
	block = strstr(text, "\nHost 10.0.0.1\n");
	assert_non_null(block);
	if ((end = strstr(block + 1, "\nHost ")) != NULL)
		*end = '\0';
	assert_non_null(strstr(block, "    HostKeyAlias master-1-1\n"));
	assert_non_null(strstr(block, "    StrictHostKeyChecking yes\n"));
	assert_non_null(strstr(block, "    UserKnownHostsFile none\n"));
	assert_non_null(strstr(block, "    KnownHostsCommand /usr/bin/cluster-login known-hosts %H %K\n"));
	assert_null(strstr(block, "    HostName "));
	free(text);
}

static void test_jump(void **state)
{
	struct directory_node *node = &dir->nodes[0];
	char *saved = node->jump, *text = NULL;
	const char *other = dir->nodes[1].name;
	static const char *const bad[] = { "-oProxyCommand=x", "a b", "a;b", "$(x)", "a\nb", "" };
	size_t i;

	(void)state;
	node->jump = (char *)other;
	assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", NULL, &text, NULL), CLUSTER_OK);
	assert_non_null(strstr(text, trustgen_format(home.g, "    ProxyCommand /usr/bin/cluster-login reach %%h %%p /usr/bin/cluster-login ssh -q -W '[%%h]:%%p' %%r@%s\n    ProxyUseFdpass yes\n", other)));
	free(text);
	node->jump = (char *)"bastion.example";
	assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", NULL, &text, NULL), CLUSTER_OK);
	assert_non_null(strstr(text, "    ProxyCommand /usr/bin/cluster-login reach %h %p ssh -W '[%h]:%p' ssh://bastion.example\n    ProxyUseFdpass yes\n"));
	free(text);
	text = NULL;
	node->jump = node->name;
	assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", NULL, &text, NULL), CLUSTER_OK);
	assert_null(strstr(text, "ProxyCommand")); /* ssh sees that there is nothing to jump through; this program would not */
	free(text);
	text = NULL;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		node->jump = (char *)bad[i];
		assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", NULL, &text, NULL), CLUSTER_ECONFIG);
	}
	assert_null(text);
	node->jump = saved;
}

static void test_letters(void **state)
{
	(void)state;
	assert_true(ssh_args_takes_value('L'));
	assert_true(ssh_args_takes_value('p'));
	assert_false(ssh_args_takes_value('v'));
	assert_false(ssh_args_takes_value('\0'));
	assert_true(ssh_args_letter_ok('v'));
	assert_false(ssh_args_letter_ok('Z'));
	assert_false(ssh_args_letter_ok('\0'));
}

static void test_path(void **state)
{
	(void)state;
	assert_true(self_path_ok("/usr/bin/cluster-login"));
	assert_false(self_path_ok("usr/bin"));
	assert_false(self_path_ok("/a b"));
	assert_false(self_path_ok("/a%h"));
	assert_false(self_path_ok("/a\"b"));
	assert_false(self_path_ok("/a\nb"));
	assert_false(self_path_ok(""));
}

static void test_resolve(void **state)
{
	(void)state;
	assert_string_equal(resolve_node(dir, "master-1-1")->name, "master-1-1");
	assert_string_equal(resolve_node(dir, "10.0.0.2")->name, "core-1-1");
	assert_string_equal(resolve_node(dir, "task")->name, "task-1-1");
	assert_null(resolve_node(dir, "nobody"));
	assert_null(resolve_node(dir, ""));
	assert_null(resolve_node(dir, "leader"));
	dir->nodes[1].leader = true;
	assert_ptr_equal(resolve_node(dir, "leader"), &dir->nodes[1]);
	dir->nodes[1].leader = false;
	assert_string_equal(resolve_nearest(dir, "mastr-1-1"), "master-1-1");
	assert_null(resolve_nearest(dir, "completely-different"));
}

/* A node says itself what its instance id is: that word takes nothing from anybody else, neither on the command line nor in ssh's configuration. */
static void test_instances(void **state)
{
	static const char *const evil[] = { "core-1-1", "core", "leader", "10.0.0.2", "github.com", "role:core", "localhost", "S12" };
	struct directory_node *node = &dir->nodes[0], *core = &dir->nodes[1], *task = &dir->nodes[2];
	char *text, word[64], selector[200], line[100];

	(void)state;
	assert_string_equal(core->name, "core-1-1");
	core->leader = true;
	core->jump = (char *)"github.com";
	for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
		snprintf(word, sizeof word, "%s", evil[i]);
		node->instance = word;
		text = NULL;
		assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", NULL, &text, NULL), CLUSTER_OK);
		assert_non_null(strstr(text, trustgen_format(home.g, "\nHost %s\n", node->name)));
		assert_non_null(strstr(text, "ssh -W '[%h]:%p' ssh://github.com\n"));
		snprintf(line, sizeof line, " %s\n", word);
		if (strcmp(word, "core-1-1") != 0 && strcmp(word, "10.0.0.2") != 0 && strcmp(word, "github.com") != 0)
			assert_null(strstr(text, line));
		free(text);
		if (i < 4)
			assert_ptr_equal(resolve_node(dir, word), core);
	}
	node->instance = (char *)"role:core";
	assert_true(resolve_selector(dir, "role:core", selector, sizeof selector));
	assert_string_equal(selector, "role:core");
	node->instance = (char *)"core";
	assert_true(resolve_selector(dir, "core", selector, sizeof selector));
	assert_string_equal(selector, "role:core");
	/* what is its own is known by it, until another says the same */
	node->instance = (char *)"i-0abc";
	assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", NULL, &text, NULL), CLUSTER_OK);
	assert_non_null(strstr(text, trustgen_format(home.g, "\nHost %s i-0abc\n", node->name)));
	free(text);
	assert_ptr_equal(resolve_node(dir, "i-0abc"), node);
	assert_true(resolve_selector(dir, "i-0abc", selector, sizeof selector));
	assert_string_equal(selector, trustgen_format(home.g, "node:%s", node->name));
	task->instance = (char *)"i-0abc";
	assert_int_equal(ssh_config_build(dir, "/usr/bin/cluster-login", NULL, &text, NULL), CLUSTER_OK);
	assert_null(strstr(text, "i-0abc"));
	free(text);
	assert_null(resolve_node(dir, "i-0abc"));
	task->instance = node->instance = core->jump = NULL;
	core->leader = false;
}

/* A role names its members in name order, whatever the directory's. */
static void test_role_order(void **state)
{
	struct directory two = { .n_nodes = 2 };
	struct directory_node nodes[2];
	char roles[1][NAME_ROLE_MAX + 1] = { "core" };

	(void)state;
	memset(nodes, 0, sizeof nodes);
	strcpy(nodes[0].name, "core-1-2");
	strcpy(nodes[1].name, "core-1-1");
	nodes[0].roles = nodes[1].roles = roles;
	nodes[0].n_roles = nodes[1].n_roles = 1;
	two.nodes = nodes;
	assert_string_equal(resolve_node(&two, "core")->name, "core-1-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_made_and_used),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_jump),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_role_order),
		cmocka_unit_test(test_instances),
	};

	return cmocka_run_group_tests_name("ssh_config", tests, start, stop);
}
