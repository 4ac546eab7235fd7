/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the hop socket: what is answered when, and that nothing is signed but a login that it was bound to. DESIGN.md 3.3 (hop); THREATS.md B1, B10, C3, C4. */
#include "hop_ground.h"

#include "cluster/sshcert_hop.h"
#include "cluster/userauth.h"
#include "hop_client.h"
#include "hop_talk.h"

static struct ground g;
static struct hop_talk t;
static struct hop_talk_note note;
static uint8_t session_id[GROUND_SESSION_ID], request[SSHAGENT_MSG_MAX + 1], answer[65536];
static size_t answer_n;
static unsigned int asked;
static struct hop_client_bind bound;
static struct hop_client_sign sign;
static struct rd cert[HOP_JUDGE_ACCOUNTS_MAX];
static char comment[HOP_JUDGE_ACCOUNTS_MAX][64];
static uint8_t kept[65536]; /* what the certificates are in */

#define FAILURE 5
#define SUCCESS 6

static int setup(void **state)
{
	(void)state;
	ground_init(&g);
	hop_talk_init(&t);
	memset(session_id, 0x5e, sizeof session_id);
	asked = 0;
	bound = (struct hop_client_bind){ .hostkey = g.hostkey, .hostkey_n = g.hostkey_n, .host = g.host, .session_id = session_id, .session_id_n = sizeof session_id };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hop_talk_done(&t);
	ground_done(&g);
	return 0;
}

/* Says it; asks root where it must. Returns the answer's type, or 0: the connection ends. */
static int say_bytes(const uint8_t *p, size_t n)
{
	struct hop_talk_request q = { .p = p, .n = n, .view = &g.view, .key = g.h.keys[WORLD_HOP_HERE] };
	enum hop_talk_step step;
	struct wr w;

	wr_init(&w, answer, sizeof answer);
	step = hop_talk_take(&t, &q, &w, &note);
	if (step == HOP_TALK_ASK) {
		assert_int_equal(w.n, 0);
		assert_true(hop_talk_judges(&t, p, n));
		asked++;
		q.caller = &g.caller;
		step = hop_talk_take(&t, &q, &w, &note);
	}
	assert_true(step == HOP_TALK_ANSWERED || (step == HOP_TALK_END && w.n == 0));
	assert_ok(wr_end(&w));
	answer_n = w.n;
	return step == HOP_TALK_ANSWERED ? answer[0] : 0;
}

static int bind_now(void)
{
	struct wr w;

	wr_init(&w, request, sizeof request);
	hop_client_bind(&w, &bound);
	assert_ok(wr_end(&w));
	return say_bytes(request, w.n);
}

/* How many identities there are; they are in cert[], and `sign` is the login with the first. */
static uint32_t list(void)
{
	struct rd r, text;
	uint32_t n;

	assert_int_equal(say_bytes((const uint8_t *)"\x0b", 1), 12);
	memcpy(kept, answer, answer_n);
	rd_init(&r, kept + 1, answer_n - 1);
	assert_ok(rd_u32(&r, &n));
	assert_true(n <= HOP_JUDGE_ACCOUNTS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		assert_ok(sshwire_string(&r, &cert[i]));
		assert_ok(sshwire_string(&r, &text));
		assert_true(text.n < sizeof comment[i]);
		memcpy(comment[i], text.p, text.n);
		comment[i][text.n] = '\0';
	}
	assert_ok(rd_end(&r));
	sign = (struct hop_client_sign){ .key = cert[0], .userkey = cert[0], .session_id = { session_id, sizeof session_id }, .hostkey = { g.hostkey, g.hostkey_n }, .user = "emr-user",
		.service = "ssh-connection" };
	return n;
}

static int sign_now(void)
{
	struct wr w;

	wr_init(&w, request, sizeof request);
	hop_client_sign(&w, &sign);
	assert_ok(wr_end(&w));
	return say_bytes(request, w.n);
}

static void refused(enum reason want)
{
	assert_int_equal(note.what, HOP_TALK_REFUSED);
	assert_string_equal(reason_word(note.reason), reason_word(want));
}

/* The certificates are the node's, each for one account; they and the hops in them are what the target verifies. */
static void check_certificate(size_t i, const char *account)
{
	const struct hop_source by = { .cluster = &g.w.root.cluster, .node = &g.w.node.id, .key = &g.h.nodes[WORLD_HOP_HERE].hop };
	struct sshcert c;
	struct hop h;
	struct diag d;

	assert_string_equal(comment[i], account);
	assert_ok(sshcert_parse(cert[i].p, cert[i].n, &c, &d));
	assert_ok(sshcert_hop_verify(&c, &by, &h, &d));
	assert_string_equal(h.account, account);
	assert_true(id_equal(&h.target, &g.h.nodes[WORLD_HOP_EDGE].id));
	assert_int_equal(c.n_critical, 1);
	assert_memory_equal(c.critical[0].data.p + 0, "192.0.2.1,2001:db8::1", c.critical[0].data.n);
}

