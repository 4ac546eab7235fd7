/* SPDX-License-Identifier: Apache-2.0 */
/* THREATS.md F2, H6, I5 on a server that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/http.h"
#include "server.h"

static struct server server;
static uint8_t wrong[1][CRYPTO_SHA256_SIZE];

static int start(void **state)
{
	(void)state;
	/* What libcurl would obey if it were asked to (F2): a proxy that nobody listens on. */
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	setenv("SSLKEYLOGFILE", "/dev/full", 1);
	return server_start(&server);
}

static int stop(void **state)
{
	(void)state;
	server_stop(&server);
	return 0;
}

static struct http *client(const char *base, const uint8_t (*pins)[CRYPTO_SHA256_SIZE], size_t n, int anonymous)
{
	const struct http_options o = { .base = base, .pins = pins, .n_pins = n, .anonymous = anonymous };
	struct http *h = NULL;
	struct diag d;

	diag_clear(&d);
	if (http_new(&o, &h, &d) != CLUSTER_OK)
		fail_msg("http_new: %s", d.text);
	return h;
}

static struct http *pinned(void)
{
	return client(server.url, (const uint8_t (*)[CRYPTO_SHA256_SIZE])server.pin, 1, 0);
}

static enum cluster_err get(struct http *h, const char *path, size_t max, struct http_response *r, struct diag *d)
{
	const struct http_request q = { .method = "GET", .path = path, .max_body = max, .timeout_ms = 60000 };

	memset(r, 0, sizeof *r);
	diag_clear(d);
	return http_do(h, &q, r, d);
}

static void expect_body(struct http *h, const char *path, const char *body)
{
	struct http_response r;
	struct diag d;

	if (get(h, path, 1000, &r, &d) != CLUSTER_OK)
		fail_msg("%s: %s", path, d.text);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, body);
	assert_int_equal(r.n, strlen(body));
	http_response_done(&r);
	assert_null(r.body);
}

static void expect_error(const char *path, size_t max, enum cluster_err want)
{
	struct http *h = pinned();
	struct http_response r;
	struct diag d;

	assert_int_equal(get(h, path, max, &r, &d), want);
	assert_null(r.body);
	assert_true(d.text[0] != '\0');
	http_free(h);
}

static void test_get_and_post(void **state)
{
	const char *headers[] = { "Authorization: x", NULL };
	struct http_request q = { .method = "POST", .path = "/echo?a=b", .headers = headers, .body = "{}", .body_n = 2, .max_body = 100 };
	struct http *h = pinned();
	struct http_response r = { 0 };
	struct diag d;

	(void)state;
	expect_body(h, "/echo", "GET ");
	q.path = "/echo";
	assert_int_equal(http_do(h, &q, &r, &d), CLUSTER_OK);
	assert_string_equal(r.body, "POST {}");
	http_response_done(&r);
	q.path = "/headers";
	q.max_body = 4000;
	assert_int_equal(http_do(h, &q, &r, &d), CLUSTER_OK);
	assert_non_null(strstr(r.body, "Authorization: x\r\n"));
	assert_non_null(strstr(r.body, "Content-Type: application/json"));
	assert_null(strstr(r.body, "Expect"));
	assert_null(strstr(r.body, "Accept-Encoding"));
	http_response_done(&r);
	expect_body(h, "/echo", "GET ");
	http_free(h);
}

/* I5: a server with another key sees the handshake and not one byte of the request. */
static void test_wrong_pin_sends_nothing(void **state)
{
	struct http *h = client(server.url, (const uint8_t (*)[CRYPTO_SHA256_SIZE])wrong, 1, 0), *after;
	struct http_request q = { .method = "POST", .path = "/echo", .body = "secret", .body_n = 6, .max_body = 100 };
	struct http_response r = { 0 }, before = { 0 };
	struct diag d;

	(void)state;
	after = pinned();
	assert_int_equal(get(after, "/seen", 100, &before, &d), CLUSTER_OK);
	http_free(after);
	assert_int_equal(http_do(h, &q, &r, &d), CLUSTER_EUNTRUSTED);
	assert_int_equal(http_do(h, &q, &r, &d), CLUSTER_EUNTRUSTED);
	http_free(h);
	after = pinned();
	expect_body(after, "/seen", before.body);
	http_response_done(&before);
	http_free(after);
}

