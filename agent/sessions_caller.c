/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions_part.h"

#include <dirent.h>
#include <errno.h>

/* Which session somebody is in. */

#define RECORDS_MAX 65536

/* The record of this name, if it is the caller's. What is in the table decides which files are read: pid, start and audit id of a session stay. CLUSTER_ENOTFOUND: it is not. */
static enum cluster_err look_at(const struct sessions *s, const char *name, const struct session_caller *c, const struct cluster_id *boot, struct session *ret)
{
	const struct entry *known;
	struct cluster_id id;
	enum cluster_err e;
	struct session x;
	struct diag d;

	if (id_parse(name, &id) != CLUSTER_OK)
		return CLUSTER_ENOTFOUND;
	known = sessions_records_find(s, &id);
	if (known && !session_caller_in(c, &known->s))
		return CLUSTER_ENOTFOUND;
	if ((e = session_load(s->dir, name, s->conf.owner, &x, &d)) != CLUSTER_OK)
		return e;
	if (!id_equal(&x.boot_id, boot) || !session_caller_in(c, &x))
		return CLUSTER_ENOTFOUND;
	*ret = x;
	return CLUSTER_OK;
}

enum cluster_err sessions_caller(const struct sessions *s, const struct session_caller *c, const struct cluster_id *boot, struct session *ret, bool *ret_ended)
{
	enum cluster_err e = CLUSTER_OK;
	const struct dirent *entry;
	struct session x, mine;
	size_t n = 0, found = 0;
	DIR *dir;

	dir = opendir(s->dir);
	if (!dir)
		return CLUSTER_ESYSTEM;
	while (e == CLUSTER_OK && (errno = 0, entry = readdir(dir))) {
		e = ++n > RECORDS_MAX ? CLUSTER_ELIMIT : look_at(s, entry->d_name, c, boot, &x);
		if (e == CLUSTER_OK && found++ == 0)
			mine = x;
		else if (e == CLUSTER_ENOTFOUND)
			e = CLUSTER_OK;
	}
	if (e == CLUSTER_OK && errno != 0)
		e = CLUSTER_ESYSTEM;
	closedir(dir);
	if (e != CLUSTER_OK)
		return e;
	if (found != 1)
		return found ? CLUSTER_ELIMIT : CLUSTER_ENOTFOUND;
	*ret = mine;
	*ret_ended = mine.closed != 0 || !sessions_leader_alive(&mine);
	return CLUSTER_OK;
}
