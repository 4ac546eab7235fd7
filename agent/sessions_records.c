/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions_part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/log.h"

/* The table of sessions and the directory of records. */

#define TEMPORARY_LENGTH (1 + ID_TEXT + 1 + 16) /* of a file_replace that was cut short */
#define TEMPORARY_SECONDS 60

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return memcmp(x->s.id.b, y->s.id.b, ID_SIZE);
}

struct entry *sessions_records_find(const struct sessions *s, const struct cluster_id *id)
{
	struct entry key = { .s.id = *id };

	return s->n > 0 ? bsearch(&key, s->entry, s->n, sizeof *s->entry, compare) : NULL;
}

static enum cluster_err grow(struct sessions *s)
{
	size_t room = s->room ? s->room * 2 : 16;
	struct entry *more = reallocarray(s->entry, room, sizeof *more);

	if (!more)
		return CLUSTER_ENOMEM;
	s->entry = more;
	s->room = room;
	return CLUSTER_OK;
}

/* Reads one record into the table, whose first `sorted` entries are in order: the others have been added since. */
static enum cluster_err take_record(struct sessions *s, size_t sorted, const char *name, const struct cluster_id *id, struct diag *d)
{
	struct entry key = { .s.id = *id };
	struct entry *old = sorted > 0 ? bsearch(&key, s->entry, sorted, sizeof *s->entry, compare) : NULL;
	enum cluster_err e;
	struct session x;

	e = session_load(s->dir, name, s->conf.owner, &x, d);
	if (e == CLUSTER_ENOTFOUND)
		return CLUSTER_OK; /* closed while we looked */
	if (old)
		old->seen = old->look = true; /* also if it cannot be read any more: what was known of it still holds */
	if (e != CLUSTER_OK)
		return e;
	if (old && memcmp(&old->s, &x, sizeof x) != 0) {
		old->s = x;
		s->change++;
	}
	if (old)
		return CLUSTER_OK;
	if (s->n == s->room && (e = grow(s)) != CLUSTER_OK)
		return diag_set(d, e, "%s/%s: out of memory", s->dir, name);
	s->entry[s->n++] = (struct entry){ .s = x, .seen = true, .look = true };
	s->change++;
	return CLUSTER_OK;
}

/* What a stop in the middle of writing a record has left. */
static void clear_temporary(const struct sessions *s, int dir, const char *name, const struct moment *now)
{
	struct cluster_id id;
	char text[ID_TEXT + 1];
	struct stat st;

	if (name[0] != '.' || strlen(name) != TEMPORARY_LENGTH)
		return;
	memcpy(text, name + 1, ID_TEXT);
	text[ID_TEXT] = '\0';
	if (id_parse(text, &id) != CLUSTER_OK || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || now->wall - st.st_mtim.tv_sec < TEMPORARY_SECONDS)
		return;
	if (unlinkat(dir, name, 0) == 0)
		sessions_say(s, LOG_LEVEL_INFO, "%s/%s: an unfinished record is removed", s->dir, name);
}

static enum cluster_err read_all(struct sessions *s, DIR *dir, const struct moment *now, struct diag *d)
{
	const size_t sorted = s->n;
	enum cluster_err e = CLUSTER_OK, one;
	const struct dirent *entry;
	struct cluster_id id;
	struct diag what;

	while ((errno = 0, entry = readdir(dir))) {
		if (id_parse(entry->d_name, &id) != CLUSTER_OK) {
			clear_temporary(s, dirfd(dir), entry->d_name, now);
			continue;
		}
		diag_clear(&what);
		if ((one = take_record(s, sorted, entry->d_name, &id, &what)) != CLUSTER_OK)
			sessions_fail(s, &e, d, one, what.text);
	}
	if (errno != 0) {
		diag_errno(&what, "cannot read %s", s->dir);
		sessions_fail(s, &e, d, CLUSTER_ESYSTEM, what.text);
	}
	return e;
}

enum cluster_err sessions_records_all(struct sessions *s, const struct moment *now, struct diag *d)
{
	enum cluster_err e;
	size_t i;
	DIR *dir;

	dir = opendir(s->dir);
	if (!dir) {
		e = diag_errno(d, "cannot read %s", s->dir);
		sessions_say(s, LOG_LEVEL_ERROR, "%s", d->text);
		for (i = 0; i < s->n; i++)
			s->entry[i].look = true;
		return e;
	}
	for (i = 0; i < s->n; i++)
		s->entry[i].seen = s->entry[i].look = false;
	e = read_all(s, dir, now, d);
	closedir(dir);
	for (i = 0; i < s->n; i++)
		s->entry[i].gone = !s->entry[i].seen;
	sessions_records_compact(s);
	if (s->n > 0)
		qsort(s->entry, s->n, sizeof *s->entry, compare);
	return e;
}

enum cluster_err sessions_records_one(struct sessions *s, const struct cluster_id *id, struct diag *d)
{
	char name[ID_TEXT + 1];
	enum cluster_err e;
	struct entry *x;
	size_t i;

	for (i = 0; i < s->n; i++)
		s->entry[i].look = false;
	x = sessions_records_find(s, id);
	if (x)
		x->seen = false;
	id_text(id, name);
	e = take_record(s, s->n, name, id, d);
	x = sessions_records_find(s, id);
	if (x && !x->seen) {
		x->gone = true;
		sessions_records_compact(s);
	}
	if (s->n > 0)
		qsort(s->entry, s->n, sizeof *s->entry, compare);
	return e;
}

void sessions_records_drop(struct sessions *s, struct entry *x)
{
	struct diag d;

	diag_clear(&d);
	if (session_remove(s->dir, &x->s.id, &d) != CLUSTER_OK)
		sessions_say(s, LOG_LEVEL_WARNING, "%s", d.text);
	x->gone = true;
}

void sessions_records_compact(struct sessions *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		if (s->entry[i].gone)
			s->change++;
		else
			s->entry[n++] = s->entry[i];
	}
	s->n = n;
}
