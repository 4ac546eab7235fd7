/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/trust_snap.h"
#include "trustgen.h"

#define NOW INT64_C(1800000000)

struct made {
	struct trustgen *g;
	struct directory *dir;
	struct revoke_list *revocations;
	uint8_t *bytes;
	size_t n;
	struct trust t;
};

static enum cluster_err build(const struct made *m, const struct cluster_id *self, uint8_t **ret, size_t *ret_n, struct diag *d)
{
	const struct trust_documents from = { .root = &m->g->root, .keyset = &m->g->keyset, .dir = m->dir, .revocations = m->revocations };

	return trust_build(&from, self, ret, ret_n, d);
}

static enum cluster_err make(struct made *m, const char *entries, const char *node)
{
	struct cluster_id self = trustgen_id(node);
	struct diag d;

	memset(m, 0, sizeof *m);
	diag_clear(&d);
	m->g = trustgen_new("prod", NOW);
	m->dir = trustgen_directory_read(m->g, trustgen_directory(m->g, 5, trustgen_sample(m->g)));
	m->revocations = trustgen_revocations_read(m->g, trustgen_revocations(m->g, 7, entries));
	return build(m, &self, &m->bytes, &m->n, &d);
}

static void done(struct made *m)
{
	free(m->bytes);
	directory_free(m->dir);
	revoke_free(m->revocations);
	trustgen_free(m->g);
}

static size_t count_grants(const struct trust *t, const char *person, const char *role, const char *account, struct trust_grant *last)
{
	struct cluster_id id = trustgen_id(person ? person : "nobody");
	enum cluster_err e;
	struct rd r;
	size_t n = 0;

	e = trust_grants(t, &id, role, account, &r);
	if (e == CLUSTER_ENOTFOUND)
		return 0;
	assert_ok(e);
	while ((e = trust_grant_next(&r, last)) == CLUSTER_OK)
		n++;
	assert_err(e, CLUSTER_ENOTFOUND);
	return n;
}

static void test_what_goes_in_comes_out(void **state)
{
	struct trust_person p, again;
	struct trust_account a;
	struct trust_grant g;
	struct cluster_id id, device;
	uint64_t cursor = 0;
	struct made m;
	size_t n = 0;

	(void)state;
	assert_ok(make(&m, "[]", "core-1-1"));
	assert_ok(trust_parse(m.bytes, m.n, &m.t));
	assert_ok(snap_verify(&m.t.snap));
	assert_string_equal(m.t.self.node_name, "core-1-1");
	assert_string_equal(m.t.self.cluster_name, "prod");
	assert_int_equal(m.t.self.n_roles, 1);
	assert_string_equal(m.t.self.roles[0], "core");
	assert_int_equal(m.t.self.directory_version, 5);
	assert_int_equal(m.t.self.revocations_version, 7);
	assert_int_equal(m.t.self.keyset_version, 1);
	assert_int_equal(m.t.self.max_stale, 900);
	assert_int_equal(m.t.ring.n, m.g->keyset.ring.n);
	assert_false(m.t.lockdown);
	assert_int_equal(m.t.everything_before, 0);
	id = trustgen_id("alice");
	device = trustgen_id("alice-laptop");
	assert_ok(trust_person_by_id(&m.t, &id, &p));
	assert_string_equal(p.name, "alice");
	assert_string_equal(p.roles[0], "ops");
	assert_int_equal(p.n_devices, 1);
	assert_memory_equal(p.devices, device.b, ID_SIZE);
	assert_ok(trust_person_by_name(&m.t, "bob", &p));
	id = trustgen_id("carol");
	assert_err(trust_person_by_id(&m.t, &id, &p), CLUSTER_ENOTFOUND);
	assert_err(trust_person_by_name(&m.t, "carol", &p), CLUSTER_ENOTFOUND);
	while (trust_person_each(&m.t, &cursor, &again) == CLUSTER_OK)
		n++;
	assert_int_equal(n, 2);
	assert_ok(trust_account_by_name(&m.t, "alice", &a));
	id = trustgen_id("alice");
	assert_true(a.personal && id_equal(&a.person, &id));
	assert_ok(trust_account_by_name(&m.t, "emr-user", &a));
	assert_false(a.personal);
	assert_err(trust_account_by_name(&m.t, "nobody-such", &a), CLUSTER_ENOTFOUND);
	assert_int_equal(count_grants(&m.t, NULL, "ops", "emr-user", &g), 1);
	assert_true(g.sudo);
	assert_int_equal(count_grants(&m.t, "bob", NULL, "emr-user", &g), 1);
	assert_int_equal(count_grants(&m.t, "alice", NULL, "emr-user", &g), 0);
	done(&m);
}

