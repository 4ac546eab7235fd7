/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "trustgen.h"

#include "cluster/json.h"
#include "cluster/jwk.h"
#include "cluster/request.h"

#define NOW INT64_C(1790000000)

static struct trustgen *g;
static struct crypto_key *key, *other;
static struct crypto_pub pub, other_pub;

static int set_up(void **state)
{
	(void)state;
	g = trustgen_new("prod", NOW);
	key = trustgen_key(g);
	other = trustgen_key(g);
	assert_ok(crypto_key_pub(key, &pub));
	assert_ok(crypto_key_pub(other, &other_pub));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trustgen_free(g);
	return 0;
}

static struct request_common common(const char *htm, const char *htu)
{
	struct request_common c = { 0 };

	strcpy(c.htm, htm);
	strcpy(c.htu, htu);
	return c;
}

static struct request_join join(void)
{
	struct request_join r = { .c = common("POST", "/v1/join"), .name = "core-1-1", .token = "secret", .instance = "i-123", .key = pub, .hop = other_pub, .n_addresses = 2,
		.n_hostkeys = 1, .addresses = { "10.0.0.2", "fd00::2" } };

	r.cluster = trustgen_id("cluster");
	r.hostkeys[0] = (char *)(uintptr_t)"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEii7YviGxaLq5iKOXZSLTUqZg3voNbbXSw7m3xZKUYQ";
	return r;
}

/* A join whose payload has one member set to `value` (JSON), signed by the node key as it should be. */
static const char *join_with(const char *member, const char *value)
{
	struct request_join r = join(), parsed;
	char *token = NULL, *text = NULL;
	struct json *payload = NULL, *item = NULL;
	struct jws jws;
	const char *made;

	assert_ok(request_join_build(&r, NOW, key, &token));
	assert_ok(request_join_parse(token, strlen(token), &parsed, NULL));
	request_join_done(&parsed);
	assert_ok(jws_parse(token, strlen(token), JWS_NODE, &jws, NULL));
	assert_ok(json_parse((const char *)jws.payload, jws.payload_n, 4096, &payload, NULL));
	text = trustgen_format(g, "[%s]", value);
	assert_ok(json_parse(text, strlen(text), 4096, &item, NULL));
	assert_ok(json_set(payload, member, json_make("O", json_at(item, 0))));
	json_free(item);
	assert_ok(json_text(payload, &text, NULL));
	made = trustgen_sign_with(g, JWS_NODE, key, text);
	free(text);
	json_free(payload);
	jws_done(&jws);
	free(token);
	return made;
}

static void refused(const char *member, const char *value)
{
	const char *token = join_with(member, value);
	struct request_join r;

	if (request_join_parse(token, strlen(token), &r, NULL) == CLUSTER_OK)
		fail_msg("%s: %s was taken", member, value);
}

static void test_node(void **state)
{
	struct request_node r = { .c = common("GET", "/v1/head?after=3&wait=60"), .cluster = trustgen_id("c"), .node = trustgen_id("n"), .applied = 3, .ended = 7 }, back;
	char *token = NULL, *second = NULL;
	struct jws jws;

	(void)state;
	assert_ok(request_node_build(&r, NOW, key, &token));
	assert_ok(request_node_parse(token, strlen(token), &jws, &back, NULL));
	assert_ok(jws_verify(&jws, &pub));
	assert_err(jws_verify(&jws, &other_pub), CLUSTER_ESIGNATURE);
	assert_true(id_equal(&back.node, &r.node) && id_equal(&back.cluster, &r.cluster));
	assert_int_equal(back.applied, 3);
	assert_int_equal(back.ended, 7);
	assert_int_equal(back.c.iat, NOW);
	jws_done(&jws);
	/* a jti of its own each time */
	assert_ok(request_node_build(&r, NOW, key, &second));
	assert_string_not_equal(token, second);
	free(second);
	free(token);
}

