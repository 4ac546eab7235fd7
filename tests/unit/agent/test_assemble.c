/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"
#include "cluster/b64.h"
#include "cluster/snap.h"
#include "cluster/trust_snap.h"
#include "trustgen.h"

#define NOW INT64_C(1800000000)
#define TEXTS_MAX 256

/* An authority, what it serves, and a node's agent. */
struct cluster {
	struct trustgen *g;
	struct assemble *a;
	const char *served[TEXTS_MAX];
	size_t n_served;
	struct assemble_output out;
	struct diag d;
	size_t given; /* objects handed over since the last offer */
	size_t left_out;
};

static void agent_new(struct cluster *c, const struct assemble_floor *floor)
{
	struct assemble_conf conf;

	memset(&conf, 0, sizeof conf);
	memcpy(conf.pin, c->g->pin, sizeof conf.pin);
	conf.cluster = c->g->root.cluster;
	conf.node = trustgen_id("core-1-1");
	conf.id_min = 1000;
	conf.id_max = INT32_MAX;
	conf.adopt.n = 1;
	strcpy(conf.adopt.item[0], "ecs-user");
	assert_ok(assemble_new(&conf, floor, &c->a));
}

static void setup(struct cluster *c)
{
	const struct assemble_floor none = { 0 };

	memset(c, 0, sizeof *c);
	c->g = trustgen_new("prod", NOW);
	agent_new(c, &none);
}

static void teardown(struct cluster *c)
{
	assemble_output_done(&c->out);
	assemble_free(c->a);
	trustgen_free(c->g);
}

static void serve(struct cluster *c, const char *text)
{
	assert_true(c->n_served < TEXTS_MAX);
	c->served[c->n_served++] = text;
}

static void report(void *arg, const char *sentence)
{
	struct cluster *c = arg;

	(void)sentence;
	c->left_out++;
}

/* A head that names these documents, all of them served. */
static const char *head_of(struct cluster *c, int64_t version, const struct trustgen_directory *dir, const char *revocations, int64_t revocations_version)
{
	const char *root = trustgen_root_text(c->g), *keyset = trustgen_keyset_text(c->g);
	size_t i;

	serve(c, root);
	serve(c, keyset);
	serve(c, dir->text);
	serve(c, revocations);
	for (i = 0; i < dir->n_shards; i++)
		serve(c, dir->shard[i]);
	return trustgen_head(c->g, version, root, keyset, dir, revocations, revocations_version);
}

/* Gives what is wanted for as long as something is. */
static enum cluster_err supply(struct cluster *c, int64_t now, enum assemble_state *state)
{
	const struct assemble_want *want;
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	enum cluster_err e;
	size_t n, i, j;

	while (*state == ASSEMBLE_WANT) {
		struct assemble_want copy[16];

		want = assemble_wanted(c->a, &n);
		assert_in_range(n, 1, 16);
		memcpy(copy, want, n * sizeof *want);
		for (i = 0; i < n; i++) {
			for (j = 0; j < c->n_served; j++) {
				assert_ok(crypto_sha256(c->served[j], strlen(c->served[j]), sha256));
				if (memcmp(sha256, copy[i].sha256, sizeof sha256) == 0)
					break;
			}
			if (j == c->n_served)
				return CLUSTER_ENOTFOUND;
			if ((e = assemble_object(c->a, c->served[j], strlen(c->served[j]), &c->d)) != CLUSTER_OK)
				return e;
			c->given++;
		}
		if ((e = assemble_step(c->a, now, state, &c->d)) != CLUSTER_OK)
			return e;
	}
	return CLUSTER_OK;
}

/* The whole way for one head up to the outputs; commits nothing. */
static enum cluster_err offer_at(struct cluster *c, const char *head, int64_t now, enum assemble_state *state)
{
	const struct local_report r = { .line = report, .arg = c };
	enum cluster_err e;

