/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/jwk.h"
#include "cluster/snap_write.h"
#include "cluster/trust_snap.h"

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "world: %s\n", what);
	abort();
}

#define CHECK(call) check((call) == CLUSTER_OK, #call)

struct cluster_id world_id(uint8_t kind, uint8_t n)
{
	struct cluster_id id = { { kind } };

	id.b[ID_SIZE - 1] = n;
	return id;
}

char *world_text(struct world *w, const char *text)
{
	char *copy = strdup(text);

	check(copy && w->n_texts < sizeof w->texts / sizeof w->texts[0], "texts");
	return w->texts[w->n_texts++] = copy;
}

static void add_key(struct world *w, enum keyring_role role, struct crypto_key **ret)
{
	struct keyring_key k = { .role = role, .nbf = w->now - 86400, .exp = w->now + 86400 };

	CHECK(crypto_key_new(CRYPTO_ED25519, ret));
	CHECK(crypto_key_pub(*ret, &k.pub));
	CHECK(jwk_kid(&k.pub, k.kid));
	CHECK(keyring_add(&w->keyset.ring, &k));
}

static void set_account(struct world *w, enum world_account i, const char *name, uint32_t uid)
{
	struct directory_account *a = &w->accounts[i];

	snprintf(a->name, sizeof a->name, "%s", name);
	a->uid = uid;
	a->gid = uid;
	a->gecos = world_text(w, "");
	a->home = world_text(w, "/home/somebody");
	a->shell = world_text(w, "/bin/sh");
}

static void set_person(struct world *w, enum world_person i, const char *name, const char *role)
{
	struct directory_person *p = &w->people[i];
	struct crypto_pub pub;

	p->id = world_id('p', (uint8_t)i);
	snprintf(p->name, sizeof p->name, "%s", name);
	w->devices[i].id = world_id('d', (uint8_t)i);
	CHECK(crypto_key_pub(w->device, &pub));
	CHECK(jwk_thumbprint(&pub, w->devices[i].jkt));
	p->devices = &w->devices[i];
	p->n_devices = 1;
	p->roles = calloc(1, sizeof *p->roles);
	check(p->roles != NULL, "memory");
	p->n_roles = role != NULL;
	if (role)
		snprintf(p->roles[0], sizeof p->roles[0], "%s", role);
}

static void set_grant(struct world *w, enum world_grant i, const char *first, const char *second, const char *nodes)
{
	struct directory_grant *g = &w->grants[i];

	g->id = world_id('g', (uint8_t)i);
	g->n_accounts = second ? 2 : 1;
	g->accounts = calloc(2, sizeof *g->accounts);
	g->nodes = calloc(1, sizeof *g->nodes);
	check(g->accounts && g->nodes, "memory");
	snprintf(g->accounts[0], sizeof g->accounts[0], "%s", first);
	if (second)
		snprintf(g->accounts[1], sizeof g->accounts[1], "%s", second);
	g->nodes[0] = world_text(w, nodes);
	g->n_nodes = 1;
}

static void set_directory(struct world *w)
{
	set_account(w, WORLD_EMR, "emr-user", WORLD_UID_EMR);
	set_account(w, WORLD_ALICE_ACCOUNT, "alice", WORLD_UID_ALICE);
	set_account(w, WORLD_ECS, "ecs-user", WORLD_UID_ECS);
	set_account(w, WORLD_LONELY, "lonely", WORLD_UID_LONELY);
	w->accounts[WORLD_ALICE_ACCOUNT].personal = true;
	w->accounts[WORLD_ALICE_ACCOUNT].person = world_id('p', WORLD_ALICE);
	set_person(w, WORLD_ALICE, "alice", NULL);
	set_person(w, WORLD_BOB, "bob", NULL);
	set_person(w, WORLD_CAROL, "carol", "ops");
	set_person(w, WORLD_DAVE, "dave", "ops");
	w->people[WORLD_DAVE].disabled = true;
	set_grant(w, WORLD_GRANT_ALICE, "emr-user", "alice", "any");
	w->grants[WORLD_GRANT_ALICE].person = world_id('p', WORLD_ALICE);
	set_grant(w, WORLD_GRANT_ALICE_ECS, "ecs-user", NULL, "role:master");
	w->grants[WORLD_GRANT_ALICE_ECS].person = world_id('p', WORLD_ALICE);
	set_grant(w, WORLD_GRANT_OPS, "emr-user", NULL, "node:master-1-1");
	w->grants[WORLD_GRANT_OPS].to_role = true;
	snprintf(w->grants[WORLD_GRANT_OPS].role, sizeof w->grants[0].role, "ops");
}

