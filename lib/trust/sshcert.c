/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/sshcert.h"

#include <string.h>

#include "cluster/rd.h"
#include "cluster/sshsig.h"
#include "cluster/sshwire.h"
#include "cluster/wr.h"

#define NONCE_MAX 256
#define RSA_BYTES_MIN 128 /* 1024 bits: what OpenSSH still reads; nothing here trusts such a key */

enum fields { FIELDS_ED25519, FIELDS_ECDSA, FIELDS_RSA, FIELDS_SK_ED25519, FIELDS_SK_ECDSA };

/* Key types of OpenSSH 9.2, all but ssh-dss. */
static const struct kind {
	const char *plain, *cert;
	enum fields fields;
	const char *curve;
	size_t point;
} kinds[] = {
	{ "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", FIELDS_ED25519, NULL, 32 },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com", FIELDS_ECDSA, "nistp256", 65 },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com", FIELDS_ECDSA, "nistp384", 97 },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com", FIELDS_ECDSA, "nistp521", 133 },
	{ "ssh-rsa", "ssh-rsa-cert-v01@openssh.com", FIELDS_RSA, NULL, 0 },
	{ "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com", FIELDS_SK_ED25519, NULL, 32 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", FIELDS_SK_ECDSA, "nistp256", 65 },
};

static const struct kind *kind_of(const struct rd *type, bool cert)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (sshwire_is(type, cert ? kinds[i].cert : kinds[i].plain))
			return &kinds[i];
	return NULL;
}

static struct sshcert_bytes bytes_of(const struct rd *r)
{
	return (struct sshcert_bytes){ .p = r->p, .n = r->n };
}

/* A string without NUL. */
static enum cluster_err take_text(struct rd *r, struct sshcert_bytes *ret)
{
	enum cluster_err e;
	struct rd s;

	if ((e = sshwire_string(r, &s)) != CLUSTER_OK)
		return e;
	if (s.n && memchr(s.p, '\0', s.n))
		return CLUSTER_EFORMAT;
	*ret = bytes_of(&s);
	return CLUSTER_OK;
}

static enum cluster_err take_point(struct rd *r, const struct kind *k)
{
	enum cluster_err e;
	struct rd s;

	if (k->curve) {
		if ((e = sshwire_string(r, &s)) != CLUSTER_OK)
			return e;
		if (!sshwire_is(&s, k->curve))
			return CLUSTER_EFORMAT;
	}
	if ((e = sshwire_string(r, &s)) != CLUSTER_OK)
		return e;
	return s.n == k->point && (!k->curve || s.p[0] == 4) ? CLUSTER_OK : CLUSTER_EFORMAT;
}

static enum cluster_err take_rsa(struct rd *r)
{
	struct rd exponent, modulus;
	enum cluster_err e;

	if ((e = sshwire_mpint(r, &exponent)) != CLUSTER_OK || (e = sshwire_mpint(r, &modulus)) != CLUSTER_OK)
		return e;
	return modulus.n > RSA_BYTES_MIN || (modulus.n == RSA_BYTES_MIN && (modulus.p[0] & 0x80)) ? CLUSTER_OK : CLUSTER_EFORMAT;
}

/* The fields of a public key of that kind: their shape, and for our own two algorithms the key. */
static enum cluster_err take_key(struct rd *r, const struct kind *k, struct sshcert *c)
{
	const uint8_t *from = r->p;
	struct sshcert_bytes application;
	struct rd again = *r;
	enum cluster_err e;

	if ((e = k->fields == FIELDS_RSA ? take_rsa(r) : take_point(r, k)) != CLUSTER_OK)
		return e;
	if ((k->fields == FIELDS_SK_ED25519 || k->fields == FIELDS_SK_ECDSA) && (e = take_text(r, &application)) != CLUSTER_OK)
		return e;
	c->key = (struct sshcert_bytes){ .p = from, .n = (size_t)(r->p - from) };
	c->has_pub = k == &kinds[0] || k == &kinds[1];
	return c->has_pub ? sshwire_key(&again, k == &kinds[0] ? CRYPTO_ED25519 : CRYPTO_ES256, &c->pub) : CLUSTER_OK;
}

static enum cluster_err check_ca(const struct sshcert *c)
{
	struct sshcert unused;
	const struct kind *k;
	enum cluster_err e;
	struct rd r, type;

	rd_init(&r, c->ca.p, c->ca.n);
	if ((e = sshwire_string(&r, &type)) != CLUSTER_OK)
		return e;
	if (!(k = kind_of(&type, false)))
		return CLUSTER_EFORMAT;
	if ((e = take_key(&r, k, &unused)) != CLUSTER_OK)
		return e;
	return rd_end(&r);
}

static enum cluster_err take_principals(struct rd r, struct sshcert *c)
{
	enum cluster_err e;