	diag_clear(&c->d);
	c->given = 0;
	c->left_out = 0;
	assemble_output_done(&c->out);
	if ((e = assemble_head(c->a, head, strlen(head), now, state, &c->d)) != CLUSTER_OK || (e = supply(c, now, state)) != CLUSTER_OK || *state == ASSEMBLE_SAME)
		return e;
	return assemble_build(c->a, &r, &c->out, &c->d);
}

static enum cluster_err offer(struct cluster *c, const char *head)
{
	enum assemble_state state = ASSEMBLE_SAME;

	return offer_at(c, head, NOW, &state);
}

static void install(struct cluster *c, const char *head)
{
	if (offer(c, head) != CLUSTER_OK)
		fail_msg("%s", c->d.text);
	assemble_commit(c->a);
}

static struct trustgen_directory *sample(struct cluster *c, int64_t version)
{
	return trustgen_directory(c->g, version, trustgen_sample(c->g));
}

static void test_first_set(void **state)
{
	struct snap_account account;
	struct cluster c;
	struct snap s;
	struct trust t;

	(void)state;
	setup(&c);
	install(&c, head_of(&c, 10, sample(&c, 1), trustgen_revocations(c.g, 1, "[]"), 1));
	assert_int_equal(assemble_version(c.a), 10);
	assert_non_null(c.out.accounts.p);
	assert_non_null(c.out.trust.p);
	assert_non_null(c.out.docs.p);
	assert_false(c.out.rebuilt);
	assert_int_equal(c.given, 4 + 5);
	assert_ok(snap_parse(c.out.accounts.p, c.out.accounts.n, SNAP_ACCOUNTS, &s));
	assert_ok(snap_verify(&s));
	assert_ok(snap_account_by_name(&s, "emr-user", &account));
	assert_ok(trust_parse(c.out.trust.p, c.out.trust.n, &t));
	assert_string_equal(t.self.node_name, "core-1-1");
	teardown(&c);
}

/* Only what changed is fetched and built again. */
static void test_unchanged_objects_are_kept(void **state)
{
	enum assemble_state s;
	struct trustgen_directory *dir;
	const char *rev, *head;
	struct cluster c;

	(void)state;
	setup(&c);
	dir = sample(&c, 1);
	rev = trustgen_revocations(c.g, 1, "[]");
	head = head_of(&c, 10, dir, rev, 1);
	install(&c, head);
	/* the same head once more */
	assert_ok(offer_at(&c, head, NOW, &s));
	assert_int_equal(s, ASSEMBLE_SAME);
	/* signed again */
	c.g->now += 60;
	assert_ok(offer_at(&c, head_of(&c, 11, dir, rev, 1), NOW + 60, &s));
	assert_int_equal(c.given, 0);
	assert_null(c.out.accounts.p);
	assert_null(c.out.trust.p);
	assert_null(c.out.docs.p);
	assert_int_equal(c.out.head_iat, NOW + 60);
	assemble_commit(c.a);
	/* a revocation: accounts stay */
	assert_ok(offer_at(&c, head_of(&c, 12, dir, trustgen_revocations(c.g, 2, "[]"), 2), NOW + 60, &s));
	assert_int_equal(c.given, 1);
	assert_null(c.out.accounts.p);
	assert_non_null(c.out.trust.p);
	assemble_commit(c.a);
	assert_int_equal(assemble_version(c.a), 12);
	teardown(&c);
}

/* H1: no document goes back, none changes under its version. */
static void test_rollback(void **state)
{
	struct trustgen_directory *d1, *d2;
	const char *r1, *r2, *old;
	struct cluster c;

	(void)state;
	setup(&c);
	d1 = sample(&c, 1);
	d2 = sample(&c, 2);
	r1 = trustgen_revocations(c.g, 1, "[]");
	r2 = trustgen_revocations(c.g, 2, "[]");
	old = head_of(&c, 9, d2, r2, 2);
	install(&c, head_of(&c, 10, d2, r2, 2));
	assert_err(offer(&c, old), CLUSTER_EVERSION);
	assert_err(offer(&c, head_of(&c, 11, d1, r2, 2)), CLUSTER_EVERSION);
	assert_err(offer(&c, head_of(&c, 11, d2, r1, 1)), CLUSTER_EVERSION);
	c.g->now--;
	assert_err(offer(&c, head_of(&c, 11, d2, trustgen_revocations(c.g, 2, "[]"), 2)), CLUSTER_EVERSION);
	assert_err(offer(&c, head_of(&c, 11, sample(&c, 2), r2, 2)), CLUSTER_EVERSION);
	/* the head itself changed under its version */
	assert_err(offer(&c, head_of(&c, 10, d2, r2, 2)), CLUSTER_EVERSION);
	c.g->now++;
	assert_int_equal(assemble_version(c.a), 10);
	install(&c, head_of(&c, 11, d2, r2, 2));
	teardown(&c);
}

