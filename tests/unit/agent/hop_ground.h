/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_AGENT_HOP_GROUND_H
#define TESTS_UNIT_AGENT_HOP_GROUND_H

#include "unit.h"
#include "world.h"
#include "world_hop.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/snap_write.h"
#include "cluster/sshagent_msg.h"
#include "cluster/sshwire.h"
#include "cluster/wr.h"
#include "hop_judge.h"

/* For tests of a hop's source: alice is in a session as emr-user on the world's node, master-1-1, and wants to go on to edge-1, whose host key we have. */
#define GROUND_NOW INT64_C(1800000000)
#define GROUND_SESSION_ID 64

struct ground {
	struct world w;
	struct world_hop h;
	struct crypto_key *host;     /* edge-1's */
	uint8_t hostkey[128];
	size_t hostkey_n;
	char *hostkeys[1], *others[1]; /* edge-1's; another's, which is this node's */
	char addresses[2][46];
	char *from[1];
	uint8_t *bytes[2];
	struct trust trust;
	struct snap accounts;
	struct hop_view view;
	struct hop_caller caller;
};

static inline void ground_close(struct ground *g)
{
	for (size_t i = 0; i < 2; i++) {
		free(g->bytes[i]);
		g->bytes[i] = NULL;
	}
}

/* accounts.snap: ecs-user is local here. */
static inline uint8_t *ground_accounts(const struct world *w, size_t *ret_n)
{
	struct snap_account_in in[WORLD_ACCOUNTS];
	struct snap_names names = { .accounts = in };
	struct diag d = { .code = CLUSTER_OK };
	uint8_t *bytes = NULL;

	for (size_t i = 0; i < WORLD_ACCOUNTS; i++) {
		const struct directory_account *a = &w->accounts[i];

		if (i != WORLD_ECS)
			in[names.n_accounts++] = (struct snap_account_in){ .name = a->name, .gecos = a->gecos, .home = a->home, .shell = a->shell, .uid = a->uid, .gid = a->gid };
	}
	assert_ok(snap_accounts_build(&w->root.cluster, &names, &bytes, ret_n, &d));
	return bytes;
}

/* What the agent would have installed, of the world as it is now. */
static inline void ground_open(struct ground *g)
{
	size_t n;

	ground_close(g);
	g->bytes[0] = world_trust(&g->w, &n);
	assert_ok(trust_parse(g->bytes[0], n, &g->trust));
	g->trust.fresh = g->w.fresh;
	g->bytes[1] = ground_accounts(&g->w, &n);
	assert_ok(snap_parse(g->bytes[1], n, SNAP_ACCOUNTS, &g->accounts));
	g->view = (struct hop_view){ .trust = &g->trust, .accounts = &g->accounts, .now = { .wall = g->w.now } };
}

static inline struct session ground_session(const struct ground *g)
{
	struct credential behind = world_credential(&g->w, WORLD_ALICE);
	struct session s = { .id = world_id('s', 1), .person = behind.person, .device = behind.device, .jti = behind.jti, .iat = g->w.now - 100, .exp = g->w.now + 3000,
		.auth_time = g->w.now - 200, .opened = g->w.now - 50, .kind = SESSION_CREDENTIAL, .account = "emr-user", .service = "sshd", .rhost = "198.51.100.4", .pid = 77, .start = 7,
		.audit = 5 };

	memcpy(s.issuer, behind.issuer, sizeof s.issuer);
	return s;
}

static inline char *ground_line(struct ground *g, const struct crypto_key *key)
{
	struct crypto_pub pub;
	char *line = NULL, *kept;

	assert_ok(crypto_key_pub(key, &pub));
	assert_ok(sshcert_public_line(&pub, &line));
	kept = world_text(&g->w, line);
	free(line);
	return kept;
}

static inline void ground_hostkey(struct ground *g)
{
	struct crypto_pub pub;
	struct wr w;

	assert_ok(crypto_key_new(CRYPTO_ED25519, &g->host));
	assert_ok(crypto_key_pub(g->host, &pub));
	wr_init(&w, g->hostkey, sizeof g->hostkey);
	sshwire_put_blob(&w, &pub);
	assert_ok(wr_end(&w));
	g->hostkey_n = w.n;
	g->hostkeys[0] = ground_line(g, g->host);
	g->others[0] = ground_line(g, g->w.cnf);
}

static inline void ground_init_at(struct ground *g, int64_t now)
{
	struct directory_node *here, *edge;

	memset(g, 0, sizeof *g);
	world_init(&g->w, now);
	world_hop_init(&g->w, &g->h);
	here = &g->h.nodes[WORLD_HOP_HERE];
	edge = &g->h.nodes[WORLD_HOP_EDGE];
	strcpy(g->addresses[0], "192.0.2.1");
	strcpy(g->addresses[1], "2001:db8::1");
	here->addresses = g->addresses;
	here->n_addresses = 2;
	ground_hostkey(g);
	edge->hostkeys = g->hostkeys;
	here->hostkeys = g->others;
	edge->n_hostkeys = here->n_hostkeys = 1;
	g->caller = (struct hop_caller){ .uid = WORLD_UID_EMR, .found = true };
	g->caller.session = ground_session(g);
	ground_open(g);
}

static inline void ground_init(struct ground *g)
{
	ground_init_at(g, GROUND_NOW);
}

static inline void ground_done(struct ground *g)
{
	ground_close(g);
	crypto_key_free(g->host);
	world_hop_done(&g->h);
	world_done(&g->w);
}

/* A grant: who is `account` on this node may go on to edge-1 as that, with nobody behind it. */
static inline struct directory_grant *ground_machine(struct ground *g, const char *account)
{
	struct directory_grant *x = &g->w.grants[g->w.dir.n_grants];

	assert_true(g->w.dir.n_grants < WORLD_ROOM);
	*x = (struct directory_grant){ .id = world_id('g', (uint8_t)g->w.dir.n_grants), .n_accounts = 1, .n_nodes = 1, .n_from = 1, .hop = true };
	x->accounts = calloc(1, sizeof *x->accounts);
	x->nodes = calloc(1, sizeof *x->nodes);
	assert_true(x->accounts && x->nodes);
	strcpy(x->accounts[0], account);
	x->nodes[0] = world_text(&g->w, "node:edge-1");
	g->from[0] = world_text(&g->w, "node:master-1-1");
	x->from = g->from;
	g->w.dir.n_grants++;
	ground_open(g);
	return x;
}

#endif
