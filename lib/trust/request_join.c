/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/request.h"
#include "cluster/sshsig.h"
#include "request_claims.h"

/* cluster-node+jwt of a join (PROTOCOL.md 6.2): it carries the key that verifies it. */

#define ADDRESSES_MAX 16
#define HOSTKEYS_MAX 8

static bool instance_ok(const char *s)
{
	size_t n = strnlen(s, 64);

	return n > 0 && n < 64 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") == n;
}

/* An address in the one form that inet_ntop writes. */
static bool address_ok(const char *s)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];

	for (int i = 0; i < 2; i++) {
		int family = i ? AF_INET6 : AF_INET;

		if (inet_pton(family, s, bytes) == 1)
			return inet_ntop(family, bytes, text, sizeof text) && strcmp(text, s) == 0;
	}
	return false;
}

void request_join_done(struct request_join *r)
{
	for (size_t i = 0; i < HOSTKEYS_MAX; i++) {
		free(r->hostkeys[i]);
		r->hostkeys[i] = NULL;
	}
	r->n_hostkeys = 0;
}

static struct json *hostkeys_json(const struct request_join *r)
{
	struct json *list = json_list();
	enum cluster_err e = list ? CLUSTER_OK : CLUSTER_ENOMEM;

	for (size_t i = 0; e == CLUSTER_OK && i < r->n_hostkeys; i++)
		e = json_append(list, json_make("s", r->hostkeys[i]));
	if (e != CLUSTER_OK) {
		json_free(list);
		list = NULL;
	}
	return list;
}

enum cluster_err request_join_build(const struct request_join *r, int64_t now, const struct crypto_key *node_key, char **ret)
{
	struct json *j = request_common_json(&r->c, now);
	enum cluster_err e = j ? CLUSTER_OK : CLUSTER_ENOMEM;
	char aud[REQUEST_AUD_SIZE];

	request_aud_text(&r->cluster, aud);
	request_put(j, "aud", json_make("s", aud), &e);
	request_put(j, "name", json_make("s", r->name), &e);
	request_put(j, "token", json_make("s", r->token), &e);
	request_put(j, "key", jwk_build(&r->key, JWK_BARE), &e);
	request_put(j, "hop", jwk_build(&r->hop, JWK_BARE), &e);
	request_put(j, "addresses", request_list(r->addresses[0], r->n_addresses, sizeof r->addresses[0]), &e);
	request_put(j, "hostkeys", hostkeys_json(r), &e);
	if (r->instance[0])
		request_put(j, "instance", json_make("s", r->instance), &e);
	if (e == CLUSTER_OK)
		e = jws_sign_json(node_key, JWS_NODE, j, ret);
	json_free(j);
	return e;
}

static enum cluster_err join_addresses(const struct json *list, struct request_join *r, struct diag *d)
{
	for (size_t i = 0; i < json_count(list); i++) {
		const char *s = json_string_at(list, i);

		if (!s || !address_ok(s))
			return diag_set(d, CLUSTER_EFORMAT, "addresses: element %zu is not an IP address in canonical form", i);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(r->addresses[k], s) == 0)
				return diag_set(d, CLUSTER_EFORMAT, "addresses: element %zu is there twice", i);
		}
		memcpy(r->addresses[i], s, strlen(s) + 1);
		r->n_addresses = i + 1;
	}
	return CLUSTER_OK;
}

static enum cluster_err join_hostkeys(const struct json *list, struct request_join *r, struct diag *d)
{
	uint8_t blob[SSHSIG_BLOB_MAX];
	enum cluster_err e;
	size_t n;

	for (size_t i = 0; i < json_count(list); i++) {
		const char *s = json_string_at(list, i), *space = s ? strchr(s, ' ') : NULL;

		if (!space || strchr(space + 1, ' '))
			return diag_set(d, CLUSTER_EFORMAT, "hostkeys: element %zu is not \"type base64\"", i);
		if ((e = sshsig_key_parse(s, blob, &n, d)) != CLUSTER_OK) {
			diag_prefix(d, "hostkeys: element %zu", i);
			return e;
		}
		for (size_t k = 0; k < i; k++) {
			if (strcmp(r->hostkeys[k], s) == 0)
				return diag_set(d, CLUSTER_EFORMAT, "hostkeys: element %zu is there twice", i);
		}
		if (!(r->hostkeys[i] = strdup(s)))
			return diag_set(d, CLUSTER_ENOMEM, "out of memory");
		r->n_hostkeys = i + 1;
	}
	return CLUSTER_OK;
}

