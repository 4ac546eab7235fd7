/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/refusal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "json_field.h"

#include "cluster/b64.h"
#include "cluster/log.h"
#include "cluster/rd.h"
#include "cluster/wr.h"

/* ---- the texts of a refusal, in the order of the wire ---- */

static bool all_of(const char *s, bool (*ok)(char c))
{
	for (; *s; s++) {
		if (!ok(*s))
			return false;
	}
	return true;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_id(char c)
{
	return is_word(c) || (c >= 'A' && c <= 'Z') || c == '-';
}

static bool is_print(char c)
{
	return c >= ' ' && c <= '~';
}

static bool word_ok(const char *s)
{
	return *s && all_of(s, is_word);
}

static bool text_ok(const char *s)
{
	return all_of(s, is_print);
}

bool refusal_id_ok(const char *id)
{
	return *id && strlen(id) <= REFUSAL_ID_MAX && all_of(id, is_id);
}

void refusal_id_new(char ret[REFUSAL_ID_NEW + 1])
{
	uint8_t bytes[REFUSAL_ID_NEW * 3 / 4];

	if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes || b64_encode(bytes, sizeof bytes, ret, REFUSAL_ID_NEW + 1) != CLUSTER_OK)
		memcpy(ret, "________", REFUSAL_ID_NEW + 1);
	if (ret[0] == '-')
		ret[0] = '_'; /* typed behind a command's name it would be an option */
}

static const struct text {
	const char *name;
	size_t at, size;
	bool (*ok)(const char *s);
} texts[] = {
#define TEXT(member, grammar) { #member, offsetof(struct refusal, member), sizeof(((struct refusal *)0)->member), grammar }
	TEXT(id, refusal_id_ok), TEXT(stage, word_ok), TEXT(reason, word_ok), TEXT(person, text_ok), TEXT(account, text_ok), TEXT(service, text_ok), TEXT(rhost, text_ok),
	TEXT(jti, text_ok), TEXT(facts, text_ok), TEXT(detail, text_ok),
#undef TEXT
};
#define N_TEXTS FIELD_COUNT(texts)
_Static_assert(sizeof(struct refusal) == offsetof(struct refusal, detail) + sizeof(((struct refusal *)0)->detail), "no padding");

static const char *text_of(const struct refusal *r, const struct text *t)
{
	return (const char *)r + t->at;
}

static bool time_ok(int64_t t)
{
	return t >= 0 && t <= MOMENT_MAX; /* a clock that stands wrong is a reason of its own */
}

bool refusal_ok(const struct refusal *r)
{
	for (size_t i = 0; i < N_TEXTS; i++) {
		const char *s = text_of(r, &texts[i]);

		if (strnlen(s, texts[i].size) == texts[i].size || !texts[i].ok(s))
			return false;
	}
	return time_ok(r->time);
}

bool refusal_proved(const struct refusal *r)
{
	return r->person[0] || r->jti[0];
}

void refusal_terminate(struct refusal *r)
{
	for (size_t i = 0; i < N_TEXTS; i++)
		((char *)r)[texts[i].at + texts[i].size - 1] = '\0';
}

void refusal_copy(char *dst, size_t size, const char *src)
{
	log_escape(src, strlen(src), dst, size);
}

/* ---- bytes ---- */

void refusal_put(struct wr *w, const struct refusal *r)
{
	wr_u64(w, (uint64_t)r->time);
	for (size_t i = 0; i < N_TEXTS; i++)
		wr_str16(w, text_of(r, &texts[i]));
}

enum cluster_err refusal_take(struct rd *r, struct refusal *ret)
{
	struct refusal x = { .time = 0 };
	enum cluster_err e;
	uint64_t time;

	if ((e = rd_u64(r, &time)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < N_TEXTS; i++) {
		if ((e = rd_str16(r, (char *)&x + texts[i].at, texts[i].size)) != CLUSTER_OK)
			return e;
	}
	x.time = time <= INT64_MAX ? (int64_t)time : -1;
	if (!refusal_ok(&x))
		return CLUSTER_EFORMAT;
	*ret = x;
	return CLUSTER_OK;
}

/* ---- JSON ---- */

struct json *refusal_json(const struct refusal *r)
{
	struct json *j = json_make("{s:I}", "time", (long long)r->time);

	for (size_t i = 0; i < N_TEXTS && j; i++) {
		if (json_set(j, texts[i].name, json_make("s", text_of(r, &texts[i]))) != CLUSTER_OK) {
			json_free(j);
			j = NULL;
		}
	}
	return j;
}

struct json *refusal_batch_json(const struct refusal *list, size_t n)
{
	struct json *all = json_list();

	for (size_t i = 0; i < n && all; i++) {
		if (json_append(all, refusal_json(&list[i])) != CLUSTER_OK) {
			json_free(all);
			all = NULL;
		}
	}
	return json_make("{s:o}", "refusals", all);
}

static enum cluster_err read_one(const struct json *j, struct refusal *ret, struct diag *d)
{
	struct json_field fields[N_TEXTS + 1] = { FIELD_INT("time", ret->time, 0, MOMENT_MAX) };

	for (size_t i = 0; i < N_TEXTS; i++) {
		const struct text *t = &texts[i];

		fields[i + 1] = (struct json_field){ .name = t->name, .kind = JSON_KIND_STRING, .dst = (char *)ret + t->at, .size = t->size, .ok = t->ok };
	}
	return json_read(j, fields, FIELD_COUNT(fields), d);
}

enum cluster_err refusal_batch_read(const struct json *j, struct refusal **ret, size_t *ret_n, struct diag *d)
{
	const struct json *all = NULL;
	const struct json_field fields[] = { FIELD_ARRAY("refusals", all, 1, REFUSAL_BATCH_MAX) };
	struct refusal *list = NULL;
	enum cluster_err e;
	size_t n;

	if ((e = json_read(j, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK)
		return e;
	n = json_count(all);
	if (!(list = calloc(n, sizeof *list)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if ((e = read_one(json_at(all, i), &list[i], d)) != CLUSTER_OK) {
			(void)diag_prefix(d, "refusal %zu", i);
			goto out;
		}
	}
	*ret = list;
	list = NULL;
	*ret_n = n;
	e = CLUSTER_OK;
out:
	free(list);
	return e;
}
