/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/conf.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/file.h"
#include "cluster/secret.h"

#include "conf_value.h"

#define LINE_ROOM 4096 /* a list of CONF_LIST_MAX items fits */
#define KEYS_MAX 256
#define PATH_ROOM 1024

/* One text being read. */
struct source {
	const char *file;
	unsigned line;
	const struct conf_key *keys;
	size_t n_keys;
	void *fields;
	const char *section; /* of the key table, or NULL before the first header */
	bool seen[KEYS_MAX];
	struct diag *d;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts white space off both ends, in place. */
static char *trim(char *s)
{
	size_t n;

	while (is_space(*s))
		s++;
	n = strlen(s);
	while (n > 0 && is_space(s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

static enum cluster_err enter_section(struct source *s, char *header)
{
	size_t n = strlen(header);
	const char *near;

	if (header[n - 1] != ']')
		return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: a section is written [name]", s->file, s->line);
	header[n - 1] = '\0';
	header = trim(header + 1);
	for (size_t i = 0; i < s->n_keys; i++) {
		if (strcmp(s->keys[i].section, header) == 0) {
			s->section = s->keys[i].section;
			return CLUSTER_OK;
		}
	}
	near = s->n_keys ? conf_nearest(header, &s->keys[0].section, s->n_keys, sizeof s->keys[0]) : NULL;
	if (near)
		return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: unknown section [%s]; did you mean [%s]?", s->file, s->line, header, near);
	return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: unknown section [%s]", s->file, s->line, header);
}

/* `name` is not a key of the present section: says which key may have been meant. */
static enum cluster_err unknown_key(const struct source *s, const char *name)
{
	const char *near = s->n_keys ? conf_nearest(name, &s->keys[0].name, s->n_keys, sizeof s->keys[0]) : NULL;

	for (size_t i = 0; near && i < s->n_keys; i++)
		if (strcmp(s->keys[i].name, name) == 0)
			return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: \"%s\" belongs into [%s] and not into [%s]", s->file, s->line, name, s->keys[i].section, s->section);
	if (near)
		return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: unknown key \"%s\" in [%s]; did you mean \"%s\"?", s->file, s->line, name, s->section, near);
	return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: unknown key \"%s\" in [%s]", s->file, s->line, name, s->section);
}

static enum cluster_err set_key(struct source *s, const char *name, const char *value)
{
	enum cluster_err e;

	for (size_t i = 0; i < s->n_keys; i++) {
		if (strcmp(s->keys[i].section, s->section) != 0 || strcmp(s->keys[i].name, name) != 0)
			continue;
		if (s->seen[i])
			return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: \"%s\" stands twice in this file", s->file, s->line, name);
		s->seen[i] = true;
		e = conf_value_set(&s->keys[i], value, s->fields, s->d);
		if (e != CLUSTER_OK)
			diag_prefix(s->d, "%s:%u: %s", s->file, s->line, name);
		return e;
	}
	return unknown_key(s, name);
}

static enum cluster_err parse_line(struct source *s, char *line)
{
	char *equals;

	for (const unsigned char *p = (const unsigned char *)line; *p; p++)
		if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
			return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: control byte 0x%02x", s->file, s->line, (unsigned)*p);
	line = trim(line);
	if (*line == '\0' || *line == '#')
		return CLUSTER_OK;
	if (*line == '[')
		return enter_section(s, line);
	equals = strchr(line, '=');
	if (!equals)
		return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: neither \"key = value\" nor [section] nor a # comment", s->file, s->line);
	if (!s->section)
		return diag_set(s->d, CLUSTER_ECONFIG, "%s:%u: a key before the first [section]", s->file, s->line);
	*equals = '\0';
	return set_key(s, trim(line), trim(equals + 1));
}

enum cluster_err conf_parse(const char *text, size_t n, const char *file, const struct conf_key *keys, size_t n_keys, void *fields, struct diag *d)
{
	struct source s = { .file = file, .keys = keys, .n_keys = n_keys, .fields = fields, .d = d };

