/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/json.h"
#include "cluster/report.h"

#define NOW INT64_C(1790000000)
#define ID "kPrK_qmxVWaYVA9wwBF6Ig"
#define FINGERPRINT "SHA256:uUiTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8"

static const char session_text[] = "{\"account\":\"emr-user\",\"auth_time\":1790000000,\"cert\":{\"ca\":\"" FINGERPRINT "\",\"id\":\"alice x\",\"key\":\"" FINGERPRINT "\",\"serial\":\"18446744073709551615\"},"
	"\"closed\":true,\"device\":\"" ID "\",\"end_at_expiry\":true,\"exp\":1790003600,\"iat\":1790000000,\"id\":\"" ID "\",\"issuer\":\"" ID "\",\"jti\":\"" ID "\",\"kind\":\"certificate\","
	"\"opened\":1790000005,\"person\":\"" ID "\",\"rhost\":\"10.0.0.1\",\"role\":\"ops\",\"service\":\"sshd\",\"tty\":\"pts/0\"}";

static struct session record(void)
{
	struct session s = { .iat = NOW, .exp = NOW + 3600, .auth_time = NOW, .opened = NOW + 5, .kind = SESSION_CERTIFICATE, .closed = NOW + 6, .end_at_expiry = true,
		.account = "emr-user", .service = "sshd", .tty = "pts/0", .rhost = "10.0.0.1", .issuer = ID, .role = "ops",
		.cert = { .serial = UINT64_MAX, .key_id = "alice x", .key = FINGERPRINT, .ca = FINGERPRINT } };

	assert_ok(id_parse(ID, &s.id));
	s.person = s.device = s.jti = s.id;
	return s;
}

/* Byte for byte as PROTOCOL.md 6.5, and back. */
static void test_round(void **state)
{
	struct report_session one;
	struct session s = record();
	struct report r = { .full = true, .n_opened = 1, .opened = &one, .n_closed = 1, .closed = &s.id }, *again = NULL;
	char *text = NULL, expected[2000];

	(void)state;
	report_session_of(&s, &one);
	assert_ok(report_build(&r, &text));
	snprintf(expected, sizeof expected, "{\"closed\":[\"" ID "\"],\"full\":true,\"opened\":[%s]}", session_text);
	assert_string_equal(text, expected);
	assert_ok(report_parse(text, strlen(text), &again, NULL));
	assert_true(again->full && again->n_opened == 1 && again->n_closed == 1 && id_equal(&again->closed[0], &s.id));
	assert_memory_equal(&again->opened[0], &one, sizeof one);
	report_free(again);
	free(text);
}

static struct session record_of_hop(bool machine)
{
	static const struct cluster_id none;
	struct session s = record();

	s.kind = SESSION_HOP;
	s.cert.serial = 0;
	s.source = s.id;
	s.hops = machine ? 0 : 3;
	s.parent = s.id;
	for (size_t i = 0; i + 1 < s.hops; i++)
		s.way[i] = (struct hop_place){ .node = s.id, .session = s.id };
	if (machine)
		s.person = s.device = s.parent = none;
	return s;
}

static const char *hop_text(bool machine)
{
	return machine ? ",\"hop\":{\"n\":0,\"parent\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"source\":\"" ID "\",\"way\":[]}" :
	    ",\"hop\":{\"n\":3,\"parent\":\"" ID "\",\"source\":\"" ID "\",\"way\":[\"" ID "." ID "\",\"" ID "." ID "\"]}";
}

/* A hop's, with a person and without: the source, the session there, the count. */
static void test_round_hop(void **state)
{
	(void)state;
	for (int machine = 0; machine < 2; machine++) {
		struct session s = record_of_hop(machine);
		struct report_session one;
		struct report r = { .n_opened = 1, .opened = &one }, *again = NULL;
		char *text = NULL;

		report_session_of(&s, &one);
		assert_ok(report_build(&r, &text));
		assert_non_null(strstr(text, hop_text(machine)));
		assert_ok(report_parse(text, strlen(text), &again, NULL));
		assert_memory_equal(&again->opened[0], &one, sizeof one);
		report_free(again);
		free(text);
	}
}

static enum cluster_err parse(const char *text)
{
	struct report *r = NULL;
	struct diag d = { 0 };
	enum cluster_err e = report_parse(text, strlen(text), &r, &d);

	assert_true((e == CLUSTER_OK) == (r != NULL) && (e == CLUSTER_OK || d.text[0]));
	report_free(r);
	return e;
}

/* Replaces the first `from` of the good session. */
static enum cluster_err parse_with(const char *from, const char *to)
{
	char text[4000];
	const char *at = strstr(session_text, from);

	assert_non_null(at);
	snprintf(text, sizeof text, "{\"closed\":[],\"full\":false,\"opened\":[%.*s%s%s]}", (int)(at - session_text), session_text, to, at + strlen(from));
	return parse(text);
}

