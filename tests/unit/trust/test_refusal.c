/* SPDX-License-Identifier: Apache-2.0 */
/* One refusal: its alphabet, its bytes, its JSON. THREATS.md I1, I9. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/agent_msg.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "cluster/rd.h"
#include "cluster/refusal.h"
#include "cluster/wr.h"

static struct refusal example(void)
{
	return (struct refusal){ .time = 1800000000, .id = "Ab3_-xY9", .stage = "session_open", .reason = "no_grant", .person = "alice", .account = "emr-user", .service = "sshd",
		.rhost = "2001:db8::7", .jti = "AAAAAAAAAAAAAAAAAAAAAA", .facts = "serial=7 key_id=\"alice x\"", .detail = "no grant of 3" };
}

/* Every field as long as it can be. */
static struct refusal longest(void)
{
	struct refusal r;

	memset(&r, 'a', sizeof r);
	r.time = MOMENT_MAX;
	refusal_terminate(&r);
	return r;
}

static void test_grammar(void **state)
{
	char id[REFUSAL_ID_NEW + 1], before[REFUSAL_ID_NEW + 1] = "";
	struct refusal r = example();

	(void)state;
	assert_true(refusal_ok(&r));
	r.time = 0; /* a clock that was never set refuses too */
	assert_true(refusal_ok(&r));
	r.time = -1;
	assert_false(refusal_ok(&r));
	r = example();
	r.id[0] = '\0';
	assert_false(refusal_ok(&r));
	strcpy(r.id, "../../x");
	assert_false(refusal_ok(&r));
	r = example();
	strcpy(r.reason, "No grant");
	assert_false(refusal_ok(&r));
	r = example();
	strcpy(r.detail, "a\nline=\"two\"");
	assert_false(refusal_ok(&r));
	strcpy(r.detail, "a\x1b[2J");
	assert_false(refusal_ok(&r));
	r = example();
	memset(r.account, 'a', sizeof r.account); /* no end: another process wrote it */
	assert_false(refusal_ok(&r));
	r = example();
	memset(&r.person, 'a', sizeof r.person);
	refusal_terminate(&r);
	assert_true(refusal_ok(&r));
	assert_int_equal(strlen(r.person), sizeof r.person - 1);
	for (int i = 0; i < 1000; i++) {
		refusal_id_new(id);
		assert_true(refusal_id_ok(id) && strlen(id) == REFUSAL_ID_NEW && id[0] != '-' && strcmp(id, before) != 0);
		memcpy(before, id, sizeof before);
	}
	assert_false(refusal_id_ok("a b"));
	assert_false(refusal_id_ok("12345678901234567"));
}

static void test_copy(void **state)
{
	struct refusal r = example();

	(void)state;
	refusal_copy(r.account, sizeof r.account, "emr\nuser\x7f\"");
	assert_string_equal(r.account, "emr\\x0auser\\x7f\"");
	refusal_copy(r.service, sizeof r.service, "0123456789012345678901234567890123456789012345678901234567890123456789");
	assert_int_equal(strlen(r.service), sizeof r.service - 1);
	assert_non_null(strstr(r.service, "..."));
	assert_true(refusal_ok(&r));
}

static void test_bytes(void **state)
{
	const struct refusal r = example(), l = longest();
	uint8_t bytes[REFUSAL_SIZE_MAX];
	struct refusal again;
	struct wr w;
	struct rd rd;

	(void)state;
	wr_init(&w, bytes, sizeof bytes);
	refusal_put(&w, &r);
	assert_ok(wr_end(&w));
	for (size_t i = 0; i < w.n; i++) {
		rd_init(&rd, bytes, i);
		assert_int_not_equal(refusal_take(&rd, &again), CLUSTER_OK);
	}
	rd_init(&rd, bytes, w.n);
	memset(&again, 0, sizeof again);
	assert_ok(refusal_take(&rd, &again));
	assert_ok(rd_end(&rd));
	assert_memory_equal(&r, &again, sizeof r);
	bytes[0] = 0x80; /* before all times */
	rd_init(&rd, bytes, w.n);
	assert_err(refusal_take(&rd, &again), CLUSTER_EFORMAT);
	wr_init(&w, bytes, sizeof bytes);
	refusal_put(&w, &l);
	assert_ok(wr_end(&w)); /* REFUSAL_SIZE_MAX is enough for all */
}

