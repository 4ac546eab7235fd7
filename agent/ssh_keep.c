/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_keep.h"

#include <limits.h>
#include <string.h>

#include "cluster/file.h"
#include "cluster/log.h"
#include "cluster/snap_format.h"
#include "cluster/wr.h"

#include "ssh_files.h"
#include "user_ca.h"

#define FROM_MAX ((size_t)4 << 20) /* an id of every node that is revoked, and less than a kilobyte */

/* ---- what they follow from ---- */

static enum cluster_err put_section(struct wr *w, const struct trust *t, enum snap_trust_section which)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e = crypto_sha256(t->snap.section[which].p, t->snap.section[which].n, hash);

	if (e == CLUSTER_OK)
		wr_bytes(w, hash, sizeof hash);
	return e;
}

static enum cluster_err put_revoked(struct wr *w, const struct trust *t, int64_t now)
{
	struct trust_revocation revoked;
	struct trust_node node;
	uint64_t cursor = 0;
	enum cluster_err e;

	while ((e = trust_node_each(t, &cursor, &node)) == CLUSTER_OK) {
		e = trust_revoked(t, REVOKE_NODE, node.id.b, ID_SIZE, now, &revoked);
		if (e == CLUSTER_OK)
			wr_bytes(w, node.id.b, ID_SIZE);
		else if (e != CLUSTER_ENOTFOUND)
			return e;
	}
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

/* "Is there any?", answered by CLUSTER_OK or CLUSTER_ENOTFOUND. */
static enum cluster_err put_answer(struct wr *w, enum cluster_err answer)
{
	wr_u8(w, answer == CLUSTER_OK);
	return answer == CLUSTER_ENOTFOUND ? CLUSTER_OK : answer;
}

static enum cluster_err put_all(struct wr *w, const struct trust *t, int64_t now)
{
	enum cluster_err e;

	if ((e = put_section(w, t, SNAP_T_KEYS)) != CLUSTER_OK || (e = put_section(w, t, SNAP_T_NODES)) != CLUSTER_OK ||
	    (e = put_answer(w, trust_hop_anywhere(t))) != CLUSTER_OK || (e = put_answer(w, trust_hop_here(t))) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < t->ring.n; i++)
		wr_u8(w, user_ca_takes(t, &t->ring.key[i], now));
	if ((e = put_revoked(w, t, now)) != CLUSTER_OK)
		return e;
	return wr_end(w);
}

static enum cluster_err follow(const struct trust *t, int64_t now, uint8_t ret[CRYPTO_SHA256_SIZE])
{
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, FROM_MAX);
	if ((e = put_all(&w, t, now)) == CLUSTER_OK)
		e = crypto_sha256(w.p, w.n, ret);
	wr_done(&w);
	return e;
}

/* ---- the files ---- */

/* False: one is missing or cannot be looked at. */
static bool stat_files(const struct ssh_keep *k, struct stat ret[SSH_KEEP_FILES])
{
	static const char *const names[SSH_KEEP_FILES] = { USER_CA_FILE, SSH_FILES_KNOWN_HOSTS, SSH_FILES_CONFIG };
	char path[PATH_MAX];

	for (size_t i = 0; i < SSH_KEEP_FILES; i++)
		if (file_join(path, sizeof path, k->state_dir, names[i]) != CLUSTER_OK || lstat(path, &ret[i]) != 0)
			return false;
	return true;
}

static bool untouched(const struct ssh_keep *k)
{
	struct stat now[SSH_KEEP_FILES];

	if (!stat_files(k, now))
		return false;
	for (size_t i = 0; i < SSH_KEEP_FILES; i++)
		if (!file_untouched(&k->file[i], &now[i]))
			return false;
	return true;
}

static bool make(struct ssh_keep *k, const struct trust *t, int64_t now)
{
	const struct ssh_files files = { .state_dir = k->state_dir, .run_dir = k->run_dir, .owner = k->owner, .now = now };
	enum cluster_err user_ca, ssh;
	struct diag d;

	k->made++;
	diag_clear(&d);
	if ((user_ca = user_ca_put(k->state_dir, k->owner, t, now, &d)) != CLUSTER_OK)
		k->log(LOG_LEVEL_ERROR, d.text);
	diag_clear(&d);
	if ((ssh = ssh_files_put(&files, t, &d)) != CLUSTER_OK)
		k->log(LOG_LEVEL_ERROR, d.text);
	return user_ca == CLUSTER_OK && ssh == CLUSTER_OK;
}

void ssh_keep_look(struct ssh_keep *k, const struct trust *t, int64_t now)
{
	uint8_t from[CRYPTO_SHA256_SIZE];
	bool known = follow(t, now, from) == CLUSTER_OK; /* if not, whoever makes the files says why */

	if (known && k->good && memcmp(k->from, from, sizeof from) == 0 && untouched(k))
		return;
	k->good = make(k, t, now) && known && stat_files(k, k->file);
	if (k->good)
		memcpy(k->from, from, sizeof from);
}
