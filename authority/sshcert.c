/* SPDX-License-Identifier: Apache-2.0 */
#include "sshcert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "cluster/json.h"
#include "cluster/sshcert.h"
#include "issue.h"
#include "keys.h"

#define SERIAL_COUNTER "sshcert"
#define OBJECT_MAX (24 + SSHCERT_KEY_ID_MAX)

/* Kept until it expires: which credential a serial number carries. */
static enum cluster_err remember(struct change *ch, const struct credential *cred, int64_t serial, struct diag *d)
{
	char jti[ID_TEXT + 1], key[40], name[24];
	enum cluster_err e;

	id_text(&cred->jti, jti);
	snprintf(name, sizeof name, "%020" PRId64, serial);
	snprintf(key, sizeof key, "%012" PRId64 ":%s", cred->exp, name);
	if ((e = store_add(ch->store, STORE_CERTIFICATE, key, jti, strlen(jti))) != CLUSTER_OK || (e = store_add(ch->store, STORE_CERTIFICATE_SERIAL, name, key, strlen(key))) != CLUSTER_OK)
		return change_store_error(ch, e, d);
	return CLUSTER_OK;
}

static enum cluster_err make(struct call *c, struct issue *i, int64_t serial, const char *key_id, char **ret, struct diag *d)
{
	const struct sshcert_spec spec = { .credential = i->token, .claims = &i->claims, .serial = (uint64_t)serial, .key_id = key_id };
	enum cluster_err e;
	size_t signer;

	if ((e = keys_signer(c->a->keys, KEYRING_SSHCA, c->now, c->a->revoked, &signer, d)) != CLUSTER_OK)
		return e;
	return sshcert_build(&spec, c->a->keys->key[signer], ret, d);
}

enum cluster_err sshcert_run(struct call *c, struct json **ret, struct diag *d)
{
	char jti[ID_TEXT + 1], key_id[SSHCERT_KEY_ID_MAX + 1], object[OBJECT_MAX];
	struct issue i = { .token = NULL };
	char *certificate = NULL;
	int64_t serial = 0;
	enum cluster_err e;

	if ((e = issue_begin(c, &i, d)) != CLUSTER_OK)
		goto out;
	if ((e = store_next(i.change.store, SERIAL_COUNTER, 1, &serial)) != CLUSTER_OK) {
		e = change_store_error(&i.change, e, d);
		goto out;
	}
	id_text(&i.claims.jti, jti);
	snprintf(key_id, sizeof key_id, "%s %s", i.person->people[0].name, jti);
	snprintf(object, sizeof object, "%" PRId64 " %s", serial, key_id);
	if ((e = make(c, &i, serial, key_id, &certificate, d)) != CLUSTER_OK || (e = remember(&i.change, &i.claims, serial, d)) != CLUSTER_OK ||
	    (e = change_commit_quietly(&i.change, &(struct change_audit){ c->actor, "sshcert", object, "ok" }, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:s, s:s}", "certificate", certificate, "credential", i.token);
out:
	free(certificate);
	issue_done(&i);
	return e;
}
