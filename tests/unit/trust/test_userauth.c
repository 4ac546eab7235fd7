/* SPDX-License-Identifier: Apache-2.0 */
/* What an ssh client has signed in order to log in: as OpenSSH 9.2 sent it, and all that it is not. THREATS.md B10, C3. */
#include "unit.h"

#include <string.h>

#include "cluster/crypto.h"
#include "cluster/sshagent_msg.h"
#include "cluster/sshcert.h"
#include "cluster/sshwire.h"
#include "cluster/userauth.h"
#include "snap_vector.h"

static const char *const kinds[] = { "ed25519", "p256", "rsa", "plain" };
#define PLAIN 3

static uint8_t bind_bytes[4096], sign_bytes[4096];
static struct sshagent_msg bind_msg, sign_msg;
static struct userauth_bind bind;
static struct userauth u;

/* The two requests of one login; `bind` allows it. */
static void take(const char *kind)
{
	char path[64];

	snprintf(path, sizeof path, "tests/vectors/ssh-agent-bind_%s.hex", kind);
	assert_ok(sshagent_msg_parse(bind_bytes, snap_vector_read(path, bind_bytes, sizeof bind_bytes), &bind_msg));
	snprintf(path, sizeof path, "tests/vectors/ssh-agent-sign_%s.hex", kind);
	assert_ok(sshagent_msg_parse(sign_bytes, snap_vector_read(path, sign_bytes, sizeof sign_bytes), &sign_msg));
	bind = (struct userauth_bind){ .session_id = bind_msg.session_id, .hostkey = bind_msg.hostkey, .key = sign_msg.key, .user = "root" };
}

static enum cluster_err parse(void)
{
	return userauth_parse(sign_msg.data.p, sign_msg.data.n, &u);
}

static void test_real(void **state)
{
	struct sshcert cert;

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		take(kinds[i]);
		assert_ok(parse());
		assert_true(sshwire_is(&u.user, "root") && sshwire_is(&u.algorithm, "ssh-ed25519-cert-v01@openssh.com"));
		assert_int_equal(u.hostbound, i != PLAIN);
		assert_true(u.hostbound ? u.hostkey.n == bind.hostkey.n : !u.hostkey.p);
		assert_ok(sshcert_parse(u.key.p, u.key.n, &cert, NULL));
		assert_true(userauth_bound(&u, &bind));
	}
}

static void test_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		take(kinds[i]);
		for (size_t n = 0; n < sign_msg.data.n; n++)
			assert_err(userauth_parse(sign_msg.data.p, n, &u), CLUSTER_ETRUNC);
		assert_err(userauth_parse(sign_msg.data.p, sign_msg.data.n + 1, &u), CLUSTER_EFORMAT); /* a byte of the flags */
		assert_ok(parse());
	}
}

/* One bit of anything: refused, by the form or as not bound. */
static void test_every_bit(void **state)
{
	uint8_t *p;

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		take(kinds[i]);
		p = sign_bytes + (sign_msg.data.p - sign_bytes);
		for (size_t k = 0; k < sign_msg.data.n * 8; k++) {
			p[k / 8] ^= (uint8_t)(1 << k % 8);
			assert_false(parse() == CLUSTER_OK && userauth_bound(&u, &bind));
			p[k / 8] ^= (uint8_t)(1 << k % 8);
		}
		assert_true(parse() == CLUSTER_OK && userauth_bound(&u, &bind));
	}
}

/* C3: what is bound to another session, host, user or key is not signed. */
static void test_not_bound(void **state)
{
	static const char *const users[] = { "", "roo", "root2", "Root", "emr-user" };
	uint8_t session_id[SSHAGENT_MSG_SESSION_ID_MAX];
	struct userauth_bind was;
	struct rd empty = { 0 };

	(void)state;
	take("ed25519");
	assert_ok(parse());
	was = bind;
	for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
		bind.user = users[i];
		assert_false(userauth_bound(&u, &bind));
	}
	bind = was, bind.session_id.n--;
	assert_false(userauth_bound(&u, &bind));
	bind = was, bind.session_id = empty;
	assert_false(userauth_bound(&u, &bind));
	bind = was, bind.hostkey = was.key;
	assert_false(userauth_bound(&u, &bind));
	bind = was, bind.hostkey = empty;
	assert_false(userauth_bound(&u, &bind));
	bind = was, bind.key = was.hostkey;
	assert_false(userauth_bound(&u, &bind));
	bind = was, bind.key = empty;
	assert_false(userauth_bound(&u, &bind));
	bind = was;
	assert_true(userauth_bound(&u, &bind));
	memcpy(session_id, was.session_id.p, was.session_id.n);
	take("plain"); /* another login to the same host, and no host key in the request: the session id stands for it */
	assert_ok(parse());
	assert_true(userauth_bound(&u, &bind));
	bind.hostkey = empty;
	assert_false(userauth_bound(&u, &bind));
	take("plain");
	bind.session_id.p = session_id;
	assert_false(userauth_bound(&u, &bind));
}

