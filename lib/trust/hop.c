/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/hop.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/credential.h"
#include "cluster/jwk.h"
#include "cluster/jws.h"
#include "json_field.h"
#include "request_claims.h"

#define PERSON_CLAIMS 8 /* that a person's hop has and a machine's has not, beside psr */

struct claims {
	const char *aud, *dev, *iss, *jti, *nod, *par, *sid, *sub;
	const struct json *cnf, *way;
	bool of_person[PERSON_CLAIMS + 1]; /* which are there, psr last */
};

#define PLACE_TEXT (2 * ID_TEXT + 1)

#define OF_PERSON(i) .optional = true, .present = &c.of_person[i]

static bool address_ok(const char *s)
{
	return !strchr(s, '/') && credential_source_ok(s);
}

static enum cluster_err read_cnf(const struct json *cnf, struct crypto_pub *ret, struct diag *d)
{
	const struct json *jwk = NULL;
	const struct json_field fields[] = { FIELD_OBJECT("jwk", jwk) };
	enum cluster_err e;

	if ((e = json_read(cnf, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK || (e = jwk_parse(jwk, JWK_BARE, ret, d)) != CLUSTER_OK)
		return e;
	return ret->alg == CRYPTO_ED25519 ? CLUSTER_OK : diag_set(d, CLUSTER_EFORMAT, "cnf is not an Ed25519 key");
}

struct json *hop_way_json(const struct hop_place *way, size_t n)
{
	struct json *list = json_list();
	char text[PLACE_TEXT + 1];

	for (size_t i = 0; list && i < n; i++) {
		id_text(&way[i].node, text);
		text[ID_TEXT] = '.';
		id_text(&way[i].session, text + ID_TEXT + 1);
		if (json_append(list, json_make("s", text)) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return list;
}

static bool place_parse(const char *text, struct hop_place *ret)
{
	char node[ID_TEXT + 1] = "";

	if (!text || strlen(text) != PLACE_TEXT || text[ID_TEXT] != '.')
		return false;
	memcpy(node, text, ID_TEXT);
	return id_parse(node, &ret->node) == CLUSTER_OK && id_parse(text + ID_TEXT + 1, &ret->session) == CLUSTER_OK;
}

enum cluster_err hop_way_read(const struct json *list, struct hop_place ret[HOP_WAY_MAX], size_t *ret_n, struct diag *d)
{
	struct hop_place way[HOP_WAY_MAX];
	size_t n = json_count(list);

	if (n > HOP_WAY_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "way: more than %d sessions", HOP_WAY_MAX);
	for (size_t i = 0; i < n; i++)
		if (!place_parse(json_string_at(list, i), &way[i]))
			return diag_set(d, CLUSTER_EFORMAT, "way: place %zu is not a node's id and a session's", i);
	memcpy(ret, way, n * sizeof *way);
	*ret_n = n;
	return CLUSTER_OK;
}

/* All that a person's has, or none of it. */
static enum cluster_err judge_form(const struct claims *c, bool *ret_machine, struct diag *d)
{
	size_t n = 0;

	for (size_t i = 0; i < PERSON_CLAIMS; i++)
		n += c->of_person[i];
	if (n != PERSON_CLAIMS && (n > 0 || c->of_person[PERSON_CLAIMS]))
		return diag_set(d, CLUSTER_EFORMAT, "neither a person's hop nor a machine's: auth_time, dev, end, isk, par, sid, sub and way go together");
	*ret_machine = n == 0;
	return CLUSTER_OK;
}

static enum cluster_err convert(const struct claims *c, struct hop *ret, struct diag *d)
{
	const struct {
		const char *text;
		struct cluster_id *dst;
	} ids[] = {
		{ c->iss, &ret->source }, { c->jti, &ret->jti }, { c->nod, &ret->target },
		{ c->dev, &ret->device }, { c->par, &ret->parent }, { c->sid, &ret->session }, { c->sub, &ret->person },
	};
	enum cluster_err e;
	size_t n = 0;

	if ((e = judge_form(c, &ret->machine, d)) != CLUSTER_OK || (e = request_aud_parse(c->aud, &ret->cluster, d)) != CLUSTER_OK)
		return e;
	if (!ret->machine && (e = hop_way_read(c->way, ret->way, &n, d)) != CLUSTER_OK)
		return e;
	ret->count = ret->machine ? 0 : (int64_t)n + 1;
	for (size_t i = 0; i < (ret->machine ? 3 : sizeof ids / sizeof *ids); i++)
		if (id_parse(ids[i].text, ids[i].dst) != CLUSTER_OK)
			return diag_set(d, CLUSTER_EFORMAT, "dev, iss, jti, nod, par, sid or sub is not an id");
	if (ret->exp <= ret->iat || ret->exp - ret->iat > HOP_LIFE_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "exp is not within %d seconds of iat", HOP_LIFE_MAX);
	return read_cnf(c->cnf, &ret->cnf, d);
}

enum cluster_err hop_parse(const void *payload, size_t n, struct hop *ret, struct diag *d)
{
	struct hop out = { .iat = 0 };
	struct claims c = { .aud = NULL };
	const struct json_field fields[] = {
		FIELD_STRING("acc", out.account, name_account_ok),
		FIELD_TEXT("aud", c.aud, REQUEST_AUD_SIZE - 1, NULL),
		{ .name = "auth_time", .kind = JSON_KIND_INT, .dst = &out.auth_time, .min = MOMENT_MIN, .max = MOMENT_MAX, OF_PERSON(0) },
		FIELD_OBJECT("cnf", c.cnf),
		{ .name = "dev", .kind = JSON_KIND_TEXT, .dst = &c.dev, .max = ID_TEXT, OF_PERSON(1) },
		{ .name = "end", .kind = JSON_KIND_INT, .dst = &out.end, .min = MOMENT_MIN, .max = MOMENT_MAX, OF_PERSON(2) },
		FIELD_TIME("exp", out.exp),
		FIELD_TIME("iat", out.iat),
		{ .name = "isk", .kind = JSON_KIND_STRING, .dst = out.parent_issuer, .size = sizeof out.parent_issuer, .ok = name_kid_ok, OF_PERSON(3) },
		FIELD_TEXT("iss", c.iss, ID_TEXT, NULL),
		FIELD_TEXT("jti", c.jti, ID_TEXT, NULL),
		FIELD_TEXT("nod", c.nod, ID_TEXT, NULL),
		{ .name = "par", .kind = JSON_KIND_TEXT, .dst = &c.par, .max = ID_TEXT, OF_PERSON(4) },
		{ .name = "psr", .kind = JSON_KIND_STRING, .dst = out.parent_source, .size = sizeof out.parent_source, .ok = address_ok, OF_PERSON(PERSON_CLAIMS) },
		{ .name = "sid", .kind = JSON_KIND_TEXT, .dst = &c.sid, .max = ID_TEXT, OF_PERSON(5) },
		{ .name = "sub", .kind = JSON_KIND_TEXT, .dst = &c.sub, .max = ID_TEXT, OF_PERSON(6) },
		{ .name = "way", .kind = JSON_KIND_ARRAY, .dst = &c.way, .min = 0, .max = HOP_WAY_MAX, OF_PERSON(7) },
	};
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = json_parse(payload, n, HOP_SIZE_MAX, &j, d)) == CLUSTER_OK && (e = json_read(j, fields, FIELD_COUNT(fields), d)) == CLUSTER_OK)
		e = convert(&c, &out, d);
	json_free(j);
	if (e == CLUSTER_OK)
		*ret = out;
	return e;
}

enum cluster_err hop_kid(const char *token, size_t n, char ret[NAME_KID_MAX + 1], struct diag *d)
{
	struct jws j;
	enum cluster_err e = jws_parse(token, n, JWS_HOP, &j, d);

	if (e != CLUSTER_OK)
		return e;
	memcpy(ret, j.kid, sizeof j.kid);
	jws_done(&j);
	return CLUSTER_OK;
}

/* By the node's hop key; a static key's work is done in its place when there is none. */
static enum cluster_err check_signature(const struct jws *j, const struct hop_source *by, struct diag *d)
{
	char kid[NAME_KID_MAX + 1] = "";
	enum cluster_err e = CLUSTER_ENOTFOUND;

	if (by && (e = jwk_kid(by->key, kid)) == CLUSTER_OK && strcmp(kid, j->kid) != 0)
		e = CLUSTER_ENOTFOUND;
	if (e != CLUSTER_OK) {
		credential_verify_nothing();
		return diag_set(d, e, "hop key %s: %s", j->kid, err_name(e));
	}
	e = jws_verify(j, by->key);
	return e == CLUSTER_OK ? e : diag_set(d, e, "signature by hop key %s: %s", j->kid, err_name(e));
}

enum cluster_err hop_verify(const char *token, size_t n, const struct hop_source *by, struct hop *ret, struct diag *d)
{
	struct hop h;
	struct jws j;
	enum cluster_err e;

	if ((e = jws_parse(token, n, JWS_HOP, &j, d)) != CLUSTER_OK) {
		credential_verify_nothing();
		return e;
	}
	if ((e = check_signature(&j, by, d)) != CLUSTER_OK || (e = hop_parse(j.payload, j.payload_n, &h, d)) != CLUSTER_OK)
		goto out;
	if (!id_equal(&h.cluster, by->cluster) || !id_equal(&h.source, by->node)) {
		e = diag_set(d, CLUSTER_EDENIED, "the hop is of another cluster, or in another node's name");
		goto out;
	}
	if (crypto_pub_equal(&h.cnf, by->key)) {
		e = diag_set(d, CLUSTER_EDENIED, "the hop's key is the hop key itself");
		goto out;
	}
	memcpy(h.signer, j.kid, sizeof h.signer);
	*ret = h;
	e = CLUSTER_OK;
out:
	jws_done(&j);
	return e;
}

/* What a person's hop has beside what a machine's has. `j` is freed and NULL returned on failure. */
static struct json *with_person(struct json *j, const struct hop *h)
{
	char dev[ID_TEXT + 1], par[ID_TEXT + 1], sid[ID_TEXT + 1], sub[ID_TEXT + 1];
	enum cluster_err e = j ? CLUSTER_OK : CLUSTER_ENOMEM;

	id_text(&h->device, dev);
	id_text(&h->parent, par);
	id_text(&h->session, sid);
	id_text(&h->person, sub);
	request_put(j, "auth_time", json_make("I", (long long)h->auth_time), &e);
	request_put(j, "dev", json_make("s", dev), &e);
	request_put(j, "end", json_make("I", (long long)h->end), &e);
	request_put(j, "isk", json_make("s", h->parent_issuer), &e);
	request_put(j, "par", json_make("s", par), &e);
	if (h->parent_source[0])
		request_put(j, "psr", json_make("s", h->parent_source), &e);
	request_put(j, "sid", json_make("s", sid), &e);
	request_put(j, "sub", json_make("s", sub), &e);
	request_put(j, "way", hop_way_json(h->way, (size_t)(h->count - 1)), &e);
	if (e == CLUSTER_OK)
		return j;
	json_free(j);
	return NULL;
}

enum cluster_err hop_build(const struct hop *h, const struct crypto_key *key, char **ret)
{
	char aud[REQUEST_AUD_SIZE], iss[ID_TEXT + 1], jti[ID_TEXT + 1], nod[ID_TEXT + 1];
	enum cluster_err e;
	struct json *j;

	request_aud_text(&h->cluster, aud);
	id_text(&h->source, iss);
	id_text(&h->jti, jti);
	id_text(&h->target, nod);
	j = json_make("{s:s, s:s, s:{s:o}, s:I, s:I, s:s, s:s, s:s}", "acc", h->account, "aud", aud, "cnf", "jwk", jwk_build(&h->cnf, JWK_BARE), "exp", (long long)h->exp,
	    "iat", (long long)h->iat, "iss", iss, "jti", jti, "nod", nod);
	if (!h->machine)
		j = with_person(j, h);
	e = jws_sign_json(key, JWS_HOP, j, ret);
	json_free(j);
	return e;
}
