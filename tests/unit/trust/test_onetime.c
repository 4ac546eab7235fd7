/* SPDX-License-Identifier: Apache-2.0 */
/* One-time credentials. THREATS.md B3, B9, B10, C4. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "world.h"

#include "cluster/moment.h"
#include "cluster/onetime.h"

#define NOW INT64_C(1800000000)

static struct world w;
static struct onetime given, got;
static struct diag d;

static int setup(void **state)
{
	const struct credential c = (world_init(&w, NOW), world_credential(&w, WORLD_ALICE));

	(void)state;
	given = (struct onetime){ .cluster = c.cluster, .person = c.person, .device = c.device, .jti = c.jti, .node = w.node.id, .iat = NOW, .exp = NOW + ONETIME_LIFE };
	strcpy(given.account, "emr-user");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_done(&w);
	return 0;
}

static char *make(const struct onetime *o, const struct crypto_key *key)
{
	char *token = NULL;

	assert_ok(onetime_build(o, key, &token));
	return token;
}

static enum cluster_err verify_free(char *token)
{
	const struct keyring_at at = world_at(&w);
	enum cluster_err e = onetime_verify(token, strlen(token), &at, &got, &d);

	free(token);
	return e;
}

static void test_round_trip(void **state)
{
	struct credential c;

	(void)state;
	assert_ok(verify_free(make(&given, w.issuer)));
	assert_true(id_equal(&got.person, &given.person) && id_equal(&got.device, &given.device) && id_equal(&got.jti, &given.jti) && id_equal(&got.node, &given.node));
	assert_true(got.iat == NOW && got.exp == NOW + ONETIME_LIFE);
	c = onetime_credential(&got);
	assert_true(c.n_acc == 1 && strcmp(c.acc[0], "emr-user") == 0 && c.exp == got.exp && c.auth_time == NOW && strcmp(c.issuer, got.issuer) == 0);
}

/* The longest account still fits what sudo takes for an answer. */
static void test_longest(void **state)
{
	char *token;

	(void)state;
	strcpy(given.account, "a2345678901234567890123456789012");
	given.iat = MOMENT_MAX - 1, given.exp = MOMENT_MAX;
	token = make(&given, w.issuer);
	assert_true(strlen(token) <= ONETIME_SIZE_MAX);
	free(token);
}

static void test_refused(void **state)
{
	struct onetime o = given;
	struct credential full = world_credential(&w, WORLD_ALICE);
	struct cluster_id other = world_id('c', 2);
	char *token = make(&given, w.issuer);

	(void)state;
	token[strlen(token) - 5] = token[strlen(token) - 5] == 'A' ? 'B' : 'A';
	assert_err(verify_free(token), CLUSTER_ESIGNATURE);
	assert_err(verify_free(make(&given, w.other)), CLUSTER_ENOTFOUND); /* B9 */
	assert_true(verify_free(world_token(&w, &full, NULL)) != CLUSTER_OK); /* B9: a credential is no one-time credential */
	o.cluster = other;
	assert_err(verify_free(make(&o, w.issuer)), CLUSTER_EDENIED); /* C4 */
	o = given;
	o.exp = o.iat + ONETIME_LIFE_MAX + 1;
	assert_err(verify_free(make(&o, w.issuer)), CLUSTER_EFORMAT);
	o.exp = o.iat;
	assert_err(verify_free(make(&o, w.issuer)), CLUSTER_EFORMAT);
	strcpy(o.account, "Not An Account");
	o.exp = given.exp;
	assert_err(verify_free(make(&o, w.issuer)), CLUSTER_EFORMAT);
}

static enum cluster_err parse(const char *text)
{
	return onetime_parse(text, strlen(text), &got, &d);
}

#define ID "AAECAwQFBgcICQoLDA0ODw"
#define REST "\"aud\":\"cluster:" ID "\",\"dev\":\"" ID "\",\"exp\":1800000100,\"iat\":1800000000,\"jti\":\"" ID "\",\"sub\":\"" ID "\"}"

static void test_claims(void **state)
{
	(void)state;
	assert_ok(parse("{\"acc\":\"core\",\"nod\":\"" ID "\"," REST));
	assert_err(parse("{\"acc\":\"core\"," REST), CLUSTER_EFORMAT);
	assert_err(parse("{\"acc\":[\"core\"],\"nod\":\"" ID "\"," REST), CLUSTER_EFORMAT);
	assert_err(parse("{\"acc\":\"core\",\"nod\":\"node:a\"," REST), CLUSTER_EFORMAT);
	assert_err(parse("{\"acc\":\"core\",\"more\":1,\"nod\":\"" ID "\"," REST), CLUSTER_EFORMAT);
	assert_err(parse("{\"acc\":\"core\",\"acc\":\"core\",\"nod\":\"" ID "\"," REST), CLUSTER_EFORMAT); /* B10 */
	assert_err(parse(""), CLUSTER_EFORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown), cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown), cmocka_unit_test_setup_teardown(test_claims, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
