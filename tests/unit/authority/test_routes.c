/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "admin.h"
#include "call.h"
#include "routes.h"

/* I7: every call x everybody who could ask, as a table of its own. A new call fails this test until somebody has thought about who may make it. */

#define NOBODY CALL_ANYBODY
#define NODE (CALL_ANYBODY | CALL_NODE)
#define PERSON (CALL_ANYBODY | CALL_PERSON)
#define ADMIN (CALL_ANYBODY | CALL_PERSON | CALL_ADMIN)
#define ROOT (CALL_ANYBODY | CALL_ROOT)

static const struct {
	enum head_method method;
	const char *path;
	const char *may; /* of nobody, node, person, administrator, root: n, N, p, a, r */
} matrix[] = {
	{ HEAD_GET, "/v1/root", "nNpar" },
	{ HEAD_GET, "/v1/keyset", "nNpar" },
	{ HEAD_GET, "/v1/head", "Npar" },
	{ HEAD_GET, "/v1/objects/AAAA", "Npar" },
	{ HEAD_GET, "/v1/me", "pa" },
	{ HEAD_POST, "/v1/device/list", "pa" },
	{ HEAD_POST, "/v1/device/rename", "pa" },
	{ HEAD_POST, "/v1/device/remove", "pa" },
	{ HEAD_POST, "/v1/join", "nNpar" },
	{ HEAD_POST, "/v1/enroll", "nNpar" },
	{ HEAD_POST, "/v1/credential", "nNpar" },
	{ HEAD_POST, "/v1/sshcert", "nNpar" },
	{ HEAD_POST, "/v1/onetime", "nNpar" },
	{ HEAD_POST, "/v1/sessions", "N" },
	{ HEAD_POST, "/v1/refusals", "N" },
	{ HEAD_GET, "/v1/renewal/AAAA", "N" },
	{ HEAD_GET, "/metrics", "r" },
	{ HEAD_POST, "/v1/admin/status", "ar" },
	{ HEAD_POST, "/v1/admin/person/add", "ar" },
	{ HEAD_POST, "/v1/admin/refusal/find", "ar" },
	{ HEAD_POST, "/v1/admin/no/such", "ar" },
};

static const char *const admin_calls[] = {
	"status", "person/add", "person/list", "person/set", "person/remove", "person/invite", "account/add", "account/import", "account/list", "account/remove", "group/add",
	"group/import", "group/list", "group/member", "group/remove", "device/list", "device/remove", "device/rename", "node/token", "node/list", "node/set", "node/remove",
	"grant/add", "grant/list", "grant/remove", "revoke/add", "revoke/list", "revoke/remove", "revoke/preview", "sessions/list", "refusal/find", "wait", "audit/list",
};

static void test_matrix(void **state)
{
	static const struct {
		char letter;
		unsigned is;
	} callers[] = { { 'n', NOBODY }, { 'N', NODE }, { 'p', PERSON }, { 'a', ADMIN }, { 'r', ROOT } };

	(void)state;
	for (size_t i = 0; i < sizeof matrix / sizeof *matrix; i++) {
		const struct route *r = routes_find(matrix[i].method, matrix[i].path, strlen(matrix[i].path));

		if (!r)
			fail_msg("%s is not routed", matrix[i].path);
		for (size_t k = 0; k < sizeof callers / sizeof *callers; k++) {
			bool may = (r->who & callers[k].is) != 0, should = strchr(matrix[i].may, callers[k].letter) != NULL;

			if (may != should)
				fail_msg("%s: '%c' %s", matrix[i].path, callers[k].letter, may ? "may and should not" : "should and may not");
		}
	}
}

/* Every route has its line in the matrix. */
static void test_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < routes_n; i++) {
		bool found = false;

		for (size_t k = 0; k < sizeof matrix / sizeof *matrix; k++)
			found = found || routes_find(matrix[k].method, matrix[k].path, strlen(matrix[k].path)) == &routes_table[i];
		if (!found)
			fail_msg("%s is not in the matrix", routes_table[i].path);
	}
	assert_int_equal(admin_n, sizeof admin_calls / sizeof *admin_calls);
	for (size_t i = 0; i < admin_n; i++)
		assert_string_equal(admin_table[i].name, admin_calls[i]);
}

/* What is not in the table does not exist: near misses, other methods, prefixes without a name. */
static void test_default(void **state)
{
	static const struct {
		enum head_method method;
		const char *path;
	} none[] = {
		{ HEAD_GET, "/" }, { HEAD_GET, "" }, { HEAD_GET, "/v1" }, { HEAD_GET, "/v1/" }, { HEAD_GET, "/v1/roo" }, { HEAD_GET, "/v1/roots" }, { HEAD_GET, "/v1/root/" },
		{ HEAD_GET, "//v1/root" }, { HEAD_GET, "/v1//root" }, { HEAD_GET, "/V1/root" }, { HEAD_GET, "/v1/objects" }, { HEAD_GET, "/v1/objects/" }, { HEAD_POST, "/v1/root" },
		{ HEAD_POST, "/v1/objects/AAAA" }, { HEAD_GET, "/v1/join" }, { HEAD_GET, "/v1/admin/status" }, { HEAD_POST, "/v1/admin" }, { HEAD_POST, "/v1/admin/" },
		{ HEAD_POST, "/v1/adminstatus" }, { HEAD_GET, "/v2/root" }, { HEAD_GET, "/v1/root/../admin/status" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		if (routes_find(none[i].method, none[i].path, strlen(none[i].path)))
			fail_msg("%s is routed", none[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_matrix), cmocka_unit_test(test_complete), cmocka_unit_test(test_default) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