/* B9: a join is not a poll, a poll is not a join, and an enrolment is neither. */
static void test_kinds(void **state)
{
	struct request_node node = { .c = common("GET", "/v1/head") }, node_back;
	struct request_join r = join(), join_back;
	struct request_enroll enroll = { .c = common("POST", "/v1/enroll"), .code = "abcd-efgh", .label = "laptop", .key = pub }, enroll_back;
	char *a = NULL, *b = NULL, *c = NULL;
	struct jws jws;

	(void)state;
	assert_ok(request_node_build(&node, NOW, key, &a));
	assert_ok(request_join_build(&r, NOW, key, &b));
	assert_ok(request_enroll_build(&enroll, NOW, key, &c));
	assert_err(request_join_parse(a, strlen(a), &join_back, NULL), CLUSTER_EFORMAT);
	assert_err(request_node_parse(b, strlen(b), &jws, &node_back, NULL), CLUSTER_EFORMAT);
	assert_err(request_node_parse(c, strlen(c), &jws, &node_back, NULL), CLUSTER_EFORMAT);
	assert_err(request_enroll_parse(b, strlen(b), &enroll_back, NULL), CLUSTER_EFORMAT);
	assert_ok(request_enroll_parse(c, strlen(c), &enroll_back, NULL));
	assert_string_equal(enroll_back.code, "abcd-efgh");
	assert_string_equal(enroll_back.label, "laptop");
	free(c);
	free(b);
	free(a);
}

/* Who signs must have the key that the request carries. */
static void test_possession(void **state)
{
	struct request_enroll enroll = { .c = common("POST", "/v1/enroll"), .code = "abcd", .label = "laptop", .key = other_pub }, enroll_back;
	struct request_join r = join(), back;
	char *token = NULL;

	(void)state;
	assert_ok(request_join_build(&r, NOW, other, &token));
	assert_err(request_join_parse(token, strlen(token), &back, NULL), CLUSTER_ESIGNATURE);
	free(token);
	assert_ok(request_enroll_build(&enroll, NOW, key, &token));
	assert_err(request_enroll_parse(token, strlen(token), &enroll_back, NULL), CLUSTER_ESIGNATURE);
	free(token);
}

static void test_join(void **state)
{
	const char *token = join_with("name", "\"core-1-1\"");
	struct request_join r;

	(void)state;
	assert_ok(request_join_parse(token, strlen(token), &r, NULL));
	assert_string_equal(r.name, "core-1-1");
	assert_int_equal(r.n_addresses, 2);
	assert_string_equal(r.addresses[1], "fd00::2");
	assert_int_equal(r.n_hostkeys, 1);
	assert_true(crypto_pub_equal(&r.hop, &other_pub));
	request_join_done(&r);
	request_join_done(&r);
}

