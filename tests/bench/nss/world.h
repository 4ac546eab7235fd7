/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_NSS_WORLD_H
#define BENCH_NSS_WORLD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The accounts of the bench: n of them and n / 10 groups. Each account is in two groups; a tenth of all are also in group `everyone`, and one, the
 * first by number, is in 1,000 groups or half of them. Everything is computed from numbers, so every run has the same.
 */
#define WORLD_UID UINT32_C(1880000000)
#define WORLD_GID UINT32_C(1890000000)
#define WORLD_PRIMARY UINT32_C(1899999999)
#define WORLD_LARGE "everyone"

struct world_account {
	char name[24], gecos[32], home[32];
	uint32_t uid;
	uint32_t groups; /* how many list it */
	const uint32_t *group;
};

struct world_group {
	char name[16];
	uint32_t gid, members;
	const uint32_t *member; /* numbers of accounts, in order of their names */
};

struct world {
	uint32_t accounts, groups; /* the last group is `everyone` */
	struct world_account *account; /* in order of name */
	struct world_group *group;
};

/* Ends the program where there is no memory. */
void world_make(struct world *w, uint32_t accounts);

/* For each format a function, in files of its own below `dir`. They end the program where they fail. */
void world_text(const struct world *w, const char *dir);
void world_map(const struct world *w, const char *dir);
void world_userdb(const struct world *w, const char *dir);
void world_cluster(const struct world *w, const char *dir);

/* Zeroed room for n + 1 things; a file in `dir`. They end the program where they fail. */
void *world_room(size_t n, size_t size);
FILE *world_create(const char *dir, const char *name);
void world_close(FILE *f);

#endif
