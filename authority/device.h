/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_DEVICE_H
#define AUTHORITY_DEVICE_H

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "store.h"

#define DEVICE_LABEL_MAX 63

/* What an enrolment left. The directory publishes only id and thumbprint. */
struct device {
	struct cluster_id id, person;
	struct crypto_pub key;
	char label[DEVICE_LABEL_MAX + 1];
	int64_t added;
};

enum cluster_err device_parse(const char *text, size_t n, struct device *ret) CLUSTER_MUST_USE;
/* CLUSTER_ENOTFOUND */
enum cluster_err device_get(struct store *s, const char *id, struct device *ret) CLUSTER_MUST_USE;
enum cluster_err device_add(struct store *s, const struct device *d) CLUSTER_MUST_USE;
/* The claim that keeps one key from being enrolled twice. */
#define DEVICE_CLAIM_MAX 64
enum cluster_err device_claim(const struct crypto_pub *key, char dst[DEVICE_CLAIM_MAX]) CLUSTER_MUST_USE;

#endif
