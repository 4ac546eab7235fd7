/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_HEAD_H
#define AUTHORITY_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/*
 * The head of an HTTP/1.1 request, strictly (PROTOCOL.md 6, RFC 9112): what two readers could understand differently is refused, not repaired. Lines end with CR LF; no
 * folding; no space before a colon; no second Host, Content-Length, Authorization, DPoP, Connection or Content-Type; no Transfer-Encoding, Upgrade, Expect, TE or Trailer;
 * origin-form target of printable ASCII without '%' or '#'; a body only with POST, always with Content-Length.
 */
#define HEAD_MAX 16384
#define HEAD_TARGET_MAX 1024
#define HEAD_FIELDS_MAX 64
#define HEAD_BODY_MAX (256u * 1024)

enum head_method { HEAD_GET, HEAD_POST };

struct head {
	enum head_method method;
	const char *target; /* path with query */
	size_t path_n;      /* characters of the target before '?' */
	const char *query;  /* after '?'; NULL if there is none */
	const char *authorization, *dpop; /* NULL if absent */
	size_t body_n;
	bool close;         /* "Connection: close" */
};

/*
 * Reads n bytes that end with the empty line, in place: separators become NUL and the pointers of *ret stay in `text`. CLUSTER_ELIMIT: over one of the
 * limits above. CLUSTER_EFORMAT: anything else, with a sentence that quotes nothing.
 */
enum cluster_err head_parse(char *text, size_t n, struct head *ret, struct diag *d) CLUSTER_MUST_USE;

const char *head_method_name(enum head_method m);
/*
 * A query of numbers, "name=number&name=number", each of `names` at most once, nothing else: *values[i] is set where name i is there. CLUSTER_EFORMAT. `query` may be NULL.
 */
enum cluster_err head_query(const char *query, const char *const *names, uint64_t *const *values, size_t n, struct diag *d) CLUSTER_MUST_USE;

#endif
