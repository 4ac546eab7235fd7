/* SPDX-License-Identifier: Apache-2.0 */
#include "private_key.h"

#include <limits.h>

#include "cluster/file.h"
#include "cluster/secret.h"

#define SIZE_MAX_OF_KEY 4096

enum cluster_err private_key_load(const struct agent *a, const char *name, struct crypto_key **ret, struct diag *d)
{
	const struct file_rules rules = { .owner = a->owner, .forbid = 077, .max_size = SIZE_MAX_OF_KEY };
	struct secret *pem = NULL;
	char path[PATH_MAX];
	enum cluster_err e;

	if ((e = file_join(path, sizeof path, a->conf.state, name)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", a->conf.state);
	if ((e = file_read(path, &rules, &pem, d)) != CLUSTER_OK)
		return e;
	e = crypto_key_parse(pem->bytes, pem->n, ret);
	secret_free(pem);
	return e == CLUSTER_OK ? CLUSTER_OK : diag_set(d, e, "%s is not a private key: %s", path, err_name(e));
}