/* ssh's own order: bind, list, sign. The signature is by the certified key over exactly those bytes. */
static void test_login(void **state)
{
	uint8_t sig[CRYPTO_SIG_SIZE];
	struct sshcert c;
	struct rd r, blob;
	struct diag d;
	struct wr w;

	(void)state;
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(asked, 0);
	assert_int_equal(list(), 2);
	assert_int_equal(note.what, HOP_TALK_NOTHING);
	check_certificate(0, "emr-user");
	check_certificate(1, "alice");
	for (unsigned int i = 0; i < 4; i++) {
		if (i & 1)
			sign.hostkey.p = NULL;
		else
			sign.hostkey.p = g.hostkey;
		sign.key = sign.userkey = cert[i >> 1];
		sign.user = i >> 1 ? "alice" : "emr-user";
		assert_int_equal(sign_now(), 14);
		assert_int_equal(note.what, HOP_TALK_VOUCHED);
		assert_string_equal(note.person, "alice");
		assert_string_equal(note.account, sign.user);
		assert_string_equal(note.target, "edge-1");
		assert_true(id_equal(&note.session, &g.caller.session.id));
		rd_init(&r, answer + 1, answer_n - 1);
		assert_ok(sshwire_string(&r, &blob));
		assert_ok(rd_end(&r));
		assert_ok(sshwire_signature(blob.p, blob.n, CRYPTO_ED25519, sig));
		assert_ok(sshcert_parse(cert[i >> 1].p, cert[i >> 1].n, &c, &d));
		wr_init(&w, request, sizeof request);
		hop_client_data(&w, &sign);
		assert_ok(crypto_verify(&c.pub, w.p, w.n, sig));
	}
	assert_int_equal(asked, 5);
}

static void test_no_address(void **state)
{
	struct sshcert c;
	struct diag d;

	(void)state;
	g.h.nodes[WORLD_HOP_HERE].n_addresses = 0;
	ground_open(&g);
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(list(), 2);
	assert_ok(sshcert_parse(cert[0].p, cert[0].n, &c, &d));
	assert_int_equal(c.n_critical, 0);
}

/* Without a bind there is nothing, and root is not asked. */
static void test_unbound(void **state)
{
	(void)state;
	assert_int_equal(list(), 0);
	assert_int_equal(sign_now(), FAILURE);
	assert_int_equal(asked, 0);
	assert_int_equal(note.what, HOP_TALK_NOTHING);
	assert_int_equal(bind_now(), SUCCESS); /* it is not too late */
	assert_int_equal(list(), 2);
}

static void spoilt(void)
{
	assert_int_equal(say_bytes(request, 0), FAILURE);
	assert_int_equal(list(), 0);
	sign.key = sign.userkey = (struct rd){ kept, 100 };
	assert_int_equal(sign_now(), FAILURE);
	bound.forwarding = 0;
	bound.host = g.host;
	bound.session_id_n = sizeof session_id;
	assert_int_equal(bind_now(), FAILURE);
	assert_int_equal(list(), 0);
	assert_null(t.key);
}

static void test_second_bind(void **state)
{
	(void)state;
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(list(), 2);
	assert_non_null(t.key);
	assert_int_equal(bind_now(), FAILURE); /* even the same one */
	assert_int_equal(sign_now(), FAILURE);
	spoilt();
}

static void test_forwarded(void **state)
{
	(void)state;
	bound.forwarding = 1;
	assert_int_equal(bind_now(), FAILURE);
	spoilt();
}

static void test_false_bind(void **state)
{
	(void)state;
	bound.host = g.w.cnf; /* somebody else signs in the host's name */
	assert_int_equal(bind_now(), FAILURE);
	spoilt();
}

static void test_bind_sizes(void **state)
{
	static uint8_t large[SSHKEY_BLOB_MAX + 100];

	(void)state;
	bound.session_id_n = 31;
	assert_int_equal(bind_now(), FAILURE); /* not a bind: nothing has happened */
	bound.session_id_n = 32;
	assert_int_equal(bind_now(), SUCCESS);
	hop_talk_done(&t);
	bound.hostkey = large;
	bound.hostkey_n = sizeof large;
	assert_int_equal(bind_now(), FAILURE);
	bound.hostkey = g.hostkey;
	bound.hostkey_n = g.hostkey_n;
	assert_int_equal(bind_now(), FAILURE);
}

