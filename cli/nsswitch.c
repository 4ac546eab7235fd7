/* SPDX-License-Identifier: Apache-2.0 */
#include "nsswitch.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/wr.h"

#define WORD "cluster"
#define TEXT_MAX ((size_t)1 << 20)

enum database { PASSWD, GROUP, INITGROUPS, HOSTS, DATABASES, OTHER = DATABASES };

static size_t line_length(const char *p)
{
	size_t n = strcspn(p, "\n");

	return p[n] == '\n' ? n + 1 : n;
}

/* Which database the line is for, and where its services begin and end (a comment ends them). */
static enum database parse_line(const char *line, size_t n, size_t *ret_from, size_t *ret_to)
{
	static const char *const names[DATABASES] = { [PASSWD] = "passwd:", [GROUP] = "group:", [INITGROUPS] = "initgroups:", [HOSTS] = "hosts:" };
	size_t i = strspn(line, " \t"), k;

	for (k = 0; k < DATABASES; k++) {
		size_t length = strlen(names[k]);

		if (i + length > n || strncmp(line + i, names[k], length) != 0)
			continue;
		*ret_from = i + length;
		*ret_to = i + length + strcspn(line + i + length, "#\n");
		if (*ret_to > n)
			*ret_to = n;
		return (enum database)k;
	}
	return OTHER;
}

/* The first of the words in line[from, to): its offset, or `to`. Words in [brackets] are actions. */
static size_t find_word(const char *line, size_t from, size_t to, const char *word)
{
	size_t length = strlen(word), i = from;

	while (i < to) {
		size_t n;

		i += strspn(line + i, " \t");
		if (i >= to)
			return to;
		n = line[i] == '[' ? strcspn(line + i, "]\n") + 1 : strcspn(line + i, " \t[\n#");
		if (i + n > to)
			n = to - i;
		if (n == length && strncmp(line + i, word, n) == 0)
			return i;
		i += n > 0 ? n : 1;
	}
	return to;
}

/* A hosts line without "files" stays as it is: nothing of ours may stand where localhost is not settled yet. */
static enum cluster_err add_to_line(struct wr *w, const char *line, size_t n, enum database db)
{
	size_t from = 0, to = 0, at, length = strlen("files");

	(void)parse_line(line, n, &from, &to);
	at = find_word(line, from, to, "files");
	if (find_word(line, from, to, WORD) < to || (db == HOSTS && at == to)) {
		wr_bytes(w, line, n);
		return CLUSTER_OK;
	}
	if (at == to) {
		at = find_word(line, from, to, "compat");
		length = strlen("compat");
	}
	if (at == to)
		return CLUSTER_ECONFIG;
	wr_bytes(w, line, at + length);
	wr_text(w, " " WORD);
	wr_bytes(w, line + at + length, n - at - length);
	return CLUSTER_OK;
}

static enum cluster_err take(struct wr *w, char **ret)
{
	enum cluster_err e;
	uint8_t *p = NULL;
	size_t n;

	wr_u8(w, 0);
	if ((e = wr_take(w, &p, &n)) == CLUSTER_OK)
		*ret = (char *)p;
	return e;
}

enum cluster_err nsswitch_add(const char *text, char **ret, struct diag *d)
{
	bool seen[DATABASES + 1] = { false };
	size_t n, from = 0, to = 0;
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, TEXT_MAX);
	for (; *text != '\0'; text += n) {
		enum database db = parse_line(text, n = line_length(text), &from, &to);

		seen[db] = true;
		if (db == OTHER) {
			wr_bytes(&w, text, n);
		} else if ((e = add_to_line(&w, text, n, db)) != CLUSTER_OK) {
			diag_set(d, e, "nsswitch.conf: \"%.*s\" has no files behind which cluster could stand", (int)strcspn(text, "\n"), text);
			goto out;
		}
	}
	if ((!seen[PASSWD] || !seen[GROUP] || !seen[HOSTS]) && w.n > 0 && w.p[w.n - 1] != '\n')
		wr_u8(&w, '\n');
	if (!seen[PASSWD])
		wr_text(&w, "passwd: files " WORD "\n");
	if (!seen[GROUP])
		wr_text(&w, "group: files " WORD "\n");
	if (!seen[HOSTS])
		wr_text(&w, "hosts: files " WORD " dns\n");
	if ((e = take(&w, ret)) != CLUSTER_OK)
		diag_set(d, e, "nsswitch.conf: %s", err_name(e));
out:
	wr_done(&w);
	return e;
}

enum cluster_err nsswitch_remove(const char *text, char **ret)
{
	size_t n, from = 0, to = 0, at;
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, TEXT_MAX);
	for (; *text != '\0'; text += n) {
		n = line_length(text);
		at = parse_line(text, n, &from, &to) == OTHER ? 0 : find_word(text, from, to, WORD);
		if (at == 0 || at == to) {
			wr_bytes(&w, text, n);
			continue;
		}
		wr_bytes(&w, text, text[at - 1] == ' ' || text[at - 1] == '\t' ? at - 1 : at);
		wr_bytes(&w, text + at + strlen(WORD), n - at - strlen(WORD));
	}
	e = take(&w, ret);
	wr_done(&w);
	return e;
}

static void find_databases(const char *text, bool has[DATABASES])
{
	size_t n, from = 0, to = 0;

	for (; *text != '\0'; text += n) {
		enum database db = parse_line(text, n = line_length(text), &from, &to);

		if (db != OTHER && find_word(text, from, to, WORD) < to)
			has[db] = true;
	}
}

bool nsswitch_has(const char *text)
{
	bool has[DATABASES] = { false };

	find_databases(text, has);
	return has[PASSWD] && has[GROUP];
}

bool nsswitch_has_hosts(const char *text)
{
	bool has[DATABASES] = { false };

	find_databases(text, has);
	return has[HOSTS];
}
