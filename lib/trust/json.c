/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cluster/wr.h"

#define TEXT_MAX ((size_t)1 << 30)

/* A struct json is a json_t that only this file can look into. */
static json_t *raw(const struct json *j)
{
	return (json_t *)(uintptr_t)j;
}

static struct json *cooked(const json_t *j)
{
	return (struct json *)(uintptr_t)j;
}

/* --- the scan before jansson (THREATS.md B11) --- */

struct scan {
	const unsigned char *p;
	size_t n, at;
	unsigned depth;
};

/* Bytes of the well-formed UTF-8 sequence at `p`, of which `n` bytes are there, or 0. No surrogate, no overlong form. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static enum cluster_err bad(const struct scan *s, const char *what, struct diag *d)
{
	return diag_set(d, CLUSTER_EFORMAT, "JSON: %s at byte %zu", what, s->at);
}

/* From after the opening quote to after the closing one. */
static enum cluster_err scan_string(struct scan *s, struct diag *d)
{
	while (s->at < s->n) {
		unsigned char c = s->p[s->at];
		size_t step;

		if (c == '"') {
			s->at++;
			return CLUSTER_OK;
		}
		if (c < 0x20)
			return bad(s, "control byte in a string", d);
		if (c == '\\') {
			if (s->n - s->at >= 6 && memcmp(s->p + s->at, "\\u0000", 6) == 0)
				return bad(s, "\\u0000", d);
			s->at += 2; /* what may follow a backslash is jansson's to judge */
			continue;
		}
		if (!(step = utf8_sequence(s->p + s->at, s->n - s->at)))
			return bad(s, "not UTF-8", d);
		s->at += step;
	}
	return bad(s, "unfinished string", d);
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* An integer: sign, digits, no leading zero, no "-0", and no letter, sign or point behind it. */
static enum cluster_err scan_number(struct scan *s, struct diag *d)
{
	bool minus = s->p[s->at] == '-';
	size_t first, digits;

	if (minus)
		s->at++;
	first = s->at;
	while (s->at < s->n && is_digit(s->p[s->at]))
		s->at++;
	digits = s->at - first;
	if (digits == 0 || digits > 19 || (s->p[first] == '0' && (minus || digits > 1)))
		return bad(s, "not a plain integer", d);
	if (s->at < s->n && strchr("+-.", s->p[s->at]) && s->p[s->at])
		return bad(s, "not a plain integer", d);
	if (s->at < s->n && ((s->p[s->at] | 0x20) >= 'a' && (s->p[s->at] | 0x20) <= 'z'))
		return bad(s, "not a plain integer", d);
	return CLUSTER_OK;
}

static enum cluster_err scan(struct scan *s, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;

	while (e == CLUSTER_OK && s->at < s->n) {
		unsigned char c = s->p[s->at];

		if (c == '-' || is_digit(c)) {
			e = scan_number(s, d);
			continue;
		}
		if (c == '\0' || c >= 0x80)
			return bad(s, "stray byte", d);
		s->at++;
		if (c == '"')
			e = scan_string(s, d);
		else if ((c == '{' || c == '[') && ++s->depth > JSON_DEPTH_MAX)
			return diag_set(d, CLUSTER_ELIMIT, "JSON: deeper than %d levels at byte %zu", JSON_DEPTH_MAX, s->at);
		else if ((c == '}' || c == ']') && s->depth-- == 0)
			return bad(s, "stray bracket", d);
	}
	return e;
}

enum cluster_err json_parse(const char *text, size_t n, size_t max, struct json **ret, struct diag *d)
{
	struct scan s = { .p = (const unsigned char *)text, .n = n };
	json_error_t error;
	json_t *j;
	enum cluster_err e;