/* D6 and PROTOCOL.md 6.2: what a record could not hold never gets as far as a record. */
static void test_join_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "name", "\"localhost\"" }, { "name", "\"a.b\"" }, { "name", "\"../x\"" }, { "name", "5" }, { "addresses", "[]" }, { "addresses", "[\"10.0.0.02\"]" },
		{ "addresses", "[\"10.0.0.2\",\"10.0.0.2\"]" }, { "addresses", "[\"FD00::2\"]" }, { "addresses", "[\"host\"]" }, { "addresses", "[7]" }, { "hostkeys", "[]" },
		{ "hostkeys", "[\"ssh-ed25519\"]" }, { "hostkeys", "[\"ssh-ed25519 AAAA\"]" }, { "token", "\"\"" }, { "token", "\"a b\"" }, { "instance", "\"a\\nb\"" }, { "instance", "\"\"" },
		{ "aud", "\"cluster\"" }, { "aud", "[\"x\"]" }, { "iat", "true" }, { "iat", "-1" }, { "jti", "\"short\"" }, { "htu", "\"v1/join\"" }, { "htm", "\"PUT\"" }, { "extra", "1" },
		{ "hostkeys", "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEii7YviGxaLq5iKOXZSLTUqZg3voNbbXSw7m3xZKUYQ comment\"]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		refused(cases[i][0], cases[i][1]);
	refused("hop", trustgen_jwk(g, key)); /* the hop key is a key of its own */
	/* B8: the identity point */
	refused("hop", "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
	refused("key", trustgen_jwk(g, trustgen_key(g)));
}

static struct request_credential credential(void)
{
	struct request_credential r = { .c = common("POST", "/v1/credential"), .cluster = trustgen_id("c"), .device = trustgen_id("d"), .cnf = other_pub, .ttl = 600, .n_acc = 1, .n_nod = 2,
		.n_src = 1, .acc = { "emr-user" }, .nod = { "role:core", "node:task-1-1" }, .src = { "10.0.0.0/8" } };

	return r;
}

static void test_credential(void **state)
{
	struct request_credential r = credential(), back;
	char *token = NULL;
	struct jws jws;

	(void)state;
	assert_ok(request_credential_build(&r, NOW, key, &token));
	assert_ok(request_credential_parse(token, strlen(token), &jws, &back, NULL));
	assert_ok(jws_verify(&jws, &pub));
	assert_true(crypto_pub_equal(&back.cnf, &other_pub));
	assert_int_equal(back.ttl, 600);
	assert_int_equal(back.n_nod, 2);
	assert_string_equal(back.nod[1], "node:task-1-1");
	assert_string_equal(back.src[0], "10.0.0.0/8");
	jws_done(&jws);
	free(token);
	r.n_acc = r.n_nod = r.n_src = 0;
	r.ttl = 0;
	assert_ok(request_credential_build(&r, NOW, key, &token));
	assert_ok(request_credential_parse(token, strlen(token), &jws, &back, NULL));
	assert_int_equal(back.n_acc + back.n_nod + back.n_src, 0);
	jws_done(&jws);
	free(token);
}

static void test_credential_refused(void **state)
{
	struct request_credential r = credential(), back;
	char *token = NULL;
	struct jws jws;

	(void)state;
	strcpy(r.nod[0], "any"); /* narrowing to everything is no narrowing */
	assert_ok(request_credential_build(&r, NOW, key, &token));
	assert_err(request_credential_parse(token, strlen(token), &jws, &back, NULL), CLUSTER_EFORMAT);
	free(token);
	r = credential();
	strcpy(r.src[0], "10.0.0.0/33");
	assert_ok(request_credential_build(&r, NOW, key, &token));
	assert_err(request_credential_parse(token, strlen(token), &jws, &back, NULL), CLUSTER_EFORMAT);
	free(token);
	r = credential();
	strcpy(r.acc[0], "Root:0");
	assert_ok(request_credential_build(&r, NOW, key, &token));
	assert_err(request_credential_parse(token, strlen(token), &jws, &back, NULL), CLUSTER_EFORMAT);
	free(token);
	r = credential();
	memset(r.cnf.bytes, 0, sizeof r.cnf.bytes); /* B8: a point of order 4 */
	assert_ok(request_credential_build(&r, NOW, key, &token));
	assert_int_not_equal(request_credential_parse(token, strlen(token), &jws, &back, NULL), CLUSTER_OK);
	free(token);
}

static void test_dpop(void **state)
{
	struct request_common c;
	char *token = NULL;

	(void)state;
	assert_ok(request_dpop_build("GET", "/v1/me", "a.b.c", NOW, key, &token));
	assert_ok(request_dpop_verify(token, strlen(token), "a.b.c", &pub, &c, NULL));
	assert_string_equal(c.htu, "/v1/me");
	assert_err(request_dpop_verify(token, strlen(token), "a.b.d", &pub, &c, NULL), CLUSTER_ESIGNATURE);
	assert_err(request_dpop_verify(token, strlen(token), "a.b.c", &other_pub, &c, NULL), CLUSTER_ESIGNATURE);
	token[strlen(token) - 3] = token[strlen(token) - 3] == 'A' ? 'B' : 'A';
	assert_err(request_dpop_verify(token, strlen(token), "a.b.c", &pub, &c, NULL), CLUSTER_ESIGNATURE);
	free(token);
}

static void test_common_check(void **state)
{
	struct request_common c = common("POST", "/v1/join");

	(void)state;
	c.iat = NOW;
	assert_ok(request_common_check(&c, "POST", "/v1/join", NOW, NULL));
	assert_ok(request_common_check(&c, "POST", "/v1/join", NOW + REQUEST_WINDOW, NULL));
	assert_ok(request_common_check(&c, "POST", "/v1/join", NOW - REQUEST_WINDOW, NULL));
	assert_err(request_common_check(&c, "POST", "/v1/join", NOW + REQUEST_WINDOW + 1, NULL), CLUSTER_EEXPIRED);
	assert_err(request_common_check(&c, "POST", "/v1/join", NOW - REQUEST_WINDOW - 1, NULL), CLUSTER_EEARLY);
	assert_err(request_common_check(&c, "GET", "/v1/join", NOW, NULL), CLUSTER_EDENIED);
	assert_err(request_common_check(&c, "POST", "/v1/join?x=1", NOW, NULL), CLUSTER_EDENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_node), cmocka_unit_test(test_kinds), cmocka_unit_test(test_possession), cmocka_unit_test(test_join), cmocka_unit_test(test_join_refused),
		cmocka_unit_test(test_credential), cmocka_unit_test(test_credential_refused), cmocka_unit_test(test_dpop), cmocka_unit_test(test_common_check),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
