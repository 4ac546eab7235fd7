/* SPDX-License-Identifier: Apache-2.0 */
#include "sudoers.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 4096 /* what is longer has nothing for us behind that */
#define BLANK " \t"

const char *sudoers_name(enum sudoers_setting which)
{
	static const char *const names[SUDOERS_N] = { [SUDOERS_ROOTPW] = "rootpw", [SUDOERS_RUNASPW] = "runaspw", [SUDOERS_TARGETPW] = "targetpw" };

	return names[which];
}

/* One logical line: what ends in a backslash goes on in the next. Returns where the next one begins. */
static const char *next_line(const char *p, char dst[LINE_SIZE])
{
	size_t n = 0;

	for (; *p && *p != '\n'; p++) {
		if (p[0] == '\\' && p[1] == '\n')
			p++;
		else if (n + 1 < LINE_SIZE)
			dst[n++] = *p;
	}
	dst[n] = '\0';
	return *p ? p + 1 : p;
}

/* Behind the list of users, hosts, commands or run-as users that a setting is for: members with commas between. */
static const char *skip_scope(const char *p)
{
	do {
		p += strspn(p, BLANK ",");
		while (*p && !strchr(BLANK ",", *p))
			p += p[0] == '\\' && p[1] ? 2 : 1;
	} while (p[strspn(p, BLANK)] == ',');
	return p;
}

/* Behind "= value", "+= value" or nothing. */
static const char *skip_value(const char *p)
{
	const char *sign = p + strspn(p, BLANK);

	if (*sign == '+' || *sign == '-')
		sign++;
	if (*sign != '=')
		return p;
	p = sign + 1 + strspn(sign + 1, BLANK);
	if (*p == '"') {
		for (p++; *p && *p != '"'; p++)
			p += p[0] == '\\' && p[1] != '\0';
		return *p ? p + 1 : p;
	}
	while (*p && *p != ',')
		p += p[0] == '\\' && p[1] ? 2 : 1;
	return p;
}

static void set(struct sudoers *s, const char *name, size_t n, bool on, bool scoped)
{
	for (unsigned i = 0; i < SUDOERS_N; i++) {
		const char *known = sudoers_name((enum sudoers_setting)i);

		if (strlen(known) == n && strncmp(name, known, n) == 0 && (on || !scoped))
			s->on[i] = on;
	}
}

static void read_defaults(struct sudoers *s, const char *p)
{
	bool scoped = *p && strchr("@:!>", *p);

	if (scoped)
		p = skip_scope(p + 1);
	for (;;) {
		bool on = true;
		size_t n;

		for (p += strspn(p, BLANK ","); *p == '!'; p += 1 + strspn(p + 1, BLANK))
			on = !on;
		n = strcspn(p, BLANK ",=+-!#");
		if (n == 0)
			return;
		set(s, p, n, on, scoped);
		p = skip_value(p + n);
	}
}

static bool begins(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

/* "@include path", "#includedir path" and the like; the path may stand in quotes. */
static void read_include(struct sudoers *s, const char *p)
{
	bool folder = begins(&p, "dir");
	char path[LINE_SIZE];
	size_t n = 0;
	bool quoted;

	if (!*p || !strchr(BLANK, *p))
		return;
	p += strspn(p, BLANK);
	quoted = *p == '"';
	for (p += quoted; *p && (quoted ? *p != '"' : !strchr(BLANK, *p)); p++) {
		p += p[0] == '\\' && p[1] != '\0';
		path[n++] = *p;
	}
	path[n] = '\0';
	if (n > 0 && s->include)
		s->include(s, path, folder);
}

void sudoers_read(struct sudoers *s, const char *text)
{
	char line[LINE_SIZE];
	const char *p;

	while (*text) {
		text = next_line(text, line);
		p = line + strspn(line, BLANK);
		if (begins(&p, "@include") || begins(&p, "#include"))
			read_include(s, p);
		else if (begins(&p, "Defaults") && *p && strchr(BLANK "@:!>", *p))
			read_defaults(s, p);
	}
}
