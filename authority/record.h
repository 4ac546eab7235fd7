/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_RECORD_H
#define AUTHORITY_RECORD_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/directory.h"
#include "cluster/err.h"
#include "store.h"

/*
 * Directory records as they stand in the store: byte for byte what a shard publishes. They are read by the reader that nodes use, so what a node would refuse cannot be
 * written here either.
 */
enum store_kind record_kind(enum directory_kind kind);

/* One record's text; the record is the first of its kind in *ret, which the caller frees with directory_free. CLUSTER_EFORMAT with a sentence. */
enum cluster_err record_parse(enum directory_kind kind, const char *text, size_t n, struct directory **ret, struct diag *d) CLUSTER_MUST_USE;
/* From the store. CLUSTER_ENOTFOUND with a sentence that names `key`. */
enum cluster_err record_get(struct store *s, enum directory_kind kind, const char *key, struct directory **ret, struct diag *d) CLUSTER_MUST_USE;

/* Id or name of a person or node to its key (the id's text). CLUSTER_ENOTFOUND with a sentence. */
enum cluster_err record_find(struct store *s, enum directory_kind kind, const char *id_or_name, char ret[ID_TEXT + 1], struct diag *d) CLUSTER_MUST_USE;

#endif
