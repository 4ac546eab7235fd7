/* SPDX-License-Identifier: Apache-2.0 */
/* One login through a hop with each allocation failing once, and from then on: there is an answer that holds or none, never half of one. THREATS.md A1. */
#include "hop_ground.h"

#include <errno.h>

#include "cluster/attr.h"
#include "hop_client.h"
#include "hop_talk.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAILING 0 /* the sanitizer has malloc for itself */
#else
#define FAILING 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef FAILING
#define FAILING 0
#endif
#endif

static struct fault {
	bool armed, from_then_on;
	unsigned long count, target;
} fault;

#if FAILING
static bool tick(void)
{
	if (!fault.armed)
		return false;
	fault.count++;
	return fault.count == fault.target || (fault.from_then_on && fault.count > fault.target);
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

CLUSTER_EXPORT void *malloc(size_t n)
{
	if (!tick())
		return __libc_malloc(n);
	errno = ENOMEM;
	return NULL;
}

CLUSTER_EXPORT void *calloc(size_t n, size_t size)
{
	if (!tick())
		return __libc_calloc(n, size);
	errno = ENOMEM;
	return NULL;
}

CLUSTER_EXPORT void *realloc(void *p, size_t n)
{
	if (!tick())
		return __libc_realloc(p, n);
	errno = ENOMEM;
	return NULL;
}
#endif

static struct ground g;
static uint8_t request[8192], answer[16384], session_id[64];

/* Says it to the machine with faults, as the process does; the answer's type, or 0. */
static int say(struct hop_talk *t, size_t n, size_t *ret_n, struct hop_talk_note *note)
{
	struct hop_talk_request q = { .p = request, .n = n, .view = &g.view, .key = g.h.keys[WORLD_HOP_HERE] };
	enum hop_talk_step step;
	struct wr w;
	int type;

	fault.armed = true;
	wr_grow(&w, sizeof answer);
	step = hop_talk_take(t, &q, &w, note);
	if (step == HOP_TALK_ASK) {
		q.caller = &g.caller;
		step = hop_talk_take(t, &q, &w, note);
	}
	fault.armed = false;
	type = step == HOP_TALK_ANSWERED && wr_end(&w) == CLUSTER_OK ? w.p[0] : 0;
	*ret_n = type ? w.n : 0;
	if (type)
		memcpy(answer, w.p, w.n);
	wr_done(&w);
	return type;
}

static bool verified(const struct rd *cert, const struct hop_client_sign *s, size_t n)
{
	uint8_t sig[CRYPTO_SIG_SIZE];
	struct sshcert c;
	struct rd r, blob;
	struct diag d;
	struct wr w;

	rd_init(&r, answer + 1, n - 1);
	wr_init(&w, request, sizeof request);
	hop_client_data(&w, s);
	return sshwire_string(&r, &blob) == CLUSTER_OK && rd_end(&r) == CLUSTER_OK && sshwire_signature(blob.p, blob.n, CRYPTO_ED25519, sig) == CLUSTER_OK &&
	    sshcert_parse(cert->p, cert->n, &c, &d) == CLUSTER_OK && crypto_verify(&c.pub, w.p, w.n, sig) == CLUSTER_OK;
}

/* The whole of it. Did it come to a signature? */
static bool login(void)
{
	const struct hop_client_bind bind = { .hostkey = g.hostkey, .hostkey_n = g.hostkey_n, .host = g.host, .session_id = session_id, .session_id_n = sizeof session_id };
	static uint8_t kept[16384];
	struct hop_client_sign s = { .session_id = { session_id, sizeof session_id }, .hostkey = { g.hostkey, g.hostkey_n }, .user = "emr-user", .service = "ssh-connection" };
	struct hop_talk_note note = { .what = HOP_TALK_NOTHING };
	struct hop_talk t;
	bool done = false;
	struct rd r, cert;
	uint32_t count;
	struct wr w;
	size_t n;
	int type;

	hop_talk_init(&t);
	wr_init(&w, request, sizeof request);
	hop_client_bind(&w, &bind);
	type = say(&t, w.n, &n, &note);
	assert_true(type == 6 || type == 5 || type == 0);
	request[0] = 11;
	type = say(&t, 1, &n, &note);
	assert_true(type == 12 || type == 0);
	if (type == 0)
		goto out;
	memcpy(kept, answer, n);
	rd_init(&r, kept + 1, n - 1);
	assert_ok(rd_u32(&r, &count));
	assert_true(count == 0 || count == 2); /* all or none */
	if (count == 0)
		goto out;
	assert_ok(sshwire_string(&r, &cert));
	s.key = s.userkey = cert;
	wr_init(&w, request, sizeof request);
	hop_client_sign(&w, &s);
	type = say(&t, w.n, &n, &note);
	assert_true(type == 14 || type == 5 || type == 0);
	done = type == 14;
	assert_true(type != 14 || (note.what == HOP_TALK_VOUCHED && verified(&cert, &s, n)));
out:
	hop_talk_done(&t);
	return done;
}

static void each(bool from_then_on)
{
	unsigned long most, failed = 0;

	ground_init(&g);
	fault = (struct fault){ .target = 0 };
	assert_true(login());
	most = fault.count;
	assert_true(!FAILING || most > 20);
	for (unsigned long i = 1; i <= most; i++) {
		fault = (struct fault){ .from_then_on = from_then_on, .target = i };
		failed += !login();
	}
	assert_true(!FAILING || failed > most / 2);
	fault = (struct fault){ .target = 0 };
	assert_true(login());
	ground_done(&g);
}

static void test_once(void **state)
{
	(void)state;
	each(false);
}

static void test_from_then_on(void **state)
{
	(void)state;
	each(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_once), cmocka_unit_test(test_from_then_on) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
