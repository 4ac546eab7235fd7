/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_LISTEN_H
#define AUTHORITY_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "authority.h"
#include "cluster/attr.h"

struct tls;

/* The doors: TLS on addresses, and the admin socket, where only root and our own user come in (SO_PEERCRED, before a byte is read). */
struct listen;

enum cluster_err listen_new(struct authority *a, struct listen **ret) CLUSTER_MUST_USE;
/* Binds "ADDR:PORT"; nothing is accepted before listen_start. A port 0 is chosen by the system and logged. `plain`: without TLS, for a proxy on this machine that ends it. */
enum cluster_err listen_tcp(struct listen *l, const char *where, bool plain, struct diag *d) CLUSTER_MUST_USE;
/* Binds the socket, in place of one that nobody serves any more. CLUSTER_EUNAVAIL: somebody does. */
enum cluster_err listen_unix(struct listen *l, const char *path, struct diag *d) CLUSTER_MUST_USE;
/* Begins to accept, at most `max` connections at a time besides the admin socket's. `t` and the authority's poll must be there; `t` lives as long as `l`. */
enum cluster_err listen_start(struct listen *l, struct tls *t, size_t max, struct diag *d) CLUSTER_MUST_USE;
/* Closes the doors and every connection. */
void listen_free(struct listen *l);

#endif