/* Every part of what is to be signed is compared. */
static void test_sign_other(void **state)
{
	uint8_t other[GROUND_SESSION_ID], key[4096];
	struct hop_client_sign good;
	struct crypto_pub pub;
	struct wr w;

	(void)state;
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(list(), 2);
	good = sign;
	sign.user = "alice"; /* the other certificate's */
	assert_int_equal(sign_now(), FAILURE);
	sign.user = "root";
	assert_int_equal(sign_now(), FAILURE);
	sign = good;
	sign.service = "ssh-other";
	assert_int_equal(sign_now(), FAILURE);
	sign = good;
	memset(other, 0x5f, sizeof other);
	sign.session_id.p = other;
	assert_int_equal(sign_now(), FAILURE);
	sign = good;
	sign.session_id.n--;
	assert_int_equal(sign_now(), FAILURE);
	sign = good;
	sign.hostkey.n--;
	assert_int_equal(sign_now(), FAILURE);
	sign = good;
	sign.userkey = cert[1]; /* asked with the one, signed in the other's name */
	assert_int_equal(sign_now(), FAILURE);
	sign = good;
	memcpy(key, cert[0].p, cert[0].n);
	key[cert[0].n - 1] ^= 1; /* a certificate that was never offered */
	sign.key = sign.userkey = (struct rd){ key, cert[0].n };
	assert_int_equal(sign_now(), FAILURE);
	assert_ok(crypto_key_pub(t.key, &pub)); /* the bare key */
	wr_init(&w, key, sizeof key);
	sshwire_put_blob(&w, &pub);
	sign.key = sign.userkey = (struct rd){ key, w.n };
	assert_int_equal(sign_now(), FAILURE);
	assert_int_equal(asked, 1);
	sign = good;
	assert_int_equal(sign_now(), 14);
}

static void test_sign_without_list(void **state)
{
	uint8_t key[4096];

	(void)state;
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(list(), 2);
	assert_true(cert[0].n < sizeof key);
	memcpy(key, cert[0].p, cert[0].n);
	hop_talk_done(&t); /* another connection, the same session of ssh */
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(sign_now(), FAILURE);
	assert_int_equal(list(), 2);
	sign.key = sign.userkey = (struct rd){ key, cert[0].n };
	assert_int_equal(sign_now(), FAILURE);
}

/* Between list and sign: time, revocation, the end of the session, another session. */
static void test_sign_later(void **state)
{
	(void)state;
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(list(), 2);
	g.view.now.wall = GROUND_NOW + HOP_LIFE_MAX - 1;
	assert_int_equal(sign_now(), 14);
	g.view.now.wall++;
	assert_int_equal(sign_now(), FAILURE);
	refused(REASON_HOP_AGE);
	g.view.now.wall = GROUND_NOW - 1;
	assert_int_equal(sign_now(), FAILURE);
	refused(REASON_HOP_AGE);
	g.view.now.wall = GROUND_NOW;
	g.caller.ended = true;
	assert_int_equal(sign_now(), FAILURE);
	refused(REASON_SESSION_CLOSED);
	g.caller.ended = false;
	g.caller.session.id.b[3] ^= 1;
	assert_int_equal(sign_now(), FAILURE);
	refused(REASON_NO_SESSION);
	g.caller.session.id.b[3] ^= 1;
	ground_machine(&g, "emr-user");
	g.caller.found = false;
	assert_int_equal(sign_now(), FAILURE);
	refused(REASON_NO_SESSION);
	g.caller.found = true;
	assert_int_equal(sign_now(), 14);
	world_revoke_id(&g.w, REVOKE_SESSION, &g.caller.session.id, 0);
	ground_open(&g);
	assert_int_equal(sign_now(), FAILURE);
	refused(REASON_REVOKED_SESSION);
	g.w.revocations.n = 0;
	g.w.grants[WORLD_GRANT_ALICE].n_accounts = 1; /* emr-user only */
	ground_open(&g);
	assert_int_equal(sign_now(), 14);
	sign.key = sign.userkey = cert[1];
	sign.user = "alice";
	assert_int_equal(sign_now(), FAILURE);
	refused(REASON_NO_SESSION);
}

static void expect_refused(enum reason want)
{
	hop_talk_done(&t);
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(list(), 0);
	refused(want);
	assert_null(t.key);
}

