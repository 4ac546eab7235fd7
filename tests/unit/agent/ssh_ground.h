/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SSH_GROUND_H
#define TEST_SSH_GROUND_H

/* A snapshot of core-1-1 and a directory of its own, for what root's process writes for sshd and ssh. Included once by each test that needs them. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/trust_snap.h"
#include "scratch.h"
#include "trustgen.h"

#define NOW INT64_C(1800000000)

static struct trustgen *g;
static struct trust t;
static struct directory *directory;
static struct revoke_list *revocations;
static uint8_t *bytes;
static char dir[SCRATCH_SIZE];

static int ground_begin(const char *name)
{
	g = trustgen_new("prod", NOW);
	directory = NULL;
	revocations = NULL;
	bytes = NULL;
	return scratch_make(dir, name);
}

static int ground_end(void **state)
{
	(void)state;
	free(bytes);
	directory_free(directory);
	revoke_free(revocations);
	trustgen_free(g);
	return scratch_remove(dir);
}

/* `t` as it follows from `directory` and `revocations`. */
static void ground_build(void)
{
	const struct trust_documents from = { .root = &g->root, .keyset = &g->keyset, .dir = directory, .revocations = revocations };
	struct cluster_id self = trustgen_id("core-1-1");
	size_t n;

	free(bytes);
	bytes = NULL;
	assert_ok(trust_build(&from, &self, &bytes, &n, NULL));
	assert_ok(trust_parse(bytes, n, &t));
}

/* `t` with other nodes or grants than the sample has (NULL: with those), and revocations. */
static void ground_snapshot(const char *nodes, const char *grants, const char *revoked)
{
	struct trustgen_records r = trustgen_sample(g);

	if (nodes)
		r.kind[DIRECTORY_NODES] = nodes;
	if (grants)
		r.kind[DIRECTORY_GRANTS] = grants;
	directory_free(directory);
	revoke_free(revocations);
	directory = trustgen_directory_read(g, trustgen_directory(g, 5, r));
	revocations = trustgen_revocations_read(g, trustgen_revocations(g, 7, revoked));
	ground_build();
}

/* The whole of a file, which is 0644. */
static void ground_read(const char *name, char *dst, size_t size)
{
	FILE *f = fopen(trustgen_format(g, "%s/%s", dir, name), "re");
	struct stat st;
	size_t n;

	assert_non_null(f);
	n = fread(dst, 1, size - 1, f);
	dst[n] = '\0';
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	fclose(f);
}

/* A list of revocations: of this node, of what was issued before then (0: of all). */
static inline const char *ground_revoked(const char *name, int64_t before)
{
	return trustgen_format(g, "[{%s\"iat\":%lld,\"kind\":\"node\",\"seq\":1,\"until\":4102444800,\"value\":\"%s\"}]",
		before ? trustgen_format(g, "\"before\":%lld,", (long long)before) : "", (long long)NOW, trustgen_id_text(g, name));
}

/* A list of one grant of emr-user, with `rest` in it. */
static inline const char *ground_grant(const char *rest)
{
	return trustgen_format(g, "[{\"accounts\":[\"emr-user\"],\"id\":\"%s\",%s}]", trustgen_id_text(g, "a"), rest);
}

#endif
