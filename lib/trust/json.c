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

/*
 * --- parsing (THREATS.md B11) ---
 *
 * Text becomes a tree of jansson's here and not by json_loadb: its lexer runs past its buffer when memory for a token is refused (2.14), and knows reals, which abort under some
 * locales. The grammar is RFC 8259 without reals, "-0", leading zeros and \u0000.
 */

struct scan {
	const unsigned char *p;
	size_t n, at;
	unsigned depth;
	struct diag *d;
};

static enum cluster_err bad(const struct scan *s, const char *what)
{
	return diag_set(s->d, CLUSTER_EFORMAT, "JSON: %s at byte %zu", what, s->at);
}

static enum cluster_err no_memory(const struct scan *s)
{
	return diag_set(s->d, CLUSTER_ENOMEM, "JSON: out of memory");
}

/* The byte that stands next, or 0, which no grammar has, at the end. */
static unsigned char peek(const struct scan *s)
{
	return s->at < s->n ? s->p[s->at] : 0;
}

static unsigned char next_token(struct scan *s)
{
	while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
		s->at++;
	return peek(s);
}

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

/* Four hexadecimal digits. */
static bool read_hex(struct scan *s, uint32_t *ret)
{
	uint32_t v = 0;

	if (s->n - s->at < 4)
		return false;
	for (int i = 0; i < 4; i++, s->at++) {
		unsigned char c = s->p[s->at], low = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			v = v << 4 | (uint32_t)(low - 'a' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}

static size_t put_utf8(uint32_t v, char *dst)
{
	size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; v >>= 6)
		dst[i] = (char)(0x80 | (v & 0x3f));
	dst[0] = (char)(first[n] | v);
	return n;
}

/* From after the backslash. Writes at most as many bytes as are read. */
static enum cluster_err read_escape(struct scan *s, char *dst, size_t *n)
{
	static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	unsigned char c = peek(s);
	const char *at = c ? strchr(plain, c) : NULL;
	uint32_t v, low;

	s->at++;
	if (at) {
		dst[(*n)++] = meant[at - plain];
		return CLUSTER_OK;
	}
	if (c != 'u' || !read_hex(s, &v) || v == 0 || (v >= 0xdc00 && v <= 0xdfff))
		return bad(s, "bad escape");
	if (v >= 0xd800 && v <= 0xdbff) {
		if (s->n - s->at < 6 || s->p[s->at] != '\\' || s->p[s->at + 1] != 'u')
			return bad(s, "half a surrogate pair");
		s->at += 2;
		if (!read_hex(s, &low) || low < 0xdc00 || low > 0xdfff)
			return bad(s, "half a surrogate pair");
		v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
	}
	*n += put_utf8(v, dst + *n);
	return CLUSTER_OK;
}

/* From after the opening quote to after the closing one. The caller frees *ret, which is NUL-terminated. */
static enum cluster_err read_string(struct scan *s, char **ret, size_t *ret_n)
{
	const unsigned char *end = s->p + s->at;
	enum cluster_err e = CLUSTER_OK;
	size_t n = 0, step;
	char *text;

	/* what stands between the quotes is never shorter than what it means */
	for (; end < s->p + s->n && *end != '"'; end++)
		end += *end == '\\';
	if (end >= s->p + s->n)
		return bad(s, "unfinished string");
	text = malloc((size_t)(end - (s->p + s->at)) + 1);
	if (!text)
		return no_memory(s);
	while (e == CLUSTER_OK && peek(s) != '"') {
		unsigned char c = peek(s);

		if (c < 0x20) {
			e = bad(s, "control byte in a string");
		} else if (c == '\\') {
			s->at++;
			e = read_escape(s, text, &n);
		} else if (!(step = utf8_sequence(s->p + s->at, s->n - s->at))) {
			e = bad(s, "not UTF-8");
		} else {
			memcpy(text + n, s->p + s->at, step);
			n += step;
			s->at += step;
		}
	}
	if (e != CLUSTER_OK) {
		free(text);
		return e;
	}
	s->at++;
	text[n] = '\0';
	*ret = text;
	*ret_n = n;
	return CLUSTER_OK;
}

/* An integer: sign, digits, no leading zero, no "-0"; what may follow it is the caller's to judge. */
static enum cluster_err read_number(struct scan *s, json_t **ret)
{
	bool minus = peek(s) == '-';
	uint64_t v = 0, limit = (uint64_t)INT64_MAX + minus;
	size_t first;

	s->at += minus;
	first = s->at;
	for (; peek(s) >= '0' && peek(s) <= '9'; s->at++) {
		uint64_t digit = (uint64_t)(peek(s) - '0');

		if (v > (limit - digit) / 10)
			return bad(s, "not a plain integer");
		v = v * 10 + digit;
	}
	if (s->at == first || (s->p[first] == '0' && (minus || s->at - first > 1)))
		return bad(s, "not a plain integer");
	*ret = json_integer(minus ? (json_int_t)(0 - v) : (json_int_t)v);
	return *ret ? CLUSTER_OK : no_memory(s);
}

static enum cluster_err read_word(struct scan *s, json_t **ret)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t n = strlen(words[i]);

		if (s->n - s->at < n || memcmp(s->p + s->at, words[i], n) != 0)
			continue;
		s->at += n;
		*ret = i == 0 ? json_true() : i == 1 ? json_false() : json_null();
		return CLUSTER_OK;
	}
	return bad(s, "neither a value nor an end");
}

