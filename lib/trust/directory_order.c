/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/directory.h"

#include <stdlib.h>
#include <string.h>

/* What an order sorts by: a text or 16 bytes, then a number. */
struct key {
	const char *text;
	size_t n; /* 0: the text ends with its NUL */
	uint32_t number;
};

/* Seven or eight bytes of the key's text, behind what all of them begin with, decide nearly always. */
struct row {
	uint64_t head;
	struct key key;
	struct directory_place place;
};

static const enum directory_kind kind_of[DIRECTORY_ORDER_N] = {
	[DIRECTORY_BY_ACCOUNT] = DIRECTORY_ACCOUNTS, [DIRECTORY_BY_GROUP] = DIRECTORY_GROUPS, [DIRECTORY_BY_PERSON] = DIRECTORY_PEOPLE, [DIRECTORY_BY_MEMBER] = DIRECTORY_GROUPS,
};

static struct key key_of(const struct directory *dir, enum directory_order o, struct directory_place p)
{
	switch (o) {
	case DIRECTORY_BY_ACCOUNT:
		return (struct key){ .text = dir->accounts[p.record].name };
	case DIRECTORY_BY_GROUP:
		return (struct key){ .text = dir->groups[p.record].name };
	case DIRECTORY_BY_PERSON:
		return (struct key){ .text = (const char *)dir->people[p.record].id.b, .n = ID_SIZE };
	case DIRECTORY_BY_MEMBER:
		return (struct key){ .text = dir->groups[p.record].members[p.item], .number = dir->groups[p.record].gid };
	case DIRECTORY_ORDER_N:
		break;
	}
	return (struct key){ .text = "" };
}

static int compare_keys(const struct key *x, const struct key *y)
{
	int c = x->n ? memcmp(x->text, y->text, x->n) : strcmp(x->text, y->text);

	return c ? c : (x->number > y->number) - (x->number < y->number);
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	return compare_keys(&x->key, &y->key);
}

static size_t items_of(const struct directory *dir, enum directory_order o, size_t record)
{
	return o == DIRECTORY_BY_MEMBER ? dir->groups[record].n_members : 1;
}

/* The records that are not reused, as rows. */
static enum cluster_err collect(const struct directory *dir, enum directory_order o, struct row **ret, size_t *ret_n)
{
	size_t n = 0, room = 0;
	struct row *rows = NULL;

	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1 && !(rows = calloc(room + 1, sizeof *rows)))
			return CLUSTER_ENOMEM;
		for (size_t s = 0; s < dir->n_shards; s++) {
			const struct directory_shard *shard = &dir->shards[s];

			if (shard->kind != kind_of[o] || shard->reused)
				continue;
			for (size_t i = shard->first; i < shard->first + shard->n; i++) {
				size_t items = items_of(dir, o, i);

				room += pass == 0 ? items : 0;
				for (size_t k = 0; pass == 1 && k < items; k++, n++) {
					rows[n].place = (struct directory_place){ (uint32_t)i, (uint32_t)k };
					rows[n].key = key_of(dir, o, rows[n].place);
				}
			}
		}
	}
	*ret_n = n;
	*ret = rows;
	return CLUSTER_OK;
}

static void sort_rows(struct row *rows, size_t n)
{
	size_t common = 0;

	if (n > 1 && !rows[0].key.n) {
		common = strlen(rows[0].key.text);
		for (size_t i = 1; i < n; i++) {
			size_t k = 0;

			while (k < common && rows[i].key.text[k] == rows[0].key.text[k])
				k++;
			common = k;
		}
	}
	for (size_t i = 0; i < n; i++) {
		const unsigned char *t = (const unsigned char *)rows[i].key.text + common;
		bool ended = false;

		for (unsigned k = 0; k < 8; k++) {
			ended = ended || (!rows[i].key.n && !t[k]);
			rows[i].head = rows[i].head << 8 | (ended ? 0 : t[k]);
		}
	}
	if (n > 1)
		qsort(rows, n, sizeof *rows, compare_rows);
}

/* For each record of `from`, its number in `dir` and 1 more, or 0 where it is not any more. */
static uint32_t *renumber(const struct directory *dir, const struct directory *from, enum directory_kind kind)
{
	uint32_t *to = calloc(directory_count(from, kind) + 1, sizeof *to);

	for (size_t s = 0; to && s < dir->n_shards; s++) {
		const struct directory_shard *shard = &dir->shards[s];

		for (size_t i = 0; shard->kind == kind && shard->reused && i < shard->n; i++)
			to[shard->was + i] = (uint32_t)(shard->first + i + 1);
	}
	return to;
}

/* Where the row belongs among the n places of `at`. */
static size_t lower_bound(const struct directory *dir, enum directory_order o, const struct directory_place *at, size_t n, const struct key *key)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;
		struct key k = key_of(dir, o, at[middle]);

		if (compare_keys(&k, key) < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

/* The places of reused records as `from` had them, to the end of `at`, which has room for n; then merged with the rows from the front. */
static void merge(const struct directory *dir, enum directory_order o, const struct directory_place *old, const struct row *rows, size_t n_rows, struct directory_sorted *ret)
{
	size_t n_old = ret->n - n_rows, from = 0, at = 0;

	for (size_t i = 0; i < n_rows; i++) {
		size_t end = from + lower_bound(dir, o, old + from, n_old - from, &rows[i].key);

		if (end > from)
			memcpy(ret->at + at, old + from, (end - from) * sizeof *old);
		at += end - from;
		ret->at[at++] = rows[i].place;
		from = end;
	}
	if (n_old > from)
		memcpy(ret->at + at, old + from, (n_old - from) * sizeof *old);
}

static enum cluster_err sort_one(struct directory *dir, const struct directory *from, enum directory_order o)
{
	struct directory_place *old = NULL;
	struct directory_sorted sorted = { .n = 0 };
	struct row *rows = NULL;
	uint32_t *number = NULL;
	size_t n_rows = 0, n_old = 0;
	enum cluster_err e;

	if ((e = collect(dir, o, &rows, &n_rows)) != CLUSTER_OK)
		goto out;
	sort_rows(rows, n_rows);
	if (from) {
		number = renumber(dir, from, kind_of[o]);
		old = calloc(from->order[o].n + 1, sizeof *old);
		if (!number || !old) {
			e = CLUSTER_ENOMEM;
			goto out;
		}
		for (size_t i = 0; i < from->order[o].n; i++) {
			struct directory_place p = from->order[o].at[i];

			old[n_old] = (struct directory_place){ number[p.record] - 1, p.item };
			n_old += number[p.record] != 0;
		}
	}
	sorted.n = n_rows + n_old;
	sorted.at = calloc(sorted.n + 1, sizeof *sorted.at);
	if (!sorted.at) {
		e = CLUSTER_ENOMEM;
		goto out;
	}
	merge(dir, o, old, rows, n_rows, &sorted);
	free(dir->order[o].at);
	dir->order[o] = sorted;
	e = CLUSTER_OK;
out:
	free(old);
	free(number);
	free(rows);
	return e;
}

enum cluster_err directory_sort(struct directory *dir, const struct directory *from)
{
	enum cluster_err e = CLUSTER_OK;

	/* an order that was never made cannot be carried over */
	for (unsigned o = 0; from && o < DIRECTORY_ORDER_N; o++)
		if (!from->order[o].at)
			return CLUSTER_OK;
	for (unsigned o = 0; o < DIRECTORY_ORDER_N && e == CLUSTER_OK; o++)
		e = sort_one(dir, from, (enum directory_order)o);
	return e;
}
