/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/directory.h"
#include "cluster/document.h"
#include "cluster/err.h"
#include "profile.h"

struct remote;
struct wallet;

/*
 * What a person's machine knows of the cluster: root, keyset, head, and the directory with the nodes only. On disk root.jws, keyset.jws, head.jws and, by hash,
 * objects/<sha256>; head.jws names the rest, so that replacing it makes a new set visible. All of it is verified from the pin on every reading.
 */
struct view {
	struct document_root root;
	struct document_keyset keyset;
	struct document_head head;
	struct directory *dir;
};

/* Root and keyset alone. */
enum cluster_err view_trust(const struct profile *p, struct document_root *ret_root, struct document_keyset *ret_keyset, struct diag *d) CLUSTER_MUST_USE;

/* From disk, whatever its age. CLUSTER_ENOTFOUND: nothing was fetched yet. The caller frees *ret with view_free. */
enum cluster_err view_load(const struct profile *p, struct view **ret, struct diag *d) CLUSTER_MUST_USE;
/*
 * From the authority: the newest head and what it names, checked together, versions never lower than those on disk, then written. The newer root and keyset go to `r` too.
 */
enum cluster_err view_refresh(const struct profile *p, struct remote *r, const struct wallet *w, struct view **ret, struct diag *d) CLUSTER_MUST_USE;
void view_free(struct view *v);

#endif
