/* SPDX-License-Identifier: Apache-2.0 */
#include "head.h"

#include <string.h>
#include <strings.h>

#include "cluster/num.h"

/* Fields that stand at most once, and those that we take no part in. */
enum field { FIELD_HOST, FIELD_LENGTH, FIELD_AUTHORIZATION, FIELD_DPOP, FIELD_CONNECTION, FIELD_TYPE, FIELD_SINGLE_N };

static const char *const single[FIELD_SINGLE_N] = {
	[FIELD_HOST] = "host",
	[FIELD_LENGTH] = "content-length",
	[FIELD_AUTHORIZATION] = "authorization",
	[FIELD_DPOP] = "dpop",
	[FIELD_CONNECTION] = "connection",
	[FIELD_TYPE] = "content-type",
};
static const char *const refused[] = { "transfer-encoding", "upgrade", "expect", "te", "trailer", "content-encoding", "proxy-connection" };

const char *head_method_name(enum head_method m)
{
	return m == HEAD_POST ? "POST" : "GET";
}

static bool token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

/* Cuts the next line off: terminated in place, *at behind its CR LF. NULL for a line with a bare CR, bare LF or NUL. */
static char *next_line(char **at, char *end)
{
	char *line = *at, *lf = memchr(line, '\n', (size_t)(end - line));

	if (!lf || lf == line || lf[-1] != '\r')
		return NULL;
	lf[-1] = '\0';
	if (strlen(line) != (size_t)(lf - 1 - line) || strchr(line, '\r'))
		return NULL;
	*at = lf + 1;
	return line;
}

static enum cluster_err target_read(char *target, struct head *h, struct diag *d)
{
	size_t n = strlen(target);

	if (n > HEAD_TARGET_MAX)
		return diag_set(d, CLUSTER_ELIMIT, "the request target is longer than %d bytes", HEAD_TARGET_MAX);
	if (target[0] != '/')
		return diag_set(d, CLUSTER_EFORMAT, "the request target is not a path");
	for (size_t i = 0; i < n; i++) {
		if (target[i] <= 0x20 || target[i] >= 0x7f || strchr("%#\\\"<>", target[i]))
			return diag_set(d, CLUSTER_EFORMAT, "the request target has a byte that no target of ours has");
	}
	h->target = target;
	h->path_n = strcspn(target, "?");
	h->query = h->path_n < n ? target + h->path_n + 1 : NULL;
	return CLUSTER_OK;
}

static enum cluster_err request_line(char *line, struct head *h, struct diag *d)
{
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version || strcmp(version + 1, "HTTP/1.1") != 0)
		return diag_set(d, CLUSTER_EFORMAT, "not an HTTP/1.1 request");
	*target++ = '\0';
	*version = '\0';
	if (strcmp(line, "GET") == 0)
		h->method = HEAD_GET;
	else if (strcmp(line, "POST") == 0)
		h->method = HEAD_POST;
	else
		return diag_set(d, CLUSTER_EFORMAT, "the method is neither GET nor POST");
	return target_read(target, h, d);
}

/* "name: value" in place; *ret_value without the white space around it. */
static enum cluster_err field_split(char *line, char **ret_value, struct diag *d)
{
	size_t n = 0, end;
	char *value;

	while (token_char(line[n]))
		n++;
	if (n == 0 || line[n] != ':')
		return diag_set(d, CLUSTER_EFORMAT, "a header line is not \"name: value\"");
	line[n] = '\0';
	value = line + n + 1;
	value += strspn(value, " \t");
	end = strlen(value);
	while (end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t'))
		value[--end] = '\0';
	for (size_t i = 0; i < end; i++) {
		if ((value[i] < 0x20 && value[i] != '\t') || value[i] >= 0x7f)
			return diag_set(d, CLUSTER_EFORMAT, "a header has a byte outside printable ASCII");
	}
	*ret_value = value;
	return CLUSTER_OK;
}

static enum cluster_err field_take(const char *name, const char *value, const char *seen[FIELD_SINGLE_N], struct diag *d)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		if (strcasecmp(name, refused[i]) == 0)
			return diag_set(d, CLUSTER_EFORMAT, "the header %s is not taken", refused[i]);
	}
	for (size_t i = 0; i < FIELD_SINGLE_N; i++) {
		if (strcasecmp(name, single[i]) != 0)
			continue;
		if (seen[i])
			return diag_set(d, CLUSTER_EFORMAT, "the header %s is there twice", single[i]);
		seen[i] = value;
	}
	return CLUSTER_OK;
}

