/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "map.h"

struct tables {
	struct map_head head;
	struct map_entry *entries[MAP_TABLES];
};

static void add_key(struct tables *t, enum map_table table, const void *key, size_t n, size_t record)
{
	uint64_t hash = map_hash(key, n), at = hash;

	while (t->entries[table][at & t->head.mask[table]].record)
		at++;
	t->entries[table][at & t->head.mask[table]] = (struct map_entry){ .tag = (uint32_t)(hash >> 32), .record = (uint32_t)(record / 8) };
}

static size_t pad(FILE *f, size_t at)
{
	for (; at % 8; at++)
		fputc(0, f);
	return at;
}

static size_t put(FILE *f, const void *p, size_t n)
{
	return fwrite(p, 1, n, f);
}

static size_t put_account(FILE *f, const struct world_account *a)
{
	static const char shell[] = "/bin/bash";
	struct map_account head = { a->uid, WORLD_PRIMARY, (uint8_t)strlen(a->name), (uint8_t)strlen(a->gecos), (uint8_t)strlen(a->home), sizeof shell - 1 };

	return put(f, &head, sizeof head) + put(f, a->name, head.name_n + 1u) + put(f, a->gecos, head.gecos_n + 1u) + put(f, a->home, head.home_n + 1u) +
	    put(f, shell, sizeof shell);
}

static size_t put_group(FILE *f, const struct world *w, const struct world_group *g)
{
	struct map_group head = { .gid = g->gid, .members = g->members, .name_n = (uint32_t)strlen(g->name) };
	size_t n;

	head.size = head.name_n + 1;
	for (uint32_t i = 0; i < g->members; i++)
		head.size += (uint32_t)strlen(w->account[g->member[i]].name) + 1;
	n = put(f, &head, sizeof head) + put(f, g->name, head.name_n + 1);
	for (uint32_t i = 0; i < g->members; i++)
		n += put(f, w->account[g->member[i]].name, strlen(w->account[g->member[i]].name) + 1);
	return n;
}

static size_t put_member(FILE *f, const struct world *w, const struct world_account *a)
{
	struct map_member head = { .gids = a->groups, .name_n = (uint32_t)strlen(a->name) };
	size_t n = put(f, &head, sizeof head);

	for (uint32_t i = 0; i < a->groups; i++)
		n += put(f, &w->group[a->group[i]].gid, sizeof(uint32_t));
	return n + put(f, a->name, head.name_n);
}

static size_t put_records(FILE *f, const struct world *w, struct tables *t)
{
	size_t at = sizeof t->head;

	fseek(f, (long)at, SEEK_SET);
	t->head.accounts = at;
	for (uint32_t i = 0; i < w->accounts; i++) {
		const struct world_account *a = &w->account[i];

		add_key(t, MAP_ACCOUNT_NAME, a->name, strlen(a->name), at);
		add_key(t, MAP_ACCOUNT_UID, &a->uid, sizeof a->uid, at);
		at = pad(f, at + put_account(f, a));
	}
	t->head.end = at;
	for (uint32_t i = 0; i < w->groups; i++) {
		const struct world_group *g = &w->group[i];

		add_key(t, MAP_GROUP_NAME, g->name, strlen(g->name), at);
		add_key(t, MAP_GROUP_GID, &g->gid, sizeof g->gid, at);
		at = pad(f, at + put_group(f, w, g));
	}
	for (uint32_t i = 0; i < w->accounts; i++) {
		const struct world_account *a = &w->account[i];

		add_key(t, MAP_MEMBER, a->name, strlen(a->name), at);
		at = pad(f, at + put_member(f, w, a));
	}
	return at;
}

void world_map(const struct world *w, const char *dir)
{
	FILE *f = world_create(dir, "map");
	struct tables t = { 0 };
	size_t at;

	for (int i = 0; i < MAP_TABLES; i++) {
		uint64_t keys = i == MAP_GROUP_NAME || i == MAP_GROUP_GID ? w->groups : w->accounts, size = 8;

		while (size < 2 * keys)
			size *= 2;
		t.head.mask[i] = size - 1;
		t.entries[i] = world_room(size, sizeof *t.entries[i]);
	}
	at = put_records(f, w, &t);
	for (; at % 64; at++)
		fputc(0, f);
	for (int i = 0; i < MAP_TABLES; i++) {
		t.head.table[i] = at;
		at += put(f, t.entries[i], (t.head.mask[i] + 1) * sizeof *t.entries[i]);
		free(t.entries[i]);
	}
	fseek(f, 0, SEEK_SET);
	put(f, &t.head, sizeof t.head);
	world_close(f);
}
