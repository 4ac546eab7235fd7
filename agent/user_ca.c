/* SPDX-License-Identifier: Apache-2.0 */
#include "user_ca.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/file.h"
#include "cluster/secret.h"
#include "cluster/sshcert.h"
#include "cluster/wr.h"

#define SIZE_MAX_OF_FILE 65536

static bool in_force(const struct keyring_key *k, int64_t now, int64_t skew)
{
	return k->role == KEYRING_SSHCA && now >= k->nbf - skew && now < k->exp;
}

static enum cluster_err put_keys(struct wr *w, const struct trust *t, int64_t now)
{
	enum cluster_err e = CLUSTER_OK;
	char *line = NULL;

	for (size_t i = 0; i < t->ring.n && e == CLUSTER_OK; i++) {
		if (!in_force(&t->ring.key[i], now, t->self.skew))
			continue;
		if ((e = sshcert_public_line(&t->ring.key[i].pub, &line)) != CLUSTER_OK)
			break;
		wr_text(w, line);
		wr_text(w, "\n");
		free(line);
		line = NULL;
	}
	return e == CLUSTER_OK ? wr_end(w) : e;
}

static bool says(const char *path, uid_t owner, const struct wr *w)
{
	const struct file_rules rules = { .owner = owner, .forbid = 022, .max_size = SIZE_MAX_OF_FILE, .any_parent = true };
	struct secret *text = NULL;
	bool same;

	if (file_read(path, &rules, &text, NULL) != CLUSTER_OK)
		return false;
	same = text->n == w->n && memcmp(text->bytes, w->p ? w->p : (const uint8_t *)"", w->n) == 0;
	secret_free(text);
	return same;
}

enum cluster_err user_ca_put(const char *state_dir, uid_t owner, const struct trust *t, int64_t now, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, SIZE_MAX_OF_FILE);
	if ((e = file_join(path, sizeof path, state_dir, USER_CA_FILE)) != CLUSTER_OK || (e = put_keys(&w, t, now)) != CLUSTER_OK)
		diag_set(d, e, "%s/" USER_CA_FILE ": %s", state_dir, err_name(e));
	else if (!says(path, owner, &w))
		e = file_replace(path, w.p, w.n, 0644, d);
	wr_done(&w);
	return e;
}