	while (rd_left(&r) > 0) {
		if (c->n_principals >= SSHCERT_PRINCIPALS_MAX)
			return CLUSTER_ELIMIT;
		if ((e = take_text(&r, &c->principals[c->n_principals++])) != CLUSTER_OK)
			return e;
	}
	return CLUSTER_OK;
}

/* Lexical order, as the format demands it. */
static bool before(const struct sshcert_bytes *a, const struct sshcert_bytes *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int c = n ? memcmp(a->p, b->p, n) : 0;

	return c < 0 || (c == 0 && a->n < b->n);
}

/* Is this an option whose form OpenSSH knows? *ret_valued says which form. */
static bool known_option(const struct rd *name, bool critical, bool *ret_valued)
{
	static const char *const flags[] = { "permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding", "permit-pty", "permit-user-rc", "no-touch-required" };

	*ret_valued = critical && (sshwire_is(name, "force-command") || sshwire_is(name, "source-address"));
	if (*ret_valued || (critical && sshwire_is(name, "verify-required")))
		return true;
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (!critical && sshwire_is(name, flags[i]))
			return true;
	return false;
}

/* The data of an option is empty, or a string of its own. */
static enum cluster_err option_data(const struct rd *name, struct rd data, bool critical, struct sshcert_bytes *ret)
{
	bool valued, flag = data.n == 0;
	struct rd inner;
	enum cluster_err e;

	if (known_option(name, critical, &valued) && valued == flag)
		return CLUSTER_EFORMAT;
	*ret = (struct sshcert_bytes){ .p = data.p };
	if (flag)
		return CLUSTER_OK;
	if ((e = sshwire_string(&data, &inner)) != CLUSTER_OK || (e = rd_end(&data)) != CLUSTER_OK)
		return e;
	if (valued && inner.n && memchr(inner.p, '\0', inner.n))
		return CLUSTER_EFORMAT;
	*ret = bytes_of(&inner);
	return CLUSTER_OK;
}

static enum cluster_err take_options(struct rd r, bool critical, struct sshcert_option list[SSHCERT_OPTIONS_MAX], size_t *ret_n)
{
	struct rd name, data;
	enum cluster_err e;
	size_t n = 0;

	while (rd_left(&r) > 0) {
		struct sshcert_option *o = &list[n];

		if (n >= SSHCERT_OPTIONS_MAX)
			return CLUSTER_ELIMIT;
		if ((e = sshwire_string(&r, &name)) != CLUSTER_OK || (e = sshwire_string(&r, &data)) != CLUSTER_OK || (e = option_data(&name, data, critical, &o->data)) != CLUSTER_OK)
			return e;
		o->name = bytes_of(&name);
		if ((name.n && memchr(name.p, '\0', name.n)) || (n > 0 && !before(&list[n - 1].name, &o->name)))
			return CLUSTER_EFORMAT;
		n++;
	}
	*ret_n = n;
	return CLUSTER_OK;
}

static enum cluster_err take_body(struct rd *r, struct sshcert *c)
{
	struct rd principals, critical, extensions, reserved, ca;
	enum cluster_err e;
	uint32_t type;

	if ((e = rd_u64(r, &c->serial)) != CLUSTER_OK || (e = rd_u32(r, &type)) != CLUSTER_OK || (e = take_text(r, &c->key_id)) != CLUSTER_OK ||
	    (e = sshwire_string(r, &principals)) != CLUSTER_OK || (e = rd_u64(r, &c->after)) != CLUSTER_OK || (e = rd_u64(r, &c->before)) != CLUSTER_OK ||
	    (e = sshwire_string(r, &critical)) != CLUSTER_OK || (e = sshwire_string(r, &extensions)) != CLUSTER_OK || (e = sshwire_string(r, &reserved)) != CLUSTER_OK ||
	    (e = sshwire_string(r, &ca)) != CLUSTER_OK)
		return e;
	if (type != SSHCERT_USER && type != SSHCERT_HOST)
		return CLUSTER_EFORMAT;
	c->type = (enum sshcert_type)type;
	c->ca = bytes_of(&ca);
	if ((e = take_principals(principals, c)) != CLUSTER_OK || (e = take_options(critical, true, c->critical, &c->n_critical)) != CLUSTER_OK)
		return e;
	return take_options(extensions, false, c->extensions, &c->n_extensions);
}

static enum cluster_err parse(const uint8_t *p, size_t n, struct sshcert *c)
{
	struct rd r, type, nonce, signature;
	const struct kind *k;
	enum cluster_err e;

