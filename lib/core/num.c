/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/num.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits from *text on; *text is left on the first other byte. A number that does not fit saturates, *ret_over says so. */
static enum cluster_err digits(const char **text, uint64_t *ret, bool *ret_over)
{
	const char *p = *text;
	uint64_t v = 0;
	bool over = false;

	if (!is_digit(*p) || (p[0] == '0' && is_digit(p[1])))
		return CLUSTER_EFORMAT;
	for (; is_digit(*p); p++)
		over |= __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v);
	*text = p;
	*ret_over = over;
	*ret = v;
	return CLUSTER_OK;
}

enum cluster_err num_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	bool over;

	if (!text || digits(&text, &v, &over) != CLUSTER_OK || *text)
		return CLUSTER_EFORMAT;
	if (over || v < min || v > max)
		return CLUSTER_ELIMIT;
	*ret = v;
	return CLUSTER_OK;
}

enum cluster_err num_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t v;
	enum cluster_err e = num_u64(text, min, max, &v);

	if (e != CLUSTER_OK)
		return e;
	*ret = (uint32_t)v;
	return CLUSTER_OK;
}

static uint64_t unit(char c)
{
	switch (c) {
	case '\0':
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 0;
	}
}

enum cluster_err num_seconds(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	bool over;

	if (!text || digits(&text, &v, &over) != CLUSTER_OK || !unit(*text) || (*text && text[1]))
		return CLUSTER_EFORMAT;
	if (over || __builtin_mul_overflow(v, unit(*text), &v) || v < min || v > max)
		return CLUSTER_ELIMIT;
	*ret = v;
	return CLUSTER_OK;
}