static enum cluster_err join_claims(const struct jws *jws, struct request_join *r, struct diag *d)
{
	const struct json *addresses = NULL, *hop = NULL, *hostkeys = NULL, *key = NULL;
	const char *jti = NULL, *aud = NULL;
	struct json_field f[REQUEST_COMMON_N + 8] = {
		[REQUEST_COMMON_N] = { .name = "aud", .kind = JSON_KIND_TEXT, .dst = &aud, .max = REQUEST_AUD_SIZE },
		{ .name = "addresses", .kind = JSON_KIND_ARRAY, .dst = &addresses, .min = 1, .max = ADDRESSES_MAX },
		{ .name = "hop", .kind = JSON_KIND_OBJECT, .dst = &hop },
		{ .name = "hostkeys", .kind = JSON_KIND_ARRAY, .dst = &hostkeys, .min = 1, .max = HOSTKEYS_MAX },
		{ .name = "instance", .kind = JSON_KIND_STRING, .optional = true, .dst = r->instance, .size = sizeof r->instance, .ok = instance_ok },
		{ .name = "key", .kind = JSON_KIND_OBJECT, .dst = &key },
		{ .name = "name", .kind = JSON_KIND_STRING, .dst = r->name, .size = sizeof r->name, .ok = name_node_ok },
		{ .name = "token", .kind = JSON_KIND_STRING, .dst = r->token, .size = sizeof r->token, .ok = request_token_ok },
	};
	struct json *j = NULL;
	enum cluster_err e;

	request_common_fields(&r->c, &jti, f);
	if ((e = json_parse((const char *)jws->payload, jws->payload_n, jws_typ_cap(JWS_NODE), &j, d)) != CLUSTER_OK)
		return e;
	if ((e = json_read(j, f, sizeof f / sizeof *f, d)) != CLUSTER_OK || (e = request_common_end(&r->c, jti, d)) != CLUSTER_OK ||
	    (e = request_aud_parse(aud, &r->cluster, d)) != CLUSTER_OK || (e = jwk_parse(key, JWK_BARE, &r->key, d)) != CLUSTER_OK ||
	    (e = jwk_parse(hop, JWK_BARE, &r->hop, d)) != CLUSTER_OK || (e = join_addresses(addresses, r, d)) != CLUSTER_OK)
		goto out;
	if (crypto_pub_equal(&r->key, &r->hop)) {
		e = diag_set(d, CLUSTER_EFORMAT, "node key and hop key are the same");
		goto out;
	}
	e = join_hostkeys(hostkeys, r, d);
out:
	json_free(j);
	return e;
}

enum cluster_err request_self_verify(const struct jws *jws, const struct crypto_pub *key, struct diag *d)
{
	enum cluster_err e = request_kid_check(jws->kid, key, d);

	if (e != CLUSTER_OK)
		return e;
	if ((e = jws_verify(jws, key)) != CLUSTER_OK)
		return diag_set(d, e, "the request is not signed by the key in it");
	return CLUSTER_OK;
}

enum cluster_err request_join_parse(const char *token, size_t n, struct request_join *ret, struct diag *d)
{
	struct request_join r = { 0 };
	struct jws jws;
	enum cluster_err e;

	if ((e = jws_parse(token, n, JWS_NODE, &jws, d)) != CLUSTER_OK)
		return e;
	if ((e = join_claims(&jws, &r, d)) == CLUSTER_OK)
		e = request_self_verify(&jws, &r.key, d);
	jws_done(&jws);
	if (e != CLUSTER_OK) {
		request_join_done(&r);
		return e;
	}
	*ret = r;
	return CLUSTER_OK;
}
