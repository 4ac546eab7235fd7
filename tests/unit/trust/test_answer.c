/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to step-up challenges. THREATS.md B8, B9, C1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "world.h"

#include "cluster/answer.h"
#include "cluster/b64.h"
#include "cluster/jws.h"

#define NOW INT64_C(1800000000)

static struct world w;
static struct challenge ch;
static struct crypto_key *device;
static struct cluster_id id;
static struct answer got;
static struct diag d;

static int setup(void **state)
{
	(void)state;
	world_init(&w, NOW);
	ch = world_challenge(&w, "sudo", "alice");
	id = world_credential(&w, WORLD_ALICE).person;
	assert_ok(crypto_key_new(CRYPTO_ED25519, &device));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	crypto_key_free(device);
	world_done(&w);
	return 0;
}

static char *make(const struct crypto_key *key)
{
	char *token = NULL;

	assert_ok(answer_build(&ch, &id, key, NOW, &token));
	return token;
}

static enum cluster_err elsewhere(void *ctx, const void *data, size_t n, uint8_t ret[CRYPTO_SIG_SIZE])
{
	return crypto_sign(ctx, data, n, ret);
}

/* A key that is not here, such as an ssh-agent's, makes the same answer; under another's name it is none. */
static void test_signed_elsewhere(void **state)
{
	struct jws_signer signer = { .sign = elsewhere, .ctx = device };
	char *token = NULL;

	(void)state;
	assert_ok(crypto_key_pub(device, &signer.pub));
	assert_ok(answer_build_by(&ch, &id, &signer, NOW, &token));
	assert_ok(answer_verify(token, strlen(token), &ch, &got, &d));
	free(token);
	token = NULL;
	signer.pub.bytes[0] ^= 1; /* another's name */
	if (answer_build_by(&ch, &id, &signer, NOW, &token) == CLUSTER_OK)
		assert_int_not_equal(answer_verify(token, strlen(token), &ch, &got, &d), CLUSTER_OK);
	free(token);
}

static void test_round_trip(void **state)
{
	char jkt[JWK_THUMBPRINT + 1], got_jkt[JWK_THUMBPRINT + 1], *token = make(device);
	struct crypto_pub pub;

	(void)state;
	assert_true(strlen(token) <= ANSWER_SIZE_MAX);
	assert_ok(answer_verify(token, strlen(token), &ch, &got, &d));
	assert_ok(crypto_key_pub(device, &pub));
	assert_ok(jwk_thumbprint(&pub, jkt));
	assert_ok(b64_encode(got.thumbprint, sizeof got.thumbprint, got_jkt, sizeof got_jkt));
	assert_string_equal(got_jkt, jkt);
	assert_true(id_equal(&got.person, &id) && got.iat == NOW);
	free(token);
}

static void test_p256_fits(void **state)
{
	struct crypto_key *p256 = NULL;
	char *token;

	(void)state;
	assert_ok(crypto_key_new(CRYPTO_ES256, &p256));
	token = make(p256);
	assert_true(strlen(token) <= ANSWER_SIZE_MAX);
	assert_ok(answer_verify(token, strlen(token), &ch, &got, &d));
	free(token);
	crypto_key_free(p256);
}

/* C1: another nonce, node, account, service or time is another challenge. */
static void test_other_challenges(void **state)
{
	char *token = make(device);
	struct challenge other = ch;

	(void)state;
	other.nonce[0] ^= 1;
	assert_err(answer_verify(token, strlen(token), &other, &got, &d), CLUSTER_ESIGNATURE);
	other = ch;
	other.node.b[3] ^= 1;
	assert_err(answer_verify(token, strlen(token), &other, &got, &d), CLUSTER_ESIGNATURE);
	other = ch;
	strcpy(other.account, "bob");
	assert_err(answer_verify(token, strlen(token), &other, &got, &d), CLUSTER_ESIGNATURE);
	other = ch;
	strcpy(other.service, "su");
	assert_err(answer_verify(token, strlen(token), &other, &got, &d), CLUSTER_ESIGNATURE);
	other = ch;
	other.time++;
	assert_err(answer_verify(token, strlen(token), &other, &got, &d), CLUSTER_ESIGNATURE);
	free(token);
}

static void test_forged(void **state)
{
	const struct credential c = world_credential(&w, WORLD_ALICE);
	char *token = make(device), *mine = NULL, *payload, *other = NULL;
	struct crypto_key *stranger = NULL;
	struct jws j;

	(void)state;
	assert_ok(crypto_key_new(CRYPTO_ED25519, &stranger));
	/* the payload of one key, signed by another */
	assert_ok(jws_parse(token, strlen(token), JWS_ANSWER, &j, &d));
	payload = strdup((const char *)j.payload);
	jws_done(&j);
	assert_ok(jws_sign(stranger, JWS_ANSWER, payload, strlen(payload), &mine));
	assert_err(answer_verify(mine, strlen(mine), &ch, &got, &d), CLUSTER_ESIGNATURE);
	token[strlen(token) - 5] = token[strlen(token) - 5] == 'A' ? 'B' : 'A';
	assert_err(answer_verify(token, strlen(token), &ch, &got, &d), CLUSTER_ESIGNATURE);
	/* B9 */
	other = world_token(&w, &c, NULL);
	assert_true(answer_verify(other, strlen(other), &ch, &got, &d) != CLUSTER_OK);
	assert_err(answer_verify("", 0, &ch, &got, &d), CLUSTER_EFORMAT);
	free(other);
	free(mine);
	free(payload);
	free(token);
	crypto_key_free(stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signed_elsewhere, setup, teardown), cmocka_unit_test_setup_teardown(test_p256_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_challenges, setup, teardown), cmocka_unit_test_setup_teardown(test_forged, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
