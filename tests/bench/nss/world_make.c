/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *world_room(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (!p)
		err(1, "calloc");
	return p;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct world_account *)a)->name, ((const struct world_account *)b)->name);
}

static void make_accounts(struct world *w)
{
	static const char first[32][8] = { "anna", "ben", "carla", "david", "eva", "finn", "greta", "hugo", "ida", "jonas", "karin", "luca", "mia", "noah",
		"olga", "paul", "quinn", "rosa", "simon", "tara", "ugo", "vera", "wanda", "wilma", "yann", "zoe", "amir", "bela", "chen", "dora", "emil", "fay" };
	static const char last[32][12] = { "adler", "becker", "castro", "dietrich", "egger", "fischer", "garcia", "hoffmann", "ivanov", "jansen", "keller",
		"lorenz", "meyer", "novak", "oconnor", "petrov", "quade", "richter", "schneider", "tanaka", "ullmann", "vogel", "weber", "xu", "young",
		"zimmermann", "arnold", "brandt", "clark", "duran", "ernst", "frank" };

	w->account = world_room(w->accounts, sizeof *w->account);
	for (uint32_t i = 0; i < w->accounts; i++) {
		const char *f = first[i % 32], *l = last[i / 32 % 32];
		struct world_account *a = &w->account[i];

		snprintf(a->name, sizeof a->name, "%s-%s%u", f, l, i / 1024);
		snprintf(a->gecos, sizeof a->gecos, "%c%s %c%s", f[0] - 32, f + 1, l[0] - 32, l + 1);
		snprintf(a->home, sizeof a->home, "/home/%s", a->name);
		a->uid = WORLD_UID + i;
	}
	qsort(w->account, w->accounts, sizeof *w->account, by_name);
}

/* Group `g` lists account `number`. */
static bool lists(const struct world *w, uint32_t g, uint32_t number)
{
	uint32_t ordinary = w->groups - 1, first = number % ordinary;

	if (g == ordinary)
		return number % 10 == 3;
	if (number == 0 && g < 1000 && g < ordinary / 2)
		return true;
	return g == first || g == (first + 1 + number / ordinary * 37) % ordinary;
}

/* The groups of an account: at most 1,003 of them, ascending. */
static uint32_t groups_of(const struct world *w, uint32_t number, uint32_t *dst)
{
	uint32_t ordinary = w->groups - 1, n = 0, a = number % ordinary, b = (a + 1 + number / ordinary * 37) % ordinary;

	if (number == 0) {
		for (uint32_t g = 0; g < w->groups; g++)
			if (lists(w, g, number))
				dst[n++] = g;
		return n;
	}
	dst[n++] = a < b ? a : b;
	if (a != b)
		dst[n++] = a < b ? b : a;
	if (lists(w, ordinary, number))
		dst[n++] = ordinary;
	return n;
}

static void make_groups(struct world *w)
{
	uint32_t *all = world_room((size_t)w->accounts * 3 + 1003, sizeof *all), *members, *next, total = 0;

	w->group = world_room(w->groups, sizeof *w->group);
	for (uint32_t i = 0; i < w->accounts; i++) {
		struct world_account *a = &w->account[i];

		a->group = all + total;
		a->groups = groups_of(w, a->uid - WORLD_UID, all + total);
		total += a->groups;
		for (uint32_t j = 0; j < a->groups; j++)
			w->group[a->group[j]].members++;
	}
	members = world_room(total, sizeof *members);
	next = world_room(w->groups, sizeof *next);
	for (uint32_t g = 0, at = 0; g < w->groups; g++) {
		w->group[g].member = members + at;
		w->group[g].gid = WORLD_GID + g;
		next[g] = at;
		at += w->group[g].members;
		if (g + 1 < w->groups)
			snprintf(w->group[g].name, sizeof w->group[g].name, "team%u", g);
		else
			strcpy(w->group[g].name, WORLD_LARGE);
	}
	for (uint32_t i = 0; i < w->accounts; i++)
		for (uint32_t j = 0; j < w->account[i].groups; j++)
			members[next[w->account[i].group[j]]++] = i;
	free(next);
}

void world_make(struct world *w, uint32_t accounts)
{
	*w = (struct world){ .accounts = accounts, .groups = accounts / 10 + 1 };
	make_accounts(w);
	make_groups(w);
}

FILE *world_create(const char *dir, const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f)
		err(1, "%s", path);
	return f;
}

void world_close(FILE *f)
{
	if (ferror(f) || fclose(f) != 0)
		err(1, "write");
}
