/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_DOCUMENT_LINES_H
#define TRUST_DOCUMENT_LINES_H

#include "cluster/document.h"
#include "cluster/jws.h"

/* The envelopes of a document of several signatures: identical payloads under distinct kids. */
struct document_lines {
	size_t n;
	struct jws line[DOCUMENT_SIGNATURES_MAX];
};

/* `text` must outlive *ret; document_lines_done in any case, also after failure. */
enum cluster_err document_lines_parse(const char *text, size_t n, enum jws_typ typ, struct document_lines *ret, struct diag *d) CLUSTER_MUST_USE;
void document_lines_done(struct document_lines *l);
/* CLUSTER_ESIGNATURE unless `threshold` keys of the root have signed. Lines of other keys do not count; a line of one of its keys that does not hold fails all. */
enum cluster_err document_lines_signed(const struct document_lines *l, const struct document_root *root, struct diag *d) CLUSTER_MUST_USE;

/* Does `text` name this cluster? */
bool document_cluster_is(const char *text, const struct cluster_id *cluster);

#endif
