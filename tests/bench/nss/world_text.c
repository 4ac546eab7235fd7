/* SPDX-License-Identifier: Apache-2.0 */
/* passwd and group as files(5) has them, which is also what extrausers, libnss-cache and guest-oslogin read; and libnss-cache's indexes of them. */
#include "world.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

struct index_line {
	char key[24];
	long offset;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct index_line *)a)->key, ((const struct index_line *)b)->key);
}

/* Lines of one length in order of key: key NUL offset, filled up with NULs. */
static void write_index(const char *dir, const char *name, struct index_line *lines, size_t n)
{
	FILE *f = world_create(dir, name);

	qsort(lines, n, sizeof *lines, by_key);
	for (size_t i = 0; i < n; i++) {
		char line[sizeof lines->key + 12] = { 0 };
		size_t key_n = strlen(lines[i].key);

		memcpy(line, lines[i].key, key_n);
		snprintf(line + key_n + 1, sizeof line - key_n - 1, "%ld", lines[i].offset);
		fwrite(line, 1, sizeof line, f);
		fputc('\n', f);
	}
	world_close(f);
}

/* In order of uid, as files grow. */
static void write_accounts(const struct world *w, const char *dir, struct index_line *names, struct index_line *ids)
{
	uint32_t *by_uid = world_room(w->accounts, sizeof *by_uid);
	FILE *f = world_create(dir, "passwd");

	for (uint32_t i = 0; i < w->accounts; i++)
		by_uid[w->account[i].uid - WORLD_UID] = i;
	for (uint32_t i = 0; i < w->accounts; i++) {
		const struct world_account *a = &w->account[by_uid[i]];

		names[i].offset = ids[i].offset = ftell(f);
		snprintf(names[i].key, sizeof names[i].key, "%s", a->name);
		snprintf(ids[i].key, sizeof ids[i].key, "%u", a->uid);
		fprintf(f, "%s:x:%u:%u:%s:%s:/bin/bash\n", a->name, a->uid, WORLD_PRIMARY, a->gecos, a->home);
	}
	world_close(f);
	free(by_uid);
}

static void write_groups(const struct world *w, const char *dir, struct index_line *names, struct index_line *ids)
{
	FILE *f = world_create(dir, "group");

	for (uint32_t i = 0; i < w->groups; i++) {
		const struct world_group *g = &w->group[i];

		names[i].offset = ids[i].offset = ftell(f);
		snprintf(names[i].key, sizeof names[i].key, "%s", g->name);
		snprintf(ids[i].key, sizeof ids[i].key, "%u", g->gid);
		fprintf(f, "%s:x:%u:", g->name, g->gid);
		for (uint32_t j = 0; j < g->members; j++)
			fprintf(f, "%s%s", j ? "," : "", w->account[g->member[j]].name);
		fputc('\n', f);
	}
	world_close(f);
}

void world_text(const struct world *w, const char *dir)
{
	struct index_line *names = world_room(w->accounts, sizeof *names), *ids = world_room(w->accounts, sizeof *ids);

	write_accounts(w, dir, names, ids);
	write_index(dir, "passwd.ixname", names, w->accounts);
	write_index(dir, "passwd.ixuid", ids, w->accounts);
	write_groups(w, dir, names, ids);
	write_index(dir, "group.ixname", names, w->groups);
	write_index(dir, "group.ixgid", ids, w->groups);
	free(names);
	free(ids);
}