	if (n > max)
		return diag_set(d, CLUSTER_ELIMIT, "JSON: %zu bytes, the limit is %zu", n, max);
	if ((e = scan(&s, d)) != CLUSTER_OK)
		return e;
	j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (!j && json_error_code(&error) == json_error_out_of_memory)
		return diag_set(d, CLUSTER_ENOMEM, "JSON: out of memory");
	if (!j)
		return diag_set(d, CLUSTER_EFORMAT, "JSON: %s at byte %d", error.text, error.position);
	*ret = cooked(j);
	return CLUSTER_OK;
}

void json_free(struct json *j)
{
	json_decref(raw(j));
}

/* --- reading by table --- */

static enum cluster_err read_text(const json_t *v, const struct json_field *f, struct diag *d)
{
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);

	if (!s)
		return diag_set(d, CLUSTER_EFORMAT, "member \"%s\" is not a string", f->name);
	if (f->kind == JSON_KIND_STRING ? n >= f->size : f->max > 0 && n > (uint64_t)f->max)
		return diag_set(d, CLUSTER_ELIMIT, "member \"%s\" is too long", f->name);
	if (f->ok && !f->ok(s))
		return diag_set(d, CLUSTER_EFORMAT, "member \"%s\" breaks its grammar", f->name);
	if (f->kind == JSON_KIND_STRING)
		memcpy(f->dst, s, n + 1);
	else
		*(const char **)f->dst = s;
	return CLUSTER_OK;
}

static enum cluster_err read_int(const json_t *v, const struct json_field *f, struct diag *d)
{
	int64_t i = json_integer_value(v);

	if (!json_is_integer(v))
		return diag_set(d, CLUSTER_EFORMAT, "member \"%s\" is not an integer", f->name);
	if (i < f->min || i > f->max)
		return diag_set(d, CLUSTER_ELIMIT, "member \"%s\" is %" PRId64 ", outside %" PRId64 " to %" PRId64, f->name, i, f->min, f->max);
	*(int64_t *)f->dst = i;
	return CLUSTER_OK;
}

static enum cluster_err read_array(const json_t *v, const struct json_field *f, struct diag *d)
{
	size_t n = json_array_size(v);

	if (!json_is_array(v))
		return diag_set(d, CLUSTER_EFORMAT, "member \"%s\" is not an array", f->name);
	if ((f->min > 0 && n < (uint64_t)f->min) || (f->max > 0 && n > (uint64_t)f->max))
		return diag_set(d, CLUSTER_ELIMIT, "member \"%s\" has %zu elements", f->name, n);
	*(const struct json **)f->dst = cooked(v);
	return CLUSTER_OK;
}

static enum cluster_err read_field(const json_t *v, const struct json_field *f, struct diag *d)
{
	switch (f->kind) {
	case JSON_KIND_STRING:
	case JSON_KIND_TEXT:
		return read_text(v, f, d);
	case JSON_KIND_INT:
		return read_int(v, f, d);
	case JSON_KIND_BOOL:
		if (!json_is_boolean(v))
			return diag_set(d, CLUSTER_EFORMAT, "member \"%s\" is not true or false", f->name);
		*(bool *)f->dst = json_is_true(v);
		return CLUSTER_OK;
	case JSON_KIND_OBJECT:
		if (!json_is_object(v))
			return diag_set(d, CLUSTER_EFORMAT, "member \"%s\" is not an object", f->name);
		*(const struct json **)f->dst = cooked(v);
		return CLUSTER_OK;
	case JSON_KIND_ARRAY:
		return read_array(v, f, d);
	}
	return diag_set(d, CLUSTER_EFORMAT, "member \"%s\" has no kind", f->name);
}

/* There is a member that no row names: which one? */
static enum cluster_err unknown_member(json_t *object, const struct json_field *fields, size_t n, struct diag *d)
{
	const char *name = "?";

	for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
		size_t i = 0;

		name = json_object_iter_key(it);
		while (i < n && strcmp(fields[i].name, name) != 0)
			i++;
		if (i == n)
			break;
	}
	return diag_set(d, CLUSTER_EFORMAT, "unknown member \"%.80s\"", name);
}

enum cluster_err json_read(const struct json *j, const struct json_field *fields, size_t n, struct diag *d)
{
	size_t found = 0;
	enum cluster_err e;

