/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is accepted is dumped in a form that is accepted again and means the same; every refusal has a sentence of one line. */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "cluster/conf.h"
#include "cluster/name.h"
#include "cluster/wr.h"

struct fields {
	char text[CONF_STRING_SIZE], path[CONF_STRING_SIZE];
	uint64_t number, seconds;
	bool flag;
	int choice;
	struct conf_list list;
};

static const char *const choices[] = { "refuse", "ignore", NULL };
static const struct conf_key keys[] = {
	{ .section = "a", .name = "text", .type = CONF_STRING, .offset = offsetof(struct fields, text) },
	{ .section = "a", .name = "path", .type = CONF_PATH, .offset = offsetof(struct fields, path) },
	{ .section = "a", .name = "number", .type = CONF_NUMBER, .offset = offsetof(struct fields, number), .max = 1 << 20 },
	{ .section = "b", .name = "seconds", .type = CONF_SECONDS, .offset = offsetof(struct fields, seconds), .max = UINT64_MAX },
	{ .section = "b", .name = "flag", .type = CONF_BOOL, .offset = offsetof(struct fields, flag) },
	{ .section = "b", .name = "choice", .type = CONF_CHOICE, .offset = offsetof(struct fields, choice), .choices = choices },
	{ .section = "b", .name = "list", .type = CONF_LIST, .offset = offsetof(struct fields, list), .item_ok = name_account_ok },
};
#define N_KEYS (sizeof keys / sizeof keys[0])

static void dump(const struct fields *fields, struct wr *w)
{
	wr_grow(w, CONF_FILE_MAX);
	conf_dump(keys, N_KEYS, fields, w);
	FUZZ_CHECK(wr_end(w) == CLUSTER_OK);
}

static void check_text(const uint8_t *data, size_t n)
{
	struct fields first = { .path = "/x" }, second = { .path = "/y" };
	struct wr once, twice;
	struct diag d;

	diag_clear(&d);
	if (conf_parse((const char *)data, n, "x.conf", keys, N_KEYS, &first, &d) != CLUSTER_OK) {
		FUZZ_CHECK(d.code == CLUSTER_ECONFIG && strncmp(d.text, "x.conf:", 7) == 0 && !strchr(d.text, '\n'));
		return;
	}
	dump(&first, &once);
	FUZZ_CHECK(conf_parse((const char *)once.p, once.n, "dump", keys, N_KEYS, &second, &d) == CLUSTER_OK);
	dump(&second, &twice);
	FUZZ_CHECK(once.n == twice.n && memcmp(once.p, twice.p, once.n) == 0);
	wr_done(&once);
	wr_done(&twice);
}

static void check_word(const uint8_t *data, size_t n)
{
	struct fields fields = { .path = "/x" };
	char word[512];
	struct diag d;

	if (n >= sizeof word)
		return;
	memcpy(word, data, n);
	word[n] = '\0';
	diag_clear(&d);
	if (conf_word(word, "argument", keys, N_KEYS, &fields, &d) != CLUSTER_OK)
		FUZZ_CHECK(d.code == CLUSTER_ECONFIG && strncmp(d.text, "argument: ", 10) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	check_text(data, n);
	check_word(data, n);
	return 0;
}
