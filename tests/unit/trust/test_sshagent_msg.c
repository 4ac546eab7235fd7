/* SPDX-License-Identifier: Apache-2.0 */
/* The ssh-agent protocol as the one who answers: requests as OpenSSH 9.2 sent them, and all that they are not. THREATS.md B1, B10. */
#include "unit.h"

#include <string.h>

#include "cluster/sshagent_msg.h"
#include "cluster/sshwire.h"
#include "snap_vector.h"

static const char *const binds[] = { "tests/vectors/ssh-agent-bind_ed25519.hex", "tests/vectors/ssh-agent-bind_p256.hex", "tests/vectors/ssh-agent-bind_plain.hex",
	"tests/vectors/ssh-agent-bind_rsa.hex" };
#define SIGN "tests/vectors/ssh-agent-sign_ed25519.hex"

static uint8_t bytes[4096];
static size_t size;
static struct sshagent_msg m;

static void take(const char *path)
{
	size = snap_vector_read(path, bytes, sizeof bytes);
}

static enum cluster_err parse(void)
{
	return sshagent_msg_parse(bytes, size, &m);
}

/* Nothing shorter or longer is read. */
static void check_length(void)
{
	size_t whole = size;

	for (size = 0; size < whole; size++)
		assert_err(parse(), CLUSTER_ETRUNC);
	bytes[whole] = 0;
	size = whole + 1;
	assert_err(parse(), CLUSTER_EFORMAT);
	size = whole;
	assert_ok(parse());
}

static void test_bind(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof binds / sizeof *binds; i++) {
		take(binds[i]);
		assert_ok(parse());
		assert_int_equal(m.type, SSHAGENT_MSG_BIND);
		assert_int_equal(m.session_id.n, 64);
		assert_false(m.forwarding);
		assert_ok(sshagent_msg_bind_verify(&m));
		check_length();
		bytes[size - 1] = 1;
		assert_ok(parse());
		assert_true(m.forwarding);
	}
}

/* Every bit of session id and signature counts. */
static void test_bind_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof binds / sizeof *binds; i++) {
		take(binds[i]);
		assert_ok(parse());
		for (const uint8_t *p = m.hostkey.p; p < bytes + size - 1; p++) {
			bytes[p - bytes] ^= (uint8_t)(1 << (p - bytes) % 8);
			if (parse() == CLUSTER_OK)
				assert_int_not_equal(sshagent_msg_bind_verify(&m), CLUSTER_OK);
			bytes[p - bytes] ^= (uint8_t)(1 << (p - bytes) % 8);
		}
		assert_ok(parse());
		assert_ok(sshagent_msg_bind_verify(&m));
	}
}

/* The signature of one connection over the session id of another. */
static void test_bind_other(void **state)
{
	uint8_t other[4096];
	struct sshagent_msg o;

	(void)state;
	take(binds[0]);
	assert_ok(sshagent_msg_parse(other, snap_vector_read(binds[2], other, sizeof other), &o));
	assert_ok(parse());
	assert_true(o.hostkey.n == m.hostkey.n && memcmp(o.hostkey.p, m.hostkey.p, m.hostkey.n) == 0);
	m.signature = o.signature;
	assert_err(sshagent_msg_bind_verify(&m), CLUSTER_ESIGNATURE);
	take(binds[1]);
	assert_ok(parse());
	m.signature = o.signature;
	assert_err(sshagent_msg_bind_verify(&m), CLUSTER_ESIGNATURE);
}

/* A host key of a type that no directory has: refused, whatever the signature. */
static void test_bind_certificate(void **state)
{
	uint8_t other[4096];
	struct sshagent_msg o;

	(void)state;
	take(binds[0]);
	assert_ok(parse());
	assert_ok(sshagent_msg_parse(other, snap_vector_read(SIGN, other, sizeof other), &o));
	m.hostkey = o.key;
	assert_err(sshagent_msg_bind_verify(&m), CLUSTER_EDENIED);
}

static void put_bind(struct wr *w, const char *name, size_t session_n)
{
	static const uint8_t zero[100];

	wr_u8(w, SSHAGENT_MSG_BIND);
	sshwire_put_text(w, name);
	sshwire_put_text(w, "key");
	sshwire_put(w, zero, session_n);
	sshwire_put_text(w, "signature");
	wr_u8(w, 0);
	size = w->n;
}

