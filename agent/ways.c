/* SPDX-License-Identifier: Apache-2.0 */
#include "ways.h"

#include <string.h>

#define BACKOFF_FIRST_MS 500
#define DOUBLINGS_MAX 12

static void add(struct ways *w, const char *url, const char *via)
{
	if (w->n < WAYS_MAX)
		w->way[w->n++] = (struct way){ .url = url, .via = via };
}

void ways_init(struct ways *w, const struct conf_list *authority, const struct conf_list *relay)
{
	size_t i, j;

	memset(w, 0, sizeof *w);
	for (i = 0; i < relay->n; i++) {
		bool direct = strcmp(relay->item[i], NODE_CONF_DIRECT) == 0;

		for (j = 0; j < authority->n && (direct || j == 0); j++)
			add(w, authority->item[j], direct ? NULL : relay->item[i]);
	}
	for (j = 0; relay->n == 0 && j < authority->n; j++)
		add(w, authority->item[j], NULL);
}

const struct way *ways_now(const struct ways *w)
{
	return &w->way[w->at];
}

uint64_t ways_backoff(unsigned int failures, uint64_t most_ms, uint64_t random)
{
	uint64_t most = (uint64_t)BACKOFF_FIRST_MS << (failures > DOUBLINGS_MAX ? DOUBLINGS_MAX : failures);

	return random % ((most < most_ms ? most : most_ms) + 1);
}

static void plan_look(struct ways *w, int64_t now_ms, uint64_t random)
{
	uint64_t after = (uint64_t)WAYS_LOOK_MS << (w->looks > DOUBLINGS_MAX ? DOUBLINGS_MAX : w->looks);

	if (after > WAYS_LOOK_MOST_MS)
		after = WAYS_LOOK_MOST_MS;
	w->look_at = w->at == 0 ? 0 : now_ms + (int64_t)(after + random % (after / 2));
}

void ways_worked(struct ways *w, int64_t now_ms, uint64_t random)
{
	bool better = w->looking;

	w->rounds = 0;
	w->looking = false;
	if (better || w->at == 0)
		w->looks = 0;
	if (better || w->look_at == 0)
		plan_look(w, now_ms, random);
}

bool ways_look(struct ways *w, int64_t now_ms)
{
	if (w->looking || w->look_at == 0 || now_ms < w->look_at)
		return false;
	w->looking = true;
	w->home = w->at;
	w->at = 0;
	return true;
}

uint64_t ways_failed(struct ways *w, uint64_t most_ms, int64_t now_ms, uint64_t random, bool *ret_round)
{
	*ret_round = false;
	if (w->looking) {
		if (++w->at == w->home) {
			w->looking = false;
			w->looks++;
			plan_look(w, now_ms, random);
		}
		return 0;
	}
	w->look_at = 0;
	w->at++;
	if (w->at < w->n)
		return random % (WAYS_FAILOVER_MS + 1);
	w->at = 0;
	*ret_round = true;
	return ways_backoff(w->rounds++, most_ms, random);
}
