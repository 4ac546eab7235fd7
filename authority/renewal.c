/* SPDX-License-Identifier: Apache-2.0 */
#include "renewal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "cluster/b64.h"
#include "cluster/json.h"
#include "cluster/num.h"
#include "cluster/wr.h"
#include "head.h"
#include "identity.h"
#include "nodes.h"
#include "record.h"
#include "revoked.h"

#define PATH "/v1/renewal/"
#define DIGITS 12
#define KEY_MAX (ID_TEXT + 1 + RENEWAL_CLASS + 1)
#define UNNARROWED "-"
#define CLASS_BYTES 16

static void put_all(struct wr *w, char mark, const void *rows, size_t n, size_t width)
{
	for (size_t i = 0; i < n; i++)
		wr_printf(w, "%c%s\n", mark, (const char *)rows + i * width);
}

enum cluster_err renewal_class(const struct credential *c, char dst[RENEWAL_CLASS + 1])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e;
	struct wr w;

	if (c->n_acc == 0 && c->n_nod == 0 && c->n_src == 0) {
		memcpy(dst, UNNARROWED, sizeof UNNARROWED);
		return CLUSTER_OK;
	}
	wr_grow(&w, 8192);
	put_all(&w, 'a', c->acc, c->n_acc, sizeof c->acc[0]);
	put_all(&w, 'n', c->nod, c->n_nod, sizeof c->nod[0]);
	put_all(&w, 's', c->src, c->n_src, sizeof c->src[0]);
	if ((e = wr_end(&w)) == CLUSTER_OK && (e = crypto_sha256(w.p, w.n, hash)) == CLUSTER_OK)
		e = b64_encode(hash, CLASS_BYTES, dst, RENEWAL_CLASS + 1);
	wr_done(&w);
	return e;
}

/* The twelve digits that stand before a colon. */
static enum cluster_err read_expiry(const char *text, size_t n, int64_t *ret)
{
	char digits[DIGITS + 1];
	uint64_t exp;
	size_t zeros;

	if (n <= DIGITS || text[DIGITS] != ':')
		return CLUSTER_EFORMAT;
	memcpy(digits, text, DIGITS);
	digits[DIGITS] = '\0';
	zeros = strspn(digits, "0");
	if (num_u64(digits + zeros, 1, INT64_MAX, &exp) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	*ret = (int64_t)exp;
	return CLUSTER_OK;
}

/* "<person> <device>[ <class>]", each of 22 characters but for the class of what is not narrowed. */
static enum cluster_err read_issued(const char *value, size_t n, struct renewal_issued *ret)
{
	const char *class = n > 2 * (ID_TEXT + 1) ? value + 2 * (ID_TEXT + 1) : UNNARROWED;

	if (n < 2 * ID_TEXT + 1 || value[ID_TEXT] != ' ' || strlen(class) > RENEWAL_CLASS)
		return CLUSTER_EFORMAT;
	memcpy(ret->person, value, ID_TEXT);
	memcpy(ret->device, value + ID_TEXT + 1, ID_TEXT);
	memcpy(ret->class, class, strlen(class) + 1);
	ret->person[ID_TEXT] = ret->device[ID_TEXT] = '\0';
	return CLUSTER_OK;
}

enum cluster_err renewal_issued(struct store *s, const char *jti, struct renewal_issued *ret)
{
	char *key = NULL, *value = NULL;
	enum cluster_err e;
	size_t n = 0;

	if ((e = store_get(s, STORE_CREDENTIAL_ID, jti, &key, &n)) != CLUSTER_OK || (e = read_expiry(key, n, &ret->exp)) != CLUSTER_OK ||
	    (e = store_get(s, STORE_CREDENTIAL, key, &value, &n)) != CLUSTER_OK)
		goto out;
	e = read_issued(value, n, ret);
out:
	free(value);
	free(key);
	return e;
}

/* ---- what is kept ---- */

struct kept {
	int64_t exp;
	char jti[ID_TEXT + 1];
	char *text, *token; /* `token` stands in `text` */
};

static void kept_done(struct kept *k)
{
	free(k->text);
	k->text = NULL;
}

static enum cluster_err kept_get(struct store *s, const char *key, struct kept *ret)
{
	enum cluster_err e;
	size_t n = 0;

	memset(ret, 0, sizeof *ret);
	if ((e = store_get(s, STORE_RENEWAL, key, &ret->text, &n)) != CLUSTER_OK)
		return e;
	if ((e = read_expiry(ret->text, n, &ret->exp)) == CLUSTER_OK && (n < DIGITS + 1 + ID_TEXT + 1 || ret->text[DIGITS + 1 + ID_TEXT] != ':'))
		e = CLUSTER_EFORMAT;
	if (e != CLUSTER_OK) {
		kept_done(ret);
		return e;
	}
	memcpy(ret->jti, ret->text + DIGITS + 1, ID_TEXT);
	ret->token = ret->text + DIGITS + 1 + ID_TEXT + 1;
	return CLUSTER_OK;
}

static void kept_key(const char *device, const char *class, char dst[KEY_MAX])
{
	snprintf(dst, KEY_MAX, "%.22s:%.22s", device, class);
}

enum cluster_err renewal_remember(struct change *ch, const struct credential *c, const char *token)
{
	char device[ID_TEXT + 1], jti[ID_TEXT + 1], class[RENEWAL_CLASS + 1], key[KEY_MAX];
	struct kept old;
	enum cluster_err e;
	struct wr w;