/* Grants that do not hold on a node do not stand in its snapshot. */
static void test_grants_of_this_node_only(void **state)
{
	struct trust_grant g;
	struct made m;

	(void)state;
	assert_ok(make(&m, "[]", "master-1-1"));
	assert_ok(trust_parse(m.bytes, m.n, &m.t));
	assert_int_equal(count_grants(&m.t, "bob", NULL, "emr-user", &g), 0);
	assert_int_equal(count_grants(&m.t, NULL, "ops", "emr-user", &g), 1);
	done(&m);
	assert_err(make(&m, "[]", "no-such-node"), CLUSTER_ENOTFOUND);
	done(&m);
}

static const char *entry(struct trustgen *g, int seq, const char *kind, const char *value, const char *before)
{
	return trustgen_format(g, "{\"iat\":%lld,%s\"kind\":\"%s\",\"seq\":%d,\"until\":4102444800,\"value\":\"%s\"}", (long long)NOW, before, kind, seq, value);
}

static void test_revocations(void **state)
{
	struct trustgen *g = trustgen_new("names", NOW);
	struct cluster_id alice = trustgen_id("alice"), bob = trustgen_id("bob"), laptop = trustgen_id("alice-laptop");
	struct trust_revocation v;
	const char *list;
	struct made m;

	(void)state;
	list = trustgen_format(g, "[%s,%s,%s,%s,%s]", entry(g, 1, "person", trustgen_id_text(g, "alice"), "\"before\":1800000000,"),
	    entry(g, 2, "person", trustgen_id_text(g, "alice"), "\"before\":1700000000,"), entry(g, 3, "account", "emr-user", ""),
	    entry(g, 4, "before", "", "\"before\":1750000000,"), entry(g, 5, "before", "", "\"before\":1740000000,"));
	assert_ok(make(&m, list, "core-1-1"));
	assert_ok(trust_parse(m.bytes, m.n, &m.t));
	/* the widest of two */
	assert_ok(trust_revoked(&m.t, REVOKE_PERSON, alice.b, ID_SIZE, 1799999999, &v));
	assert_int_equal(v.seq, 1);
	assert_ok(trust_revoked(&m.t, REVOKE_PERSON, alice.b, ID_SIZE, 0, &v));
	assert_err(trust_revoked(&m.t, REVOKE_PERSON, alice.b, ID_SIZE, 1800000000, &v), CLUSTER_ENOTFOUND);
	/* kind and value are both part of the key */
	assert_err(trust_revoked(&m.t, REVOKE_DEVICE, alice.b, ID_SIZE, 0, &v), CLUSTER_ENOTFOUND);
	assert_err(trust_revoked(&m.t, REVOKE_PERSON, bob.b, ID_SIZE, 0, &v), CLUSTER_ENOTFOUND);
	assert_err(trust_revoked(&m.t, REVOKE_DEVICE, laptop.b, ID_SIZE, 0, &v), CLUSTER_ENOTFOUND);
	assert_ok(trust_revoked(&m.t, REVOKE_ACCOUNT, "emr-user", 8, INT64_MAX, &v));
	assert_err(trust_revoked(&m.t, REVOKE_ACCOUNT, "emr-user", 7, 0, &v), CLUSTER_ENOTFOUND);
	assert_err(trust_revoked(&m.t, REVOKE_ROLE, "emr-user", 8, 0, &v), CLUSTER_ENOTFOUND);
	assert_int_equal(m.t.everything_before, 1750000000);
	done(&m);
	trustgen_free(g);
}

