/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/onetime.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/jws.h"
#include "credential_part.h"
#include "json_field.h"
#include "request_claims.h"

struct claims {
	const char *aud, *dev, *jti, *nod, *sub;
};

static enum cluster_err convert(const struct claims *c, struct onetime *ret, struct diag *d)
{
	enum cluster_err e = request_aud_parse(c->aud, &ret->cluster, d);

	if (e != CLUSTER_OK)
		return e;
	if (id_parse(c->sub, &ret->person) != CLUSTER_OK || id_parse(c->dev, &ret->device) != CLUSTER_OK || id_parse(c->jti, &ret->jti) != CLUSTER_OK ||
	    id_parse(c->nod, &ret->node) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "sub, dev, jti or nod is not an id");
	if (ret->exp <= ret->iat || ret->exp - ret->iat > ONETIME_LIFE_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "exp is not within %d seconds of iat", ONETIME_LIFE_MAX);
	return CLUSTER_OK;
}

enum cluster_err onetime_parse(const void *payload, size_t n, struct onetime *ret, struct diag *d)
{
	struct onetime out = { .iat = 0 };
	struct claims c = { .aud = NULL };
	const struct json_field fields[] = {
		FIELD_STRING("acc", out.account, name_account_ok),
		FIELD_TEXT("aud", c.aud, REQUEST_AUD_SIZE - 1, NULL),
		FIELD_TEXT("dev", c.dev, ID_TEXT, NULL),
		FIELD_TIME("exp", out.exp),
		FIELD_TIME("iat", out.iat),
		FIELD_TEXT("jti", c.jti, ID_TEXT, NULL),
		FIELD_TEXT("nod", c.nod, ID_TEXT, NULL),
		FIELD_TEXT("sub", c.sub, ID_TEXT, NULL),
	};
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = json_parse(payload, n, ONETIME_SIZE_MAX, &j, d)) == CLUSTER_OK && (e = json_read(j, fields, FIELD_COUNT(fields), d)) == CLUSTER_OK)
		e = convert(&c, &out, d);
	json_free(j);
	if (e == CLUSTER_OK)
		*ret = out;
	return e;
}

enum cluster_err onetime_verify(const char *token, size_t n, const struct keyring_at *at, struct onetime *ret, struct diag *d)
{
	struct onetime o;
	struct jws j;
	enum cluster_err e;

	if ((e = jws_parse(token, n, JWS_ONETIME, &j, d)) != CLUSTER_OK) {
		credential_verify_nothing();
		return e;
	}
	if ((e = credential_check_signature(&j, at, d)) != CLUSTER_OK || (e = onetime_parse(j.payload, j.payload_n, &o, d)) != CLUSTER_OK)
		goto out;
	if (!id_equal(&o.cluster, at->cluster)) {
		e = diag_set(d, CLUSTER_EDENIED, "the one-time credential is of another cluster");
		goto out;
	}
	memcpy(o.issuer, j.kid, sizeof o.issuer);
	*ret = o;
	e = CLUSTER_OK;
out:
	jws_done(&j);
	return e;
}

enum cluster_err onetime_build(const struct onetime *o, const struct crypto_key *issuer, char **ret)
{
	char audience[REQUEST_AUD_SIZE], sub[ID_TEXT + 1], dev[ID_TEXT + 1], jti[ID_TEXT + 1], nod[ID_TEXT + 1];
	char *token = NULL;
	enum cluster_err e;
	struct json *j;

	request_aud_text(&o->cluster, audience);
	id_text(&o->person, sub);
	id_text(&o->device, dev);
	id_text(&o->jti, jti);
	id_text(&o->node, nod);
	j = json_make("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "acc", o->account, "aud", audience, "dev", dev, "jti", jti, "nod", nod, "sub", sub,
	    "iat", (long long)o->iat, "exp", (long long)o->exp);
	e = jws_sign_json(issuer, JWS_ONETIME, j, &token);
	json_free(j);
	if (e != CLUSTER_OK)
		return e;
	if (strlen(token) > ONETIME_SIZE_MAX) {
		free(token);
		return CLUSTER_ELIMIT;
	}
	*ret = token;
	return CLUSTER_OK;
}

struct credential onetime_credential(const struct onetime *o)
{
	struct credential c = {
		.cluster = o->cluster, .person = o->person, .device = o->device, .jti = o->jti,
		.iat = o->iat, .nbf = o->iat, .exp = o->exp, .auth_time = o->iat, .n_acc = 1,
	};

	memcpy(c.acc[0], o->account, sizeof o->account);
	memcpy(c.issuer, o->issuer, sizeof o->issuer);
	return c;
}
