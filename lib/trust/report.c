/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_field.h"

#include "cluster/hop.h"
#include "cluster/num.h"
#include "cluster/revoke.h"

#define SERIAL_TEXT 21

static const char *const kind_names[] = { NULL, "credential", "certificate", "onetime", "hop" };

const char *report_kind_name(enum session_kind k)
{
	return (size_t)k < FIELD_COUNT(kind_names) ? kind_names[k] : NULL;
}

static bool kind_parse(const char *word, enum session_kind *ret)
{
	for (size_t k = 1; k < FIELD_COUNT(kind_names); k++) {
		if (strcmp(kind_names[k], word) == 0) {
			*ret = (enum session_kind)k;
			return true;
		}
	}
	return false;
}

/* Printable ASCII without spaces, as ttys and addresses are; may be empty. */
static bool word_ok(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~')
			return false;
	}
	return true;
}

static bool role_ok(const char *s)
{
	return s[0] == '\0' || name_role_ok(s);
}

static bool key_id_ok(const char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return true;
}

static bool cert_ok(const struct sshcert_facts *c)
{
	if (!c->ca[0])
		return true;
	return key_id_ok(c->key_id) && revoke_value_check(REVOKE_CERT_KEY, c->key, NULL) == CLUSTER_OK && revoke_value_check(REVOKE_CERT_CA, c->ca, NULL) == CLUSTER_OK;
}

static bool hop_ok(const struct report_session *s)
{
	static const struct cluster_id none;
	const bool person = s->hops > 0;

	if (s->kind != SESSION_HOP)
		return s->hops == 0 && id_equal(&s->source, &none) && id_equal(&s->parent, &none);
	return s->hops <= HOP_COUNT_MAX && !id_equal(&s->source, &none) && id_equal(&s->person, &none) != person && id_equal(&s->parent, &none) != person;
}

static bool time_ok(int64_t t)
{
	return t >= MOMENT_MIN && t <= MOMENT_MAX;
}

static bool session_ok(const struct report_session *s)
{
	return report_kind_name(s->kind) && name_account_ok(s->account) && name_service_ok(s->service) && word_ok(s->tty) && word_ok(s->rhost) && name_kid_ok(s->issuer) && role_ok(s->role) &&
	    time_ok(s->auth_time) && time_ok(s->iat) && time_ok(s->exp) && time_ok(s->opened) && cert_ok(&s->cert) && hop_ok(s);
}

static enum cluster_err read_cert(const struct json *j, struct sshcert_facts *ret, struct diag *d)
{
	char serial[SERIAL_TEXT];
	const struct json_field fields[] = {
		FIELD_STRING("ca", ret->ca, NULL),
		FIELD_STRING("id", ret->key_id, NULL),
		FIELD_STRING("key", ret->key, NULL),
		FIELD_STRING("serial", serial, NULL),
	};
	enum cluster_err e = json_read(j, fields, FIELD_COUNT(fields), d);

	if (e != CLUSTER_OK)
		return e;
	if (!ret->ca[0] || num_u64(serial, 0, UINT64_MAX, &ret->serial) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "cert: not what identifies a certificate");
	return CLUSTER_OK;
}

/* How many sessions stand before the last one. */
static size_t way_length(uint8_t hops)
{
	return hops > 0 ? hops - 1U : 0;
}

static enum cluster_err read_hop(const struct json *j, struct report_session *s, struct diag *d)
{
	char parent[ID_TEXT + 1], source[ID_TEXT + 1];
	const struct json *way = NULL;
	int64_t n = 0;
	const struct json_field fields[] = {
		FIELD_INT("n", n, 0, HOP_COUNT_MAX), FIELD_STRING("parent", parent, NULL), FIELD_STRING("source", source, NULL), FIELD_ARRAY("way", way, 0, HOP_WAY_MAX),
	};
	enum cluster_err e = json_read(j, fields, FIELD_COUNT(fields), d);
	size_t n_way = 0;

	if (e != CLUSTER_OK || (e = hop_way_read(way, s->way, &n_way, d)) != CLUSTER_OK)
		return e;
	if (n_way != way_length((uint8_t)n))
		return diag_set(d, CLUSTER_EFORMAT, "hop: way does not have n - 1 places");
	if (id_parse(parent, &s->parent) != CLUSTER_OK || id_parse(source, &s->source) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "hop: an id is none");
	s->hops = (uint8_t)n;
	return CLUSTER_OK;
}

