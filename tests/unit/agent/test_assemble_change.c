/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"
#include "cluster/snap_change.h"
#include "cluster/trust_snap.h"
#include "snap_diff.h"
#include "trustgen.h"

/* THREATS.md H2, H6: whatever changes from head to head, the snapshots that come of it are byte for byte those that a node gets which begins with the last head. */

#define NOW INT64_C(1800000000)
#define ACCOUNTS 60
#define GROUPS 24
#define PEOPLE 16
#define NODES 5
#define GRANTS 12
#define SHARDS 4 /* of a kind */
#define STEPS 60

/* What is in the directory: a number of its kind says which text each record has, 0 that it is not there. */
struct world {
	struct trustgen *g;
	unsigned account[ACCOUNTS], group[GROUPS], person[PEOPLE], node[NODES], grant[GRANTS], revoked;
	unsigned uid[ACCOUNTS], gid[GROUPS];
	unsigned home[ACCOUNTS]; /* of records of each kind: which shard they are in, more or less */
	const char *node_keys[NODES];
	struct directory index;
	const char *shard[DIRECTORY_KIND_N * SHARDS], *root, *keyset, *dir, *revocations;
	int64_t version, revocations_version;
};

static uint32_t seed;
static size_t change_most;

static unsigned below(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void world_init(struct world *w)
{
	memset(w, 0, sizeof *w);
	w->g = trustgen_new("prod", NOW);
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		w->account[i] = i % 3 != 0;
		w->uid[i] = 100000 + i;
	}
	for (unsigned i = 0; i < GROUPS; i++) {
		w->group[i] = i % 2 ? i + 1 : 0;
		w->gid[i] = 200000 + i;
	}
	for (unsigned i = 0; i < PEOPLE; i++)
		w->person[i] = i % 2;
	for (unsigned i = 0; i < GRANTS; i++)
		w->grant[i] = i % 2;
	for (unsigned i = 0; i < NODES; i++) {
		w->node[i] = 1;
		w->node_keys[i] = trustgen_format(w->g, "\"hop\":%s,\"hostkeys\":[\"%s\"],\"id\":\"%s\",\"key\":%s", trustgen_jwk(w->g, trustgen_key(w->g)),
			trustgen_hostkey(w->g, trustgen_format(w->g, "key%u", i)), trustgen_id_text(w->g, trustgen_format(w->g, "node%u", i)),
			trustgen_jwk(w->g, trustgen_key(w->g)));
	}
}

/* ---- one record as text; NULL: it is not there ---- */

static const char *account_text(struct world *w, unsigned i)
{
	const char *owner = w->account[i] % 3 == 2 ? trustgen_format(w->g, "\"person\":\"%s\",", trustgen_id_text(w->g, trustgen_format(w->g, "person%u", i % PEOPLE))) : "";

	return !w->account[i] ? NULL : trustgen_format(w->g, "{\"gecos\":\"text %u\",\"gid\":%u,\"home\":\"/home/a%u\",\"name\":\"a%u\",%s\"shell\":\"/bin/sh\",\"uid\":%u}",
		w->account[i], w->uid[i], i, i * 37 % 100, owner, w->uid[i]);
}

static const char *group_text(struct world *w, unsigned i)
{
	const char *members = "";

	for (unsigned k = 0; w->group[i] && k < w->group[i] % 20; k++)
		members = trustgen_format(w->g, "%s%s\"a%u\"", members, k ? "," : "", (k + w->group[i]) * 37 % 100);
	return !w->group[i] ? NULL : trustgen_format(w->g, "{\"gid\":%u,\"members\":[%s],\"name\":\"g%u\"}", w->gid[i], members, i * 7 % 100);
}

static const char *person_text(struct world *w, unsigned i)
{
	const char *id = trustgen_id_text(w->g, trustgen_format(w->g, "person%u", i)), *device = trustgen_id_text(w->g, trustgen_format(w->g, "device%u", i));

	return !w->person[i] ? NULL : trustgen_format(w->g, "{\"devices\":[{\"id\":\"%s\",\"jkt\":\"0123456789012345678901234567890123456789AAA\"}],\"disabled\":%s,\"id\":\"%s\",\"name\":\"p%u\",\"roles\":[\"r%u\"]}",
		device, w->person[i] % 2 ? "false" : "true", id, i, w->person[i] % 4);
}

