/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cluster/api.h"
#include "cluster/json.h"
#include "server.h"

static struct server server;

static int start(void **state)
{
	(void)state;
	return server_start(&server);
}

static int stop(void **state)
{
	(void)state;
	server_stop(&server);
	return 0;
}

static struct http *client(void)
{
	struct document_keyset *keyset = calloc(1, sizeof *keyset);
	struct http *h = NULL;

	assert_non_null(keyset);
	keyset->n_tls = 1;
	memcpy(keyset->tls[0], server.pin[0], CRYPTO_SHA256_SIZE);
	assert_int_equal(api_open(&(struct api_where){ .url = server.url }, keyset, &h, NULL), CLUSTER_OK);
	free(keyset);
	return h;
}

static void test_status_table(void **state)
{
	static const struct { int status; enum cluster_err want; } rows[] = { { 200, CLUSTER_OK }, { 201, CLUSTER_ESYSTEM }, { 204, CLUSTER_ESYSTEM }, { 302, CLUSTER_ESYSTEM },
		{ 400, CLUSTER_EFORMAT }, { 401, CLUSTER_EDENIED }, { 403, CLUSTER_EDENIED }, { 404, CLUSTER_ENOTFOUND }, { 409, CLUSTER_EVERSION }, { 413, CLUSTER_ELIMIT },
		{ 429, CLUSTER_EUNAVAIL }, { 500, CLUSTER_ESYSTEM }, { 503, CLUSTER_EUNAVAIL }, { 0, CLUSTER_ESYSTEM }, { -1, CLUSTER_ESYSTEM } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(api_status(rows[i].status), rows[i].want);
}

static void test_json(void **state)
{
	struct http *h = client();
	struct json *j = NULL;
	struct diag d;

	(void)state;
	assert_int_equal(api_json(h, "/json", NULL, NULL, 60000, &j, &d), CLUSTER_OK);
	assert_int_equal(json_member_int(j, "a", 0), 1);
	json_free(j);
	j = NULL;
	assert_int_equal(api_json(h, "/text", NULL, NULL, 60000, &j, &d), CLUSTER_EFORMAT);
	assert_int_equal(api_json(h, "/status/403", NULL, NULL, 60000, &j, &d), CLUSTER_EDENIED);
	assert_non_null(strstr(d.text, "a sentence"));
	assert_null(strchr(d.text, '\033'));
	assert_int_equal(api_json(h, "/redirect", NULL, NULL, 60000, &j, &d), CLUSTER_ESYSTEM);
	assert_null(j);
	http_free(h);
}

static void test_bytes(void **state)
{
	struct http *h = client();
	struct http_response text = { 0 };
	struct diag d;

	(void)state;
	assert_int_equal(api_bytes(h, "/text", NULL, 100, 60000, &text, &d), CLUSTER_OK);
	assert_int_equal(text.n, strlen(text.body));
	http_response_done(&text);
	assert_int_equal(api_bytes(h, "/large", NULL, 100, 60000, &text, &d), CLUSTER_ELIMIT);
	assert_int_equal(api_bytes(h, "/status/404", NULL, 100, 60000, &text, &d), CLUSTER_ENOTFOUND);
	assert_null(text.body);
	http_free(h);
}

/* H9: a server that answers with something else than a root is refused, whatever its TLS key. */
static void test_bootstrap_refuses(void **state)
{
	static const uint8_t pin[CRYPTO_SHA256_SIZE];
	struct document_keyset *keyset = calloc(1, sizeof *keyset);
	struct document_root *root = calloc(1, sizeof *root);
	char *root_text = NULL, *keyset_text = NULL;
	struct diag d;

	(void)state;
	assert_int_not_equal(api_bootstrap(&(struct api_where){ .url = server.url }, pin, root, keyset, &root_text, &keyset_text, &d), CLUSTER_OK);
	assert_null(root_text);
	assert_null(keyset_text);
	assert_int_equal(root->version, 0);
	free(keyset);
	free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_table),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bootstrap_refuses),
	};

	return cmocka_run_group_tests_name("api", tests, start, stop);
}