static enum cluster_err read_session(const struct json *j, struct report_session *s, struct diag *d)
{
	char id[ID_TEXT + 1], person[ID_TEXT + 1], device[ID_TEXT + 1], jti[ID_TEXT + 1], kind[16];
	const struct json *cert = NULL, *hop = NULL;
	const struct json_field fields[] = {
		FIELD_STRING("account", s->account, NULL), FIELD_TIME("auth_time", s->auth_time), FIELD_STRING("device", device, NULL), FIELD_TIME("exp", s->exp), FIELD_TIME("iat", s->iat),
		FIELD_STRING("id", id, NULL), FIELD_STRING("issuer", s->issuer, NULL), FIELD_STRING("jti", jti, NULL), FIELD_STRING("kind", kind, NULL), FIELD_TIME("opened", s->opened),
		FIELD_STRING("person", person, NULL), FIELD_STRING("rhost", s->rhost, NULL), FIELD_STRING("role", s->role, NULL), FIELD_STRING("service", s->service, NULL),
		FIELD_STRING("tty", s->tty, NULL), FIELD_BOOL_OPTIONAL("closed", s->closed), FIELD_BOOL_OPTIONAL("end_at_expiry", s->end_at_expiry),
		{ .name = "cert", .kind = JSON_KIND_OBJECT, .optional = true, .dst = &cert }, { .name = "hop", .kind = JSON_KIND_OBJECT, .optional = true, .dst = &hop },
	};
	enum cluster_err e = json_read(j, fields, FIELD_COUNT(fields), d);

	if (e != CLUSTER_OK || (cert && (e = read_cert(cert, &s->cert, d)) != CLUSTER_OK) || (hop && (e = read_hop(hop, s, d)) != CLUSTER_OK))
		return e;
	if (id_parse(id, &s->id) != CLUSTER_OK || id_parse(person, &s->person) != CLUSTER_OK || id_parse(device, &s->device) != CLUSTER_OK || id_parse(jti, &s->jti) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "an id is none");
	if (!kind_parse(kind, &s->kind) || !session_ok(s) || (hop && s->kind != SESSION_HOP))
		return diag_set(d, CLUSTER_EFORMAT, "a value is out of its grammar");
	return CLUSTER_OK;
}

static enum cluster_err read_closed(const struct json *list, struct report *r, struct diag *d)
{
	size_t n = json_count(list);

	if (n && !(r->closed = calloc(n, sizeof *r->closed)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (id_parse(json_string_at(list, i), &r->closed[i]) != CLUSTER_OK)
			return diag_set(d, CLUSTER_EFORMAT, "closed %zu is not the id of a session", i);
	}
	r->n_closed = n;
	return CLUSTER_OK;
}

static enum cluster_err read_opened(const struct json *list, struct report *r, struct diag *d)
{
	size_t n = json_count(list);
	enum cluster_err e;

	if (n && !(r->opened = calloc(n, sizeof *r->opened)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if ((e = read_session(json_at(list, i), &r->opened[i], d)) != CLUSTER_OK) {
			(void)diag_prefix(d, "session %zu", i);
			return e;
		}
	}
	r->n_opened = n;
	return CLUSTER_OK;
}

enum cluster_err report_parse(const char *text, size_t n, struct report **ret, struct diag *d)
{
	const struct json *opened = NULL, *closed = NULL;
	struct report *r = calloc(1, sizeof *r);
	struct json *tree = NULL;
	enum cluster_err e;