	if (n > SSHCERT_BLOB_MAX)
		return CLUSTER_ELIMIT;
	rd_init(&r, p, n);
	if ((e = sshwire_string(&r, &type)) != CLUSTER_OK)
		return e;
	if (!(k = kind_of(&type, true)))
		return CLUSTER_EFORMAT;
	c->key_type = bytes_of(&type);
	if ((e = sshwire_string(&r, &nonce)) != CLUSTER_OK)
		return e;
	if (nonce.n > NONCE_MAX)
		return CLUSTER_ELIMIT;
	if ((e = take_key(&r, k, c)) != CLUSTER_OK || (e = take_body(&r, c)) != CLUSTER_OK || (e = check_ca(c)) != CLUSTER_OK)
		return e;
	c->signed_part = (struct sshcert_bytes){ .p = p, .n = n - rd_left(&r) };
	if ((e = sshwire_string(&r, &signature)) != CLUSTER_OK)
		return e;
	c->signature = bytes_of(&signature);
	return rd_end(&r);
}

enum cluster_err sshcert_parse(const void *data, size_t n, struct sshcert *ret, struct diag *d)
{
	struct sshcert c;
	enum cluster_err e;

	memset(&c, 0, sizeof c);
	if ((e = parse(data, n, &c)) != CLUSTER_OK) {
		if (e != CLUSTER_ELIMIT && e != CLUSTER_ETRUNC)
			e = CLUSTER_EFORMAT; /* of a key that is none, too */
		return diag_set(d, e, "not an OpenSSH certificate that can be used: %s", err_name(e));
	}
	*ret = c;
	return CLUSTER_OK;
}

enum cluster_err sshcert_parse_text(const char *text, size_t n, uint8_t room[SSHCERT_BLOB_MAX], struct sshcert *ret, struct diag *d)
{
	const char *type = NULL, *end;
	size_t type_n = 0, got = 0;
	struct sshcert c;
	enum cluster_err e;

	if (n > SSHCERT_TEXT_MAX)
		return diag_set(d, CLUSTER_ELIMIT, "an OpenSSH certificate of over %d characters", SSHCERT_TEXT_MAX);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0 && (memchr(text, '\n', n) || memchr(text, '\0', n)))
		return diag_set(d, CLUSTER_EFORMAT, "not an OpenSSH certificate: more than one line");
	if ((end = n ? memchr(text, ' ', n) : NULL)) {
		type = text;
		type_n = (size_t)(end - text);
		text = end + 1;
		n -= type_n + 1;
		end = n ? memchr(text, ' ', n) : NULL;
		n = end ? (size_t)(end - text) : n; /* what follows is a comment */
	}
	if ((e = sshwire_decode(text, n, room, SSHCERT_BLOB_MAX, &got)) != CLUSTER_OK)
		return diag_set(d, e, "not an OpenSSH certificate: its base64: %s", err_name(e));
	if ((e = sshcert_parse(room, got, &c, d)) != CLUSTER_OK)
		return e;
	if (type && (c.key_type.n != type_n || memcmp(c.key_type.p, type, type_n) != 0))
		return diag_set(d, CLUSTER_EFORMAT, "not an OpenSSH certificate: another type inside than in front");
	*ret = c;
	return CLUSTER_OK;
}

enum cluster_err sshcert_key_fingerprint(const struct sshcert *c, char ret[SSHCERT_FINGERPRINT + 1])
{
	const struct rd type = { .p = c->key_type.p, .n = c->key_type.n };
	const struct kind *k = kind_of(&type, true);
	enum cluster_err e;
	struct wr w;

	if (!k)
		return CLUSTER_EFORMAT;
	wr_grow(&w, SSHCERT_BLOB_MAX);
	sshwire_put_text(&w, k->plain);
	wr_bytes(&w, c->key.p, c->key.n);
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = sshsig_fingerprint(w.p, w.n, ret);
	wr_done(&w);
	return e;
}

enum cluster_err sshcert_ca_fingerprint(const struct sshcert *c, char ret[SSHCERT_FINGERPRINT + 1])
{
	return sshsig_fingerprint(c->ca.p, c->ca.n, ret);
}

enum cluster_err sshcert_facts(const struct sshcert *c, struct sshcert_facts *ret)
{
	struct sshcert_facts f = { .serial = c->serial };
	enum cluster_err e;

	if (c->key_id.n > SSHCERT_KEY_ID_MAX)
		return CLUSTER_EFORMAT;
	for (size_t i = 0; i < c->key_id.n; i++) {
		if (c->key_id.p[i] < 0x20 || c->key_id.p[i] > 0x7e)
			return CLUSTER_EFORMAT;
		f.key_id[i] = (char)c->key_id.p[i];
	}
	if ((e = sshcert_key_fingerprint(c, f.key)) != CLUSTER_OK || (e = sshcert_ca_fingerprint(c, f.ca)) != CLUSTER_OK)
		return e;
	*ret = f;
	return CLUSTER_OK;
}