/* A request of our own making, each part replaced in turn. */
struct made {
	const char *session_id, *user, *service, *method, *algorithm, *key, *hostkey;
	uint8_t type, has_signature;
};

static enum cluster_err parse_made(const struct made *m)
{
	static uint8_t out[1024];
	struct wr w;

	wr_init(&w, out, sizeof out);
	sshwire_put_text(&w, m->session_id);
	wr_u8(&w, m->type);
	sshwire_put_text(&w, m->user);
	sshwire_put_text(&w, m->service);
	sshwire_put_text(&w, m->method);
	wr_u8(&w, m->has_signature);
	sshwire_put_text(&w, m->algorithm);
	sshwire_put_text(&w, m->key);
	if (m->hostkey)
		sshwire_put_text(&w, m->hostkey);
	assert_ok(wr_end(&w));
	return userauth_parse(out, w.n, &u);
}

static void test_parts(void **state)
{
	const struct made fine = { "0123456789", "emr-user", "ssh-connection", "publickey", "ssh-ed25519", "key", NULL, 50, 1 };
	struct made m = fine;

	(void)state;
	assert_ok(parse_made(&m));
	m.hostkey = "host";
	assert_err(parse_made(&m), CLUSTER_EFORMAT);
	m.method = "publickey-hostbound-v00@openssh.com";
	assert_ok(parse_made(&m));
	m.hostkey = "";
	assert_err(parse_made(&m), CLUSTER_EFORMAT);
	m.hostkey = NULL;
	assert_err(parse_made(&m), CLUSTER_ETRUNC);
	m = fine, m.method = "hostbased";
	assert_err(parse_made(&m), CLUSTER_EDENIED);
	m.method = "publickey-hostbound-v01@openssh.com";
	assert_err(parse_made(&m), CLUSTER_EDENIED);
	m = fine, m.service = "ssh-userauth";
	assert_err(parse_made(&m), CLUSTER_EDENIED);
	m = fine, m.type = 51;
	assert_err(parse_made(&m), CLUSTER_EDENIED);
	for (m = fine, m.has_signature = 0; m.has_signature < 255; m.has_signature++)
		assert_err(parse_made(&m), m.has_signature == 1 ? CLUSTER_OK : CLUSTER_EFORMAT);
	m = fine, m.session_id = "";
	assert_err(parse_made(&m), CLUSTER_EFORMAT);
	m = fine, m.user = "";
	assert_err(parse_made(&m), CLUSTER_EFORMAT);
	m = fine, m.algorithm = "";
	assert_err(parse_made(&m), CLUSTER_EFORMAT);
	m = fine, m.key = "";
	assert_err(parse_made(&m), CLUSTER_EFORMAT);
}

static void test_nul(void **state)
{
	static const uint8_t nul[] = { 0, 0, 0, 1, 'i', 50, 0, 0, 0, 5, 'r', 'o', 'o', 't', 0 };
	uint8_t out[200];
	struct wr w;

	(void)state;
	wr_init(&w, out, sizeof out);
	wr_bytes(&w, nul, sizeof nul);
	sshwire_put_text(&w, "ssh-connection");
	sshwire_put_text(&w, "publickey");
	wr_u8(&w, 1);
	sshwire_put_text(&w, "ssh-ed25519");
	sshwire_put_text(&w, "key");
	assert_err(userauth_parse(out, w.n, &u), CLUSTER_EFORMAT);
	out[14] = 't';
	assert_ok(userauth_parse(out, w.n, &u));
}

/* C3: other things that a key may be asked to sign. */
static void test_foreign(void **state)
{
	static const char sshsig[] = "SSHSIG\0\0\0\4file\0\0\0\0\0\0\0\6sha512\0\0\0\100................................................................";
	uint8_t out[4096];

	(void)state;
	assert_int_not_equal(userauth_parse(sshsig, sizeof sshsig - 1, &u), CLUSTER_OK);
	take("ed25519");
	assert_int_not_equal(userauth_parse(bind_msg.session_id.p, bind_msg.session_id.n, &u), CLUSTER_OK);
	assert_int_not_equal(userauth_parse(sign_msg.key.p, sign_msg.key.n, &u), CLUSTER_OK); /* a certificate */
	memset(out, 0xff, sizeof out);
	assert_err(userauth_parse(out, sizeof out, &u), CLUSTER_ETRUNC);
	memset(out, 0, sizeof out);
	assert_err(userauth_parse(out, sizeof out, &u), CLUSTER_EFORMAT);
}

static int start(void **state)
{
	(void)state;
	return crypto_start() == CLUSTER_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real), cmocka_unit_test(test_length), cmocka_unit_test(test_every_bit), cmocka_unit_test(test_not_bound),
		cmocka_unit_test(test_parts), cmocka_unit_test(test_nul), cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
