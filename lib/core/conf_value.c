/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster/name.h"
#include "cluster/num.h"
#include "cluster/wr.h"

#define WORD_MAX 64

static void *field_of(const struct conf_key *key, void *fields)
{
	return (char *)fields + key->offset;
}

static const void *value_of(const struct conf_key *key, const void *fields)
{
	return (const char *)fields + key->offset;
}

/* Text for people is UTF-8 or ASCII; what must never pass is a control byte. */
static bool printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static enum cluster_err set_string(const struct conf_key *key, const char *value, char *field, struct diag *d)
{
	size_t n = strlen(value);

	if (n >= CONF_STRING_SIZE)
		return diag_set(d, CLUSTER_ECONFIG, "longer than %d bytes", CONF_STRING_SIZE - 1);
	if (key->type == CONF_PATH && !name_path_ok(value))
		return diag_set(d, CLUSTER_ECONFIG, "\"%s\" is not an absolute path without \".\", \"..\", \"//\" or \":\"", value);
	if (!printable(value) || (key->item_ok && !key->item_ok(value)))
		return diag_set(d, CLUSTER_ECONFIG, "\"%s\" is not a value for this key", value);
	memcpy(field, value, n + 1);
	return CLUSTER_OK;
}

static enum cluster_err set_number(const struct conf_key *key, const char *value, uint64_t *field, struct diag *d)
{
	bool seconds = key->type == CONF_SECONDS;
	enum cluster_err e = seconds ? num_seconds(value, key->min, key->max, field) : num_u64(value, key->min, key->max, field);

	if (e == CLUSTER_ELIMIT)
		return diag_set(d, CLUSTER_ECONFIG, "%.64s is outside of %" PRIu64 "..%" PRIu64 "%s", value, key->min, key->max, seconds ? " seconds" : "");
	if (e != CLUSTER_OK)
		return diag_set(d, CLUSTER_ECONFIG, "\"%.64s\" is not a number%s", value, seconds ? " with an optional unit s, m, h or d" : "");
	return CLUSTER_OK;
}

static enum cluster_err set_bool(const char *value, bool *field, struct diag *d)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return diag_set(d, CLUSTER_ECONFIG, "\"%.64s\" is neither yes nor no", value);
	*field = value[0] == 'y';
	return CLUSTER_OK;
}

static enum cluster_err set_choice(const struct conf_key *key, const char *value, int *field, struct diag *d)
{
	char list[200] = "";
	size_t n = 0;

	for (int i = 0; key->choices[i]; i++) {
		if (strcmp(key->choices[i], value) == 0) {
			*field = i;
			return CLUSTER_OK;
		}
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", key->choices[i]);
		if (n >= sizeof list)
			n = sizeof list - 1;
	}
	return diag_set(d, CLUSTER_ECONFIG, "\"%.64s\" is not one of: %s", value, list);
}

static enum cluster_err set_list(const struct conf_key *key, const char *value, struct conf_list *field, struct diag *d)
{
	static const char separators[] = " \t,";
	struct conf_list list = { .n = 0 };

	for (const char *p = value + strspn(value, separators); *p; p += strspn(p, separators)) {
		size_t n = strcspn(p, separators);
		char *item = list.item[list.n];

		if (list.n == CONF_LIST_MAX)
			return diag_set(d, CLUSTER_ECONFIG, "more than %d words", CONF_LIST_MAX);
		if (n >= sizeof list.item[0])
			return diag_set(d, CLUSTER_ECONFIG, "\"%.64s\" is longer than %zu bytes", p, sizeof list.item[0] - 1);
		memcpy(item, p, n);
		item[n] = '\0';
		if (!printable(item) || (key->item_ok && !key->item_ok(item)))
			return diag_set(d, CLUSTER_ECONFIG, "\"%s\" is not a value for this key", item);
		list.n++;
		p += n;
	}
	*field = list;
	return CLUSTER_OK;
}

enum cluster_err conf_value_set(const struct conf_key *key, const char *value, void *fields, struct diag *d)
{
	void *field = field_of(key, fields);

	switch (key->type) {
	case CONF_STRING:
	case CONF_PATH:
		return set_string(key, value, field, d);
	case CONF_NUMBER:
	case CONF_SECONDS:
		return set_number(key, value, field, d);
	case CONF_BOOL:
		return set_bool(value, field, d);
	case CONF_CHOICE:
		return set_choice(key, value, field, d);
	case CONF_LIST:
		return set_list(key, value, field, d);
	}
	return diag_set(d, CLUSTER_ECONFIG, "this key has no type");
}

static void dump_seconds(uint64_t v, struct wr *w)
{
	static const struct {
		uint64_t seconds;
		char letter;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' } };

	for (size_t i = 0; v && i < sizeof units / sizeof units[0]; i++) {
		if (v % units[i].seconds == 0) {
			wr_printf(w, "%" PRIu64 "%c", v / units[i].seconds, units[i].letter);
			return;
		}
	}
	wr_printf(w, "%" PRIu64 "s", v);
}

static void dump_value(const struct conf_key *key, const void *field, struct wr *w)
{
	const struct conf_list *list;

	switch (key->type) {
	case CONF_STRING:
	case CONF_PATH:
		wr_text(w, field);
		break;
	case CONF_NUMBER:
		wr_printf(w, "%" PRIu64, *(const uint64_t *)field);
		break;
	case CONF_SECONDS:
		dump_seconds(*(const uint64_t *)field, w);
		break;
	case CONF_BOOL:
		wr_text(w, *(const bool *)field ? "yes" : "no");
		break;
	case CONF_CHOICE:
		wr_text(w, key->choices[*(const int *)field]);
		break;
	case CONF_LIST:
		list = field;
		for (size_t i = 0; i < list->n; i++)
			wr_printf(w, "%s%s", i ? " " : "", list->item[i]);
		break;
	}
}

void conf_dump(const struct conf_key *keys, size_t n_keys, const void *fields, struct wr *w)
{
	const char *section = NULL;

	for (size_t i = 0; i < n_keys; i++) {
		if (!section || strcmp(section, keys[i].section) != 0)
			wr_printf(w, "%s[%s]\n", section ? "\n" : "", keys[i].section);
		section = keys[i].section;
		wr_printf(w, "%s = ", keys[i].name);
		dump_value(&keys[i], value_of(&keys[i], fields), w);
		wr_text(w, "\n");
	}
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`; both at most WORD_MAX bytes long. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2], *spare;
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		last[j] = before[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			now[j] = smallest(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[n];
}

const char *conf_nearest(const char *word, const void *words, size_t n, size_t stride)
{
	size_t length = strnlen(word, WORD_MAX + 1), best = length / 3 + 2;
	const char *nearest = NULL;

	if (length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *candidate = *(const char *const *)((const char *)words + i * stride);
		size_t away;

		if (!candidate || strnlen(candidate, WORD_MAX + 1) > WORD_MAX)
			continue;
		away = distance(word, candidate);
		if (away < best && away < strlen(candidate)) {
			best = away;
			nearest = candidate;
		}
	}
	return nearest;
}