static enum cluster_err read_value(struct scan *s, json_t **ret);

static enum cluster_err read_member(struct scan *s, json_t *object)
{
	json_t *value = NULL;
	enum cluster_err e;
	char *name = NULL;
	size_t n;

	if (next_token(s) != '"')
		return bad(s, "not the name of a member");
	s->at++;
	if ((e = read_string(s, &name, &n)) != CLUSTER_OK)
		return e;
	if (json_object_get(object, name))
		e = bad(s, "a member twice");
	else if (next_token(s) != ':')
		e = bad(s, "no colon");
	else
		s->at++;
	if (e == CLUSTER_OK && (e = read_value(s, &value)) == CLUSTER_OK && json_object_set_new_nocheck(object, name, value) != 0)
		e = no_memory(s);
	free(name);
	return e;
}

static enum cluster_err read_element(struct scan *s, json_t *array)
{
	json_t *value = NULL;
	enum cluster_err e = read_value(s, &value);

	return e != CLUSTER_OK || json_array_append_new(array, value) == 0 ? e : no_memory(s);
}

/* From the opening bracket to after the closing one. */
static enum cluster_err read_container(struct scan *s, json_t **ret)
{
	bool object = peek(s) == '{';
	unsigned char end = object ? '}' : ']', c;
	enum cluster_err e = CLUSTER_OK;
	json_t *j;

	s->at++;
	if (++s->depth > JSON_DEPTH_MAX)
		return diag_set(s->d, CLUSTER_ELIMIT, "JSON: deeper than %d levels at byte %zu", JSON_DEPTH_MAX, s->at);
	j = object ? json_object() : json_array();
	if (!j)
		return no_memory(s);
	if (next_token(s) == end) {
		s->at++;
	} else {
		do {
			e = object ? read_member(s, j) : read_element(s, j);
			c = next_token(s);
			s->at++;
		} while (e == CLUSTER_OK && c == ',');
		if (e == CLUSTER_OK && c != end)
			e = bad(s, "neither a comma nor the closing bracket");
	}
	s->depth--;
	if (e != CLUSTER_OK) {
		json_decref(j);
		return e;
	}
	*ret = j;
	return CLUSTER_OK;
}

static enum cluster_err read_value(struct scan *s, json_t **ret)
{
	unsigned char c = next_token(s);
	enum cluster_err e;
	char *text = NULL;
	size_t n;

	if (c == '{' || c == '[')
		return read_container(s, ret);
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(s, ret);
	if (c != '"')
		return read_word(s, ret);
	s->at++;
	if ((e = read_string(s, &text, &n)) != CLUSTER_OK)
		return e;
	*ret = json_stringn_nocheck(text, n);
	free(text);
	return *ret ? CLUSTER_OK : no_memory(s);
}

enum cluster_err json_parse(const char *text, size_t n, size_t max, struct json **ret, struct diag *d)
{
	struct scan s = { .p = (const unsigned char *)text, .n = n, .d = d };
	json_t *j = NULL;
	enum cluster_err e;

	if (n > max)
		return diag_set(d, CLUSTER_ELIMIT, "JSON: %zu bytes, the limit is %zu", n, max);
	if (next_token(&s) != '{' && peek(&s) != '[')
		return bad(&s, "neither an object nor an array");
	if ((e = read_value(&s, &j)) != CLUSTER_OK)
		return e;
	next_token(&s);
	if (s.at < n) {
		json_decref(j);
		return bad(&s, "something after the end");
	}
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
