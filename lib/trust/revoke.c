/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/revoke.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "document_lines.h"
#include "json_field.h"

#include "cluster/b64.h"
#include "cluster/document.h"
#include "cluster/json.h"
#include "cluster/jws.h"
#include "cluster/name.h"
#include "cluster/num.h"

#define KIND_MAX 15
#define REASON_MAX 200
#define FINGERPRINT "SHA256:"
#define FINGERPRINT_TEXT 43

static const char *const kind_names[REVOKE_KIND_MAX + 1] = {
	[REVOKE_CREDENTIAL] = "credential",
	[REVOKE_DEVICE] = "device",
	[REVOKE_PERSON] = "person",
	[REVOKE_ACCOUNT] = "account",
	[REVOKE_NODE] = "node",
	[REVOKE_ROLE] = "role",
	[REVOKE_ISSUER] = "issuer",
	[REVOKE_CERT_SERIAL] = "cert_serial",
	[REVOKE_CERT_ID] = "cert_id",
	[REVOKE_CERT_KEY] = "cert_key",
	[REVOKE_CERT_CA] = "cert_ca",
	[REVOKE_BEFORE] = "before",
	[REVOKE_LOCKDOWN] = "lockdown",
	[REVOKE_SESSION] = "session",
};

const char *revoke_kind_name(enum revoke_kind k)
{
	return k >= REVOKE_CREDENTIAL && k <= REVOKE_KIND_MAX ? kind_names[k] : "?";
}

enum cluster_err revoke_kind_parse(const char *word, enum revoke_kind *ret)
{
	for (unsigned k = REVOKE_CREDENTIAL; word && k <= REVOKE_KIND_MAX; k++)
		if (strcmp(kind_names[k], word) == 0) {
			*ret = (enum revoke_kind)k;
			return CLUSTER_OK;
		}
	return CLUSTER_EFORMAT;
}

static bool id_ok(const char *s)
{
	struct cluster_id id;

	return id_parse(s, &id) == CLUSTER_OK;
}

static bool serial_ok(const char *s)
{
	uint64_t serial;

	return num_u64(s, 0, UINT64_MAX, &serial) == CLUSTER_OK;
}