/* H3: an expired head, and one from the future. H5: a version far ahead. */
static void test_freeze_and_fast_forward(void **state)
{
	enum assemble_state s;
	struct trustgen_directory *dir;
	const char *rev, *head;
	struct cluster c;

	(void)state;
	setup(&c);
	dir = sample(&c, 1);
	rev = trustgen_revocations(c.g, 1, "[]");
	head = head_of(&c, 10, dir, rev, 1);
	assert_err(offer_at(&c, head, NOW + 901, &s), CLUSTER_EEXPIRED);
	assert_err(offer_at(&c, head, NOW - 301, &s), CLUSTER_EEARLY);
	install(&c, head);
	assert_err(offer_at(&c, head_of(&c, 11, dir, rev, 1), NOW - 31, &s), CLUSTER_EEARLY);
	assert_err(offer(&c, head_of(&c, 10 + 1000001, dir, rev, 1)), CLUSTER_EVERSION);
	assert_err(offer(&c, head_of(&c, 11, sample(&c, 1000002), rev, 1)), CLUSTER_EVERSION);
	install(&c, head_of(&c, 10 + 1000000, dir, rev, 1));
	teardown(&c);
}

/* H4: documents of different heads do not go together. */
static void test_mix_and_match(void **state)
{
	struct trustgen_directory *d1, *d2;
	const char *rev, *head;
	struct cluster c;

	(void)state;
	setup(&c);
	d1 = sample(&c, 1);
	rev = trustgen_revocations(c.g, 1, "[]");
	install(&c, head_of(&c, 10, d1, rev, 1));
	d2 = trustgen_directory(c.g, 2, (struct trustgen_records){ .kind = { [DIRECTORY_NODES] = trustgen_sample(c.g).kind[DIRECTORY_NODES] } });
	head = trustgen_head(c.g, 11, trustgen_root_text(c.g), trustgen_keyset_text(c.g), d2, rev, 1);
	/* the directory that this head names is not to be had: the old one in its place is not taken */
	assert_err(offer(&c, head), CLUSTER_ENOTFOUND);
	assert_err(assemble_object(c.a, d1->text, strlen(d1->text), &c.d), CLUSTER_ESIGNATURE);
	/* a directory whose inside says another version than the head */
	d2->version = 3;
	serve(&c, d2->text);
	assert_err(offer(&c, head_of(&c, 11, d2, rev, 1)), CLUSTER_EVERSION);
	assert_int_equal(assemble_version(c.a), 10);
	teardown(&c);
}

