/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_WORLD_HOP_H
#define TESTS_WORLD_HOP_H

#include "world.h"

#include "cluster/hop.h"

/*
 * A second node of a world, edge-1, from which hops come to the world's own: alice, in her session there, goes on to emr-user. Her grant to emr-user and alice allows hops, and so does that of
 * the role ops; the one to ecs-user does not. Plain values, to be changed before a snapshot is built. Ends the program when something fails.
 */
#define WORLD_HOP_SESSION 1200 /* seconds that alice has been on edge-1 */
#define WORLD_HOP_LEFT 2400    /* and that her credential has left */

enum world_hop_node { WORLD_HOP_HERE, WORLD_HOP_EDGE, WORLD_HOP_NODES };

struct world_hop {
	struct directory_node nodes[WORLD_HOP_NODES];
	struct crypto_key *keys[WORLD_HOP_NODES]; /* their hop keys */
	char *hostkeys[WORLD_HOP_NODES];          /* one each */
	struct hop hop;                           /* claims that hold */
	char *from[1];
};

void world_hop_init(struct world *w, struct world_hop *h);
void world_hop_done(struct world_hop *h);
/* From now on with nobody behind it: a grant from edge-1 to emr-user and alice. */
struct directory_grant *world_hop_machine(struct world *w, struct world_hop *h);
/* "type base64": the certificate that carries the hop, by the hop key of `node`. The caller frees it. */
char *world_hop_line(const struct world_hop *h, enum world_hop_node node);

#endif
