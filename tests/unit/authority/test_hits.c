/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "hits.h"

#define ONE "AQAAAAAAAAAAAAAAAAAAAA"
#define TWO "AgAAAAAAAAAAAAAAAAAAAA"
#define PRINT "SHA256:uUiTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8"
#define OTHER "SHA256:+/iTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8"
#define NOW INT64_C(1790000000)

static const struct {
	enum revoke_kind kind;
	const char *hit, *miss;
} table[] = {
	{ REVOKE_CREDENTIAL, ONE, TWO }, { REVOKE_DEVICE, ONE, TWO }, { REVOKE_PERSON, ONE, TWO }, { REVOKE_ACCOUNT, "emr-user", "emr" }, { REVOKE_NODE, TWO, ONE }, { REVOKE_ROLE, "ops", "op" },
	{ REVOKE_ISSUER, "kid", "ki" }, { REVOKE_CERT_SERIAL, "7", "70" }, { REVOKE_CERT_ID, "alice x", "alice" }, { REVOKE_CERT_KEY, PRINT, OTHER }, { REVOKE_CERT_CA, OTHER, PRINT },
	{ REVOKE_BEFORE, "", NULL }, { REVOKE_LOCKDOWN, TWO, TWO " " ONE }, { REVOKE_SESSION, ONE, TWO },
};

static bool hits(enum revoke_kind kind, const char *value, int64_t before, bool cert)
{
	const struct revoke_entry e = { .kind = kind, .value = (char *)(uintptr_t)value, .before = before };
	const struct cluster_id one = { { 1 } }, node = { { 2 } };
	struct report_session s = { .id = one, .person = one, .device = one, .jti = one, .iat = NOW, .account = "emr-user", .role = "ops", .issuer = "kid" };

	if (cert)
		s.cert = (struct sshcert_facts){ .serial = 7, .key_id = "alice x", .key = PRINT, .ca = OTHER };
	return hits_session(&e, &s, &node);
}

/* Every kind, what it hits and what not; with a time, only what was issued before it; what is no certificate is not hit as one. */
static void test_table(void **state)
{
	(void)state;
	assert_int_equal(sizeof table / sizeof *table, REVOKE_KIND_MAX);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		bool certificate = table[i].kind >= REVOKE_CERT_SERIAL && table[i].kind <= REVOKE_CERT_CA;

		assert_true(hits(table[i].kind, table[i].hit, 0, true));
		assert_true(hits(table[i].kind, table[i].hit, NOW + 1, true));
		assert_false(hits(table[i].kind, table[i].hit, NOW, true));
		assert_false(table[i].miss && hits(table[i].kind, table[i].miss, 0, true));
		assert_true(hits(table[i].kind, table[i].hit, 0, false) == !certificate);
	}
	assert_false(hits(REVOKE_ROLE, "", 0, false)); /* "ops" is not no role */
}

/* A hop goes with the session and the node that it came from; a machine's is nobody's. */
static void test_hop(void **state)
{
	static const struct {
		enum revoke_kind kind;
		const char *value;
		bool person, machine;
	} rows[] = {
		{ REVOKE_NODE, "AwAAAAAAAAAAAAAAAAAAAA", true, true }, { REVOKE_SESSION, "BAAAAAAAAAAAAAAAAAAAAA", true, false }, { REVOKE_SESSION, ONE, true, true },
		{ REVOKE_NODE, "BgAAAAAAAAAAAAAAAAAAAA", true, false }, { REVOKE_SESSION, "BwAAAAAAAAAAAAAAAAAAAA", true, false }, { REVOKE_SESSION, "CAAAAAAAAAAAAAAAAAAAAA", false, false },
		{ REVOKE_CREDENTIAL, "BQAAAAAAAAAAAAAAAAAAAA", true, true }, { REVOKE_CREDENTIAL, ONE, true, true }, { REVOKE_NODE, ONE, false, false }, { REVOKE_CERT_SERIAL, "0", false, false },
		{ REVOKE_LOCKDOWN, TWO, true, false }, { REVOKE_ISSUER, "kid", true, false },
	};
	const struct cluster_id one = { { 1 } }, node = { { 2 } }, none = { { 0 } };
	struct report_session s = { .id = one, .jti = one, .iat = NOW, .kind = SESSION_HOP, .source = { { 3 } }, .way = { { { { 6 } }, { { 7 } } }, { { { 8 } }, { { 8 } } } }, .account = "emr-user", .issuer = "kid",
		.cert = { .key_id = "alice via edge-1 BQAAAAAAAAAAAAAAAAAAAA", .key = PRINT, .ca = OTHER } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct revoke_entry e = { .kind = rows[i].kind, .value = (char *)(uintptr_t)rows[i].value };

		s.person = s.device = one;
		s.parent = (struct cluster_id){ { 4 } };
		s.hops = 2;
		assert_true(hits_session(&e, &s, &node) == rows[i].person);
		s.person = s.device = s.parent = none;
		s.hops = 0;
		assert_true(hits_session(&e, &s, &node) == rows[i].machine);
		s.kind = SESSION_CERTIFICATE; /* of no hop these fields mean nothing */
		if (rows[i].kind == REVOKE_NODE || rows[i].value[1] == 'w' || (rows[i].kind == REVOKE_CREDENTIAL && rows[i].value[0] == 'B'))
			assert_false(hits_session(&e, &s, &node));
		s.kind = SESSION_HOP;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table), cmocka_unit_test(test_hop) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
