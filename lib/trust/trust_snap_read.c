/* SPDX-License-Identifier: Apache-2.0 */
#include "trust_snap_part.h"

#include <string.h>

#define FLAG_PERSON_DISABLED 1u
#define FLAG_PERSON_ADMIN 2u
#define FLAG_GRANT_SUDO 1u
#define FLAG_GRANT_HOP 2u
#define FLAG_GRANT_ONETIME 4u
#define FLAG_GRANT_END_AT_EXPIRY 8u
#define GRANT_SIZE (ID_SIZE + 1 + 1 + 4)
#define GRANT_KEY_MAX (1 + NAME_ROLE_MAX + 1 + NAME_ACCOUNT_MAX)
_Static_assert(ID_SIZE <= NAME_ROLE_MAX, "ids are shorter than role names");

enum cluster_err trust_take_id(struct rd *r, struct cluster_id *ret)
{
	return rd_bytes(r, ret->b, sizeof ret->b, ID_SIZE);
}

/* A time or version: what does not fit a positive int64_t is damage. */
static enum cluster_err take_i64(struct rd *r, int64_t *ret)
{
	enum cluster_err e;
	uint64_t v;

	if ((e = rd_u64(r, &v)) != CLUSTER_OK)
		return e;
	if (v > INT64_MAX)
		return CLUSTER_EFORMAT;
	*ret = (int64_t)v;
	return CLUSTER_OK;
}

enum cluster_err trust_take_roles(struct rd *r, char (*roles)[NAME_ROLE_MAX + 1], size_t *ret_n)
{
	enum cluster_err e;
	uint8_t n;
	size_t i;

	if ((e = rd_u8(r, &n)) != CLUSTER_OK)
		return e;
	if (n > DIRECTORY_ROLES_MAX)
		return CLUSTER_EFORMAT;
	for (i = 0; i < n; i++) {
		if ((e = rd_str8(r, roles[i], sizeof roles[i])) != CLUSTER_OK)
			return e;
		if (!name_role_ok(roles[i]))
			return CLUSTER_EFORMAT;
	}
	*ret_n = n;
	return CLUSTER_OK;
}

/* What a reader makes of any failure on bytes whose checksum holds: the file is not what its format demands. */
static enum cluster_err damaged(enum cluster_err e)
{
	return e == CLUSTER_OK ? CLUSTER_OK : CLUSTER_EFORMAT;
}

static enum cluster_err parse_self(const struct snap_section *x, struct trust_self *s)
{
	enum cluster_err e;
	struct rd r;

	rd_init(&r, x->p, x->n);
	if ((e = trust_take_id(&r, &s->node)) != CLUSTER_OK || (e = rd_bytes(&r, s->hostkey_hash, sizeof s->hostkey_hash, CRYPTO_SHA256_SIZE)) != CLUSTER_OK ||
	    (e = take_i64(&r, &s->keyset_version)) != CLUSTER_OK || (e = take_i64(&r, &s->directory_version)) != CLUSTER_OK ||
	    (e = take_i64(&r, &s->revocations_version)) != CLUSTER_OK || (e = rd_u32(&r, &s->max_stale)) != CLUSTER_OK ||
	    (e = rd_u32(&r, &s->skew)) != CLUSTER_OK || (e = rd_u32(&r, &s->sudo_fresh)) != CLUSTER_OK ||
	    (e = rd_str8(&r, s->node_name, sizeof s->node_name)) != CLUSTER_OK || (e = rd_str8(&r, s->cluster_name, sizeof s->cluster_name)) != CLUSTER_OK ||
	    (e = trust_take_roles(&r, s->roles, &s->n_roles)) != CLUSTER_OK || (e = rd_end(&r)) != CLUSTER_OK)
		return e;
	if (!name_node_ok(s->node_name) || s->skew > DIRECTORY_SKEW_MAX || s->max_stale == 0)
		return CLUSTER_EFORMAT;
	return CLUSTER_OK;
}

static enum cluster_err parse_key(struct rd *r, struct keyring_key *k)
{
	enum cluster_err e;
	uint8_t role, alg, n;