/* Another cluster, another pin, a forged head, a head under a key that is not a head key. */
static void test_wrong_signers(void **state)
{
	const struct assemble_floor none = { 0 };
	struct trustgen_directory *dir;
	const char *rev, *head, *payload_head;
	struct cluster c, other;
	struct assemble *mine;
	char forged[8192];
	size_t n;

	(void)state;
	setup(&c);
	setup(&other);
	dir = sample(&c, 1);
	rev = trustgen_revocations(c.g, 1, "[]");
	head = head_of(&c, 10, dir, rev, 1);
	/* the other cluster's whole and sound set */
	mine = c.a;
	other.g->now = NOW;
	c.n_served = 0;
	assert_int_not_equal(offer(&c, head_of(&other, 10, sample(&other, 1), trustgen_revocations(other.g, 1, "[]"), 1)), CLUSTER_OK);
	memcpy(c.served, other.served, sizeof c.served);
	c.n_served = other.n_served;
	assert_err(offer(&c, head_of(&other, 10, sample(&other, 1), trustgen_revocations(other.g, 1, "[]"), 1)), CLUSTER_ESIGNATURE);
	/* one byte of the head's signature */
	c.n_served = 0;
	head = head_of(&c, 10, dir, rev, 1);
	n = strlen(head);
	assert_true(n < sizeof forged);
	memcpy(forged, head, n + 1);
	forged[n - 10] = forged[n - 10] == 'A' ? 'B' : 'A';
	assert_err(offer(&c, forged), CLUSTER_ESIGNATURE);
	/* signed by the directory's key */
	payload_head = strchr(head, '.') + 1;
	strcpy(forged, payload_head);
	*strchr(forged, '.') = '\0';
	{
		char text[8192];
		size_t text_n;

		assert_ok(b64_decode(forged, strlen(forged), text, sizeof text - 1, &text_n));
		text[text_n] = '\0';
		assert_int_not_equal(offer(&c, trustgen_sign(c.g, JWS_HEAD, KEYRING_DIRECTORY, text)), CLUSTER_OK);
	}
	assert_int_equal(assemble_version(c.a), 0);
	/* a wrong pin refuses what the right one takes */
	c.g->pin[0] ^= 1;
	agent_new(&c, &none);
	assert_err(offer(&c, head), CLUSTER_ESIGNATURE);
	assemble_free(c.a);
	c.a = mine;
	install(&c, head);
	other.n_served = 0;
	teardown(&other);
	teardown(&c);
}

/* Removing a key from the keyset ends everything that it signed. */
static void test_removed_key(void **state)
{
	struct trustgen_directory *dir;
	struct document_keyset keyset;
	const char *rev;
	struct cluster c;
	size_t i;

	(void)state;
	setup(&c);
	dir = sample(&c, 1);
	rev = trustgen_revocations(c.g, 1, "[]");
	install(&c, head_of(&c, 10, dir, rev, 1));
	keyset = c.g->keyset;
	c.g->keyset.version = 2;
	for (i = 0; c.g->keyset.ring.key[i].role != KEYRING_DIRECTORY; i++)
		;
	c.g->keyset.ring.key[i] = c.g->keyset.ring.key[--c.g->keyset.ring.n];
	assert_int_not_equal(offer(&c, head_of(&c, 11, dir, rev, 1)), CLUSTER_OK);
	c.g->keyset = keyset;
	c.g->keyset.version = 2;
	install(&c, head_of(&c, 12, dir, rev, 1));
	/* a keyset signed by nobody that the root knows */
	keyset = c.g->keyset;
	c.g->keyset.version = 3;
	{
		struct crypto_key *stranger = trustgen_key(c.g);
		char *payload;

		assert_ok(document_keyset_build(&c.g->keyset, &c.g->root.cluster, &payload));
		serve(&c, trustgen_sign_lines(c.g, JWS_KEYSET, &stranger, 1, payload));
		free(payload);
		assert_err(offer(&c, trustgen_head(c.g, 13, trustgen_root_text(c.g), c.served[c.n_served - 1], dir, rev, 1)), CLUSTER_ESIGNATURE);
	}
	teardown(&c);
}

/* A failed publication, or a failed offer, leaves the installed set as it was; the same head can come again. */
static void test_drop(void **state)
{
	struct trustgen_directory *dir;
	const char *rev, *head;
	struct cluster c;

	(void)state;
	setup(&c);
	dir = sample(&c, 1);
	rev = trustgen_revocations(c.g, 1, "[]");
	install(&c, head_of(&c, 10, dir, rev, 1));
	head = head_of(&c, 11, sample(&c, 2), rev, 1);
	assert_ok(offer(&c, head));
	assert_non_null(c.out.accounts.p);
	assemble_drop(c.a);
	assert_int_equal(assemble_version(c.a), 10);
	install(&c, head);
	assert_int_equal(assemble_version(c.a), 11);
	teardown(&c);
}

