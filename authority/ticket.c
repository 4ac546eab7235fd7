/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/json.h"
#include "conn.h"

#define CODE_CHARACTERS 12 /* of 32: 60 bits, five tries a minute, ten minutes */
#define CODE_GROUP 4
#define SWEEP_MAX 64

/* No letters that look like digits. */
static const char alphabet[33] = "0123456789abcdefghjkmnpqrstvwxyz";

enum cluster_err ticket_make(enum store_kind kind, char ret[TICKET_TEXT_MAX])
{
	uint8_t random[16];
	enum cluster_err e;
	size_t at = 0;

	if ((e = crypto_random(random, sizeof random)) != CLUSTER_OK)
		return e;
	if (kind == STORE_TOKEN)
		return b64_encode(random, sizeof random, ret, TICKET_TEXT_MAX);
	for (size_t i = 0; i < CODE_CHARACTERS; i++) {
		if (i && i % CODE_GROUP == 0)
			ret[at++] = '-';
		ret[at++] = alphabet[random[i] & 31];
	}
	ret[at] = '\0';
	return CLUSTER_OK;
}

enum cluster_err ticket_key(enum store_kind kind, const char *text, char ret[TICKET_KEY + 1])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char plain[64] = "";
	enum cluster_err e;
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		if (n + 1 >= sizeof plain)
			return CLUSTER_ELIMIT;
		if (kind == STORE_INVITE && *p == '-')
			continue;
		plain[n++] = kind == STORE_INVITE && *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;
	}
	e = crypto_sha256(plain, n, hash);
	explicit_bzero(plain, sizeof plain);
	return e == CLUSTER_OK ? b64_encode(hash, sizeof hash, ret, TICKET_KEY + 1) : e;
}

enum cluster_err ticket_may_try(struct call *c, struct diag *d)
{
	c->frank = true;
	if (!conn_peer(c->conn)->local && !limit_ok(&c->a->limit, limit_key(conn_peer(c->conn)->text), LIMIT_TRIES, authority_ms() / 1000))
		return diag_set(d, CLUSTER_EUNAVAIL, "too many wrong tries from this address: wait a minute");
	return CLUSTER_OK;
}

enum cluster_err ticket_take(struct call *c, struct change *ch, enum store_kind kind, const char *text, struct json **ret, struct diag *d)
{
	char key[TICKET_KEY + 1];
	struct json *j = NULL;
	char *value = NULL;
	enum cluster_err e;
	size_t n = 0;

	if ((e = ticket_key(kind, text, key)) != CLUSTER_OK)
		return diag_set(d, e, "%s", err_name(e));
	e = store_get(ch->store, kind, key, &value, &n);
	if (e == CLUSTER_OK && (e = json_parse(value, n, 4096, &j, NULL)) == CLUSTER_OK && json_member_int(j, "expires", 0) <= c->now)
		e = CLUSTER_ENOTFOUND;
	if (e == CLUSTER_ENOTFOUND) {
		limit_count(&c->a->limit, limit_key(conn_peer(c->conn)->text), authority_ms() / 1000);
		e = diag_set(d, CLUSTER_EDENIED, "the %s is not valid: unknown, used or expired", kind == STORE_TOKEN ? "token" : "code");
	} else if (e == CLUSTER_OK && (e = store_delete(ch->store, kind, key)) != CLUSTER_OK) {
		change_store_error(ch, e, d);
	}
	free(value);
	if (e != CLUSTER_OK) {
		json_free(j);
		return e;
	}
	*ret = j;
	return CLUSTER_OK;
}

struct sweep {
	int64_t now;
	size_t n;
	char key[SWEEP_MAX][TICKET_KEY + 1];
};

static enum cluster_err sweep_one(void *ctx, const char *key, const char *value, size_t n)
{
	struct sweep *s = ctx;
	struct json *j = NULL;

	if (s->n < SWEEP_MAX && strlen(key) == TICKET_KEY && json_parse(value, n, 4096, &j, NULL) == CLUSTER_OK && json_member_int(j, "expires", 0) <= s->now)
		memcpy(s->key[s->n++], key, TICKET_KEY + 1);
	json_free(j);
	return CLUSTER_OK;
}

enum cluster_err ticket_sweep(struct store *s, enum store_kind kind, int64_t now)
{
	struct sweep found = { .now = now };
	enum cluster_err e = store_each(s, kind, "", sweep_one, &found);

	for (size_t i = 0; i < found.n && e == CLUSTER_OK; i++)
		e = store_delete(s, kind, found.key[i]);
	return e;
}