static void test_bind_form(void **state)
{
	struct wr w;

	(void)state;
	for (size_t n = 0; n < 100; n++) {
		wr_init(&w, bytes, sizeof bytes);
		put_bind(&w, "session-bind@openssh.com", n);
		assert_err(parse(), n >= SSHAGENT_MSG_SESSION_ID_MIN && n <= SSHAGENT_MSG_SESSION_ID_MAX ? CLUSTER_OK : CLUSTER_EFORMAT);
	}
	wr_init(&w, bytes, sizeof bytes);
	put_bind(&w, "session-bind@openssh.com", 32);
	assert_ok(parse());
	assert_int_not_equal(sshagent_msg_bind_verify(&m), CLUSTER_OK);
	wr_init(&w, bytes, sizeof bytes);
	put_bind(&w, "session-bind@openssh.con", 32);
	assert_err(parse(), CLUSTER_EDENIED);
	wr_init(&w, bytes, sizeof bytes);
	put_bind(&w, "query", 32);
	assert_err(parse(), CLUSTER_EDENIED);
}

static void test_sign(void **state)
{
	(void)state;
	take(SIGN);
	assert_ok(parse());
	assert_int_equal(m.type, SSHAGENT_MSG_SIGN);
	assert_true(m.key.n == 458 && m.data.n == 688 && m.flags == 0);
	assert_err(sshagent_msg_bind_verify(&m), CLUSTER_EDENIED);
	check_length();
	bytes[size - 1] = 4;
	assert_ok(parse());
	assert_int_equal(m.flags, 4);
}

static void test_list_and_others(void **state)
{
	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		bytes[0] = (uint8_t)type;
		size = 1;
		assert_err(parse(), type == 11 ? CLUSTER_OK : type == 13 || type == 27 ? CLUSTER_ETRUNC : CLUSTER_EDENIED);
	}
	bytes[0] = 11, bytes[1] = 0;
	check_length();
	assert_int_equal(m.type, SSHAGENT_MSG_LIST);
	size = 0;
	assert_err(parse(), CLUSTER_ETRUNC);
	assert_err(sshagent_msg_parse(bytes, SSHAGENT_MSG_MAX + 1, &m), CLUSTER_ELIMIT);
}

static void test_limits(void **state)
{
	static uint8_t big[SSHAGENT_MSG_MAX];
	struct wr w;

	(void)state;
	for (size_t n = SSHAGENT_MSG_KEY_MAX; n <= SSHAGENT_MSG_KEY_MAX + 1; n++) {
		wr_init(&w, big, sizeof big);
		wr_u8(&w, SSHAGENT_MSG_SIGN);
		wr_u32(&w, (uint32_t)n);
		wr_zero(&w, n);
		wr_zero(&w, 8);
		assert_ok(wr_end(&w));
		assert_err(sshagent_msg_parse(big, w.n, &m), n > SSHAGENT_MSG_KEY_MAX ? CLUSTER_ELIMIT : CLUSTER_OK);
	}
}

static void test_answers(void **state)
{
	static const uint8_t want[] = { 12, 0, 0, 0, 2, 0, 0, 0, 3, 'k', 'e', 'y', 0, 0, 0, 1, 'c', 0, 0, 0, 2, 'k', '2', 0, 0, 0, 0 };
	const struct sshagent_msg_identity list[] = { { (const uint8_t *)"key", 3, "c" }, { (const uint8_t *)"k2", 2, "" } };
	uint8_t sig[CRYPTO_SIG_SIZE], back[CRYPTO_SIG_SIZE];
	struct wr w;

	(void)state;
	wr_init(&w, bytes, sizeof bytes);
	sshagent_msg_identities(&w, list, 2);
	assert_int_equal(w.n, sizeof want);
	assert_memory_equal(bytes, want, sizeof want);
	wr_init(&w, bytes, sizeof bytes);
	sshagent_msg_identities(&w, NULL, 0);
	assert_int_equal(w.n, 5);
	assert_memory_equal(bytes, "\14\0\0\0\0", 5);
	wr_init(&w, bytes, sizeof bytes);
	sshagent_msg_failure(&w);
	sshagent_msg_success(&w);
	assert_int_equal(w.n, 2);
	assert_memory_equal(bytes, "\5\6", 2);
	for (size_t i = 0; i < sizeof sig; i++)
		sig[i] = (uint8_t)(200 + i);
	for (enum crypto_alg alg = CRYPTO_ED25519; alg <= CRYPTO_ES256; alg++) {
		wr_init(&w, bytes, sizeof bytes);
		sshagent_msg_signature(&w, alg, sig);
		assert_ok(wr_end(&w));
		assert_true(w.n > 5 && bytes[0] == 14 && bytes[4] == w.n - 5);
		assert_ok(sshwire_signature(bytes + 5, w.n - 5, alg, back));
		assert_memory_equal(sig, back, sizeof sig);
	}
}

static int start(void **state)
{
	(void)state;
	return crypto_start() == CLUSTER_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind), cmocka_unit_test(test_bind_damage), cmocka_unit_test(test_bind_other), cmocka_unit_test(test_bind_certificate), cmocka_unit_test(test_bind_form),
		cmocka_unit_test(test_sign), cmocka_unit_test(test_list_and_others), cmocka_unit_test(test_limits), cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
