/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cluster/directory.h"
#include "cluster/request.h"
#include "request_claims.h"

/* cluster-request+jwt for a credential (PROTOCOL.md 6.3). */

static bool node_selector_ok(const char *s)
{
	return strcmp(s, "any") != 0 && directory_selector_ok(s);
}

/* One of acc, nod, src: a list of texts into an array of `stride` bytes each. */
struct narrowing {
	const char *name;
	const struct json *list;
	char *dst;
	size_t *n;
	size_t stride;
	bool (*ok)(const char *);
};

static enum cluster_err claims_json(const struct request_credential *r, int64_t now, struct json **ret)
{
	struct json *j = request_common_json(&r->c, now);
	enum cluster_err e = j ? CLUSTER_OK : CLUSTER_ENOMEM;
	char aud[REQUEST_AUD_SIZE], sub[ID_TEXT + 1];

	request_aud_text(&r->cluster, aud);
	id_text(&r->device, sub);
	request_put(j, "aud", json_make("s", aud), &e);
	request_put(j, "sub", json_make("s", sub), &e);
	request_put(j, "cnf", json_make("{s:o}", "jwk", jwk_build(&r->cnf, JWK_BARE)), &e);
	if (r->n_acc)
		request_put(j, "acc", request_list(r->acc[0], r->n_acc, sizeof r->acc[0]), &e);
	if (r->n_nod)
		request_put(j, "nod", request_list(r->nod[0], r->n_nod, sizeof r->nod[0]), &e);
	if (r->n_src)
		request_put(j, "src", request_list(r->src[0], r->n_src, sizeof r->src[0]), &e);
	if (r->ttl)
		request_put(j, "ttl", json_make("I", (long long)r->ttl), &e);
	if (e != CLUSTER_OK) {
		json_free(j);
		return e;
	}
	*ret = j;
	return CLUSTER_OK;
}

enum cluster_err request_credential_build(const struct request_credential *r, int64_t now, const struct crypto_key *device_key, char **ret)
{
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = claims_json(r, now, &j)) == CLUSTER_OK)
		e = jws_sign_json(device_key, JWS_REQUEST, j, ret);
	json_free(j);
	return e;
}

enum cluster_err request_credential_text(const struct request_credential *r, int64_t now, char **ret, size_t *ret_n)
{
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = claims_json(r, now, &j)) == CLUSTER_OK)
		e = json_text(j, ret, ret_n);
	json_free(j);
	return e;
}

static enum cluster_err narrowing_read(const struct narrowing *w, struct diag *d)
{
	if (!w->list)
		return CLUSTER_OK;
	for (size_t i = 0; i < json_count(w->list); i++) {
		const char *s = json_string_at(w->list, i);

		if (!s || strnlen(s, w->stride) >= w->stride || !w->ok(s))
			return diag_set(d, CLUSTER_EFORMAT, "%s: element %zu is not valid", w->name, i);
		memcpy(w->dst + i * w->stride, s, strlen(s) + 1);
	}
	*w->n = json_count(w->list);
	return CLUSTER_OK;
}

static enum cluster_err credential_claims(const void *payload, size_t n, struct request_credential *r, struct diag *d)
{
	struct narrowing acc = { .name = "acc", .dst = r->acc[0], .n = &r->n_acc, .stride = sizeof r->acc[0], .ok = name_account_ok };
	struct narrowing nod = { .name = "nod", .dst = r->nod[0], .n = &r->n_nod, .stride = sizeof r->nod[0], .ok = node_selector_ok };
	struct narrowing src = { .name = "src", .dst = r->src[0], .n = &r->n_src, .stride = sizeof r->src[0], .ok = credential_source_ok };
	const struct json *cnf = NULL, *jwk = NULL;
	const char *jti = NULL, *aud = NULL, *sub = NULL;
	struct json_field f[REQUEST_COMMON_N + 7] = {
		[REQUEST_COMMON_N] = { .name = "aud", .kind = JSON_KIND_TEXT, .dst = &aud, .max = REQUEST_AUD_SIZE },
		{ .name = "sub", .kind = JSON_KIND_TEXT, .dst = &sub, .max = ID_TEXT },
		{ .name = "cnf", .kind = JSON_KIND_OBJECT, .dst = &cnf },
		{ .name = "acc", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &acc.list, .min = 1, .max = CREDENTIAL_ACC_MAX },
		{ .name = "nod", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &nod.list, .min = 1, .max = CREDENTIAL_NOD_MAX },
		{ .name = "src", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &src.list, .min = 1, .max = CREDENTIAL_SRC_MAX },
		{ .name = "ttl", .kind = JSON_KIND_INT, .optional = true, .dst = &r->ttl, .min = 1, .max = CREDENTIAL_LIFE_MAX },
	};
	struct json_field jwk_field[] = { { .name = "jwk", .kind = JSON_KIND_OBJECT, .dst = &jwk } };
	struct json *j = NULL;
	enum cluster_err e;

	request_common_fields(&r->c, &jti, f);
	if ((e = json_parse(payload, n, REQUEST_SSH_MAX, &j, d)) != CLUSTER_OK)
		return e;
	if ((e = json_read(j, f, sizeof f / sizeof *f, d)) != CLUSTER_OK || (e = request_common_end(&r->c, jti, d)) != CLUSTER_OK ||
	    (e = request_aud_parse(aud, &r->cluster, d)) != CLUSTER_OK || (e = json_read(cnf, jwk_field, 1, d)) != CLUSTER_OK ||
	    (e = jwk_parse(jwk, JWK_BARE, &r->cnf, d)) != CLUSTER_OK || (e = narrowing_read(&acc, d)) != CLUSTER_OK ||
	    (e = narrowing_read(&nod, d)) != CLUSTER_OK || (e = narrowing_read(&src, d)) != CLUSTER_OK)
		goto out;
	if ((e = id_parse(sub, &r->device)) != CLUSTER_OK)
		e = diag_set(d, e, "sub is not a device id");
out:
	json_free(j);
	return e;
}

enum cluster_err request_credential_parse(const char *token, size_t n, struct jws *ret_jws, struct request_credential *ret, struct diag *d)
{
	struct request_credential r = { 0 };
	struct jws jws;
	enum cluster_err e;

	if ((e = jws_parse(token, n, JWS_REQUEST, &jws, d)) != CLUSTER_OK)
		return e;
	if ((e = credential_claims(jws.payload, jws.payload_n, &r, d)) != CLUSTER_OK) {
		jws_done(&jws);
		return e;
	}
	*ret_jws = jws;
	*ret = r;
	return CLUSTER_OK;
}

enum cluster_err request_credential_ssh(const struct rd *text, struct request_credential *ret, struct diag *d)
{
	struct request_credential r = { 0 };
	enum cluster_err e;

	if ((e = credential_claims(text->p, text->n, &r, d)) == CLUSTER_OK)
		*ret = r;
	return e;
}
