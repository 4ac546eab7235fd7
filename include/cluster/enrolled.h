/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_ENROLLED_H
#define CLUSTER_ENROLLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/conf.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/name.h"

/*
 * The marker of an enrolled node: <state_dir>/enrolled, mode 0644, in the syntax of the configuration: section [enrolled] with pin, cluster, node, name, authority
 * and perhaps relay (PROTOCOL.md 5.5). Written by `cluster-login join` as its last act.
 */
#define ENROLLED_FILE "enrolled"
#define ENROLLED_PIN_TEXT (7 + 43) /* "sha256:" and base64url */

struct enrolled {
	char pin_text[ENROLLED_PIN_TEXT + 1];
	uint8_t pin[32];
	struct cluster_id cluster, node;
	char name[NAME_NODE_MAX + 1];
	struct conf_list authority; /* at least one, "https://host:port" */
	struct conf_list relay;     /* the ways to it, as [agent] relay of node.conf, which wins; empty: directly */
};

/* CLUSTER_ENOTFOUND: there is no marker (ENOENT): not enrolled. Every other failure counts as enrolled and unusable: CLUSTER_ECONFIG, CLUSTER_EUNTRUSTED, CLUSTER_ESYSTEM. */
enum cluster_err enrolled_read(const char *state_dir, uid_t owner, struct enrolled *ret, struct diag *d) CLUSTER_MUST_USE;
/* The same from `n` bytes of text, named `file` in messages. */
enum cluster_err enrolled_parse(const char *text, size_t n, const char *file, struct enrolled *ret, struct diag *d) CLUSTER_MUST_USE;
/* Replaces the marker. Takes pin_text and not pin. */
enum cluster_err enrolled_store(const char *state_dir, const struct enrolled *e, struct diag *d) CLUSTER_MUST_USE;

/* "https://host[:port]" without path, at most 63 bytes: what an authority's address may look like. */
bool enrolled_url_ok(const char *url);

#endif