/* Restart: from disk, however old; never below what has been installed (a restored older copy). */
static void test_restore(void **state)
{
	struct trustgen_directory *d1, *d2;
	const char *r1, *r2, *h10, *h12;
	struct assemble_floor floor = { .head = 12, .keyset = 1, .directory = 2, .revocations = 2 };
	enum assemble_state s;
	struct assemble *first;
	struct cluster c;

	(void)state;
	setup(&c);
	d1 = sample(&c, 1);
	d2 = sample(&c, 2);
	r1 = trustgen_revocations(c.g, 1, "[]");
	r2 = trustgen_revocations(c.g, 2, "[]");
	h10 = head_of(&c, 10, d1, r1, 1);
	h12 = head_of(&c, 12, d2, r2, 2);
	first = c.a;
	agent_new(&c, &floor);
	assemble_free(first);
	/* older documents than this node has had */
	assert_ok(assemble_restore(c.a, h10, strlen(h10), &s, &c.d));
	assert_err(supply(&c, 0, &s), CLUSTER_EVERSION);
	assert_err(offer(&c, head_of(&c, 13, d1, r2, 2)), CLUSTER_EVERSION);
	assert_err(offer(&c, head_of(&c, 11, d2, r2, 2)), CLUSTER_EVERSION);
	assert_err(offer(&c, head_of(&c, 12 + 1000001, d2, r2, 2)), CLUSTER_EVERSION);
	/* head.jws is behind `fresh`, its documents are not: that is the normal case after a night of re-signed heads */
	floor.head = 500;
	first = c.a;
	agent_new(&c, &floor);
	assemble_free(first);
	assert_ok(assemble_restore(c.a, h12, strlen(h12), &s, &c.d));
	assert_ok(supply(&c, 0, &s));
	assert_int_equal(s, ASSEMBLE_READY);
	{
		const struct local_report r = { .line = report, .arg = &c };

		assert_ok(assemble_build(c.a, &r, &c.out, &c.d));
	}
	assert_true(c.out.rebuilt);
	assemble_commit(c.a);
	assert_int_equal(assemble_version(c.a), 500);
	assert_err(offer(&c, head_of(&c, 499, d2, r2, 2)), CLUSTER_EVERSION);
	assert_ok(offer_at(&c, head_of(&c, 500, d2, r2, 2), NOW, &s));
	assert_int_equal(s, ASSEMBLE_SAME);
	install(&c, head_of(&c, 501, d2, r2, 2));
	assert_int_equal(c.given, 0);
	assert_false(c.out.rebuilt);
	teardown(&c);
}

static bool account_there(const struct cluster *c, const char *name)
{
	struct snap_account a;
	struct snap s;
	enum cluster_err e;

	assert_ok(snap_parse(c->out.accounts.p, c->out.accounts.n, SNAP_ACCOUNTS, &s));
	e = snap_account_by_name(&s, name, &a);
	assert_true(e == CLUSTER_OK || e == CLUSTER_ENOTFOUND);
	return e == CLUSTER_OK;
}

static size_t groups_of(const struct cluster *c, const char *name)
{
	const uint8_t *gids;
	struct snap s;
	uint32_t n;
	enum cluster_err e;

	assert_ok(snap_parse(c->out.accounts.p, c->out.accounts.n, SNAP_ACCOUNTS, &s));
	e = snap_member_groups(&s, name, &gids, &n);
	assert_true(e == CLUSTER_OK || e == CLUSTER_ENOTFOUND);
	return e == CLUSTER_OK ? n : 0;
}

static void local_files(struct cluster *c, const char *passwd, const char *group)
{
	const struct local_report r = { .line = report, .arg = c };

	assert_ok(assemble_local(c->a, passwd, strlen(passwd), group, strlen(group)));
	assemble_output_done(&c->out);
	c->left_out = 0;
	assert_ok(assemble_build(c->a, &r, &c->out, &c->d));
	assert_null(c->out.trust.p);
	assert_null(c->out.docs.p);
	assert_true(c->out.rebuilt);
	assert_non_null(c->out.accounts.p);
	assemble_commit(c->a);
}