/* What the fields mean together. */
static enum cluster_err fields_judge(const char *const seen[FIELD_SINGLE_N], struct head *h, struct diag *d)
{
	const char *length = seen[FIELD_LENGTH], *connection = seen[FIELD_CONNECTION];
	enum cluster_err e;
	uint64_t n = 0;

	if (!seen[FIELD_HOST] || !seen[FIELD_HOST][0])
		return diag_set(d, CLUSTER_EFORMAT, "the header host is missing");
	if (h->method == HEAD_POST && !length)
		return diag_set(d, CLUSTER_EFORMAT, "a POST needs content-length");
	if (length && (e = num_u64(length, 0, HEAD_BODY_MAX, &n)) != CLUSTER_OK)
		return diag_set(d, e, e == CLUSTER_ELIMIT ? "the body is larger than 256 KiB" : "content-length is not a number");
	if (h->method == HEAD_GET && n)
		return diag_set(d, CLUSTER_EFORMAT, "a GET has no body");
	if (connection && strcasecmp(connection, "close") != 0 && strcasecmp(connection, "keep-alive") != 0)
		return diag_set(d, CLUSTER_EFORMAT, "connection is neither close nor keep-alive");
	h->body_n = (size_t)n;
	h->close = connection && strcasecmp(connection, "close") == 0;
	h->authorization = seen[FIELD_AUTHORIZATION];
	h->dpop = seen[FIELD_DPOP];
	return CLUSTER_OK;
}

enum cluster_err head_parse(char *text, size_t n, struct head *ret, struct diag *d)
{
	const char *seen[FIELD_SINGLE_N] = { NULL };
	struct head h = { 0 };
	char *at = text, *end = text + n, *line, *value = NULL;
	enum cluster_err e;

	if (n > HEAD_MAX)
		return diag_set(d, CLUSTER_ELIMIT, "the request's head is larger than %d bytes", HEAD_MAX);
	if (!(line = next_line(&at, end)))
		return diag_set(d, CLUSTER_EFORMAT, "not an HTTP/1.1 request");
	if ((e = request_line(line, &h, d)) != CLUSTER_OK)
		return e;
	for (unsigned fields = 0;; fields++) {
		if (!(line = next_line(&at, end)))
			return diag_set(d, CLUSTER_EFORMAT, "a header line does not end with CR LF");
		if (!*line)
			break;
		if (fields >= HEAD_FIELDS_MAX)
			return diag_set(d, CLUSTER_ELIMIT, "more than %d headers", HEAD_FIELDS_MAX);
		if ((e = field_split(line, &value, d)) != CLUSTER_OK || (e = field_take(line, value, seen, d)) != CLUSTER_OK)
			return e;
	}
	if (at != end)
		return diag_set(d, CLUSTER_EFORMAT, "bytes after the request's head");
	if ((e = fields_judge(seen, &h, d)) != CLUSTER_OK)
		return e;
	*ret = h;
	return CLUSTER_OK;
}

static enum cluster_err query_number(const char *text, size_t n, uint64_t *ret)
{
	char digits[24];

	if (n == 0 || n >= sizeof digits)
		return CLUSTER_EFORMAT;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return num_u64(digits, 0, UINT64_C(1) << 53, ret);
}

enum cluster_err head_query(const char *query, const char *const *names, uint64_t *const *values, size_t n, struct diag *d)
{
	unsigned seen = 0;

	while (query && *query) {
		size_t name_n = strcspn(query, "=&"), value_n, i = 0;

		while (i < n && (strlen(names[i]) != name_n || memcmp(names[i], query, name_n) != 0))
			i++;
		if (i == n || (seen & 1u << i) || query[name_n] != '=')
			return diag_set(d, CLUSTER_EFORMAT, "the query is not one that this path takes");
		seen |= 1u << i;
		query += name_n + 1;
		value_n = strcspn(query, "&");
		if (query_number(query, value_n, values[i]) != CLUSTER_OK)
			return diag_set(d, CLUSTER_EFORMAT, "%s: not a number from 0 to 2^53", names[i]);
		query += value_n;
		if (*query == '&' && !*++query)
			return diag_set(d, CLUSTER_EFORMAT, "the query is not one that this path takes");
	}
	return CLUSTER_OK;
}
