/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_AUTHORITY_H
#define AUTHORITY_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/document.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/quiet.h"
#include "config.h"
#include "limit.h"
#include "metrics.h"
#include "publish.h"

struct event_base;
struct keys;
struct nodes;
struct poll;
struct refusals;
struct replay;
struct revoked;
struct store;
struct tally;

#define AUTHORITY_ASKED 16

/* Everything that one running authority knows. */
struct authority {
	struct config conf;
	struct cluster_id cluster;
	uint8_t pin[CRYPTO_SHA256_SIZE];
	char url[CONF_STRING_SIZE];
	struct document_root root; /* the newest */
	struct document_keyset keyset;
	struct store *store;
	struct keys *keys;
	struct published *published;
	struct revoked *revoked;
	struct nodes *nodes;
	struct replay *replay;
	struct refusals *refusals; /* of all nodes */
	struct limit limit, own; /* wrong codes and tokens; calls about one's own devices */
	struct tally *tally;       /* of refusals; NULL: all are written */
	struct quiet asked[AUTHORITY_ASKED]; /* which sessions have asked for a newer credential in vain */
	struct poll *poll;         /* NULL while nobody can wait */
	struct metrics metrics;
	bool behind;               /* the store has more than memory: nothing may be written from memory before authority_reload has succeeded */
	struct event_base *base;
};

#define AUTHORITY_STORE "store.db"
#define AUTHORITY_PATH_MAX 600

/*
 * Opens conf.dir: store, documents (verified from the pin), keys. Everything above but replay, refusals, tally, poll and base. authority_close releases, also after failure.
 */
enum cluster_err authority_open(struct authority *a, struct diag *d) CLUSTER_MUST_USE;
/* Has another process committed since? Once true, true until authority_reload succeeds. */
bool authority_behind(struct authority *a);
/* Takes over what another process has committed (keyset, documents), and tells those who wait. On failure everything stays as it was, and behind is set. */
enum cluster_err authority_reload(struct authority *a, struct diag *d) CLUSTER_MUST_USE;
void authority_close(struct authority *a);

enum cluster_err authority_store_path(const char *dir, char dst[AUTHORITY_PATH_MAX], struct diag *d) CLUSTER_MUST_USE;
/* CLOCK_REALTIME in seconds; CLOCK_MONOTONIC in milliseconds. */
int64_t authority_now(void);
int64_t authority_ms(void);

#endif