/* Text for people: no control byte. It came through JSON and is UTF-8, or is what an administrator typed. */
static bool text_ok(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* "SHA256:..." as ssh-keygen -l prints it: the ordinary alphabet of base64 without padding. */
static bool fingerprint_ok(const char *s)
{
	char url[FINGERPRINT_TEXT + 1];
	uint8_t hash[CRYPTO_SHA256_SIZE];

	if (strncmp(s, FINGERPRINT, strlen(FINGERPRINT)) != 0 || strlen(s) != strlen(FINGERPRINT) + FINGERPRINT_TEXT || strpbrk(s, "-_"))
		return false;
	s += strlen(FINGERPRINT);
	for (size_t i = 0; i <= FINGERPRINT_TEXT; i++)
		url[i] = s[i] == '+' ? '-' : s[i] == '/' ? '_' : s[i];
	return b64_decode_exact(url, FINGERPRINT_TEXT, hash, sizeof hash) == CLUSTER_OK;
}

/* Person ids with one space between two; may be empty. */
static bool lockdown_ok(const char *s)
{
	while (*s) {
		char id[ID_TEXT + 1] = "";

		if (strnlen(s, ID_TEXT) < ID_TEXT)
			return false;
		memcpy(id, s, ID_TEXT);
		s += ID_TEXT;
		if (!id_ok(id) || (*s && (*s != ' ' || !s[1])))
			return false;
		s += *s == ' ';
	}
	return true;
}

static bool value_ok(enum revoke_kind kind, const char *s)
{
	switch (kind) {
	case REVOKE_CREDENTIAL:
	case REVOKE_DEVICE:
	case REVOKE_PERSON:
	case REVOKE_NODE:
	case REVOKE_SESSION:
		return id_ok(s);
	case REVOKE_ACCOUNT:
		return name_account_ok(s);
	case REVOKE_ROLE:
		return name_role_ok(s);
	case REVOKE_ISSUER:
		return name_kid_ok(s);
	case REVOKE_CERT_SERIAL:
		return serial_ok(s);
	case REVOKE_CERT_ID:
		return s[0] != '\0' && text_ok(s);
	case REVOKE_CERT_KEY:
	case REVOKE_CERT_CA:
		return fingerprint_ok(s);
	case REVOKE_BEFORE:
		return s[0] == '\0';
	case REVOKE_LOCKDOWN:
		return lockdown_ok(s);
	}
	return false;
}

static size_t longest(enum revoke_kind kind)
{
	return kind == REVOKE_LOCKDOWN ? REVOKE_LOCKDOWN_MAX : REVOKE_VALUE_MAX;
}

enum cluster_err revoke_value_check(enum revoke_kind kind, const char *value, struct diag *d)
{
	static const char *const expected[REVOKE_KIND_MAX + 1] = {
		[REVOKE_CREDENTIAL] = "the id (jti) of a credential, 22 characters",
		[REVOKE_DEVICE] = "the id of a device, 22 characters",
		[REVOKE_PERSON] = "the id of a person, 22 characters",
		[REVOKE_ACCOUNT] = "the name of an account",
		[REVOKE_NODE] = "the id of a node, 22 characters",
		[REVOKE_ROLE] = "the name of a role",
		[REVOKE_ISSUER] = "the kid of an issuer key",
		[REVOKE_CERT_SERIAL] = "the serial number of a certificate",
		[REVOKE_CERT_ID] = "the key id of a certificate",
		[REVOKE_CERT_KEY] = "the fingerprint of a key, SHA256:...",
		[REVOKE_CERT_CA] = "the fingerprint of a CA key, SHA256:...",
		[REVOKE_BEFORE] = "empty, with a time",
		[REVOKE_LOCKDOWN] = "ids of the people who may still log on, one space between two, or empty",
		[REVOKE_SESSION] = "the id of a session, 22 characters",
	};

	if (kind < REVOKE_CREDENTIAL || kind > REVOKE_KIND_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "unknown kind of revocation");
	if (!value || strnlen(value, REVOKE_LOCKDOWN_MAX + 1) > longest(kind) || !value_ok(kind, value))
		return diag_set(d, CLUSTER_EFORMAT, "the value of a %s revocation is %s", kind_names[kind], expected[kind]);
	return CLUSTER_OK;
}

static enum cluster_err read_entry(const struct json *j, struct revoke_entry *ret, struct diag *d)
{
	const char *reason = NULL, *value = NULL;
	char kind[KIND_MAX + 1];
	const struct json_field fields[] = {
		{ .name = "before", .kind = JSON_KIND_INT, .dst = &ret->before, .min = MOMENT_MIN, .max = MOMENT_MAX, .optional = true },
		FIELD_TIME("iat", ret->iat),
		FIELD_STRING("kind", kind, NULL),
		{ .name = "reason", .kind = JSON_KIND_TEXT, .dst = &reason, .max = REASON_MAX, .ok = text_ok, .optional = true },
		FIELD_VERSION("seq", ret->seq),
		FIELD_TIME("until", ret->until),
		FIELD_TEXT("value", value, REVOKE_LOCKDOWN_MAX, NULL),
	};
	enum cluster_err e;

	if ((e = json_read(j, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK)
		return e;
	if (revoke_kind_parse(kind, &ret->kind) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "unknown kind \"%s\"", kind);
	if ((e = revoke_value_check(ret->kind, value, d)) != CLUSTER_OK)
		return e;
	if (ret->kind == REVOKE_BEFORE && ret->before == 0)
		return diag_set(d, CLUSTER_EFORMAT, "kind \"before\" without a time");
	if (!(ret->value = strdup(value)) || (reason && !(ret->reason = strdup(reason))))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	return CLUSTER_OK;
}

static enum cluster_err read_entries(const struct json *entries, struct revoke_list *l, struct diag *d)
{
	size_t n = json_count(entries);
	enum cluster_err e;

	if (n == 0)
		return CLUSTER_OK;
	if (!(l->entry = calloc(n, sizeof *l->entry)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		l->n = i + 1;
		e = read_entry(json_at(entries, i), &l->entry[i], d);
		if (e == CLUSTER_OK && i > 0 && l->entry[i].seq <= l->entry[i - 1].seq)
			e = diag_set(d, CLUSTER_EFORMAT, "seq does not rise");
		if (e != CLUSTER_OK) {
			(void)diag_prefix(d, "entry %zu", i);
			return e;
		}
	}
	return CLUSTER_OK;
}

static enum cluster_err read_list(const struct json *tree, const struct cluster_id *cluster, struct revoke_list *l, struct diag *d)
{
	const struct json *entries = NULL;
	char id[ID_TEXT + 1];
	const struct json_field fields[] = {
		FIELD_STRING("cluster", id, NULL),
		FIELD_ARRAY("entries", entries, 0, 0),
		FIELD_TIME("iat", l->iat),
		FIELD_VERSION("version", l->version),
	};
	enum cluster_err e = json_read(tree, fields, FIELD_COUNT(fields), d);

	if (e != CLUSTER_OK)
		return e;
	if (!document_cluster_is(id, cluster))
		return diag_set(d, CLUSTER_EFORMAT, "it is another cluster's");
	return read_entries(entries, l, d);
}

enum cluster_err revoke_parse(const char *text, size_t n, const struct keyring_at *at, struct revoke_list **ret, struct diag *d)
{
	struct revoke_list *l = NULL;
	struct json *tree = NULL;
	uint8_t *payload = NULL;
	size_t payload_n = 0;
	enum cluster_err e;

	if ((e = document_payload(text, n, JWS_REVOCATIONS, at, &payload, &payload_n, d)) != CLUSTER_OK)
		goto out;
	if (!(l = calloc(1, sizeof *l))) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	if ((e = json_parse((const char *)payload, payload_n, jws_typ_cap(JWS_REVOCATIONS), &tree, d)) != CLUSTER_OK || (e = read_list(tree, at->cluster, l, d)) != CLUSTER_OK)
		goto out;
	*ret = l;
	l = NULL;
	e = CLUSTER_OK;
out:
	json_free(tree);
	revoke_free(l);
	free(payload);
	if (e != CLUSTER_OK)
		(void)diag_prefix(d, "revocations");
	return e;
}

void revoke_free(struct revoke_list *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++) {
		free(l->entry[i].value);
		free(l->entry[i].reason);
	}
	free(l->entry);
	free(l);
}

static struct json *entry_json(const struct revoke_entry *en)
{
	struct json *j = json_make("{s:I, s:s, s:s*, s:I, s:I, s:s}", "iat", (long long)en->iat, "kind", revoke_kind_name(en->kind), "reason", en->reason,
		"seq", (long long)en->seq, "until", (long long)en->until, "value", en->value ? en->value : "");

	if (en->before != 0 && json_set(j, "before", json_make("I", (long long)en->before)) != CLUSTER_OK) {
		json_free(j);
		return NULL;
	}
	return j;
}

enum cluster_err revoke_build(const struct revoke_list *l, const struct cluster_id *cluster, char **ret)
{
	struct json *entries = json_list(), *tree;
	char id[ID_TEXT + 1];
	enum cluster_err e;

	for (size_t i = 0; i < l->n; i++)
		if (json_append(entries, entry_json(&l->entry[i])) != CLUSTER_OK) {
			json_free(entries);
			return CLUSTER_ENOMEM;
		}
	id_text(cluster, id);
	tree = json_make("{s:s, s:o, s:I, s:I}", "cluster", id, "entries", entries, "iat", (long long)l->iat, "version", (long long)l->version);
	e = json_text(tree, ret, NULL);
	json_free(tree);
	return e;
}

enum cluster_err revoke_key(enum revoke_kind kind, const char *value, uint8_t ret[REVOKE_KEY_MAX], size_t *ret_n)
{
	struct cluster_id id;
	size_t n;

	if (kind == REVOKE_LOCKDOWN || revoke_value_check(kind, value, NULL) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	ret[0] = (uint8_t)kind;
	if (kind == REVOKE_CREDENTIAL || kind == REVOKE_DEVICE || kind == REVOKE_PERSON || kind == REVOKE_NODE || kind == REVOKE_SESSION) {
		if (id_parse(value, &id) != CLUSTER_OK)
			return CLUSTER_EFORMAT;
		memcpy(ret + 1, id.b, ID_SIZE);
		n = ID_SIZE;
	} else {
		n = strlen(value);
		memcpy(ret + 1, value, n);
	}
	*ret_n = 1 + n;
	return CLUSTER_OK;
}