static const char *node_text(struct world *w, unsigned i)
{
	return !w->node[i] ? NULL : trustgen_format(w->g, "{\"addresses\":[\"10.0.%u.%u\"],%s,\"name\":\"n%u\",\"roles\":[\"core%u\"]}", w->node[i], i + 1, w->node_keys[i], i, w->node[i] % 2);
}

/* To a role, with hops or without; from nodes; to a person. */
static const char *grant_text(struct world *w, unsigned i)
{
	const char *to = trustgen_format(w->g, "\"role\":\"r%u\"", i % 4);

	if (!w->grant[i])
		return NULL;
	if (w->grant[i] % 4 == 1)
		to = trustgen_format(w->g, "\"from\":[\"role:core%u\",\"node:n%u\"],\"hop\":true", w->grant[i] % 2, i % NODES);
	else if (w->grant[i] % 4 == 2)
		to = trustgen_format(w->g, "\"hop\":true,\"person\":\"%s\"", trustgen_id_text(w->g, trustgen_format(w->g, "person%u", i % PEOPLE)));
	else if (w->grant[i] % 8 == 3)
		to = trustgen_format(w->g, "\"hop\":true,%s", to);
	return trustgen_format(w->g, "{\"accounts\":[\"a%u\"],\"id\":\"%s\",\"nodes\":[\"role:core%u\"],%s}", w->grant[i] * 37 % 100,
		trustgen_id_text(w->g, trustgen_format(w->g, "grant%u", i)), i % 2, to);
}

typedef const char *text_of(struct world *w, unsigned i);

static void put_kind(struct world *w, enum directory_kind kind, unsigned n, text_of *text)
{
	for (unsigned s = 0; s < SHARDS; s++) {
		struct directory_shard *to = &w->index.shards[w->index.n_shards];
		const char *all = "", *one;

		for (unsigned i = 0; i < n; i++)
			if ((i + w->home[i]) % SHARDS == s && (one = text(w, i)))
				all = trustgen_format(w->g, "%s%s%s", all, *all ? "," : "", one);
		all = trustgen_format(w->g, "[%s]", all);
		to->kind = kind;
		to->size = strlen(all);
		assert_ok(crypto_sha256(all, to->size, to->sha256));
		w->shard[w->index.n_shards++] = all;
	}
}

/* The next head, and all that it names. */
static const char *world_head(struct world *w)
{
	struct directory_shard shards[DIRECTORY_KIND_N * SHARDS];
	struct trustgen_directory dir = { .version = ++w->version };
	const char *entries = "", *head;
	char *payload = NULL;

	w->index = (struct directory){ .version = dir.version, .iat = NOW, .max_stale = 900, .skew = 30, .sudo_fresh = 900, .shards = shards };
	memset(shards, 0, sizeof shards);
	put_kind(w, DIRECTORY_ACCOUNTS, ACCOUNTS, account_text);
	put_kind(w, DIRECTORY_GROUPS, GROUPS, group_text);
	put_kind(w, DIRECTORY_PEOPLE, PEOPLE, person_text);
	put_kind(w, DIRECTORY_NODES, NODES, node_text);
	put_kind(w, DIRECTORY_GRANTS, GRANTS, grant_text);
	assert_ok(directory_index_build(&w->index, &w->g->root.cluster, &payload));
	w->dir = dir.text = trustgen_format(w->g, "%s\n", trustgen_sign(w->g, JWS_DIRECTORY, KEYRING_DIRECTORY, payload));
	free(payload);
	for (unsigned i = 1; i <= w->revoked % 16; i++)
		entries = trustgen_format(w->g, "%s%s{\"iat\":%lld,\"kind\":\"person\",\"seq\":%u,\"until\":%lld,\"value\":\"%s\"}", entries, i > 1 ? "," : "", (long long)NOW, i, (long long)NOW + 9999,
			trustgen_id_text(w->g, trustgen_format(w->g, "person%u", (w->revoked + i) % PEOPLE)));
	w->revocations = trustgen_revocations(w->g, ++w->revocations_version, trustgen_format(w->g, "[%s]", entries));
	w->root = trustgen_root_text(w->g);
	w->keyset = trustgen_keyset_text(w->g);
	head = trustgen_head(w->g, w->version, w->root, w->keyset, &dir, w->revocations, w->revocations_version);
	w->index.shards = NULL;
	return head;
}

static void swap_numbers(unsigned *a, unsigned *b)
{
	unsigned was = *a;

	*a = *b;
	*b = was;
}