static void test_one_pin_of_several(void **state)
{
	uint8_t pins[HTTP_PINS_MAX][CRYPTO_SHA256_SIZE];
	struct http *h;

	(void)state;
	memset(pins, 0xff, sizeof pins);
	memcpy(pins[HTTP_PINS_MAX - 1], server.pin[0], CRYPTO_SHA256_SIZE);
	h = client(server.url, (const uint8_t (*)[CRYPTO_SHA256_SIZE])pins, HTTP_PINS_MAX, 0);
	expect_body(h, "/echo", "GET ");
	http_free(h);
}

static void test_anonymous_and_socket(void **state)
{
	struct http *h = client(server.url, NULL, 0, 1);

	(void)state;
	expect_body(h, "/echo", "GET ");
	http_free(h);
	h = client(server.unix_base, NULL, 0, 0);
	expect_body(h, "/echo", "GET ");
	http_free(h);
}

static void test_bases(void **state)
{
	static const char *const bad[] = { "http://127.0.0.1", "ftp://x", "https://", "https://a/b", "https://a?b", "https://a#b", "https://u@a", "https://a:0", "https://a:70000",
		"https://a:1x", "https://[::1", "https://[]", "https://a b", "https://-a", "unix:relative", "unix:", "", "file:///etc/passwd", "HTTPS://a", "https://a\r\nb" };
	static const char *const good[] = { "https://a", "https://a:7443", "https://a:7443/", "https://[::1]:7443", "https://10.0.0.1", "unix:/run/x" };
	struct http *h = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const struct http_options o = { .base = bad[i], .anonymous = 1 };

		if (http_new(&o, &h, NULL) != CLUSTER_ECONFIG)
			fail_msg("accepted \"%s\"", bad[i]);
	}
	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		http_free(client(good[i], NULL, 0, 1));
	/* No pins without saying so (I5). */
	assert_int_equal(http_new(&(struct http_options){ .base = "https://a" }, &h, NULL), CLUSTER_ECONFIG);
	assert_int_equal(http_new(&(struct http_options){ .base = "https://a", .pins = (const uint8_t (*)[CRYPTO_SHA256_SIZE])wrong, .n_pins = HTTP_PINS_MAX + 1 }, &h, NULL), CLUSTER_ECONFIG);
	assert_null(h);
}

static void test_bad_requests(void **state)
{
	const char *split[] = { "A: b\r\nC: d", NULL };
	struct http_request q = { .method = "GET", .path = "/echo", .headers = split, .max_body = 10 };
	static const char *const bad[] = { "", "echo", "@evil/", "/a b", "/a\r\nb", "/a#b", "/\x80" };
	struct http *h = pinned();
	struct http_response r;
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(get(h, bad[i], 10, &r, &d), CLUSTER_ECONFIG);
	assert_int_equal(http_do(h, &q, &r, &d), CLUSTER_EFORMAT);
	http_free(h);
}

/* H6 */
static void test_caps(void **state)
{
	struct http *h = pinned();
	struct http_response r;
	struct diag d;

	(void)state;
	expect_error("/large", 4999, CLUSTER_ELIMIT);
	expect_error("/exact", 99, CLUSTER_ELIMIT);
	expect_error("/endless", 100000, CLUSTER_ELIMIT);
	expect_error("/headers-endless", 100000, CLUSTER_ELIMIT);
	assert_int_equal(get(h, "/exact", 100, &r, &d), CLUSTER_OK);
	assert_int_equal(r.n, 100);
	http_response_done(&r);
	http_free(h);
}

static void test_bad_answers(void **state)
{
	(void)state;
	expect_error("/gzip", 1000, CLUSTER_EFORMAT);
	expect_error("/garbage", 1000, CLUSTER_EFORMAT);
	expect_error("/short", 1000, CLUSTER_EUNAVAIL);
}

static void test_no_redirect(void **state)
{
	struct http *h = pinned();
	struct http_response r;
	struct diag d;

	(void)state;
	assert_int_equal(get(h, "/redirect", 1000, &r, &d), CLUSTER_OK);
	assert_int_equal(r.status, 302);
	http_response_done(&r);
	http_free(h);
}