static void test_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} bad[] = {
		{ "emr-user", "Emr" }, { "emr-user", "" }, { "pts/0", "p s" }, { "pts/0", "\\n" }, { "10.0.0.1", "\\u007f" }, { "\"sshd\"", "\"../x\"" }, { "\"sshd\"", "1" },
		{ "\"kind\":\"certificate\"", "\"kind\":\"root\"" }, { "\"id\":\"" ID "\"", "\"id\":\"x\"" }, { "\"exp\":1790003600", "\"exp\":1" }, { "\"exp\":1790003600,", "" },
		{ "\"ops\"", "\"Ops\"" }, { "18446744073709551615", "18446744073709551616" }, { FINGERPRINT, "MD5:x" }, { FINGERPRINT, "" }, { "alice x", "\\n" }, { "\"tty\"", "\"uid\":0,\"tty\"" },
		{ "\"closed\":true", "\"closed\":1" },
	};

	(void)state;
	assert_ok(parse_with("emr-user", "root"));
	assert_ok(parse_with("\"ops\"", "\"\""));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (parse_with(bad[i].from, bad[i].to) == CLUSTER_OK)
			fail_msg("accepted: %s for %s", bad[i].to, bad[i].from);
	}
	assert_ok(parse("{\"closed\":[],\"full\":true,\"opened\":[]}"));
	assert_err(parse("{\"closed\":[],\"opened\":[]}"), CLUSTER_EFORMAT);
	assert_err(parse("{\"closed\":[\"x\"],\"full\":true,\"opened\":[]}"), CLUSTER_EFORMAT);
	assert_err(parse("{\"closed\":[],\"full\":true,\"node\":\"x\",\"opened\":[]}"), CLUSTER_EFORMAT); /* it speaks of itself only */
	assert_err(parse("[]"), CLUSTER_EFORMAT);
}

/* Parts of a hop that do not go together, in the place of those that do. */
static void test_refused_hop(void **state)
{
	static const struct {
		bool machine;
		const char *from, *to;
	} bad[] = {
		{ false, "\"n\":3", "\"n\":0" }, { false, "\"n\":3", "\"n\":5" }, { false, "\"n\":3,", "" }, { true, "\"n\":0", "\"n\":1" }, { false, "\"parent\":\"" ID, "\"parent\":\"AAAAAAAAAAAAAAAAAAAAAA" },
		{ false, "\"source\":\"" ID, "\"source\":\"AAAAAAAAAAAAAAAAAAAAAA" }, { false, "\"source\":\"" ID, "\"source\":\"x" }, { false, "\"kind\":\"hop\"", "\"kind\":\"certificate\"" },
		{ true, "\"person\":\"AAAAAAAAAAAAAAAAAAAAAA", "\"person\":\"" ID }, { false, "\"hop\":{", "\"hoop\":{" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct session s = record_of_hop(bad[i].machine);
		struct report_session one;
		struct report r = { .n_opened = 1, .opened = &one };
		char *text = NULL, changed[4000];
		const char *at;

		report_session_of(&s, &one);
		assert_ok(report_build(&r, &text));
		at = strstr(text, bad[i].from);
		assert_non_null(at);
		snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, bad[i].to, at + strlen(bad[i].from));
		if (parse(changed) == CLUSTER_OK)
			fail_msg("accepted: %s for %s", bad[i].to, bad[i].from);
		free(text);
	}
	/* and none of them is built */
	for (int k = SESSION_CREDENTIAL; k <= SESSION_ONETIME; k++) {
		struct session s = record_of_hop(false);
		struct report_session one;
		struct report r = { .n_opened = 1, .opened = &one };
		char *text = NULL;

		s.kind = (enum session_kind)k;
		report_session_of(&s, &one);
		assert_err(report_build(&r, &text), CLUSTER_EFORMAT);
	}
}

/* A series says everything once, each message within the limits, only the first full. */
static void test_series(void **state)
{
	enum { N = 1500 };
	struct report_session *many = calloc(N, sizeof *many);
	struct session s = record();
	struct report r = { .full = true, .n_opened = N, .opened = many }, *part = NULL;
	struct report_at at = { .begun = false };
	size_t said = 0, messages = 0;
	char *text = NULL;

	(void)state;
	assert_non_null(many);
	memset(s.rhost, 'h', sizeof s.rhost - 1);
	for (size_t i = 0; i < N; i++) {
		s.id.b[0] = (uint8_t)i;
		s.id.b[1] = (uint8_t)(i >> 8);
		report_session_of(&s, &many[i]);
	}
	assert_err(report_build(&r, &text), CLUSTER_ELIMIT);
	for (;; messages++) {
		assert_ok(report_next(&r, &at, &text));
		if (!text)
			break;
		assert_true(strlen(text) <= REPORT_TEXT_MAX);
		assert_ok(report_parse(text, strlen(text), &part, NULL));
		assert_true(part->full == (messages == 0));
		for (size_t i = 0; i < part->n_opened; i++)
			assert_true(id_equal(&part->opened[i].id, &many[said++].id));
		report_free(part);
		free(text);
	}
	assert_int_equal(said, N);
	assert_true(messages > 3 && messages < 10);
	r = (struct report){ .full = true };
	at = (struct report_at){ .begun = false };
	assert_ok(report_next(&r, &at, &text));
	assert_string_equal(text, "{\"closed\":[],\"full\":true,\"opened\":[]}");
	free(text);
	assert_ok(report_next(&r, &at, &text));
	assert_null(text);
	many[0].account[0] = 'A';
	r = (struct report){ .n_opened = 1, .opened = many };
	assert_err(report_build(&r, &text), CLUSTER_EFORMAT);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_round), cmocka_unit_test(test_round_hop), cmocka_unit_test(test_refused_hop), cmocka_unit_test(test_refused), cmocka_unit_test(test_series) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
