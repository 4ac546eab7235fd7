/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/session.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/rd.h"
#include "cluster/secret.h"
#include "cluster/wr.h"

#define MAGIC "CLSESS1\n"
#define MAGIC_SIZE 8
#define MAJOR 1
#define MINOR 3
#define MINOR_WITHOUT_WAY 2 /* the same but for the way; of sessions that were open when this version was installed */

static enum cluster_err take_id(struct rd *r, struct cluster_id *ret)
{
	return rd_bytes(r, ret->b, sizeof ret->b, ID_SIZE);
}

static enum cluster_err take_time(struct rd *r, int64_t *ret)
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

/* Printable ASCII without spaces, as ttys, addresses and host names are. */
static bool plain(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~')
			return false;
	}
	return true;
}

/* Printable ASCII; spaces too. */
static bool printable(const char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return true;
}

static bool cert_ok(const struct session *s)
{
	const struct sshcert_facts *c = &s->cert;

	if (!session_cert(s))
		return c->serial == 0 && c->key_id[0] == '\0' && c->key[0] == '\0' && c->ca[0] == '\0';
	return c->key_id[0] != '\0' && printable(c->key_id) && c->key[0] != '\0' && plain(c->key) && c->ca[0] != '\0' && plain(c->ca);
}

/* As many places as there were hops before the last one, and nothing behind them. */
static bool way_ok(const struct session *s)
{
	static const struct cluster_id none;

	for (size_t i = 0; i < HOP_WAY_MAX; i++) {
		const bool named = i + 1 < s->hops;

		if (id_equal(&s->way[i].node, &none) == named || id_equal(&s->way[i].session, &none) == named)
			return false;
	}
	return true;
}

/* A person's hop names the person, the device and the session it came from; where nobody stands behind it, none of them. */
static bool hop_ok(const struct session *s)
{
	static const struct cluster_id none;
	const bool person = s->hops > 0;

	if (s->kind != SESSION_HOP)
		return s->hops == 0 && id_equal(&s->source, &none) && id_equal(&s->parent, &none);
	return s->hops <= HOP_COUNT_MAX && !id_equal(&s->source, &none) && id_equal(&s->person, &none) != person && id_equal(&s->device, &none) != person &&
	    id_equal(&s->parent, &none) != person;
}

static bool session_ok(const struct session *s)
{
	return name_account_ok(s->account) && name_service_ok(s->service) && plain(s->tty) && plain(s->rhost) && name_kid_ok(s->issuer) &&
	    (s->role[0] == '\0' || name_role_ok(s->role)) && s->pid > 1 && s->pid <= INT_MAX && s->start != 0 && s->kind >= SESSION_CREDENTIAL &&
	    s->kind <= SESSION_HOP && s->on_revoke <= DIRECTORY_KEEP && s->iat >= 0 && s->exp >= 0 && s->auth_time >= 0 && s->opened >= 0 && s->closed >= 0 && cert_ok(s) && hop_ok(s) && way_ok(s);
}

const struct sshcert_facts *session_cert(const struct session *s)
{
	return s->kind == SESSION_CERTIFICATE || s->kind == SESSION_HOP ? &s->cert : NULL;
}

struct cluster_id session_hop_jti(const struct sshcert_facts *cert)
{
	struct cluster_id id = { { 0 } };
	size_t n = strlen(cert->key_id);

	if (n >= ID_TEXT && id_parse(cert->key_id + n - ID_TEXT, &id) != CLUSTER_OK)
		memset(&id, 0, sizeof id);
	return id;
}

#define FLAG_END_AT_EXPIRY 1
#define FLAG_NARROWED 2
#define FLAG_NARROWED_NODES 4
#define FLAGS (FLAG_END_AT_EXPIRY | FLAG_NARROWED | FLAG_NARROWED_NODES)

/* What the minor versions have added. */
static enum cluster_err take_more(struct rd *r, uint16_t minor, struct session *s)
{
	enum cluster_err e;
	uint8_t flags;