static void test_timeout_and_unreachable(void **state)
{
	struct http_request q = { .method = "GET", .path = "/silent", .max_body = 100, .timeout_ms = 100 };
	struct http *h = pinned();
	struct http_response r;
	struct diag d;

	(void)state;
	assert_int_equal(http_do(h, &q, &r, &d), CLUSTER_EUNAVAIL);
	http_free(h);
	h = client("https://127.0.0.1:1", NULL, 0, 1);
	q.path = "/echo";
	assert_int_equal(http_do(h, &q, &r, &d), CLUSTER_EUNAVAIL);
	assert_non_null(strstr(d.text, "https://127.0.0.1:1"));
	http_free(h);
	h = client("unix:/nonexistent/socket", NULL, 0, 0);
	assert_int_equal(http_do(h, &q, &r, &d), CLUSTER_EUNAVAIL);
	http_free(h);
}

/* TLS 1.1 and plain HTTP behind an https address. */
static void test_old_tls(void **state)
{
	struct http_response r;
	struct http *h;
	struct diag d;

	(void)state;
	h = client(server.url_old, (const uint8_t (*)[CRYPTO_SHA256_SIZE])server.pin, 1, 0);
	assert_int_equal(get(h, "/echo", 100, &r, &d), CLUSTER_EUNAVAIL);
	http_free(h);
	h = client(server.url_plain, NULL, 0, 1);
	assert_int_equal(get(h, "/echo", 100, &r, &d), CLUSTER_EUNAVAIL);
	http_free(h);
}

/* Through a relay the authority is still the one that the pins name, whatever its address; the relay's own name counts for nothing (PROTOCOL.md 6.6). */
static void test_via(void **state)
{
	const char *port = strrchr(server.url, ':');
	struct http_options o = { .base = "https://authority.invalid:7443", .pins = (const uint8_t (*)[CRYPTO_SHA256_SIZE])server.pin, .n_pins = 1 };
	static const char *const bad[] = { "", "relay", "relay:0", "[::1]", "a:1:b:2", "::a:1", "https://relay:1" };
	char via[32], expected[64];
	struct http_response r;
	struct http *h = NULL;
	struct diag d;
	size_t i;

	(void)state;
	snprintf(via, sizeof via, "127.0.0.1%s", port);
	o.via = via;
	diag_clear(&d);
	assert_int_equal(http_new(&o, &h, &d), CLUSTER_OK);
	expect_body(h, "/echo", "GET ");
	http_free(h);
	o.pins = (const uint8_t (*)[CRYPTO_SHA256_SIZE])wrong;
	assert_int_equal(http_new(&o, &h, &d), CLUSTER_OK);
	assert_int_equal(get(h, "/echo", 100, &r, &d), CLUSTER_EUNTRUSTED);
	http_free(h);
	o.via = "127.0.0.1:1";
	assert_int_equal(http_new(&o, &h, &d), CLUSTER_OK);
	assert_int_equal(get(h, "/echo", 100, &r, &d), CLUSTER_EUNAVAIL);
	snprintf(expected, sizeof expected, "via %s", o.via);
	assert_non_null(strstr(d.text, expected));
	http_free(h);
	h = NULL;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		o.via = bad[i];
		assert_int_equal(http_new(&o, &h, &d), CLUSTER_ECONFIG);
	}
	o = (struct http_options){ .base = "unix:/run/x", .via = "a:1" };
	assert_int_equal(http_new(&o, &h, &d), CLUSTER_ECONFIG);
	assert_null(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_and_post),
		cmocka_unit_test(test_wrong_pin_sends_nothing),
		cmocka_unit_test(test_one_pin_of_several),
		cmocka_unit_test(test_anonymous_and_socket),
		cmocka_unit_test(test_bases),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_no_redirect),
		cmocka_unit_test(test_timeout_and_unreachable),
		cmocka_unit_test(test_old_tls),
		cmocka_unit_test(test_via),
	};

	memset(wrong, 0xaa, sizeof wrong);
	return cmocka_run_group_tests_name("http", tests, start, stop);
}