static void set_node(struct world *w)
{
	struct directory_node *n = &w->node;

	n->id = world_id('n', 1);
	snprintf(n->name, sizeof n->name, "master-1-1");
	n->roles = calloc(1, sizeof *n->roles);
	check(n->roles != NULL, "memory");
	snprintf(n->roles[0], sizeof n->roles[0], "master");
	n->n_roles = 1;
	memset(n->hostkey_hash, 0x5a, sizeof n->hostkey_hash);
	n->port = 22;
}

void world_init(struct world *w, int64_t now)
{
	memset(w, 0, sizeof *w);
	w->now = now;
	CHECK(crypto_start());
	w->root.cluster = world_id('c', 1);
	snprintf(w->root.name, sizeof w->root.name, "blue");
	w->root.version = 1;
	w->keyset.version = 3;
	add_key(w, KEYRING_ISSUER, &w->issuer);
	add_key(w, KEYRING_DIRECTORY, &w->other);
	add_key(w, KEYRING_SSHCA, &w->sshca);
	CHECK(crypto_key_new(CRYPTO_ED25519, &w->cnf));
	CHECK(crypto_key_new(CRYPTO_ED25519, &w->device));
	set_directory(w);
	set_node(w);
	w->dir = (struct directory){
		.version = 5, .iat = now, .max_stale = WORLD_MAX_STALE, .skew = WORLD_SKEW, .sudo_fresh = 900, .n_accounts = WORLD_ACCOUNTS, .n_people = WORLD_PEOPLE,
		.n_nodes = 1, .n_grants = WORLD_GRANTS, .accounts = w->accounts, .people = w->people, .nodes = &w->node, .grants = w->grants,
	};
	w->revocations = (struct revoke_list){ .version = 7, .iat = now, .entry = w->entries };
	w->fresh = (struct snap_fresh){ .cluster = w->root.cluster, .generation = 1, .head_version = 9, .head_iat = now, .newest_iat = now };
}

void world_done(struct world *w)
{
	for (size_t i = 0; i < WORLD_ROOM; i++) {
		free(w->people[i].roles);
		free(w->grants[i].accounts);
		free(w->grants[i].nodes);
	}
	free(w->node.roles);
	for (size_t i = 0; i < w->n_texts; i++)
		free(w->texts[i]);
	crypto_key_free(w->issuer);
	crypto_key_free(w->other);
	crypto_key_free(w->sshca);
	crypto_key_free(w->cnf);
	crypto_key_free(w->device);
	memset(w, 0, sizeof *w);
}

void world_revoke(struct world *w, enum revoke_kind kind, const char *value, int64_t before)
{
	size_t i = w->revocations.n++;

	check(i < WORLD_ROOM, "too many revocations");
	w->entries[i] = (struct revoke_entry){
		.kind = kind, .seq = (int64_t)i + 1, .iat = w->now, .until = w->now + 86400, .before = before, .value = world_text(w, value),
	};
}

void world_revoke_id(struct world *w, enum revoke_kind kind, const struct cluster_id *id, int64_t before)
{
	char text[ID_TEXT + 1];

	id_text(id, text);
	world_revoke(w, kind, text, before);
}

uint8_t *world_trust(const struct world *w, size_t *ret_n)
{
	const struct trust_documents from = { .root = &w->root, .keyset = &w->keyset, .dir = &w->dir, .revocations = &w->revocations };
	uint8_t *bytes = NULL;
	struct diag d = { .code = CLUSTER_OK };

	if (trust_build(&from, &w->node.id, &bytes, ret_n, &d) != CLUSTER_OK)
		check(false, d.text);
	return bytes;
}

