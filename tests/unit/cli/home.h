/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CLI_HOME_H
#define TEST_CLI_HOME_H

/* A person's directory as `setup` and `get` leave it, made from trustgen's sample cluster for alice. Included once by each test that needs one. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cluster/b64.h"
#include "profile.h"
#include "trustgen.h"
#include "wallet.h"

struct home {
	struct trustgen *g;
	struct profile p;
	struct trustgen_directory *directory;
	const char *head;
	struct crypto_key *cnf;
	char object[DIRECTORY_KIND_N + 1][PROFILE_PATH_MAX]; /* names of the files, index last; empty: none */
};

#define HOME_MUST(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort(); \
		} \
	} while (0)

static void home_write(struct home *h, const char *name, const char *text)
{
	HOME_MUST(profile_write(&h->p, name, text, strlen(text), NULL) == CLUSTER_OK);
}

static void home_object(struct home *h, size_t i, const char *text)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char name[64];

	HOME_MUST(crypto_sha256(text, strlen(text), hash) == CLUSTER_OK && b64_encode(hash, sizeof hash, name, sizeof name) == CLUSTER_OK);
	snprintf(h->object[i], sizeof h->object[i], PROFILE_OBJECTS "/%s", name);
	home_write(h, h->object[i], text);
}

/* The cluster's documents; only the shard of nodes, as people get it. */
static void home_documents(struct home *h, int64_t version)
{
	const char *root = trustgen_root_text(h->g), *keyset = trustgen_keyset_text(h->g);

	h->directory = trustgen_directory(h->g, version, trustgen_sample(h->g));
	h->head = trustgen_head(h->g, version, root, keyset, h->directory, trustgen_revocations(h->g, 1, "[]"), 1);
	home_write(h, PROFILE_ROOT, root);
	home_write(h, PROFILE_KEYSET, keyset);
	home_write(h, PROFILE_HEAD, h->head);
	for (size_t i = 0; i < h->directory->n_shards; i++) {
		if (strstr(h->directory->shard[i], "hostkeys") != NULL)
			home_object(h, i, h->directory->shard[i]);
	}
	home_object(h, DIRECTORY_KIND_N, h->directory->text);
}

/* alice's credential that ends `life` seconds from now. */
static void home_credential(struct home *h, int64_t life)
{
	struct wallet w = { .key = h->cnf };
	struct credential c = { .cluster = h->p.cluster, .person = h->p.person, .device = h->p.device, .jti = trustgen_id("jti"), .n_amr = 1, .amr = { "pop" } };

	c.iat = c.nbf = c.auth_time = h->g->now - 7200 + (life > 0 ? 7200 : 0);
	c.exp = h->g->now + life;
	HOME_MUST(crypto_key_pub(h->cnf, &c.cnf) == CLUSTER_OK && credential_build(&c, h->g->role_key[KEYRING_ISSUER], &w.token) == CLUSTER_OK);
	HOME_MUST(wallet_store(&h->p, &w, NULL) == CLUSTER_OK);
	free(w.token);
}

static void home_make(struct home *h)
{
	char objects[PROFILE_PATH_MAX + 16];

	memset(h, 0, sizeof *h);
	HOME_MUST(crypto_start() == CLUSTER_OK);
	h->g = trustgen_new("prod", time(NULL));
	strcpy(h->p.dir, "/tmp/cluster-home-XXXXXX");
	HOME_MUST(mkdtemp(h->p.dir) != NULL);
	HOME_MUST(setenv("CLUSTER_LOGIN_HOME", h->p.dir, 1) == 0);
	snprintf(objects, sizeof objects, "%s/" PROFILE_OBJECTS, h->p.dir);
	HOME_MUST(mkdir(objects, 0700) == 0);
	strcpy(h->p.url, "https://127.0.0.1:1");
	strcpy(h->p.name, "alice");
	memcpy(h->p.pin, h->g->pin, sizeof h->p.pin);
	h->p.cluster = h->g->root.cluster;
	h->p.person = trustgen_id("alice");
	h->p.device = trustgen_id("alice-laptop");
	HOME_MUST(profile_store(&h->p, NULL) == CLUSTER_OK);
	h->cnf = trustgen_key(h->g);
	home_documents(h, 5);
	home_credential(h, 3600);
}

static int home_remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static void home_done(struct home *h)
{
	nftw(h->p.dir, home_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	trustgen_free(h->g);
}

#endif