/* The longest fits the agent socket, asked and answered. */
static void test_packets(void **state)
{
	struct agent_msg_request q = { .type = AGENT_MSG_REFUSED, .refusal = longest() }, q_again;
	struct agent_msg_answer a = { .type = AGENT_MSG_EXPLAIN, .result = CLUSTER_OK, .refusal = longest() }, a_again;
	uint8_t bytes[AGENT_MSG_MAX];
	size_t n;

	(void)state;
	assert_ok(agent_msg_request_build(&q, bytes, &n));
	assert_ok(agent_msg_request_parse(bytes, n, &q_again));
	assert_memory_equal(&q_again.refusal, &q.refusal, sizeof q.refusal);
	bytes[n - 1] = '\n';
	assert_err(agent_msg_request_parse(bytes, n, &q_again), CLUSTER_EFORMAT);
	assert_ok(agent_msg_answer_build(&a, bytes, &n));
	assert_ok(agent_msg_answer_parse(bytes, n, &a_again));
	assert_memory_equal(&a_again.refusal, &a.refusal, sizeof a.refusal);
	assert_err(agent_msg_answer_parse(bytes, n - 1, &a_again), CLUSTER_ETRUNC);
	a.result = CLUSTER_ENOTFOUND;
	assert_ok(agent_msg_answer_build(&a, bytes, &n));
	assert_int_equal(n, 3);
	q.type = AGENT_MSG_EXPLAIN;
	assert_ok(agent_msg_request_build(&q, bytes, &n));
	assert_ok(agent_msg_request_parse(bytes, n, &q_again));
	assert_string_equal(q_again.refusal.id, q.refusal.id);
	bytes[n - 1] = '/';
	assert_err(agent_msg_request_parse(bytes, n, &q_again), CLUSTER_EFORMAT);
	assert_err(agent_msg_request_parse("\1\7\0", 3, &q_again), CLUSTER_EFORMAT);
}

static enum cluster_err read_text(const char *text, struct refusal **ret, size_t *ret_n)
{
	struct json *j = NULL;
	enum cluster_err e;

	assert_ok(json_parse(text, strlen(text), REFUSAL_TEXT_MAX, &j, NULL));
	e = refusal_batch_read(j, ret, ret_n, NULL);
	json_free(j);
	return e;
}

static void test_batch(void **state)
{
	const struct refusal two[2] = { example(), longest() };
	struct json *j = refusal_batch_json(two, 2);
	struct refusal *list = NULL;
	char *text = NULL, *at;
	size_t n = 0, size;

	(void)state;
	assert_ok(json_text(j, &text, &size));
	json_free(j);
	assert_ok(read_text(text, &list, &n));
	assert_int_equal(n, 2);
	assert_memory_equal(list, two, sizeof two);
	free(list);
	list = NULL;
	at = strstr(text, "no_grant"); /* one wrong value, and nothing of it counts */
	at[2] = ' ';
	assert_err(read_text(text, &list, &n), CLUSTER_EFORMAT);
	at[2] = '_';
	at = strstr(text, "\"jti\"");
	at[1] = 'x';
	assert_err(read_text(text, &list, &n), CLUSTER_EFORMAT);
	free(text);
	assert_int_not_equal(read_text("{\"refusals\":[]}", &list, &n), CLUSTER_OK);
	assert_int_not_equal(read_text("{}", &list, &n), CLUSTER_OK);
	assert_null(list);
}

/* A full message is below what the authority takes. */
static void test_largest_batch(void **state)
{
	static struct refusal many[REFUSAL_BATCH_MAX + 1];
	struct refusal *list = NULL;
	struct json *j;
	char *text = NULL;
	size_t n, size;

	(void)state;
	for (size_t i = 0; i <= REFUSAL_BATCH_MAX; i++) {
		many[i] = longest();
		memset(many[i].detail, '"', sizeof many[i].detail - 1); /* each becomes two */
		memset(many[i].facts, '\\', sizeof many[i].facts - 1);
	}
	j = refusal_batch_json(many, REFUSAL_BATCH_MAX);
	assert_ok(json_text(j, &text, &size));
	json_free(j);
	assert_true(size < REFUSAL_TEXT_MAX);
	free(text);
	j = refusal_batch_json(many, REFUSAL_BATCH_MAX + 1);
	assert_err(refusal_batch_read(j, &list, &n, NULL), CLUSTER_ELIMIT);
	json_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar), cmocka_unit_test(test_copy), cmocka_unit_test(test_bytes), cmocka_unit_test(test_packets), cmocka_unit_test(test_batch),
		cmocka_unit_test(test_largest_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