	if (!json_is_object(raw(j)))
		return diag_set(d, CLUSTER_EFORMAT, "not an object");
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(raw(j), fields[i].name);

		if (fields[i].present)
			*fields[i].present = v != NULL;
		if (!v && !fields[i].optional)
			return diag_set(d, CLUSTER_EFORMAT, "member \"%s\" is missing", fields[i].name);
		if (!v)
			continue;
		found++;
		if ((e = read_field(v, &fields[i], d)) != CLUSTER_OK)
			return e;
	}
	return found == json_object_size(raw(j)) ? CLUSTER_OK : unknown_member(raw(j), fields, n, d);
}

size_t json_count(const struct json *array)
{
	return json_array_size(raw(array));
}

const struct json *json_at(const struct json *array, size_t i)
{
	return cooked(json_array_get(raw(array), i));
}

const char *json_string_at(const struct json *array, size_t i)
{
	return json_string_value(json_array_get(raw(array), i));
}

const struct json *json_member(const struct json *object, const char *name)
{
	return cooked(json_object_get(raw(object), name));
}

const char *json_member_text(const struct json *object, const char *name)
{
	return json_string_value(json_object_get(raw(object), name));
}

int64_t json_member_int(const struct json *object, const char *name, int64_t otherwise)
{
	const json_t *v = json_object_get(raw(object), name);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

bool json_member_bool(const struct json *object, const char *name, bool otherwise)
{
	const json_t *v = json_object_get(raw(object), name);

	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

const struct json *json_each(const struct json *object, void **iter, const char **ret_name)
{
	json_t *j = raw(object);

	*iter = *iter ? json_object_iter_next(j, *iter) : json_object_iter(j);
	if (!*iter)
		return NULL;
	*ret_name = json_object_iter_key(*iter);
	return cooked(json_object_iter_value(*iter));
}

/* --- building --- */

struct json *json_make(const char *fmt, ...)
{
	json_error_t error;
	json_t *j;
	va_list ap;

	va_start(ap, fmt);
	j = json_vpack_ex(&error, 0, fmt, ap);
	va_end(ap);
	return cooked(j);
}

struct json *json_list(void)
{
	return cooked(json_array());
}

struct json *json_map(void)
{
	return cooked(json_object());
}

enum cluster_err json_append(struct json *list, struct json *item)
{
	return json_array_append_new(raw(list), raw(item)) == 0 ? CLUSTER_OK : CLUSTER_ENOMEM;
}

enum cluster_err json_set(struct json *object, const char *name, struct json *item)
{
	return json_object_set_new(raw(object), name, raw(item)) == 0 ? CLUSTER_OK : CLUSTER_ENOMEM;
}

static int write_some(const char *text, size_t n, void *into)
{
	struct wr *w = into;

	wr_bytes(w, text, n);
	return wr_end(w) == CLUSTER_OK ? 0 : -1;
}

static enum cluster_err dump(const struct json *j, size_t flags, const char *end, char **ret, size_t *ret_n)
{
	struct wr w;
	uint8_t *text = NULL;
	size_t n = 0;
	enum cluster_err e = CLUSTER_ENOMEM;

	wr_grow(&w, TEXT_MAX);
	if (!j || json_dump_callback(raw(j), write_some, &w, flags | JSON_SORT_KEYS) != 0)
		goto out;
	wr_text(&w, end);
	n = w.n;
	wr_terminate(&w);
	if ((e = wr_take(&w, &text, &n)) != CLUSTER_OK)
		goto out;
	*ret = (char *)text;
	if (ret_n)
		*ret_n = n;
	e = CLUSTER_OK;
out:
	wr_done(&w);
	return e;
}

enum cluster_err json_text(const struct json *j, char **ret, size_t *ret_n)
{
	return dump(j, JSON_COMPACT, "", ret, ret_n);
}

enum cluster_err json_pretty(const struct json *j, char **ret, size_t *ret_n)
{
	return dump(j, JSON_INDENT(2), "\n", ret, ret_n);
}
