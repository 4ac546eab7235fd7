/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_TRUST_HOP_WORLD_H
#define TESTS_UNIT_TRUST_HOP_WORLD_H

#include "unit.h"
#include "world.h"

#include "cluster/hop.h"
#include "cluster/jwk.h"

/* For tests of hops: the world's node with a hop key, and the claims of a hop from it that holds. */
#define HOP_NOW INT64_C(1800000000)

struct hop_world {
	struct world w;
	struct crypto_key *key;
	struct crypto_pub pub;
	struct hop_source by;
	struct hop hop;
};

static inline void hop_world_init(struct hop_world *x)
{
	world_init(&x->w, HOP_NOW);
	assert_ok(crypto_key_new(CRYPTO_ED25519, &x->key));
	assert_ok(crypto_key_pub(x->key, &x->pub));
	x->by = (struct hop_source){ .cluster = &x->w.root.cluster, .node = &x->w.node.id, .key = &x->pub };
	x->hop = (struct hop){ .cluster = x->w.root.cluster, .source = x->w.node.id, .target = world_id('n', 9), .person = world_id('p', 1), .device = world_id('d', 1), .parent = world_id('j', 1),
		.session = world_id('s', 1), .jti = world_id('j', 2), .iat = HOP_NOW, .exp = HOP_NOW + HOP_LIFE_MAX, .auth_time = HOP_NOW - 3000,
		.end = HOP_NOW + 600, .count = 1, .account = "emr-user" };
	assert_ok(crypto_key_pub(x->w.cnf, &x->hop.cnf));
	assert_ok(jwk_kid(&x->w.keyset.ring.key[0].pub, x->hop.parent_issuer));
}

static inline void hop_world_done(struct hop_world *x)
{
	crypto_key_free(x->key);
	world_done(&x->w);
}

#endif