	memset(k, 0, sizeof *k);
	if ((e = rd_str8(r, k->kid, sizeof k->kid)) != CLUSTER_OK || (e = rd_u8(r, &role)) != CLUSTER_OK || (e = rd_u8(r, &alg)) != CLUSTER_OK ||
	    (e = rd_u8(r, &n)) != CLUSTER_OK)
		return e;
	if (!name_kid_ok(k->kid) || role < KEYRING_ISSUER || role > KEYRING_ROLE_LAST || (alg != CRYPTO_ED25519 && alg != CRYPTO_ES256))
		return CLUSTER_EFORMAT;
	k->role = (enum keyring_role)role;
	k->pub.alg = (enum crypto_alg)alg;
	if (n != (alg == CRYPTO_ED25519 ? 32 : 64))
		return CLUSTER_EFORMAT;
	if ((e = rd_bytes(r, k->pub.bytes, sizeof k->pub.bytes, n)) != CLUSTER_OK || (e = take_i64(r, &k->nbf)) != CLUSTER_OK)
		return e;
	return take_i64(r, &k->exp);
}

static enum cluster_err parse_keys(const struct snap_section *x, struct keyring *ring)
{
	enum cluster_err e;
	struct keyring_key k;
	struct rd r;
	uint16_t n, i;

	rd_init(&r, x->p, x->n);
	if ((e = rd_u16(&r, &n)) != CLUSTER_OK)
		return e;
	for (i = 0; i < n; i++) {
		if ((e = parse_key(&r, &k)) != CLUSTER_OK || (e = keyring_add(ring, &k)) != CLUSTER_OK)
			return e;
	}
	return rd_end(&r);
}

static enum cluster_err parse_global(const struct snap_section *x, struct trust *t)
{
	enum cluster_err e;
	struct rd r;
	uint8_t lockdown;
	uint16_t n;

	rd_init(&r, x->p, x->n);
	if ((e = take_i64(&r, &t->everything_before)) != CLUSTER_OK || (e = rd_u8(&r, &lockdown)) != CLUSTER_OK || (e = rd_u16(&r, &n)) != CLUSTER_OK)
		return e;
	if (lockdown > 1)
		return CLUSTER_EFORMAT;
	t->lockdown = lockdown == 1;
	t->n_lockdown_except = n;
	if ((e = rd_view(&r, (size_t)n * ID_SIZE, &t->lockdown_except)) != CLUSTER_OK)
		return e;
	return rd_end(&r);
}

static enum cluster_err parse_flat(struct trust *t)
{
	enum cluster_err e;

	if ((e = parse_self(&t->snap.section[SNAP_T_SELF], &t->self)) != CLUSTER_OK ||
	    (e = parse_keys(&t->snap.section[SNAP_T_KEYS], &t->ring)) != CLUSTER_OK)
		return damaged(e);
	return damaged(parse_global(&t->snap.section[SNAP_T_GLOBAL], t));
}

enum cluster_err trust_open(const char *state_dir, uid_t owner, struct trust *ret)
{
	enum cluster_err e;
	struct trust t;

	memset(&t, 0, sizeof t);
	if ((e = snap_open_current(state_dir, owner, SNAP_TRUST, &t.snap, &t.fresh)) != CLUSTER_OK)
		return e;
	if ((e = parse_flat(&t)) != CLUSTER_OK) {
		snap_close(&t.snap);
		return e;
	}
	*ret = t;
	return CLUSTER_OK;
}

enum cluster_err trust_parse(const void *data, size_t n, struct trust *ret)
{
	enum cluster_err e;
	struct trust t;

	memset(&t, 0, sizeof t);
	if ((e = snap_parse(data, n, SNAP_TRUST, &t.snap)) != CLUSTER_OK || (e = parse_flat(&t)) != CLUSTER_OK)
		return e;
	*ret = t;
	return CLUSTER_OK;
}

void trust_close(struct trust *t)
{
	if (!t)
		return;
	snap_close(&t->snap);
	memset(t, 0, sizeof *t);
}

static enum cluster_err parse_person(struct rd *r, struct trust_person *p)
{
	enum cluster_err e;
	uint8_t flags;
	uint16_t n;

