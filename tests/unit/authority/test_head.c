/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "head.h"

/* What a request's head may look like (PROTOCOL.md 6; THREATS.md H11). */

static struct head h;
static char text[HEAD_MAX + 100];
static struct diag d;

static enum cluster_err parse(const char *head)
{
	size_t n = strlen(head);

	assert_true(n < sizeof text);
	memcpy(text, head, n + 1);
	memset(&h, 0, sizeof h);
	diag_clear(&d);
	return head_parse(text, n, &h, &d);
}

static void test_good(void **state)
{
	(void)state;
	assert_ok(parse("GET /v1/head?after=3&wait=60 HTTP/1.1\r\nHost: a:7443\r\nAuthorization: Cluster-Node x.y.z\r\nAccept: */*\r\n\r\n"));
	assert_int_equal(h.method, HEAD_GET);
	assert_string_equal(h.target, "/v1/head?after=3&wait=60");
	assert_int_equal(h.path_n, 8);
	assert_string_equal(h.query, "after=3&wait=60");
	assert_string_equal(h.authorization, "Cluster-Node x.y.z");
	assert_null(h.dpop);
	assert_false(h.close);
	assert_ok(parse("POST /v1/join HTTP/1.1\r\nhOST: a\r\ncontent-LENGTH: 17\r\nConnection: close\r\nDPoP:\t x \t\r\n\r\n"));
	assert_int_equal(h.body_n, 17);
	assert_true(h.close);
	assert_string_equal(h.dpop, "x");
	assert_null(h.query);
	assert_ok(parse("POST /v1/join HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
	assert_ok(parse("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
}

#define H "Host: a\r\n"

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"", "\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.0\r\n" H "\r\n", "GET / HTTP/1.1 \r\n" H "\r\n", "GET  / HTTP/1.1\r\n" H "\r\n", "get / HTTP/1.1\r\n" H "\r\n",
		"PUT / HTTP/1.1\r\n" H "\r\n", "HEAD / HTTP/1.1\r\n" H "\r\n", "GET http://a/ HTTP/1.1\r\n" H "\r\n", "GET * HTTP/1.1\r\n" H "\r\n", "GET /%2e HTTP/1.1\r\n" H "\r\n",
		"GET /#x HTTP/1.1\r\n" H "\r\n", "GET /\x01 HTTP/1.1\r\n" H "\r\n", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n",
		/* line ends */
		"GET / HTTP/1.1\n" H "\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "GET / HTTP/1.1\r\n" H "\r\nx", "GET / HTTP/1.1\r\n" H,
		/* folding, and white space where none belongs */
		"GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\n" H "\tA: b\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n" H "A B: c\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "nocolon\r\n\r\n", "GET / HTTP/1.1\r\n" H ": b\r\n\r\n", "GET / HTTP/1.1\r\n" H "A: \x7f\r\n\r\n", "GET / HTTP/1.1\r\n" H "A: \x80\r\n\r\n",
		/* twice, or none */
		"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\n" H H "\r\n", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\ncontent-length: 1\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Authorization: a\r\nauthorization: a\r\n\r\n", "GET / HTTP/1.1\r\n" H "DPoP: a\r\nDPoP: b\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Connection: close\r\nConnection: close\r\n\r\n", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n",
		/* what frames a body otherwise */
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Upgrade: h2c\r\n\r\n", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n", "GET / HTTP/1.1\r\n" H "TE: trailers\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Trailer: x\r\n\r\n", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Encoding: gzip\r\n\r\n", "GET / HTTP/1.1\r\n" H "Connection: upgrade\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Connection: close, x\r\n\r\n",
		/* lengths */
		"POST / HTTP/1.1\r\n" H "\r\n", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: 1,1\r\n\r\n", "POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\n", "POST / HTTP/1.1\r\n" H "Content-Length: 01\r\n\r\n",
		"POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\n", "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (parse(cases[i]) != CLUSTER_EFORMAT)
			fail_msg("case %zu: %s", i, cases[i]);
		assert_true(d.text[0]);
	}
}

static void test_limits(void **state)
{
	char *head = calloc(1, HEAD_MAX + 100), *at;

	(void)state;
	assert_err(parse("POST / HTTP/1.1\r\n" H "Content-Length: 262145\r\n\r\n"), CLUSTER_ELIMIT);
	assert_err(parse("POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\n"), CLUSTER_ELIMIT);
	assert_ok(parse("POST / HTTP/1.1\r\n" H "Content-Length: 262144\r\n\r\n"));
	for (int extra = 0; extra < 2; extra++) {
		sprintf(head, "GET /%0*d HTTP/1.1\r\n" H "\r\n", HEAD_TARGET_MAX - 1 + extra, 0);
		assert_err(parse(head), extra ? CLUSTER_ELIMIT : CLUSTER_OK);
	}
	for (int extra = 0; extra < 2; extra++) {
		at = head + sprintf(head, "GET / HTTP/1.1\r\n" H);
		for (int i = 1; i < HEAD_FIELDS_MAX + extra; i++)
			at += sprintf(at, "X%d: y\r\n", i);
		strcpy(at, "\r\n");
		assert_err(parse(head), extra ? CLUSTER_ELIMIT : CLUSTER_OK);
	}
	for (int extra = 0; extra < 2; extra++) {
		at = head + sprintf(head, "GET / HTTP/1.1\r\n" H "X: ");
		memset(at, 'y', (size_t)(head + HEAD_MAX + extra - 4 - at));
		strcpy(head + HEAD_MAX + extra - 4, "\r\n\r\n");
		assert_err(parse(head), extra ? CLUSTER_ELIMIT : CLUSTER_OK);
	}
	free(head);
}

/* A NUL byte is not the end of anything. */
static void test_nul(void **state)
{
	char head[] = "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", field[] = "GET /ab HTTP/1.1\r\nHost: a\0\r\n\r\n";

	(void)state;
	assert_err(head_parse(head, sizeof head - 1, &h, &d), CLUSTER_EFORMAT);
	assert_err(head_parse(field, sizeof field - 1, &h, &d), CLUSTER_EFORMAT);
}

static void test_query(void **state)
{
	static const char *const names[] = { "after", "wait" }, *const bad[] = { "after", "after=", "after=x", "after=1&after=2", "x=1", "after=1&", "&after=1", "after=1&&wait=2",
		"after=-1", "after=01", "after=9007199254740993", "AFTER=1", "after=1;wait=2", "wait=1&after=1&x=1", "after==1" };
	uint64_t after = 0, wait = 0, *const values[] = { &after, &wait };

	(void)state;
	assert_ok(head_query(NULL, names, values, 2, &d));
	assert_ok(head_query("wait=60&after=7", names, values, 2, &d));
	assert_int_equal(after, 7);
	assert_int_equal(wait, 60);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (head_query(bad[i], names, values, 2, &d) != CLUSTER_EFORMAT)
			fail_msg("%s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_refused), cmocka_unit_test(test_limits), cmocka_unit_test(test_nul), cmocka_unit_test(test_query) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