	if ((e = rd_u8(r, &flags)) != CLUSTER_OK || (e = take_time(r, &s->closed)) != CLUSTER_OK || (e = take_id(r, &s->parent)) != CLUSTER_OK ||
	    (e = rd_u64(r, &s->cert.serial)) != CLUSTER_OK || (e = rd_str8(r, s->cert.key_id, sizeof s->cert.key_id)) != CLUSTER_OK ||
	    (e = rd_str8(r, s->cert.key, sizeof s->cert.key)) != CLUSTER_OK || (e = rd_str8(r, s->cert.ca, sizeof s->cert.ca)) != CLUSTER_OK ||
	    (e = take_id(r, &s->source)) != CLUSTER_OK || (e = rd_u8(r, &s->hops)) != CLUSTER_OK)
		return e;
	if (flags & ~FLAGS || s->hops > (minor == MINOR_WITHOUT_WAY ? 1 : HOP_COUNT_MAX))
		return CLUSTER_EFORMAT;
	for (size_t i = 0; i + 1 < s->hops; i++)
		if ((e = take_id(r, &s->way[i].node)) != CLUSTER_OK || (e = take_id(r, &s->way[i].session)) != CLUSTER_OK)
			return e;
	s->end_at_expiry = flags & FLAG_END_AT_EXPIRY;
	s->narrowed = flags & FLAG_NARROWED;
	s->narrowed_nodes = flags & FLAG_NARROWED_NODES;
	return CLUSTER_OK;
}

enum cluster_err session_parse(const void *data, size_t n, struct session *ret)
{
	uint8_t magic[MAGIC_SIZE], on_revoke, kind;
	enum cluster_err e;
	uint16_t major, minor;
	struct session s;
	struct rd r;

	if (n > SESSION_SIZE_MAX)
		return CLUSTER_ELIMIT;
	memset(&s, 0, sizeof s);
	rd_init(&r, data, n);
	if ((e = rd_bytes(&r, magic, sizeof magic, MAGIC_SIZE)) != CLUSTER_OK || (e = rd_u16(&r, &major)) != CLUSTER_OK || (e = rd_u16(&r, &minor)) != CLUSTER_OK)
		return e;
	if (memcmp(magic, MAGIC, MAGIC_SIZE) != 0)
		return CLUSTER_EFORMAT;
	if (major != MAJOR)
		return CLUSTER_EVERSION;
	if (minor != MINOR && minor != MINOR_WITHOUT_WAY)
		return CLUSTER_EFORMAT;
	if ((e = take_id(&r, &s.id)) != CLUSTER_OK || (e = take_id(&r, &s.person)) != CLUSTER_OK || (e = take_id(&r, &s.device)) != CLUSTER_OK ||
	    (e = take_id(&r, &s.jti)) != CLUSTER_OK || (e = take_time(&r, &s.iat)) != CLUSTER_OK || (e = take_time(&r, &s.exp)) != CLUSTER_OK ||
	    (e = take_time(&r, &s.auth_time)) != CLUSTER_OK || (e = take_time(&r, &s.opened)) != CLUSTER_OK || (e = rd_u8(&r, &on_revoke)) != CLUSTER_OK ||
	    (e = rd_str8(&r, s.account, sizeof s.account)) != CLUSTER_OK || (e = rd_str8(&r, s.service, sizeof s.service)) != CLUSTER_OK ||
	    (e = rd_str8(&r, s.tty, sizeof s.tty)) != CLUSTER_OK || (e = rd_str8(&r, s.rhost, sizeof s.rhost)) != CLUSTER_OK ||
	    (e = rd_u32(&r, &s.pid)) != CLUSTER_OK || (e = rd_u64(&r, &s.start)) != CLUSTER_OK || (e = rd_u32(&r, &s.audit)) != CLUSTER_OK ||
	    (e = take_id(&r, &s.boot_id)) != CLUSTER_OK || (e = rd_u8(&r, &kind)) != CLUSTER_OK ||
	    (e = rd_str8(&r, s.issuer, sizeof s.issuer)) != CLUSTER_OK || (e = rd_str8(&r, s.role, sizeof s.role)) != CLUSTER_OK ||
	    (e = take_more(&r, minor, &s)) != CLUSTER_OK || (e = rd_end(&r)) != CLUSTER_OK)
		return e;
	s.on_revoke = (enum directory_on_revoke)on_revoke;
	s.kind = (enum session_kind)kind;
	if (!session_ok(&s))
		return CLUSTER_EFORMAT;
	*ret = s;
	return CLUSTER_OK;
}

enum cluster_err session_build(const struct session *s, uint8_t ret[SESSION_SIZE_MAX], size_t *ret_n)
{
	enum cluster_err e;
	struct wr w;