static void world_change(struct world *w)
{
	unsigned r = below(1000);

	switch (below(10)) {
	case 9:
		w->home[r % ACCOUNTS] = below(SHARDS);
		break;
	case 0:
	case 1:
		w->account[r % ACCOUNTS] = below(8);
		break;
	case 2:
	case 3:
		w->group[r % GROUPS] = below(40);
		break;
	case 4:
		w->person[r % PEOPLE] = below(5);
		break;
	case 5:
		w->node[1 + r % (NODES - 1)] = below(4);
		w->node[0] = 1 + below(2);
		break;
	case 6:
		w->grant[r % GRANTS] = below(4);
		break;
	case 7:
		w->revoked = below(100);
		break;
	default:
		swap_numbers(&w->uid[r % ACCOUNTS], &w->uid[below(ACCOUNTS)]);
		swap_numbers(&w->gid[r % GROUPS], &w->gid[below(GROUPS)]);
	}
}

/* ---- a node ---- */

static void ignore_line(void *arg, const char *sentence)
{
	(void)arg;
	(void)sentence;
}

static struct assemble *node_new(const struct world *w)
{
	struct assemble_conf conf;
	const struct assemble_floor none = { 0 };
	struct assemble *a = NULL;

	memset(&conf, 0, sizeof conf);
	memcpy(conf.pin, w->g->pin, sizeof conf.pin);
	conf.cluster = w->g->root.cluster;
	conf.node = trustgen_id("node0");
	conf.id_min = 1000;
	conf.id_max = INT32_MAX;
	conf.change_most = change_most;
	assert_ok(assemble_new(&conf, &none, &a));
	return a;
}

static void give(struct assemble *a, const struct world *w)
{
	const char *const documents[] = { w->root, w->keyset, w->dir, w->revocations };
	struct diag d;

	for (size_t i = 0; i < sizeof documents / sizeof documents[0] + DIRECTORY_KIND_N * SHARDS; i++) {
		const char *text = i < 4 ? documents[i] : w->shard[i - 4];

		(void)!assemble_object(a, text, strlen(text), &d); /* refused unless it is wanted */
	}
}

static void build(struct assemble *a, const struct world *w, const char *head, struct assemble_output *out)
{
	const struct local_report r = { .line = ignore_line };
	enum assemble_state state = ASSEMBLE_SAME;
	struct diag d = { .code = CLUSTER_OK };

	if (assemble_head(a, head, strlen(head), NOW, &state, &d) != CLUSTER_OK)
		fail_msg("%s", d.text);
	while (state == ASSEMBLE_WANT) {
		give(a, w);
		if (assemble_step(a, NOW, &state, &d) != CLUSTER_OK)
			fail_msg("%s", d.text);
	}
	assert_int_equal(state, ASSEMBLE_READY);
	if (assemble_build(a, &r, out, &d) != CLUSTER_OK)
		fail_msg("%s", d.text);
}

/* What the node has after this output. */
static void follow(struct snap_bytes *have, enum snap_kind kind, const struct memory *out, unsigned *changes)
{
	enum cluster_err checked = CLUSTER_EDENIED;
	struct snap_bytes next = { .p = NULL };
	struct snap old, now;

	if (!out->p)
		return;
	if (!snap_change_is(out->p, out->n)) {
		assert_non_null(next.p = malloc(out->n));
		memcpy(next.p, out->p, next.n = out->n);
	} else {
		assert_int_equal(snap_parse(have->p, have->n, kind, &old), CLUSTER_OK);
		assert_int_equal(snap_diff_apply(&old, out->p, out->n, &checked, &next.p, &next.n), CLUSTER_OK);
		assert_int_equal(checked, CLUSTER_OK);
		(*changes)++;
	}
	assert_int_equal(snap_parse(next.p, next.n, kind, &now), CLUSTER_OK);
	assert_int_equal(snap_verify(&now), CLUSTER_OK);
	free(have->p);
	*have = next;
}

static void local_files(struct assemble *a, unsigned which)
{
	static const char *const passwd[] = { "", "a37:x:100003:1::/:/bin/sh\nlocal:x:100007:1::/:/bin/sh\n" }, *const group[] = { "", "g7:x:5:\nlocal:x:200009:\n" };

	assert_ok(assemble_local(a, passwd[which], strlen(passwd[which]), group[which], strlen(group[which])));
}