/* What the judge refuses is an empty list, with its reason in the log. */
static void test_refused(void **state)
{
	struct session *s = &g.caller.session;
	char *unknown[] = { ground_line(&g, g.w.device) };

	(void)state;
	g.caller.uid = 0;
	expect_refused(REASON_ROOT);
	g.caller.uid = WORLD_UID_LONELY;
	expect_refused(REASON_NO_SESSION);
	g.caller.uid = WORLD_UID_EMR;
	s->kind = SESSION_ONETIME;
	expect_refused(REASON_HOP_ONETIME);
	s->kind = SESSION_CREDENTIAL;
	s->narrowed = true;
	expect_refused(REASON_NARROW_ACCOUNT);
	s->narrowed = false;
	s->hops = HOP_COUNT_MAX;
	expect_refused(REASON_HOP_COUNT);
	s->hops = 0;
	g.caller.found = false;
	expect_refused(REASON_NO_HOP);
	g.caller.found = true;
	g.view.now.wall = GROUND_NOW + WORLD_MAX_STALE + 1;
	asked = 0;
	expect_refused(REASON_STALE_WALL);
	g.view.now.wall = GROUND_NOW;
	g.h.nodes[WORLD_HOP_EDGE].hostkeys = g.others;
	g.h.nodes[WORLD_HOP_HERE].hostkeys = unknown;
	ground_open(&g);
	expect_refused(REASON_HOP_TARGET);
	assert_int_equal(asked, 0); /* root is not troubled for these */
}

static void test_machine(void **state)
{
	(void)state;
	ground_machine(&g, "emr-user");
	g.caller.found = false;
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(list(), 1);
	check_certificate(0, "emr-user");
	assert_int_equal(sign_now(), 14);
	assert_string_equal(note.person, "-");
	g.caller.found = true; /* what was offered to the machine is not the person's */
	assert_int_equal(sign_now(), FAILURE);
	refused(REASON_NO_SESSION);
}

/* No snapshot: nothing, and why. */
static void test_no_view(void **state)
{
	struct hop_talk_request q = { .p = (const uint8_t *)"\x0b", .n = 1, .why = REASON_SNAPSHOT_DAMAGED, .key = g.h.keys[WORLD_HOP_HERE] };
	struct wr w;

	(void)state;
	assert_int_equal(bind_now(), SUCCESS);
	for (int i = 0; i < 2; i++) {
		wr_init(&w, answer, sizeof answer);
		assert_int_equal(hop_talk_take(&t, &q, &w, &note), HOP_TALK_ANSWERED);
		assert_int_equal(w.n, 5);
		refused(i ? REASON_SYSTEM : REASON_SNAPSHOT_DAMAGED);
		q.why = REASON_OK;
	}
}

/* A new list makes new certificates; those before are worth nothing. */
static void test_list_again(void **state)
{
	uint8_t old[4096];
	size_t n;

	(void)state;
	assert_int_equal(bind_now(), SUCCESS);
	assert_int_equal(list(), 2);
	n = cert[0].n;
	memcpy(old, cert[0].p, n);
	assert_int_equal(list(), 2);
	assert_int_equal(sign_now(), 14);
	sign.key = sign.userkey = (struct rd){ old, n };
	assert_int_equal(sign_now(), FAILURE);
	g.caller.ended = true;
	assert_int_equal(list(), 0);
	g.caller.ended = false;
	sign.key = sign.userkey = (struct rd){ old, n };
	assert_int_equal(sign_now(), FAILURE);
}

/* Other requests are failures, and so many requests are enough. */
static void test_other_requests(void **state)
{
	uint8_t one[2] = { 0 };

	(void)state;
	for (unsigned int i = 0; i < HOP_TALK_REQUESTS_MAX; i++) {
		one[0] = (uint8_t)(i == 11 || i == 13 ? 250 : i);
		assert_int_equal(say_bytes(one, i & 1 ? 2 : 1), FAILURE);
	}
	assert_int_equal(say_bytes((const uint8_t *)"\x0b", 1), 0);
	assert_int_equal(bind_now(), 0);
}

static void test_too_long(void **state)
{
	(void)state;
	memset(request, 0, sizeof request);
	request[0] = 13;
	assert_int_equal(say_bytes(request, SSHAGENT_MSG_MAX + 1), FAILURE);
	assert_int_equal(say_bytes(request, SSHAGENT_MSG_MAX), FAILURE);
}

/* This node's own hop key must be the directory's, and this node in it: else nothing is made that the target would refuse anyway. */
static void test_self_unknown(void **state)
{
	(void)state;
	assert_int_equal(bind_now(), SUCCESS);
	g.trust.self.node.b[5] ^= 1;
	assert_int_equal(list(), 0);
	refused(REASON_HOP_SOURCE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_login), T(test_no_address), T(test_unbound), T(test_second_bind), T(test_forwarded), T(test_false_bind), T(test_bind_sizes), T(test_sign_other),
		T(test_sign_without_list), T(test_sign_later), T(test_refused), T(test_machine), T(test_no_view), T(test_list_again), T(test_other_requests), T(test_too_long),
		T(test_self_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