	memset(p, 0, sizeof *p);
	if ((e = trust_take_id(r, &p->id)) != CLUSTER_OK || (e = rd_u8(r, &flags)) != CLUSTER_OK || (e = rd_str8(r, p->name, sizeof p->name)) != CLUSTER_OK ||
	    (e = trust_take_roles(r, p->roles, &p->n_roles)) != CLUSTER_OK || (e = rd_u16(r, &n)) != CLUSTER_OK ||
	    (e = rd_view(r, (size_t)n * TRUST_DEVICE_SIZE, &p->devices)) != CLUSTER_OK || (e = rd_end(r)) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	if (flags & ~(FLAG_PERSON_DISABLED | FLAG_PERSON_ADMIN) || !name_person_ok(p->name))
		return CLUSTER_EFORMAT;
	p->n_devices = n;
	p->disabled = flags & FLAG_PERSON_DISABLED;
	p->admin = flags & FLAG_PERSON_ADMIN;
	return CLUSTER_OK;
}

bool trust_person_device(const struct trust_person *p, const struct cluster_id *device)
{
	for (size_t i = 0; i < p->n_devices; i++)
		if (crypto_equal(p->devices + i * TRUST_DEVICE_SIZE, device->b, ID_SIZE))
			return true;
	return false;
}

enum cluster_err trust_person_device_by_key(const struct trust_person *p, const uint8_t thumbprint[CRYPTO_SHA256_SIZE], struct cluster_id *ret)
{
	for (size_t i = 0; i < p->n_devices; i++) {
		const uint8_t *at = p->devices + i * TRUST_DEVICE_SIZE;

		if (crypto_equal(at + ID_SIZE, thumbprint, CRYPTO_SHA256_SIZE)) {
			memcpy(ret->b, at, ID_SIZE);
			return CLUSTER_OK;
		}
	}
	return CLUSTER_ENOTFOUND;
}

enum cluster_err trust_person_by_id(const struct trust *t, const struct cluster_id *id, struct trust_person *ret)
{
	struct snap_probe probe;
	struct trust_person p;
	enum cluster_err e;
	struct rd body;

	snap_probe_init(&probe, &t->snap, SNAP_T_PEOPLE, SNAP_T_PERSON_BY_ID, id->b, ID_SIZE);
	while ((e = snap_probe_next(&probe, &body)) == CLUSTER_OK) {
		if ((e = parse_person(&body, &p)) != CLUSTER_OK)
			return e;
		if (id_equal(&p.id, id)) {
			*ret = p;
			return CLUSTER_OK;
		}
	}
	return e;
}

enum cluster_err trust_person_by_name(const struct trust *t, const char *name, struct trust_person *ret)
{
	struct snap_probe probe;
	struct trust_person p;
	enum cluster_err e;
	struct rd body;

	if (!name_person_ok(name))
		return CLUSTER_ENOTFOUND;
	snap_probe_init(&probe, &t->snap, SNAP_T_PEOPLE, SNAP_T_PERSON_BY_NAME, name, strlen(name));
	while ((e = snap_probe_next(&probe, &body)) == CLUSTER_OK) {
		if ((e = parse_person(&body, &p)) != CLUSTER_OK)
			return e;
		if (strcmp(p.name, name) == 0) {
			*ret = p;
			return CLUSTER_OK;
		}
	}
	return e;
}

enum cluster_err trust_person_each(const struct trust *t, uint64_t *cursor, struct trust_person *ret)
{
	struct trust_person p;
	enum cluster_err e;
	struct rd body;

	if ((e = snap_each(&t->snap, SNAP_T_PEOPLE, cursor, &body)) != CLUSTER_OK || (e = parse_person(&body, &p)) != CLUSTER_OK)
		return e;
	*ret = p;
	return CLUSTER_OK;
}

static enum cluster_err parse_account(struct rd *r, struct trust_account *a)
{
	enum cluster_err e;
	uint8_t personal;