/* Two lockdowns: only whom both leave out is left out. */
static void test_lockdown(void **state)
{
	struct trustgen *g = trustgen_new("names", NOW);
	struct cluster_id bob = trustgen_id("bob");
	const char *alice_text = trustgen_id_text(g, "alice"), *bob_text = trustgen_id_text(g, "bob");
	struct made m;

	(void)state;
	assert_ok(make(&m, trustgen_format(g, "[%s]", entry(g, 1, "lockdown", trustgen_format(g, "%s %s", alice_text, bob_text), "")), "core-1-1"));
	assert_ok(trust_parse(m.bytes, m.n, &m.t));
	assert_true(m.t.lockdown);
	assert_int_equal(m.t.n_lockdown_except, 2);
	done(&m);
	assert_ok(make(&m, trustgen_format(g, "[%s,%s]", entry(g, 1, "lockdown", trustgen_format(g, "%s %s", alice_text, bob_text), ""), entry(g, 2, "lockdown", bob_text, "")),
	    "core-1-1"));
	assert_ok(trust_parse(m.bytes, m.n, &m.t));
	assert_int_equal(m.t.n_lockdown_except, 1);
	assert_memory_equal(m.t.lockdown_except, bob.b, ID_SIZE);
	done(&m);
	assert_ok(make(&m, trustgen_format(g, "[%s]", entry(g, 1, "lockdown", "", "")), "core-1-1"));
	assert_ok(trust_parse(m.bytes, m.n, &m.t));
	assert_true(m.t.lockdown);
	assert_int_equal(m.t.n_lockdown_except, 0);
	done(&m);
	trustgen_free(g);
}

/* I9: equal input, equal bytes. And a cut anywhere is refused without touching what is behind it. */
static void test_bytes(void **state)
{
	struct trust t;
	uint8_t *again = NULL, *cut;
	struct cluster_id self = trustgen_id("core-1-1");
	struct made m;
	size_t n, i;

	(void)state;
	assert_ok(make(&m, "[]", "core-1-1"));
	assert_ok(build(&m, &self, &again, &n, NULL));
	assert_int_equal(n, m.n);
	assert_memory_equal(again, m.bytes, n);
	for (i = 0; i < m.n; i += 7) {
		cut = malloc(i ? i : 1);
		assert_non_null(cut);
		memcpy(cut, m.bytes, i);
		assert_int_not_equal(trust_parse(cut, i, &t), CLUSTER_OK);
		free(cut);
	}
	free(again);
	done(&m);
}

/* Every single bit of the records: an answer may be "damaged" or "not there"; it is never another answer. */
static void test_flipped_bits(void **state)
{
	struct trust_person p, good;
	struct cluster_id id = trustgen_id("alice");
	struct made m;
	size_t i;

	(void)state;
	assert_ok(make(&m, "[]", "core-1-1"));
	assert_ok(trust_parse(m.bytes, m.n, &m.t));
	assert_ok(trust_person_by_id(&m.t, &id, &good));
	for (i = 0; i < m.n * 8; i++) {
		m.bytes[i / 8] = (uint8_t)(m.bytes[i / 8] ^ 1u << i % 8);
		if (trust_parse(m.bytes, m.n, &m.t) == CLUSTER_OK && trust_person_by_id(&m.t, &id, &p) == CLUSTER_OK) {
			p.devices = good.devices;
			assert_memory_equal(&p, &good, sizeof p);
		}
		m.bytes[i / 8] = (uint8_t)(m.bytes[i / 8] ^ 1u << i % 8);
	}
	done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_goes_in_comes_out),
		cmocka_unit_test(test_grants_of_this_node_only),
		cmocka_unit_test(test_revocations),
		cmocka_unit_test(test_lockdown),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_flipped_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
