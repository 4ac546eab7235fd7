/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_ENDPOINT_H
#define CLUSTER_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/* Where a TCP service is: "host:port" or "[address]:port" (PROTOCOL.md 7). */

#define ENDPOINT_TEXT 63 /* an item of a configured list */

struct endpoint {
	char host[ENDPOINT_TEXT + 1]; /* without brackets */
	uint16_t port;                /* in host order */
};

/* CLUSTER_EFORMAT: not such a text, or longer than ENDPOINT_TEXT. */
enum cluster_err endpoint_parse(const char *text, struct endpoint *ret) CLUSTER_MUST_USE;
/* The same of "https://host[:port]"; the port is 443 if there is none. */
enum cluster_err endpoint_of_url(const char *url, struct endpoint *ret) CLUSTER_MUST_USE;
/* Would endpoint_parse take it? */
bool endpoint_ok(const char *text);
/* Also with a numeric address as its host: where a program may listen. */
bool endpoint_listen_ok(const char *text);

#endif
