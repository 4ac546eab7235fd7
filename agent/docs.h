/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_DOCS_H
#define AGENT_DOCS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/wr.h"

/*
 * The verified documents on disk (PROTOCOL.md 5.5): <state>/docs holds each object under the base64url of its SHA-256, head.jws, which names them, and for people's eyes
 * links root.jws, keyset.jws, directory.jws, revocations.jws. head.jws is replaced after all that it names is there: the set is whole at any moment.
 */
#define DOCS_DIR "docs"
#define DOCS_HEAD "head.jws"
#define DOCS_BUNDLE_MAX ((size_t)4 << 30)

enum docs_name { DOCS_ROOT, DOCS_KEYSET, DOCS_DIRECTORY, DOCS_REVOCATIONS, DOCS_NAME_N };

/* The bundle in which trust hands documents to root. The head is put last. */
void docs_put_object(struct wr *w, const uint8_t sha256[CRYPTO_SHA256_SIZE], const void *bytes, size_t n);
void docs_put_keep(struct wr *w, const uint8_t sha256[CRYPTO_SHA256_SIZE]);
void docs_put_name(struct wr *w, enum docs_name name, const uint8_t sha256[CRYPTO_SHA256_SIZE]);
void docs_put_head(struct wr *w, const char *text, size_t n);

/* Writes a bundle into `dir`, durably, the head last. What nothing names any more is removed by docs_prune, later. CLUSTER_ESYSTEM: the old set stands. */
enum cluster_err docs_store(const char *dir, const uint8_t *bundle, size_t n, struct diag *d) CLUSTER_MUST_USE;
/* Removes the objects that the bundle does not name. Failures do not matter. */
void docs_prune(const char *dir, const uint8_t *bundle, size_t n);

/* Reads head.jws or an object of at most `max` bytes. The caller frees *ret with free(). CLUSTER_ENOTFOUND and the errors of file_read. */
enum cluster_err docs_head(const char *dir, uid_t owner, char **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err docs_object(const char *dir, uid_t owner, const uint8_t sha256[CRYPTO_SHA256_SIZE], size_t max, char **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;

#endif