uint8_t *world_accounts(const struct world *w, size_t *ret_n)
{
	struct snap_account_in *in = calloc(w->dir.n_accounts + 1, sizeof *in);
	struct snap_names names = { .accounts = in };
	struct diag d = { .code = CLUSTER_OK };
	uint8_t *bytes = NULL;

	check(in != NULL, "memory");
	for (size_t i = 0; i < w->dir.n_accounts; i++) {
		const struct directory_account *a = &w->dir.accounts[i];

		if (strcmp(a->name, "ecs-user") != 0)
			in[names.n_accounts++] = (struct snap_account_in){ .name = a->name, .gecos = a->gecos, .home = a->home, .shell = a->shell, .uid = a->uid, .gid = a->gid };
	}
	if (snap_accounts_build(&w->root.cluster, &names, &bytes, ret_n, &d) != CLUSTER_OK)
		check(false, d.text);
	free(in);
	return bytes;
}

void world_file(const char *path, const void *data, size_t n, unsigned int mode)
{
	int fd;

	check(unlink(path) == 0 || errno == ENOENT, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
	check(fd >= 0 && fchmod(fd, (mode_t)mode) == 0 && write(fd, data, n) == (ssize_t)n, path);
	close(fd);
}

static void make_dir(const char *path)
{
	check(mkdir(path, 0755) == 0 || errno == EEXIST, path);
}

void world_store_fresh(const struct world *w, const char *dir)
{
	uint8_t bytes[SNAP_FRESH_SIZE];
	char path[512];

	snap_fresh_build(&w->fresh, bytes);
	snprintf(path, sizeof path, "%s/fresh", dir);
	world_file(path, bytes, sizeof bytes, 0644);
}

void world_store(const struct world *w, const char *dir)
{
	char path[512];
	uint8_t *bytes;
	size_t n;

	make_dir(dir);
	snprintf(path, sizeof path, "%s/gen", dir);
	make_dir(path);
	snprintf(path, sizeof path, "%s/gen/%llu", dir, (unsigned long long)w->fresh.generation);
	make_dir(path);
	CHECK(snap_path(path, sizeof path, dir, w->fresh.generation, "trust.snap"));
	bytes = world_trust(w, &n);
	world_file(path, bytes, n, 0644);
	free(bytes);
	CHECK(snap_path(path, sizeof path, dir, w->fresh.generation, "accounts.snap"));
	bytes = world_accounts(w, &n);
	world_file(path, bytes, n, 0644);
	free(bytes);
	world_store_fresh(w, dir);
	snprintf(path, sizeof path, "%s/enrolled", dir);
	world_file(path, "[enrolled]\n", 11, 0644);
}

struct credential world_credential(const struct world *w, enum world_person p)
{
	struct credential c = {
		.cluster = w->root.cluster, .person = w->people[p].id, .device = w->devices[p].id, .jti = world_id('j', (uint8_t)p), .iat = w->now, .nbf = w->now,
		.exp = w->now + 3600, .auth_time = w->now, .n_amr = 1, .amr = { "hwk" },
	};
	struct crypto_pub issuer;

	CHECK(crypto_key_pub(w->cnf, &c.cnf));
	CHECK(crypto_key_pub(w->issuer, &issuer));
	CHECK(jwk_kid(&issuer, c.issuer));
	return c;
}

struct keyring_at world_at(const struct world *w)
{
	return (struct keyring_at){ .cluster = &w->root.cluster, .ring = &w->keyset.ring, .now = w->now, .skew = WORLD_SKEW };
}

char *world_token(const struct world *w, const struct credential *c, const struct crypto_key *key)
{
	char *token = NULL;

	CHECK(credential_build(c, key ? key : w->issuer, &token));
	return token;
}

void world_answer(const struct world *w, const char *token, const struct challenge *ch, const struct crypto_key *key, char dst[CHALLENGE_ANSWER_MAX + 1])
{
	CHECK(challenge_answer_build(token, key ? key : w->cnf, ch, dst, CHALLENGE_ANSWER_MAX + 1));
}

struct challenge world_challenge(const struct world *w, const char *service, const char *account)
{
	struct challenge ch = { .cluster = w->root.cluster, .node = w->node.id, .time = w->now };

	memcpy(ch.hostkey_hash, w->node.hostkey_hash, sizeof ch.hostkey_hash);
	CHECK(crypto_random(ch.nonce, sizeof ch.nonce));
	challenge_names(&ch, service, account);
	return ch;
}
