/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOIN_HOST_H
#define CLI_JOIN_HOST_H

#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/request.h"
#include "command.h"

/* What a machine says of itself when it joins: name, addresses, ssh host keys. */

#define JOIN_HOST_KEYS_MAX 8

struct join_host {
	size_t n_keys;
	char key_path[JOIN_HOST_KEYS_MAX][512]; /* of the private keys, in the order of request.hostkeys */
};

/* The host name's first label in lower case. CLUSTER_ECONFIG: it cannot be the name of a node. */
enum cluster_err join_host_name(char ret[NAME_NODE_MAX + 1], struct diag *d) CLUSTER_MUST_USE;
/* r->addresses: those given, or all addresses of interfaces that are up and that others can reach. CLUSTER_ECONFIG: none, or a given one is no address. */
enum cluster_err join_host_addresses(const struct command_list *given, struct request_join *r, struct diag *d) CLUSTER_MUST_USE;
/* r->hostkeys from the given public key files, or from /etc/ssh. Types that cannot prove themselves are passed over. CLUSTER_ECONFIG: none is left. */
enum cluster_err join_host_keys(const struct command_list *given, struct join_host *h, struct request_join *r, struct diag *d) CLUSTER_MUST_USE;
/* The signature of the private key number i over `text`, by ssh-keygen: armoured text, freed by the caller with free(). */
enum cluster_err join_host_sign(const struct join_host *h, size_t i, const char *text, char **ret, struct diag *d) CLUSTER_MUST_USE;

#endif