/* D3, D4, D7: what the node has itself, the directory does not get; adopted names keep their memberships. */
static void test_local_collisions(void **state)
{
	struct trustgen_records records;
	struct cluster c;

	(void)state;
	setup(&c);
	records = trustgen_sample(c.g);
	records.kind[DIRECTORY_GROUPS] = "[{\"gid\":1880000100,\"members\":[\"alice\",\"ecs-user\",\"emr-user\"],\"name\":\"hadoop\"}]";
	install(&c, head_of(&c, 10, trustgen_directory(c.g, 1, records), trustgen_revocations(c.g, 1, "[]"), 1));
	assert_true(account_there(&c, "alice") && account_there(&c, "emr-user") && account_there(&c, "ecs-user"));
	local_files(&c, "root:x:0:0::/root:/bin/sh\necs-user:x:1000:1000::/home/ecs-user:/bin/sh\n", "root:x:0:\n");
	assert_false(account_there(&c, "ecs-user"));
	assert_int_equal(c.left_out, 0);
	assert_int_equal(groups_of(&c, "ecs-user"), 1);
	/* a local alice is somebody else: neither the account nor its groups */
	local_files(&c, "alice:x:1001:1001::/home/alice:/bin/sh\n", "");
	assert_false(account_there(&c, "alice"));
	assert_true(account_there(&c, "emr-user"));
	assert_int_equal(c.left_out, 1);
	assert_int_equal(groups_of(&c, "alice"), 0);
	assert_int_equal(groups_of(&c, "emr-user"), 1);
	/* by uid, by gid */
	local_files(&c, "somebody:x:1880000001:5::/:/bin/sh\n", "");
	assert_false(account_there(&c, "emr-user"));
	local_files(&c, "", "x:x:1880000001:\n");
	assert_false(account_there(&c, "emr-user"));
	local_files(&c, "", "hadoop:x:4:\n");
	assert_int_equal(groups_of(&c, "emr-user"), 0);
	local_files(&c, "", "x:x:1880000100:\n");
	assert_int_equal(groups_of(&c, "emr-user"), 0);
	local_files(&c, "", "");
	assert_true(account_there(&c, "alice"));
	assert_int_equal(c.left_out, 0);
	teardown(&c);
}

/* D1: the node's window. */
static void test_window(void **state)
{
	const struct assemble_floor none = { 0 };
	struct assemble_conf conf;
	struct cluster c;

	(void)state;
	setup(&c);
	assemble_free(c.a);
	memset(&conf, 0, sizeof conf);
	memcpy(conf.pin, c.g->pin, sizeof conf.pin);
	conf.cluster = c.g->root.cluster;
	conf.node = trustgen_id("core-1-1");
	conf.id_min = 1880000002;
	conf.id_max = 1880000002;
	assert_ok(assemble_new(&conf, &none, &c.a));
	install(&c, head_of(&c, 10, sample(&c, 1), trustgen_revocations(c.g, 1, "[]"), 1));
	assert_int_equal(c.left_out, 3);
	assert_false(account_there(&c, "emr-user"));
	assert_true(account_there(&c, "ecs-user"));
	assert_false(account_there(&c, "alice"));
	teardown(&c);
}

static void test_removed_node(void **state)
{
	struct cluster c;
	struct trustgen_records records;

	(void)state;
	setup(&c);
	records = trustgen_sample(c.g);
	records.kind[DIRECTORY_NODES] = NULL;
	assert_err(offer(&c, head_of(&c, 10, trustgen_directory(c.g, 1, records), trustgen_revocations(c.g, 1, "[]"), 1)), CLUSTER_ENOTFOUND);
	teardown(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_set),
		cmocka_unit_test(test_unchanged_objects_are_kept),
		cmocka_unit_test(test_rollback),
		cmocka_unit_test(test_freeze_and_fast_forward),
		cmocka_unit_test(test_mix_and_match),
		cmocka_unit_test(test_wrong_signers),
		cmocka_unit_test(test_removed_key),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_local_collisions),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_removed_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
