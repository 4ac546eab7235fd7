/* SPDX-License-Identifier: Apache-2.0 */
/* SSH_AUTH_INFO_0 as sshd writes it, and as it never does. THREATS.md H9. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/authinfo.h"

#define CERT "ssh-ed25519-cert-v01@openssh.com AAAA"

static enum cluster_err find(const char *text, const char **ret, size_t *n)
{
	return authinfo_certificate(text, strlen(text), ret, n);
}

static void found(const char *text, const char *want)
{
	const char *p = NULL;
	size_t n = 0;

	assert_ok(find(text, &p, &n));
	assert_int_equal(n, strlen(want));
	assert_memory_equal(p, want, n);
}

static void not_found(const char *text, enum cluster_err want)
{
	const char *p = NULL;
	size_t n = 7;

	if (find(text, &p, &n) != want)
		fail_msg("\"%s\"", text);
	assert_null(p);
	assert_int_equal(n, 7);
}

static void test_found(void **state)
{
	(void)state;
	found("publickey " CERT "\n", CERT);
	found("publickey " CERT, CERT);
	found("publickey " CERT " signature count = 4\n", CERT);
	found("keyboard-interactive/pam\npublickey " CERT "\npassword\n", CERT);
	found("publickey ssh-ed25519 BBBB\npublickey " CERT "\n", CERT);
	found("publickey ecdsa-sha2-nistp256-cert-v01@openssh.com BB==\n", "ecdsa-sha2-nistp256-cert-v01@openssh.com BB==");
}

static void test_none(void **state)
{
	static const char *const texts[] = { "", "\n", "\n\n", "publickey", "publickey ", "publickey ssh-ed25519 AAAA\n", "hostbased " CERT "\n", " publickey " CERT "\n", "publickey2 " CERT "\n",
		"publickey/x " CERT "\n", "password publickey " CERT "\n", "publickey ssh-ed25519 " CERT "\n", "publickey " CERT "x", "publickey -cert-v01@openssh.co AAAA" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0] - 2; i++)
		not_found(texts[i], CLUSTER_ENOTFOUND);
	found(texts[12], CERT "x");
	not_found(texts[13], CLUSTER_ENOTFOUND);
}

static void test_refused(void **state)
{
	char *large = malloc(AUTHINFO_MAX + 2);

	(void)state;
	not_found("publickey " CERT "\npublickey " CERT "\n", CLUSTER_EDENIED);
	not_found("publickey ssh-ed25519-cert-v01@openssh.com\n", CLUSTER_EFORMAT);
	not_found("publickey ssh-ed25519-cert-v01@openssh.com \n", CLUSTER_EFORMAT);
	not_found("publickey " CERT "\r\n", CLUSTER_EFORMAT);
	not_found("publickey " CERT "\n\tpublickey", CLUSTER_EFORMAT);
	not_found("password\033\npublickey " CERT "\n", CLUSTER_EFORMAT);
	assert_non_null(large);
	memset(large, 'A', AUTHINFO_MAX + 1);
	large[AUTHINFO_MAX + 1] = '\0';
	not_found(large, CLUSTER_ELIMIT);
	large[AUTHINFO_MAX] = '\0';
	not_found(large, CLUSTER_ENOTFOUND);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_found), cmocka_unit_test(test_none), cmocka_unit_test(test_refused) };

	return cmocka_run_group_tests_name("authinfo", tests, NULL, NULL);
}