static void run(uint32_t begin, unsigned which)
{
	struct snap_bytes accounts = { .p = NULL }, trust = { .p = NULL };
	struct assemble_output out, whole;
	unsigned changes = 0;
	struct assemble *a;
	struct world w;

	seed = begin;
	world_init(&w);
	a = node_new(&w);
	local_files(a, which);
	for (unsigned step = 0; step < STEPS; step++) {
		const char *head = world_head(&w);
		struct assemble *fresh = node_new(&w);

		build(a, &w, head, &out);
		if (below(8) == 0) { /* root could not put it in place: the next one is made of the one before */
			assemble_output_done(&out);
			assemble_drop(a);
			build(a, &w, head, &out);
		}
		follow(&accounts, SNAP_ACCOUNTS, &out.accounts, &changes);
		follow(&trust, SNAP_TRUST, &out.trust, &changes);
		assemble_output_done(&out);
		assemble_commit(a);
		local_files(fresh, which);
		build(fresh, &w, head, &whole);
		assert_int_equal(accounts.n, whole.accounts.n);
		assert_memory_equal(accounts.p, whole.accounts.p, accounts.n);
		assert_int_equal(trust.n, whole.trust.n);
		assert_memory_equal(trust.p, whole.trust.p, trust.n);
		assemble_output_done(&whole);
		assemble_free(fresh);
		for (unsigned k = below(3) ? 1 : below(12); k > 0; k--)
			world_change(&w);
	}
	assert_true(change_most ? changes > 0 && changes < STEPS : changes > STEPS);
	free(accounts.p);
	free(trust.p);
	assemble_free(a);
	trustgen_free(w.g);
}

/* Local files that change while what was made of those before is on its way: the next output is made of the new ones. */
static void test_local_change_on_the_way(void **state)
{
	const struct local_report r = { .line = ignore_line };
	struct assemble_output out, whole;
	struct diag d = { .code = CLUSTER_OK };
	struct assemble *a, *fresh;
	const char *head;
	struct world w;

	(void)state;
	world_init(&w);
	head = world_head(&w);
	a = node_new(&w);
	fresh = node_new(&w);
	local_files(a, 0);
	local_files(fresh, 1);
	build(fresh, &w, head, &whole);
	build(a, &w, head, &out);
	local_files(a, 1);
	assemble_commit(a);
	assemble_output_done(&out);
	assert_ok(assemble_build(a, &r, &out, &d));
	assert_non_null(out.accounts.p);
	assert_int_equal(out.accounts.n, whole.accounts.n);
	assert_memory_equal(out.accounts.p, whole.accounts.p, whole.accounts.n);
	assemble_output_done(&whole);
	assemble_output_done(&out);
	assemble_free(fresh);
	assemble_free(a);
	trustgen_free(w.g);
}

static void test_random_changes(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 4; i++)
		run(i, 0);
}

/* The same where local accounts and groups keep entries out. */
static void test_beside_local_accounts(void **state)
{
	(void)state;
	for (uint32_t i = 11; i <= 13; i++)
		run(i, 1);
}

/* What would be too large a change is built anew, one file or both. */
static void test_large_changes(void **state)
{
	(void)state;
	change_most = 500;
	run(21, 1);
	change_most = 0;
}

/* A grant or a person leaves accounts.snap alone, and what is handed over is small. */
static void test_only_what_changed(void **state)
{
	struct assemble_output out;
	struct assemble *a;
	struct world w;
	size_t whole;

	(void)state;
	seed = 5;
	world_init(&w);
	a = node_new(&w);
	build(a, &w, world_head(&w), &out);
	whole = out.trust.n;
	assemble_output_done(&out);
	assemble_commit(a);
	w.grant[2] = 3;
	w.person[3] = 2;
	build(a, &w, world_head(&w), &out);
	assert_null(out.accounts.p);
	assert_true(snap_change_is(out.trust.p, out.trust.n));
	assert_true(out.trust.n < whole / 4);
	assemble_output_done(&out);
	assemble_commit(a);
	/* without reliance on what is installed, all of it */
	assemble_whole(a);
	w.account[1] = 4;
	build(a, &w, world_head(&w), &out);
	assert_false(snap_change_is(out.accounts.p, out.accounts.n));
	assert_false(snap_change_is(out.trust.p, out.trust.n));
	assemble_output_done(&out);
	assemble_free(a);
	trustgen_free(w.g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local_change_on_the_way),
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_beside_local_accounts),
		cmocka_unit_test(test_large_changes),
		cmocka_unit_test(test_only_what_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