	if (n_keys > KEYS_MAX)
		return diag_set(d, CLUSTER_ECONFIG, "%s: a table of more than %d keys", file, KEYS_MAX);
	if (n > CONF_FILE_MAX)
		return diag_set(d, CLUSTER_ECONFIG, "%s: larger than %d bytes", file, CONF_FILE_MAX);
	while (n > 0) {
		const char *end = memchr(text, '\n', n);
		size_t len = end ? (size_t)(end - text) : n;
		char line[LINE_ROOM];
		enum cluster_err e;

		s.line++;
		if (len >= sizeof line)
			return diag_set(d, CLUSTER_ECONFIG, "%s:%u: the line is longer than %d bytes", file, s.line, LINE_ROOM - 1);
		if (memchr(text, '\0', len))
			return diag_set(d, CLUSTER_ECONFIG, "%s:%u: a NUL byte", file, s.line);
		memcpy(line, text, len);
		line[len] = '\0';
		if ((e = parse_line(&s, line)) != CLUSTER_OK)
			return e;
		len += end != NULL;
		text += len;
		n -= len;
	}
	return CLUSTER_OK;
}

static enum cluster_err load_file(const char *path, uid_t owner, const struct conf_key *keys, size_t n_keys, void *fields, struct diag *d)
{
	const struct file_rules rules = { .owner = owner, .forbid = 022, .max_size = CONF_FILE_MAX };
	struct secret *text = NULL;
	enum cluster_err e = file_read(path, &rules, &text, d);

	if (e == CLUSTER_OK)
		e = conf_parse((const char *)text->bytes, text->n, path, keys, n_keys, fields, d);
	secret_free(text);
	return e;
}

static int is_drop_in(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

/* By byte, whatever the locale. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum cluster_err load_drop_ins(const char *dir, uid_t owner, const struct conf_key *keys, size_t n_keys, void *fields, struct diag *d)
{
	struct dirent **entries = NULL;
	enum cluster_err e = CLUSTER_OK;
	char path[PATH_ROOM];
	int n = scandir(dir, &entries, is_drop_in, compare_entries);

	if (n < 0)
		return errno == ENOENT ? CLUSTER_OK : diag_errno(d, "%s", dir);
	for (int i = 0; i < n && e == CLUSTER_OK; i++) {
		if (file_join(path, sizeof path, dir, entries[i]->d_name) != CLUSTER_OK)
			e = diag_set(d, CLUSTER_ECONFIG, "%s/%s: the path is too long", dir, entries[i]->d_name);
		else
			e = load_file(path, owner, keys, n_keys, fields, d);
	}
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return e;
}

enum cluster_err conf_load(const char *path, uid_t owner, const struct conf_key *keys, size_t n_keys, void *fields, struct diag *d)
{
	char dir[PATH_ROOM];
	enum cluster_err e = load_file(path, owner, keys, n_keys, fields, d);
	int n;

	if (e != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return e;
	n = snprintf(dir, sizeof dir, "%s.d", path);
	if (n < 0 || (size_t)n >= sizeof dir)
		return diag_set(d, CLUSTER_ECONFIG, "%s: the path is too long", path);
	e = load_drop_ins(dir, owner, keys, n_keys, fields, d);
	if (e == CLUSTER_OK)
		diag_clear(d);
	return e;
}

enum cluster_err conf_word(const char *word, const char *source, const struct conf_key *keys, size_t n_keys, void *fields, struct diag *d)
{
	const char *equals = strchr(word, '='), *near;
	char name[64];
	size_t n = equals ? (size_t)(equals - word) : strlen(word);

	if (!equals)
		return diag_set(d, CLUSTER_ECONFIG, "%s: \"%.64s\" is not written name=value", source, word);
	if (n >= sizeof name)
		return diag_set(d, CLUSTER_ECONFIG, "%s: unknown key \"%.64s\"", source, word);
	memcpy(name, word, n);
	name[n] = '\0';
	for (size_t i = 0; i < n_keys; i++) {
		if (strcmp(keys[i].name, name) == 0) {
			enum cluster_err e = conf_value_set(&keys[i], equals + 1, fields, d);

			if (e != CLUSTER_OK)
				diag_prefix(d, "%s: %s", source, name);
			return e;
		}
	}
	near = n_keys ? conf_nearest(name, &keys[0].name, n_keys, sizeof keys[0]) : NULL;
	if (near)
		return diag_set(d, CLUSTER_ECONFIG, "%s: unknown key \"%s\"; did you mean \"%s\"?", source, name, near);
	return diag_set(d, CLUSTER_ECONFIG, "%s: unknown key \"%s\"", source, name);
}