	if (!session_ok(s))
		return CLUSTER_EFORMAT;
	wr_init(&w, ret, SESSION_SIZE_MAX);
	wr_bytes(&w, MAGIC, MAGIC_SIZE);
	wr_u16(&w, MAJOR);
	wr_u16(&w, MINOR);
	wr_bytes(&w, s->id.b, ID_SIZE);
	wr_bytes(&w, s->person.b, ID_SIZE);
	wr_bytes(&w, s->device.b, ID_SIZE);
	wr_bytes(&w, s->jti.b, ID_SIZE);
	wr_u64(&w, (uint64_t)s->iat);
	wr_u64(&w, (uint64_t)s->exp);
	wr_u64(&w, (uint64_t)s->auth_time);
	wr_u64(&w, (uint64_t)s->opened);
	wr_u8(&w, (uint8_t)s->on_revoke);
	wr_str8(&w, s->account);
	wr_str8(&w, s->service);
	wr_str8(&w, s->tty);
	wr_str8(&w, s->rhost);
	wr_u32(&w, s->pid);
	wr_u64(&w, s->start);
	wr_u32(&w, s->audit);
	wr_bytes(&w, s->boot_id.b, ID_SIZE);
	wr_u8(&w, (uint8_t)s->kind);
	wr_str8(&w, s->issuer);
	wr_str8(&w, s->role);
	wr_u8(&w, (uint8_t)((s->end_at_expiry ? FLAG_END_AT_EXPIRY : 0) | (s->narrowed ? FLAG_NARROWED : 0) | (s->narrowed_nodes ? FLAG_NARROWED_NODES : 0)));
	wr_u64(&w, (uint64_t)s->closed);
	wr_bytes(&w, s->parent.b, ID_SIZE);
	wr_u64(&w, s->cert.serial);
	wr_str8(&w, s->cert.key_id);
	wr_str8(&w, s->cert.key);
	wr_str8(&w, s->cert.ca);
	wr_bytes(&w, s->source.b, ID_SIZE);
	wr_u8(&w, s->hops);
	for (size_t i = 0; i + 1 < s->hops; i++) {
		wr_bytes(&w, s->way[i].node.b, ID_SIZE);
		wr_bytes(&w, s->way[i].session.b, ID_SIZE);
	}
	if ((e = wr_end(&w)) != CLUSTER_OK)
		return e;
	*ret_n = w.n;
	return CLUSTER_OK;
}

static enum cluster_err session_path(char *dst, size_t size, const char *dir, const struct cluster_id *id)
{
	char name[ID_TEXT + 1];

	id_text(id, name);
	return file_join(dst, size, dir, name);
}

enum cluster_err session_store(const char *dir, const struct session *s, struct diag *d)
{
	uint8_t data[SESSION_SIZE_MAX];
	char path[PATH_MAX];
	enum cluster_err e;
	size_t n;

	if ((e = session_build(s, data, &n)) != CLUSTER_OK || (e = session_path(path, sizeof path, dir, &s->id)) != CLUSTER_OK)
		return diag_set(d, e, "session record: %s", err_name(e));
	return file_replace(path, data, n, 0600, d);
}

enum cluster_err session_load(const char *dir, const char *name, uid_t owner, struct session *ret, struct diag *d)
{
	const struct file_rules rules = { .owner = owner, .forbid = 077, .max_size = SESSION_SIZE_MAX };
	struct secret *bytes = NULL;
	struct cluster_id id;
	char path[PATH_MAX];
	enum cluster_err e;
	struct session s;

	if ((e = id_parse(name, &id)) != CLUSTER_OK)
		return diag_set(d, e, "%s/%s is not named like a session", dir, name);
	if ((e = file_join(path, sizeof path, dir, name)) != CLUSTER_OK || (e = file_read(path, &rules, &bytes, d)) != CLUSTER_OK)
		return e;
	e = session_parse(bytes->bytes, bytes->n, &s);
	secret_free(bytes);
	if (e == CLUSTER_OK && !id_equal(&s.id, &id))
		e = CLUSTER_EFORMAT;
	if (e != CLUSTER_OK)
		return diag_set(d, e, "%s is not a session record: %s", path, err_name(e));
	*ret = s;
	return CLUSTER_OK;
}

enum cluster_err session_remove(const char *dir, const struct cluster_id *id, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;

	if ((e = session_path(path, sizeof path, dir, id)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", dir);
	if (unlink(path) != 0 && errno != ENOENT)
		return diag_errno(d, "cannot remove %s", path);
	return CLUSTER_OK;
}

enum session_due session_due(const struct session *s, int64_t now, int64_t notice, int64_t *ret_next)
{
	int64_t announced = s->exp > notice ? s->exp - notice : 0;

	if (!s->end_at_expiry) {
		*ret_next = INT64_MAX;
		return SESSION_DUE_NOTHING;
	}
	if (now < announced) {
		*ret_next = announced;
		return SESSION_DUE_NOTHING;
	}
	*ret_next = now < s->exp ? s->exp : INT64_MAX;
	return now < s->exp ? SESSION_DUE_NOTICE : SESSION_DUE_END;
}
