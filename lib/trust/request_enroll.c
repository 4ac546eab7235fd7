/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cluster/request.h"
#include "cluster/sshsig.h"
#include "request_claims.h"

/* A device's enrolment, in both forms (PROTOCOL.md 6.3): it carries the key that verifies it. */

bool request_label_ok(const char *s)
{
	return s[0] && strnlen(s, 64) < 64 && name_gecos_ok(s);
}

static enum cluster_err claims_json(const struct request_enroll *r, int64_t now, struct json **ret)
{
	struct json *j = request_common_json(&r->c, now);
	enum cluster_err e = j ? CLUSTER_OK : CLUSTER_ENOMEM;
	char aud[REQUEST_AUD_SIZE];

	request_aud_text(&r->cluster, aud);
	request_put(j, "aud", json_make("s", aud), &e);
	request_put(j, "code", json_make("s", r->code), &e);
	request_put(j, "label", json_make("s", r->label), &e);
	if (r->sshkey[0])
		request_put(j, "sshkey", json_make("s", r->sshkey), &e);
	else
		request_put(j, "key", jwk_build(&r->key, JWK_BARE), &e);
	if (e != CLUSTER_OK) {
		json_free(j);
		return e;
	}
	*ret = j;
	return CLUSTER_OK;
}

enum cluster_err request_enroll_build(const struct request_enroll *r, int64_t now, const struct crypto_key *device_key, char **ret)
{
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = claims_json(r, now, &j)) == CLUSTER_OK)
		e = jws_sign_json(device_key, JWS_REQUEST, j, ret);
	json_free(j);
	return e;
}

enum cluster_err request_enroll_text(const struct request_enroll *r, int64_t now, char **ret, size_t *ret_n)
{
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = claims_json(r, now, &j)) == CLUSTER_OK)
		e = json_text(j, ret, ret_n);
	json_free(j);
	return e;
}

/* `own`: the row of the member that carries the key in this form. */
static enum cluster_err claims_read(const struct json *j, const struct json_field *own, struct request_enroll *r, struct diag *d)
{
	const char *jti = NULL, *aud = NULL;
	struct json_field f[REQUEST_COMMON_N + 4] = {
		[REQUEST_COMMON_N] = { .name = "aud", .kind = JSON_KIND_TEXT, .dst = &aud, .max = REQUEST_AUD_SIZE },
		{ .name = "code", .kind = JSON_KIND_STRING, .dst = r->code, .size = sizeof r->code, .ok = request_token_ok },
		{ .name = "label", .kind = JSON_KIND_STRING, .dst = r->label, .size = sizeof r->label, .ok = request_label_ok },
		*own,
	};
	enum cluster_err e;

	request_common_fields(&r->c, &jti, f);
	if ((e = json_read(j, f, sizeof f / sizeof *f, d)) != CLUSTER_OK || (e = request_common_end(&r->c, jti, d)) != CLUSTER_OK)
		return e;
	return request_aud_parse(aud, &r->cluster, d);
}

static enum cluster_err jws_claims(const struct jws *jws, struct request_enroll *r, struct diag *d)
{
	const struct json *key = NULL;
	const struct json_field own = { .name = "key", .kind = JSON_KIND_OBJECT, .dst = &key };
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = json_parse((const char *)jws->payload, jws->payload_n, jws_typ_cap(JWS_REQUEST), &j, d)) != CLUSTER_OK)
		return e;
	if ((e = claims_read(j, &own, r, d)) == CLUSTER_OK)
		e = jwk_parse(key, JWK_BARE, &r->key, d);
	json_free(j);
	return e;
}

enum cluster_err request_enroll_parse(const char *token, size_t n, struct request_enroll *ret, struct diag *d)
{
	struct request_enroll r = { 0 };
	struct jws jws;
	enum cluster_err e;

	if ((e = jws_parse(token, n, JWS_REQUEST, &jws, d)) != CLUSTER_OK)
		return e;
	if ((e = jws_claims(&jws, &r, d)) == CLUSTER_OK)
		e = request_self_verify(&jws, &r.key, d);
	jws_done(&jws);
	if (e == CLUSTER_OK)
		*ret = r;
	return e;
}

enum cluster_err request_enroll_ssh(const struct rd *text, const struct rd *sshsig, struct request_enroll *ret, struct diag *d)
{
	struct request_enroll r = { 0 };
	const struct json_field own = { .name = "sshkey", .kind = JSON_KIND_STRING, .dst = r.sshkey, .size = sizeof r.sshkey };
	uint8_t blob[SSHKEY_BLOB_MAX];
	struct json *j = NULL;
	struct sshkey key;
	enum cluster_err e;

	if ((e = json_parse((const char *)text->p, text->n, REQUEST_SSH_MAX, &j, d)) != CLUSTER_OK)
		return e;
	if ((e = claims_read(j, &own, &r, d)) != CLUSTER_OK || (e = sshkey_line_parse(r.sshkey, SSHKEY_DEVICE, blob, &key, d)) != CLUSTER_OK)
		goto out;
	if (strchr(strchr(r.sshkey, ' ') + 1, ' ')) {
		e = diag_set(d, CLUSTER_EFORMAT, "sshkey: type and base64, nothing else");
		goto out;
	}
	if ((e = sshsig_verify_key(sshsig, &key, REQUEST_SSH_NAMESPACE, text->p, text->n, d)) != CLUSTER_OK)
		goto out;
	if (sshkey_pub(&key))
		r.key = *sshkey_pub(&key);
	*ret = r;
	e = CLUSTER_OK;
out:
	json_free(j);
	return e;
}