	id_text(&c->device, device);
	id_text(&c->jti, jti);
	if ((e = renewal_class(c, class)) != CLUSTER_OK)
		return e;
	kept_key(device, class, key);
	if ((e = kept_get(ch->store, key, &old)) == CLUSTER_OK) {
		bool better = old.exp > c->exp && !revoked_find(ch->a->revoked, REVOKE_CREDENTIAL, old.jti, 0);

		kept_done(&old);
		if (better)
			return CLUSTER_OK;
	} else if (e != CLUSTER_ENOTFOUND && e != CLUSTER_EFORMAT) {
		return e;
	}
	wr_grow(&w, CREDENTIAL_SIZE_MAX + 100);
	wr_printf(&w, "%0*" PRId64 ":%s:%s", DIGITS, c->exp, jti, token);
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = store_put(ch->store, STORE_RENEWAL, key, w.p, w.n);
	wr_done(&w);
	return e;
}

enum cluster_err renewal_forget(struct store *s, const char *jti, int64_t now)
{
	struct renewal_issued was;
	char key[KEY_MAX];
	struct kept kept;
	enum cluster_err e;

	if ((e = renewal_issued(s, jti, &was)) == CLUSTER_OK) {
		kept_key(was.device, was.class, key);
		if ((e = kept_get(s, key, &kept)) == CLUSTER_OK) {
			e = kept.exp <= now ? store_delete(s, STORE_RENEWAL, key) : CLUSTER_OK;
			kept_done(&kept);
		}
	}
	return e == CLUSTER_ENOTFOUND || e == CLUSTER_EFORMAT ? CLUSTER_OK : e;
}

/* ---- GET /v1/renewal/<jti> ---- */

/* The node goes on asking while its session waits for its end: that is logged once. */
static enum cluster_err none(struct call *c, const struct cluster_id *jti, struct diag *d)
{
	char line[2 * ID_TEXT + 2];

	id_text(&c->node->id, line);
	line[ID_TEXT] = ' ';
	id_text(jti, line + ID_TEXT + 1);
	c->expected = !quiet_says(&c->a->asked[jti->b[0] % AUTHORITY_ASKED], line, authority_ms() / 1000);
	return diag_set(d, CLUSTER_ENOTFOUND, "there is no newer credential");
}

/* The later of the two that may stand for the one that was issued: narrowed as it was, or not at all. */
static enum cluster_err best(struct store *s, const struct renewal_issued *was, struct kept *ret)
{
	const char *const classes[] = { was->class, UNNARROWED };
	struct kept found = { .exp = was->exp }, k;
	char key[KEY_MAX];
	enum cluster_err e;

	for (size_t i = 0; i < 2; i++) {
		kept_key(was->device, classes[i], key);
		if ((e = kept_get(s, key, &k)) == CLUSTER_ENOTFOUND || e == CLUSTER_EFORMAT)
			continue;
		if (e != CLUSTER_OK) {
			kept_done(&found);
			return e;
		}
		if (k.exp > found.exp) {
			kept_done(&found);
			found = k;
		} else {
			kept_done(&k);
		}
	}
	if (!found.text)
		return CLUSTER_ENOTFOUND;
	*ret = found;
	return CLUSTER_OK;
}

/* Nothing is handed on that no login would be given; the node judges it once more. */
static bool good(struct call *c, const struct renewal_issued *was, const struct kept *k)
{
	struct directory *dir = NULL;
	struct cluster_id device;
	bool ok;

	if (revoked_find(c->a->revoked, REVOKE_CREDENTIAL, k->jti, 0) || id_parse(was->device, &device) != CLUSTER_OK ||
	    record_get(c->a->store, DIRECTORY_PEOPLE, was->person, &dir, NULL) != CLUSTER_OK)
		return false;
	ok = identity_person(c->a, &dir->people[0], &device, c->now) == REASON_OK;
	directory_free(dir);
	return ok;
}

enum cluster_err renewal_run(struct call *c, struct json **ret, struct diag *d)
{
	const char *jti = c->head->target + strlen(PATH);
	struct renewal_issued was;
	struct kept kept = { .text = NULL };
	struct cluster_id id;
	enum cluster_err e;

	if (c->head->query || id_parse(jti, &id) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "not the id of a credential");
	if (!c->node || c->node->revoked)
		return diag_set(d, CLUSTER_EDENIED, "not for a node that is revoked");
	if ((e = renewal_issued(c->a->store, jti, &was)) == CLUSTER_OK)
		e = best(c->a->store, &was, &kept);
	if (e == CLUSTER_ENOTFOUND || (e == CLUSTER_OK && !good(c, &was, &kept)))
		e = none(c, &id, d);
	else if (e != CLUSTER_OK)
		diag_set(d, e, "the store cannot be read: %s", err_name(e));
	else
		*ret = json_make("{s:s}", "credential", kept.token);
	kept_done(&kept);
	return e;
}
