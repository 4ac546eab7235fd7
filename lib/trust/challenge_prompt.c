/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/challenge.h"

#include <string.h>

#define MARK "CL1:"
#define END_N (sizeof CHALLENGE_PROMPT_END - 1)

static bool host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
}

/* Lines of text and nothing that could make them look different on a screen: CR, tab, escape and NUL are refused (THREATS.md C7). */
static bool plain_lines(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\n') || c == 0x7f)
			return false;
	}
	return true;
}

/* "(user@host) ", which the local ssh itself writes. */
static enum cluster_err parse_prefix(const char *prompt, size_t n, struct challenge_prompt_view *v)
{
	const char *user = prompt + 1, *at, *host, *close;
	size_t user_n, host_n;

	if (n < 1 || prompt[0] != '(')
		return CLUSTER_EFORMAT;
	at = memchr(user, '@', n - 1);
	if (!at)
		return CLUSTER_EFORMAT;
	host = at + 1;
	close = memchr(host, ')', n - (size_t)(host - prompt));
	if (!close || close + 1 >= prompt + n || close[1] != ' ')
		return CLUSTER_EFORMAT;
	user_n = (size_t)(at - user);
	host_n = (size_t)(close - host);
	if (user_n > NAME_ACCOUNT_MAX || host_n < 1 || host_n > CHALLENGE_HOST_MAX)
		return CLUSTER_EFORMAT;
	memcpy(v->user, user, user_n);
	v->user[user_n] = '\0';
	memcpy(v->host, host, host_n);
	v->host[host_n] = '\0';
	for (size_t i = 0; i < host_n; i++)
		if (!host_char(host[i]))
			return CLUSTER_EFORMAT;
	return name_account_ok(v->user) ? CLUSTER_OK : CLUSTER_EFORMAT;
}

/* How many lines begin with the mark; *ret_line and *ret_n are the last of them. */
static unsigned marked_lines(const char *s, size_t n, const char **ret_line, size_t *ret_n)
{
	unsigned found = 0;

	while (n > 0) {
		const char *end = memchr(s, '\n', n);
		size_t line_n = end ? (size_t)(end - s) : n;
		size_t step = line_n + (end != NULL);

		if (line_n >= sizeof MARK - 1 && memcmp(s, MARK, sizeof MARK - 1) == 0) {
			found++;
			*ret_line = s;
			*ret_n = line_n;
		}
		s += step;
		n -= step;
	}
	return found;
}

enum cluster_err challenge_prompt_parse(const char *prompt, size_t n, struct challenge_prompt_view *ret)
{
	struct challenge_prompt_view v;
	const char *line = NULL;
	size_t line_n = 0;
	enum cluster_err e;

	if (n <= END_N || !plain_lines(prompt, n))
		return CLUSTER_EFORMAT;
	if ((e = parse_prefix(prompt, n, &v)) != CLUSTER_OK)
		return e;
	if (marked_lines(prompt, n, &line, &line_n) != 1)
		return CLUSTER_EFORMAT;
	/* the line after it, to the end of the prompt, is the question and nothing else */
	if ((size_t)(prompt + n - line) != line_n + 1 + END_N || memcmp(line + line_n + 1, CHALLENGE_PROMPT_END, END_N) != 0)
		return CLUSTER_EFORMAT;
	if ((e = challenge_text_parse(line, line_n, &v.challenge)) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	*ret = v;
	return CLUSTER_OK;
}
