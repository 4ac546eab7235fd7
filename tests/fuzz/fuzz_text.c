/* SPDX-License-Identifier: Apache-2.0 */
/* Names, numbers, times and ids: pure functions of one string. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "cluster/id.h"
#include "cluster/log.h"
#include "cluster/moment.h"
#include "cluster/name.h"
#include "cluster/num.h"

static void check_names(const char *s)
{
	if (name_account_ok(s) || name_group_ok(s) || name_role_ok(s))
		FUZZ_CHECK(strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(s) && strlen(s) <= NAME_ACCOUNT_MAX);
	if (name_node_ok(s))
		FUZZ_CHECK(!strchr(s, '.') && strlen(s) <= NAME_NODE_MAX);
	if (name_kid_ok(s) || name_service_ok(s) || name_person_ok(s))
		FUZZ_CHECK(!strpbrk(s, "/: \n%") && strlen(s) <= NAME_PERSON_MAX);
	if (name_path_ok(s))
		FUZZ_CHECK(s[0] == '/' && !strstr(s, "/../") && !strpbrk(s, ":\n") && strlen(s) <= NAME_PATH_MAX);
	if (name_gecos_ok(s))
		FUZZ_CHECK(!strpbrk(s, ":,\n") && strlen(s) <= NAME_GECOS_MAX);
	if (name_account_reserved(s) || name_group_reserved(s))
		FUZZ_CHECK(strlen(s) >= 1);
}

static void check_numbers(const char *s)
{
	char text[32];
	uint64_t v;
	uint32_t u;
	int64_t wall;
	struct cluster_id id;

	if (num_u64(s, 0, UINT64_MAX, &v) == CLUSTER_OK) {
		snprintf(text, sizeof text, "%llu", (unsigned long long)v);
		FUZZ_CHECK(strcmp(text, s) == 0);
		FUZZ_CHECK((num_u32(s, 0, UINT32_MAX, &u) == CLUSTER_OK) == (v <= UINT32_MAX));
	}
	if (num_seconds(s, 5, 500, &v) == CLUSTER_OK)
		FUZZ_CHECK(v >= 5 && v <= 500);
	if (moment_parse(s, &wall) == CLUSTER_OK) {
		moment_text(wall, text);
		FUZZ_CHECK(strcmp(text, s) == 0);
	}
	if (id_parse(s, &id) == CLUSTER_OK) {
		id_text(&id, text);
		FUZZ_CHECK(strcmp(text, s) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *s = malloc(n + 1), line[64], small[MOMENT_TEXT];
	int64_t wall = 0;

	if (!s)
		return 0;
	if (n)
		memcpy(s, data, n);
	s[n] = '\0';
	check_names(s);
	check_numbers(s);
	log_escape(s, n, line, sizeof line);
	for (const char *p = line; *p; p++)
		FUZZ_CHECK(*p >= 0x20 && *p < 0x7f);
	memcpy(&wall, s, n < sizeof wall ? n : sizeof wall);
	moment_text(wall, small);
	moment_span(wall, line, sizeof line);
	free(s);
	return 0;
}
