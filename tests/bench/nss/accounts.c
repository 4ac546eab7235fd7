/* SPDX-License-Identifier: Apache-2.0 */
/* accounts N DIR KEYS [userdb]: the same N accounts in the format of everything that is compared; and which of them are looked up, in what order. */
#include <err.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "world.h"

static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void shuffle(const struct world *w, uint32_t *order, uint64_t *state)
{
	uint32_t front = 0, back = w->accounts;

	for (uint32_t i = 0; i < w->accounts; i++)
		order[w->account[i].groups == 2 ? front++ : --back] = i;
	for (uint32_t i = 0; i < front; i++) {
		uint32_t j = i + (uint32_t)(random_next(state) % (front - i)), swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
}

/*
 * The first `keys` of all accounts in a random order, each with one of the ordinary groups and the name of somebody who is not there. Those in the large
 * group come last: SSSD takes seconds to answer which groups they are in, and then only that would be measured.
 */
static void write_keys(const struct world *w, const char *dir, uint32_t keys)
{
	uint32_t *order = world_room(w->accounts, sizeof *order);
	FILE *f = world_create(dir, "keys");
	uint64_t state = w->accounts;

	if (keys > w->accounts)
		keys = w->accounts;
	shuffle(w, order, &state);
	fprintf(f, "%u %s %u\n", keys, WORLD_LARGE, w->group[w->groups - 1].members);
	for (uint32_t i = 0; i < keys; i++) {
		const struct world_account *a = &w->account[order[i]];
		const struct world_group *g = &w->group[random_next(&state) % (w->groups - 1)];

		fprintf(f, "%s %u %u %u %s %u %u x%s\n", a->name, a->uid, WORLD_PRIMARY, a->groups + 1, g->name, g->gid, g->members, a->name);
	}
	world_close(f);
	free(order);
}

int main(int argc, char **argv)
{
	struct world w;

	if (argc < 4)
		errx(2, "usage: accounts N DIR KEYS [userdb]");
	umask(022);
	world_make(&w, (uint32_t)strtoul(argv[1], NULL, 10));
	world_cluster(&w, argv[2]);
	world_text(&w, argv[2]);
	world_map(&w, argv[2]);
	write_keys(&w, argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
	if (argc > 4)
		world_userdb(&w, argv[2]);
	return 0;
}
