/* SPDX-License-Identifier: Apache-2.0 */
#include "passwd_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/name.h"
#include "cluster/num.h"

#define FIELDS_MAX 7
#define OUT_OF_RANGE "the system's own: no directory may give that number"
#define RESERVED "the system's own: distributions attach rights to that name"

/* Where a row stands: for sentences. */
struct place {
	const char *path;
	unsigned int line;
	passwd_told *told;
	struct diag *d;
};

static enum cluster_err wrong(const struct place *at, const char *name, const char *what)
{
	return diag_set(at->d, CLUSTER_EFORMAT, "%s:%u: \"%s\": %s", at->path, at->line, name, what);
}

/* Cuts `text` at its colons. */
static enum cluster_err split(const struct place *at, char *text, char **field, size_t n)
{
	size_t i = 0;
	char *one;

	while ((one = strsep(&text, ":"))) {
		if (i < n)
			field[i] = one;
		i++;
	}
	if (i != n)
		return diag_set(at->d, CLUSTER_EFORMAT, "%s:%u: %zu fields with ':' between them are needed, these are %zu", at->path, at->line, n, i);
	return CLUSTER_OK;
}

static enum cluster_err number(const struct place *at, const char *name, const char *text, uint32_t *ret)
{
	return num_u32(text, 0, UINT32_MAX, ret) == CLUSTER_OK ? CLUSTER_OK : wrong(at, name, "uid and gid are numbers");
}

/* CLUSTER_ENOTFOUND: left out, and told. */
static enum cluster_err left_out(const struct place *at, const char *name, const char *why)
{
	at->told(at->line, name, why);
	return CLUSTER_ENOTFOUND;
}

static enum cluster_err read_account(const struct place *at, struct passwd_row *row)
{
	char *field[FIELDS_MAX];
	enum cluster_err e;

	if ((e = split(at, row->text, field, FIELDS_MAX)) != CLUSTER_OK)
		return e;
	row->name = field[0];
	row->gecos = field[4];
	row->home = field[5];
	row->shell = field[6];
	field[4][strcspn(field[4], ",")] = '\0';
	if ((e = number(at, row->name, field[2], &row->uid)) != CLUSTER_OK || (e = number(at, row->name, field[3], &row->gid)) != CLUSTER_OK)
		return e;
	if (!name_id_ok(row->uid))
		return left_out(at, row->name, OUT_OF_RANGE);
	if (name_account_reserved(row->name))
		return left_out(at, row->name, RESERVED);
	if (!name_account_ok(row->name))
		return wrong(at, row->name, "an account's name begins with a-z or _ and has at most 32 characters of a-z 0-9 _ -");
	if (!name_gecos_ok(row->gecos))
		return wrong(at, row->name, "the full name is at most 127 bytes of UTF-8");
	if (!name_path_ok(row->home))
		return wrong(at, row->name, "the home directory is an absolute path of at most 255 bytes, without '/' at its end");
	return name_path_ok(row->shell) ? CLUSTER_OK : wrong(at, row->name, "the shell is an absolute path of at most 255 bytes");
}

static bool members_ok(const char *list)
{
	char name[NAME_ACCOUNT_MAX + 1];
	size_t n;

	for (; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n >= sizeof name)
			return false;
		memcpy(name, list, n);
		name[n] = '\0';
		if (n && !name_account_ok(name))
			return false;
	}
	return true;
}

static enum cluster_err read_group(const struct place *at, struct group_row *row)
{
	char *field[FIELDS_MAX];
	enum cluster_err e;

	if ((e = split(at, row->text, field, 4)) != CLUSTER_OK)
		return e;
	row->name = field[0];
	row->members = field[3];
	if ((e = number(at, row->name, field[2], &row->gid)) != CLUSTER_OK)
		return e;
	if (!name_id_ok(row->gid))
		return left_out(at, row->name, OUT_OF_RANGE);
	if (name_group_reserved(row->name))
		return left_out(at, row->name, RESERVED);
	if (!name_group_ok(row->name))
		return wrong(at, row->name, "a group's name begins with a-z or _ and has at most 32 characters of a-z 0-9 _ -");
	return members_ok(row->members) ? CLUSTER_OK : wrong(at, row->name, "the members are names of accounts with ',' between them");
}

static bool make_room(struct passwd_file *f)
{
	const size_t width = f->form == PASSWD_FORM_PASSWD ? sizeof *f->account : sizeof *f->group;
	const size_t room = f->room ? 2 * f->room : 64;
	void *grown;

	if (f->n < f->room)
		return true;
	if (!(grown = reallocarray(f->rows, room, width)))
		return false;
	f->rows = grown;
	f->room = room;
	return true;
}

/* Takes one line into the file, which owns the copy. */
static enum cluster_err take(struct passwd_file *f, const struct place *at, const char *line)
{
	enum cluster_err e;
	char *text = NULL;

	if (!make_room(f) || !(text = strdup(line)))
		return diag_set(at->d, CLUSTER_ENOMEM, "out of memory");
	if (f->form == PASSWD_FORM_PASSWD) {
		struct passwd_row *row = &f->account[f->n];

		*row = (struct passwd_row){ .text = text, .line = at->line };
		e = read_account(at, row);
	} else {
		struct group_row *row = &f->group[f->n];

		*row = (struct group_row){ .text = text, .line = at->line };
		e = read_group(at, row);
	}
	if (e == CLUSTER_OK) {
		f->n++;
		return e;
	}
	free(text);
	f->left_out += e == CLUSTER_ENOTFOUND;
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

static enum cluster_err read_lines(FILE *in, struct passwd_file *f, struct place *at)
{
	enum cluster_err e = CLUSTER_OK;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while (e == CLUSTER_OK && (n = getline(&line, &room, in)) >= 0) {
		at->line++;
		if (n > 0 && line[n - 1] == '\n')
			line[--n] = '\0';
		if (strlen(line) != (size_t)n)
			e = diag_set(at->d, CLUSTER_EFORMAT, "%s:%u: there is a zero byte in it", at->path, at->line);
		else if (line[strspn(line, " \t")] != '\0' && line[0] != '#')
			e = take(f, at, line);
	}
	if (e == CLUSTER_OK && ferror(in))
		e = diag_errno(at->d, "%s", at->path);
	free(line);
	return e;
}

enum cluster_err passwd_file_read(const char *path, enum passwd_form form, passwd_told *told, struct passwd_file *ret, struct diag *d)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	struct place at = { .path = is_stdin ? "stdin" : path, .told = told, .d = d };
	struct passwd_file f = { .form = form };
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	enum cluster_err e;

	if (!in)
		return diag_errno(d, "%s", path);
	e = read_lines(in, &f, &at);
	if (!is_stdin)
		(void)fclose(in);
	if (e != CLUSTER_OK)
		passwd_file_done(&f);
	else
		*ret = f;
	return e;
}

void passwd_file_done(struct passwd_file *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->form == PASSWD_FORM_PASSWD ? f->account[i].text : f->group[i].text);
	free(f->rows);
	*f = (struct passwd_file){ .form = f->form };
}
