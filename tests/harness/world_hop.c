/* SPDX-License-Identifier: Apache-2.0 */
#include "world_hop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/sshcert_hop.h"

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "world_hop: %s\n", what);
	abort();
}

#define CHECK(call) check((call) == CLUSTER_OK, #call)

static void add_node(struct world_hop *h, enum world_hop_node i, const struct directory_node *like)
{
	h->nodes[i] = *like;
	CHECK(crypto_key_new(CRYPTO_ED25519, &h->keys[i]));
	CHECK(crypto_key_pub(h->keys[i], &h->nodes[i].hop));
	CHECK(sshcert_public_line(&h->nodes[i].hop, &h->hostkeys[i])); /* any other key than the other node's */
	h->nodes[i].hostkeys = &h->hostkeys[i];
	h->nodes[i].n_hostkeys = 1;
}

void world_hop_init(struct world *w, struct world_hop *h)
{
	struct credential behind = world_credential(w, WORLD_ALICE);

	memset(h, 0, sizeof *h);
	add_node(h, WORLD_HOP_HERE, &w->node);
	add_node(h, WORLD_HOP_EDGE, &(struct directory_node){ .id = world_id('n', 2), .name = "edge-1", .port = 22 });
	w->dir.nodes = h->nodes;
	w->dir.n_nodes = WORLD_HOP_NODES;
	w->grants[WORLD_GRANT_ALICE].hop = w->grants[WORLD_GRANT_OPS].hop = true;
	h->hop = (struct hop){
		.cluster = w->root.cluster, .source = h->nodes[WORLD_HOP_EDGE].id, .target = w->node.id, .person = behind.person, .device = behind.device, .parent = behind.jti,
		.session = world_id('s', 7), .jti = world_id('h', 1), .iat = w->now, .exp = w->now + HOP_LIFE_MAX, .auth_time = w->now - WORLD_HOP_SESSION,
		.end = w->now + WORLD_HOP_LEFT, .count = 1, .account = "emr-user",
		.parent_source = "198.51.100.4", .cnf = behind.cnf,
	};
	memcpy(h->hop.parent_issuer, behind.issuer, sizeof h->hop.parent_issuer);
}

void world_hop_done(struct world_hop *h)
{
	for (size_t i = 0; i < WORLD_HOP_NODES; i++) {
		crypto_key_free(h->keys[i]);
		free(h->hostkeys[i]);
	}
	memset(h, 0, sizeof *h);
}

struct directory_grant *world_hop_machine(struct world *w, struct world_hop *h)
{
	struct directory_grant *g = &w->grants[w->dir.n_grants];
	struct hop *p = &h->hop;

	*p = (struct hop){ .machine = true, .cluster = p->cluster, .source = p->source, .target = p->target, .jti = p->jti, .iat = p->iat, .exp = p->exp, .account = "emr-user", .cnf = p->cnf };
	check(w->dir.n_grants < WORLD_ROOM, "grants");
	*g = (struct directory_grant){ .id = world_id('g', (uint8_t)w->dir.n_grants), .n_accounts = 2, .n_nodes = 1, .n_from = 1, .from = h->from, .hop = true };
	g->accounts = calloc(2, sizeof *g->accounts);
	g->nodes = calloc(1, sizeof *g->nodes);
	check(g->accounts && g->nodes, "memory");
	strcpy(g->accounts[0], "emr-user");
	strcpy(g->accounts[1], "alice");
	g->nodes[0] = world_text(w, "role:master");
	h->from[0] = world_text(w, "node:edge-1");
	w->dir.n_grants++;
	return g;
}

char *world_hop_line(const struct world_hop *h, enum world_hop_node node)
{
	char *token = NULL, *line = NULL;
	struct sshcert_hop_spec spec = { .claims = &h->hop, .person = h->hop.machine ? "-" : "alice", .node = h->nodes[node].name };
	struct diag d = { .code = CLUSTER_OK };

	CHECK(hop_build(&h->hop, h->keys[node], &token));
	spec.hop = token;
	if (sshcert_hop_build(&spec, h->keys[node], &line, &d) != CLUSTER_OK)
		check(false, d.text);
	free(token);
	return line;
}
