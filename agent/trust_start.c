/* SPDX-License-Identifier: Apache-2.0 */
#include "trust_start.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/crypto.h"
#include "cluster/file.h"
#include "cluster/json.h"
#include "cluster/log.h"

#include "docs.h"
#include "ipc.h"
#include "private_key.h"

/* Supplies what the head on disk wants, from disk. */
static enum cluster_err supply(struct verifier *v, const char *dir, struct diag *d)
{
	const struct assemble_want *want;
	struct assemble_want *copy;
	enum cluster_err e = CLUSTER_OK;
	char *text = NULL;
	size_t i, n, len;

	want = assemble_wanted(v->a, &n);
	copy = calloc(n + 1, sizeof *copy);
	if (!copy)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	memcpy(copy, want, n * sizeof *copy);
	for (i = 0; i < n && e == CLUSTER_OK; i++) {
		if ((e = docs_object(dir, v->agent->owner, copy[i].sha256, (size_t)copy[i].max, &text, &len, d)) != CLUSTER_OK)
			break;
		e = assemble_object(v->a, text, len, d);
		free(text);
	}
	free(copy);
	return e;
}

/* The documents of the last run: verified as if they came from the network, but for their age. Without them everything is fetched again. */
static void restore(struct verifier *v)
{
	enum assemble_state state = ASSEMBLE_WANT;
	char dir[PATH_MAX], *head = NULL;
	enum cluster_err e;
	struct diag d;
	size_t n;

	diag_clear(&d);
	if (file_join(dir, sizeof dir, v->agent->conf.state, DOCS_DIR) != CLUSTER_OK)
		return;
	e = docs_head(dir, v->agent->owner, &head, &n, &d);
	if (e == CLUSTER_ENOTFOUND)
		return;
	if (e == CLUSTER_OK)
		e = assemble_restore(v->a, head, n, &state, &d);
	while (e == CLUSTER_OK && state == ASSEMBLE_WANT) {
		if ((e = supply(v, dir, &d)) == CLUSTER_OK)
			e = assemble_step(v->a, 0, &state, &d);
	}
	free(head);
	v->restored = e == CLUSTER_OK;
	if (e != CLUSTER_OK) {
		assemble_drop(v->a);
		ipc_log(v->root, LOG_LEVEL_WARNING, "the documents in %s are not used: %s", dir, d.text);
	}
}

static int compare_byte(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* Libraries look at files when they are first used (jansson /dev/urandom, qsort /proc/meminfo): now is the time. */
static enum cluster_err warm_up(const struct verifier *v)
{
	uint8_t sig[CRYPTO_SIG_SIZE], sha256[CRYPTO_SHA256_SIZE];
	struct crypto_pub pub;
	struct json *j = NULL;
	char large[8192] = "";
	enum cluster_err e;

	qsort(large, sizeof large, 1, compare_byte);
	if ((e = json_parse("{\"a\":1}", 7, 16, &j, NULL)) != CLUSTER_OK)
		return e;
	json_free(j);
	if ((e = crypto_random(sha256, sizeof sha256)) != CLUSTER_OK || (e = crypto_sha256("", 0, sha256)) != CLUSTER_OK ||
	    (e = crypto_key_pub(v->key, &pub)) != CLUSTER_OK || (e = crypto_sign(v->key, "", 0, sig)) != CLUSTER_OK)
		return e;
	return crypto_verify(&pub, "", 0, sig);
}

enum cluster_err trust_start(struct verifier *v, const struct assemble_floor *floor, struct diag *d)
{
	const struct agent *a = v->agent;
	const int keep[] = { v->root, v->fetch };
	struct assemble_conf conf;
	enum cluster_err e;

	memset(&conf, 0, sizeof conf);
	memcpy(conf.pin, a->enrolled.pin, sizeof conf.pin);
	conf.cluster = a->enrolled.cluster;
	conf.node = a->enrolled.node;
	conf.adopt = a->conf.adopt;
	conf.id_min = (uint32_t)a->conf.id_min;
	conf.id_max = (uint32_t)a->conf.id_max;
	if ((e = sandbox_descriptors(keep, sizeof keep / sizeof keep[0], d)) != CLUSTER_OK)
		return e;
	if ((e = crypto_start()) != CLUSTER_OK)
		return diag_set(d, e, "cannot start libcrypto");
	if ((e = private_key_load(a, PRIVATE_KEY_NODE, &v->key, d)) != CLUSTER_OK || (e = sandbox_enter("agentd-trust", &a->user, a->parent, d)) != CLUSTER_OK)
		return e;
	if ((e = assemble_new(&conf, floor, &v->a)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	restore(v);
	if ((e = warm_up(v)) != CLUSTER_OK)
		return diag_set(d, e, "libraries do not start: %s", err_name(e));
	return sandbox_filter(d);
}
