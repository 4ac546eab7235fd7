/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "cluster/json.h"

#define MAX 65536

/* The canonical text of what was accepted is accepted, and is its own canonical text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct json *j = NULL, *again = NULL;
	char *text = NULL, *second = NULL, *pretty = NULL, word[20];
	size_t text_n = 0, second_n = 0, pretty_n = 0;
	const char *borrowed;
	int64_t i;
	const struct json *list;
	const struct json_field fields[] = {
		{ .name = "a", .kind = JSON_KIND_STRING, .dst = word, .size = sizeof word, .optional = true },
		{ .name = "b", .kind = JSON_KIND_INT, .dst = &i, .min = -5, .max = 5, .optional = true },
		{ .name = "c", .kind = JSON_KIND_ARRAY, .dst = &list, .min = 1, .max = 3, .optional = true },
		{ .name = "d", .kind = JSON_KIND_TEXT, .dst = &borrowed, .max = 9, .optional = true },
	};
	struct diag d = { 0 };

	if (json_parse((const char *)data, n, MAX, &j, &d) != CLUSTER_OK) {
		FUZZ_CHECK(d.text[0]);
		return 0;
	}
	FUZZ_CHECK(n <= MAX);
	FUZZ_CHECK(json_text(j, &text, &text_n) == CLUSTER_OK && strlen(text) == text_n);
	FUZZ_CHECK(json_parse(text, text_n, SIZE_MAX, &again, NULL) == CLUSTER_OK);
	FUZZ_CHECK(json_text(again, &second, &second_n) == CLUSTER_OK && strcmp(text, second) == 0);
	json_free(again);
	FUZZ_CHECK(json_pretty(j, &pretty, &pretty_n) == CLUSTER_OK && json_parse(pretty, pretty_n, SIZE_MAX, &again, NULL) == CLUSTER_OK);
	if (json_read(j, fields, 4, &d) == CLUSTER_OK)
		FUZZ_CHECK(text[0] == '{');
	json_free(again);
	json_free(j);
	free(pretty);
	free(second);
	free(text);
	return 0;
}
