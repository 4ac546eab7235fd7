/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <openssl/ssl.h>

#include "cluster/crypto.h"
#include "cluster/document.h"
#include "cluster/id.h"

/* One authority and many agents that speak its protocol on loopback (tests/bench/fanout.sh). Whatever fails here ends the program. */

#define SIM_PATH 256
#define SIM_ROUNDS 12

void sim_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
double sim_ms(void); /* CLOCK_MONOTONIC */
/* Sorts `v`. */
double sim_quantile(double *v, size_t n, double q);
double sim_median(double *v, size_t n);
/* Sleeps. */
void sim_pause(double ms);

/* ---- the authority ---- */

struct sim_node {
	struct cluster_id id;
	struct crypto_key *key;
};

struct sim_world {
	char dir[SIM_PATH], socket[SIM_PATH], config[SIM_PATH];
	int port, plain;
	pid_t pid;
	struct cluster_id cluster;
	struct document_keyset keyset;
	size_t n;
	struct sim_node *node;
	struct cluster_id device;
	struct crypto_key *device_key;
};

/* Makes a cluster of `n` nodes in a new directory; sim_world_done takes it away. */
void sim_world_make(struct sim_world *w, size_t n);
void sim_world_done(struct sim_world *w);
void sim_world_start(struct sim_world *w);
void sim_world_stop(struct sim_world *w);
/* A person with a device and a grant, through the protocol. */
void sim_world_person(struct sim_world *w);
double sim_world_rss_mb(const struct sim_world *w);
double sim_world_cpu_s(const struct sim_world *w); /* user and system */

/* A call on the admin socket; the body of its answer, which must be 200, or NULL. The caller frees. */
char *sim_admin(const struct sim_world *w, const char *call, const char *body);
int sim_admin_open(const struct sim_world *w);
void sim_admin_send(int fd, const char *call, const char *body);

/* ---- connections ---- */

enum sim_state { SIM_DOWN, SIM_CONNECTING, SIM_HANDSHAKE, SIM_READY };

struct sim_peer {
	int fd;
	SSL *ssl;
	enum sim_state state;
	char *in; /* a part of an answer */
	size_t n_in;
};

/* An answer as it came; valid until the next call. */
struct sim_answer {
	int status;
	const char *body;
	size_t n;
};

/* Begins to connect; `number` makes an address of its own in 127.0.0.0/8. False: at once refused. */
bool sim_peer_open(struct sim_peer *p, SSL_CTX *ctx, int port, size_t number);
void sim_peer_close(struct sim_peer *p);
/* Goes on after an event; false: it failed. */
bool sim_peer_step(struct sim_peer *p);
/* Sends a text that fits the socket's buffer. */
bool sim_peer_send(struct sim_peer *p, const char *text, size_t n);
/* 1: a whole answer; 0: not yet; -1: closed. */
int sim_peer_read(struct sim_peer *p, struct sim_answer *ret);
/* Does the peer have a key of the keyset? */
bool sim_peer_pinned(const struct sim_peer *p, const struct document_keyset *keyset);
SSL_CTX *sim_client_context(void);

/* ---- what is measured ---- */

/* Times of all rounds and peers together, and of the last of each round. */
struct sim_result {
	size_t nodes;
	bool tls;
	double p50, p99, max, last; /* ms; last: the median of the rounds' last */
	double sent_last;           /* the same from the moment when the revocation was sent */
	double rss, per_node_kb, handshakes, handshake_cpu_us, cpu_ms, proved;
};
struct sim_storm {
	size_t nodes;
	double down, fresh, cpu_s, asked_max_ms;
	size_t asked, failed, tries;
};

void sim_agents_run(struct sim_world *w, bool tls, struct sim_result *ret);
void sim_agents_storm(struct sim_world *w, struct sim_storm *ret);
void sim_floor_run(size_t n, struct sim_result *ret);
void sim_samples(double *all, size_t n, size_t rounds, struct sim_result *ret);

/* Asks for credentials as `cluster-login get` does, all the time, in a thread of its own. */
struct sim_asker;
struct sim_asker *sim_asker_start(const struct sim_world *w);
void sim_asker_stop(struct sim_asker *a, size_t *ret_asked, size_t *ret_failed, double *ret_max_ms);

#endif
