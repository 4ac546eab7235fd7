/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_JSON_H
#define CLUSTER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* The only door to jansson: strict input (PROTOCOL.md 1.7) through tables, canonical output. */
struct json;

#define JSON_DEPTH_MAX 8

/*
 * One strict pass (size, depth, number syntax, \u0000, UTF-8; THREATS.md B11). The caller frees *ret. CLUSTER_ELIMIT: larger than
 * `max`, or too deep. CLUSTER_ENOMEM. CLUSTER_EFORMAT: anything else, place in `d`. Reals, "-0" and leading zeros are refused; the locale has no say.
 * White space (RFC 8259) may stand around and between tokens.
 */
enum cluster_err json_parse(const char *text, size_t n, size_t max, struct json **ret, struct diag *d) CLUSTER_MUST_USE;
void json_free(struct json *j);

enum json_kind { JSON_KIND_STRING, JSON_KIND_TEXT, JSON_KIND_INT, JSON_KIND_BOOL, JSON_KIND_OBJECT, JSON_KIND_ARRAY };

/* One member of an object that json_read expects. */
struct json_field {
	const char *name;
	enum json_kind kind;
	bool optional;          /* absent: destination untouched, *present (if given) false */
	void *dst;              /* STRING: char[size], copied; TEXT: const char *, borrowed from the tree; INT: int64_t; BOOL: bool; OBJECT, ARRAY: const struct json * */
	size_t size;            /* STRING: room with NUL */
	int64_t min, max;       /* INT: range. TEXT: max is the longest length. ARRAY: least and most elements (max 0: no upper limit) */
	bool (*ok)(const char *); /* STRING, TEXT: grammar; NULL accepts any */
	bool *present;
};

/*
 * Every member of `j` must be in the table and every non-optional row present. CLUSTER_EFORMAT, or CLUSTER_ELIMIT for what is too long, too many or out of
 * range; the member is named in `d`, its value never. Destinations may be half written on failure.
 */
enum cluster_err json_read(const struct json *j, const struct json_field *fields, size_t n, struct diag *d) CLUSTER_MUST_USE;

size_t json_count(const struct json *array);
const struct json *json_at(const struct json *array, size_t i); /* borrowed; NULL outside */
/* The element as text (borrowed), or NULL if it is not a string. */
const char *json_string_at(const struct json *array, size_t i);
/* A member by name, whatever else is there (for reading answers of a known peer); NULL if absent. */
const struct json *json_member(const struct json *object, const char *name);
const char *json_member_text(const struct json *object, const char *name);             /* NULL if absent or not a string */
int64_t json_member_int(const struct json *object, const char *name, int64_t otherwise);
bool json_member_bool(const struct json *object, const char *name, bool otherwise);
/* Walks the members of an object; *iter starts NULL. Returns the value and its name, or NULL at the end. */
const struct json *json_each(const struct json *object, void **iter, const char **ret_name);

/*
 * Building. json_make takes jansson's pack format ("{s:s, s:I, s:o}", 'I' is json_int_t = long long, 'o' takes ownership of a struct json *, 's?' and
 * 'o?' leave... see its manual; "s*" and "o*" drop NULL members). NULL if anything is missing, so NULL children make the whole NULL: check once.
 */
struct json *json_make(const char *fmt, ...);
struct json *json_list(void);
struct json *json_map(void); /* an empty object; jansson has taken the name json_object */
/* Takes `item` in any case. CLUSTER_ENOMEM if either is NULL. */
enum cluster_err json_append(struct json *list, struct json *item) CLUSTER_MUST_USE;
enum cluster_err json_set(struct json *object, const char *name, struct json *item) CLUSTER_MUST_USE;

/* Canonical text (members sorted, compact), NUL-terminated; the caller frees *ret with free(). CLUSTER_ENOMEM also when j is NULL. */
enum cluster_err json_text(const struct json *j, char **ret, size_t *ret_n) CLUSTER_MUST_USE;
/* For people: indented by two, members sorted, newline at the end. */
enum cluster_err json_pretty(const struct json *j, char **ret, size_t *ret_n) CLUSTER_MUST_USE;

#endif