	memset(a, 0, sizeof *a);
	if ((e = rd_str8(r, a->name, sizeof a->name)) != CLUSTER_OK || (e = rd_u32(r, &a->uid)) != CLUSTER_OK || (e = rd_u8(r, &personal)) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	if (personal > 1 || (personal && trust_take_id(r, &a->person) != CLUSTER_OK) || rd_end(r) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	if (!name_account_ok(a->name) || !name_id_ok(a->uid))
		return CLUSTER_EFORMAT;
	a->personal = personal == 1;
	return CLUSTER_OK;
}

enum cluster_err trust_account_by_name(const struct trust *t, const char *name, struct trust_account *ret)
{
	struct snap_probe probe;
	struct trust_account a;
	enum cluster_err e;
	struct rd body;

	if (!name_account_ok(name))
		return CLUSTER_ENOTFOUND;
	snap_probe_init(&probe, &t->snap, SNAP_T_ACCOUNTS, SNAP_T_ACCOUNT_BY_NAME, name, strlen(name));
	while ((e = snap_probe_next(&probe, &body)) == CLUSTER_OK) {
		if ((e = parse_account(&body, &a)) != CLUSTER_OK)
			return e;
		if (strcmp(a.name, name) == 0) {
			*ret = a;
			return CLUSTER_OK;
		}
	}
	return e;
}

enum cluster_err trust_find_keyed(const struct trust *t, uint32_t records, uint32_t index, const void *key, size_t n, struct rd *ret)
{
	struct snap_probe probe;
	enum cluster_err e;
	const uint8_t *p;
	struct rd body;
	uint16_t len;

	snap_probe_init(&probe, &t->snap, records, index, key, n);
	while ((e = snap_probe_next(&probe, &body)) == CLUSTER_OK) {
		if (rd_u16(&body, &len) != CLUSTER_OK || rd_view(&body, len, &p) != CLUSTER_OK)
			return CLUSTER_EFORMAT;
		if (len == n && memcmp(p, key, n) == 0) {
			*ret = body;
			return CLUSTER_OK;
		}
	}
	return e;
}

enum cluster_err trust_find_grants(const struct trust *t, enum trust_subject subject, const void *value, size_t n, const char *account, struct rd *ret)
{
	uint8_t key[GRANT_KEY_MAX];
	size_t account_n;
	enum cluster_err e;
	uint16_t count;
	struct rd r;

	if (!name_account_ok(account) || n > NAME_ROLE_MAX)
		return CLUSTER_ENOTFOUND;
	account_n = strlen(account);
	key[0] = (uint8_t)subject;
	memcpy(key + 1, value, n);
	key[1 + n] = 0;
	memcpy(key + 1 + n + 1, account, account_n);
	if ((e = trust_find_keyed(t, SNAP_T_GRANTS, SNAP_T_GRANT_BY_KEY, key, 1 + n + 1 + account_n, &r)) != CLUSTER_OK)
		return e;
	if (rd_u16(&r, &count) != CLUSTER_OK || count == 0 || rd_left(&r) != (size_t)count * GRANT_SIZE)
		return CLUSTER_EFORMAT;
	*ret = r;
	return CLUSTER_OK;
}

enum cluster_err trust_grants(const struct trust *t, const struct cluster_id *person, const char *role, const char *account, struct rd *ret)
{
	if (!role)
		return trust_find_grants(t, TRUST_PERSON, person->b, ID_SIZE, account, ret);
	return name_role_ok(role) ? trust_find_grants(t, TRUST_ROLE, role, strlen(role), account, ret) : CLUSTER_ENOTFOUND;
}

enum cluster_err trust_grant_next(struct rd *r, struct trust_grant *ret)
{
	struct trust_grant g;
	uint8_t flags, on_revoke;

	if (rd_left(r) == 0)
		return CLUSTER_ENOTFOUND;
	memset(&g, 0, sizeof g);
	if (trust_take_id(r, &g.id) != CLUSTER_OK || rd_u8(r, &flags) != CLUSTER_OK || rd_u8(r, &on_revoke) != CLUSTER_OK || rd_u32(r, &g.ttl) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	if (flags & ~(FLAG_GRANT_SUDO | FLAG_GRANT_HOP | FLAG_GRANT_ONETIME | FLAG_GRANT_END_AT_EXPIRY) || on_revoke > DIRECTORY_KEEP)
		return CLUSTER_EFORMAT;
	g.sudo = flags & FLAG_GRANT_SUDO;
	g.hop = flags & FLAG_GRANT_HOP;
	g.onetime = flags & FLAG_GRANT_ONETIME;
	g.end_at_expiry = flags & FLAG_GRANT_END_AT_EXPIRY;
	g.on_revoke = (enum directory_on_revoke)on_revoke;
	*ret = g;
	return CLUSTER_OK;
}

enum cluster_err trust_revoked(const struct trust *t, enum revoke_kind kind, const void *value, size_t n, int64_t issued, struct trust_revocation *ret)
{
	uint8_t key[REVOKE_KEY_MAX];
	struct trust_revocation v;
	enum cluster_err e;
	struct rd r;

	if (n > REVOKE_VALUE_MAX)
		return CLUSTER_ENOTFOUND;
	key[0] = (uint8_t)kind;
	memcpy(key + 1, value, n);
	if ((e = trust_find_keyed(t, SNAP_T_REVOKED, SNAP_T_REVOKED_BY_KEY, key, n + 1, &r)) != CLUSTER_OK)
		return e;
	if (take_i64(&r, &v.seq) != CLUSTER_OK || take_i64(&r, &v.iat) != CLUSTER_OK || take_i64(&r, &v.before) != CLUSTER_OK ||
	    take_i64(&r, &v.until) != CLUSTER_OK || rd_end(&r) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	if (v.before != 0 && issued >= v.before)
		return CLUSTER_ENOTFOUND;
	*ret = v;
	return CLUSTER_OK;
}