	if (!r)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	const struct json_field fields[] = {
		FIELD_ARRAY("closed", closed, 0, REPORT_SESSIONS_MAX),
		{ .name = "full", .kind = JSON_KIND_BOOL, .dst = &r->full },
		FIELD_ARRAY("opened", opened, 0, REPORT_SESSIONS_MAX),
	};
	if ((e = json_parse(text, n, REPORT_TEXT_MAX, &tree, d)) != CLUSTER_OK || (e = json_read(tree, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK ||
	    (e = read_opened(opened, r, d)) != CLUSTER_OK || (e = read_closed(closed, r, d)) != CLUSTER_OK)
		goto out;
	*ret = r;
	r = NULL;
	e = CLUSTER_OK;
out:
	json_free(tree);
	report_free(r);
	return e;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	free(r->opened);
	free(r->closed);
	free(r);
}

void report_session_of(const struct session *s, struct report_session *ret)
{
	_Static_assert(sizeof s->tty == sizeof ret->tty && sizeof s->rhost == sizeof ret->rhost, "the fields of a session record");
	*ret = (struct report_session){
		.id = s->id, .person = s->person, .device = s->device, .jti = s->jti, .auth_time = s->auth_time, .iat = s->iat, .exp = s->exp, .opened = s->opened,
		.kind = s->kind, .closed = s->closed != 0, .end_at_expiry = s->end_at_expiry, .cert = s->cert, .source = s->source, .parent = s->parent, .hops = s->hops,
	};
	memcpy(ret->way, s->way, sizeof ret->way);
	memcpy(ret->account, s->account, sizeof ret->account);
	memcpy(ret->service, s->service, sizeof ret->service);
	memcpy(ret->tty, s->tty, sizeof ret->tty);
	memcpy(ret->rhost, s->rhost, sizeof ret->rhost);
	memcpy(ret->issuer, s->issuer, sizeof ret->issuer);
	memcpy(ret->role, s->role, sizeof ret->role);
}

static enum cluster_err set_cert(struct json *j, const struct sshcert_facts *c)
{
	char serial[SERIAL_TEXT];

	snprintf(serial, sizeof serial, "%" PRIu64, c->serial);
	return json_set(j, "cert", json_make("{s:s, s:s, s:s, s:s}", "ca", c->ca, "id", c->key_id, "key", c->key, "serial", serial));
}

static enum cluster_err set_hop(struct json *j, const struct report_session *s)
{
	char parent[ID_TEXT + 1], source[ID_TEXT + 1];

	id_text(&s->parent, parent);
	id_text(&s->source, source);
	return json_set(j, "hop", json_make("{s:I, s:s, s:s, s:o}", "n", (long long)s->hops, "parent", parent, "source", source, "way", hop_way_json(s->way, way_length(s->hops))));
}

struct json *report_session_json(const struct report_session *s)
{
	char id[ID_TEXT + 1], person[ID_TEXT + 1], device[ID_TEXT + 1], jti[ID_TEXT + 1];
	struct json *j;

	id_text(&s->id, id);
	id_text(&s->person, person);
	id_text(&s->device, device);
	id_text(&s->jti, jti);
	j = json_make("{s:s, s:I, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s}", "account", s->account, "auth_time", (long long)s->auth_time, "device", device,
		"exp", (long long)s->exp, "iat", (long long)s->iat, "id", id, "issuer", s->issuer, "jti", jti, "kind", report_kind_name(s->kind), "opened", (long long)s->opened,
		"person", person, "rhost", s->rhost, "role", s->role, "service", s->service, "tty", s->tty);
	if ((s->closed && json_set(j, "closed", json_make("b", true)) != CLUSTER_OK) || (s->end_at_expiry && json_set(j, "end_at_expiry", json_make("b", true)) != CLUSTER_OK) ||
	    (s->cert.ca[0] && set_cert(j, &s->cert) != CLUSTER_OK) || (s->kind == SESSION_HOP && set_hop(j, s) != CLUSTER_OK)) {
		json_free(j);
		return NULL;
	}
	return j;
}

/* `opened` and `closed` of a report, both of them complete or NULL. */
static enum cluster_err lists(const struct report *r, struct json **ret_opened, struct json **ret_closed)
{
	struct json *opened = json_list(), *closed = json_list();
	enum cluster_err e = opened && closed ? CLUSTER_OK : CLUSTER_ENOMEM;
	char id[ID_TEXT + 1];

	for (size_t i = 0; i < r->n_opened && e == CLUSTER_OK; i++)
		e = session_ok(&r->opened[i]) ? json_append(opened, report_session_json(&r->opened[i])) : CLUSTER_EFORMAT;
	for (size_t i = 0; i < r->n_closed && e == CLUSTER_OK; i++) {
		id_text(&r->closed[i], id);
		e = json_append(closed, json_make("s", id));
	}
	if (e != CLUSTER_OK) {
		json_free(opened);
		json_free(closed);
		return e;
	}
	*ret_opened = opened;
	*ret_closed = closed;
	return CLUSTER_OK;
}

enum cluster_err report_build(const struct report *r, char **ret)
{
	struct json *opened = NULL, *closed = NULL, *j;
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if (r->n_opened > REPORT_SESSIONS_MAX || r->n_closed > REPORT_SESSIONS_MAX)
		return CLUSTER_ELIMIT;
	if ((e = lists(r, &opened, &closed)) != CLUSTER_OK)
		return e;
	j = json_make("{s:o, s:b, s:o}", "closed", closed, "full", r->full, "opened", opened);
	e = json_text(j, &text, &n);
	json_free(j);
	if (e != CLUSTER_OK)
		return e;
	if (n > REPORT_TEXT_MAX) {
		free(text);
		return CLUSTER_ELIMIT;
	}
	*ret = text;
	return CLUSTER_OK;
}

enum cluster_err report_next(const struct report *r, struct report_at *at, char **ret)
{
	size_t opened = r->n_opened - at->opened, closed = r->n_closed - at->closed;
	struct report part = { .full = r->full && !at->begun };
	enum cluster_err e;

	if (opened == 0 && closed == 0 && !part.full) {
		*ret = NULL;
		return CLUSTER_OK;
	}
	part.opened = opened ? r->opened + at->opened : NULL;
	part.closed = closed ? r->closed + at->closed : NULL;
	part.n_opened = opened < REPORT_SESSIONS_MAX ? opened : REPORT_SESSIONS_MAX;
	part.n_closed = closed < REPORT_SESSIONS_MAX ? closed : REPORT_SESSIONS_MAX;
	while ((e = report_build(&part, ret)) == CLUSTER_ELIMIT && part.n_opened > 1)
		part.n_opened /= 2;
	if (e != CLUSTER_OK)
		return e;
	at->begun = true;
	at->opened += part.n_opened;
	at->closed += part.n_closed;
	return CLUSTER_OK;
}
