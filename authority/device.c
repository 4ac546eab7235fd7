/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/json.h"
#include "cluster/jwk.h"
#include "cluster/moment.h"

#define RECORD_MAX 8192

enum cluster_err device_sshkey(const struct device *d, uint8_t blob[SSHKEY_BLOB_MAX], struct sshkey *ret)
{
	return sshkey_line_parse(d->sshkey, SSHKEY_DEVICE, blob, ret, NULL);
}

/* One of the two. */
static enum cluster_err key_read(const struct json *jwk, struct device *v)
{
	uint8_t blob[SSHKEY_BLOB_MAX];
	struct sshkey key;
	enum cluster_err e;

	if ((jwk == NULL) != (v->sshkey[0] != '\0'))
		return CLUSTER_EFORMAT;
	if (jwk)
		return jwk_parse(jwk, JWK_BARE, &v->key, NULL);
	if ((e = device_sshkey(v, blob, &key)) == CLUSTER_OK && sshkey_pub(&key))
		v->key = *sshkey_pub(&key);
	return e;
}

enum cluster_err device_parse(const char *text, size_t n, struct device *ret)
{
	const struct json *key = NULL;
	const char *id = NULL, *person = NULL;
	struct device v = { .added = 0 };
	struct json_field f[] = {
		{ .name = "added", .kind = JSON_KIND_INT, .dst = &v.added, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "id", .kind = JSON_KIND_TEXT, .dst = &id, .max = ID_TEXT },
		{ .name = "key", .kind = JSON_KIND_OBJECT, .optional = true, .dst = &key },
		{ .name = "label", .kind = JSON_KIND_STRING, .dst = v.label, .size = sizeof v.label },
		{ .name = "person", .kind = JSON_KIND_TEXT, .dst = &person, .max = ID_TEXT },
		{ .name = "sshkey", .kind = JSON_KIND_STRING, .optional = true, .dst = v.sshkey, .size = sizeof v.sshkey },
	};
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = json_parse(text, n, RECORD_MAX, &j, NULL)) == CLUSTER_OK && (e = json_read(j, f, sizeof f / sizeof *f, NULL)) == CLUSTER_OK && (e = id_parse(id, &v.id)) == CLUSTER_OK &&
	    (e = id_parse(person, &v.person)) == CLUSTER_OK && (e = key_read(key, &v)) == CLUSTER_OK)
		*ret = v;
	json_free(j);
	return e;
}

enum cluster_err device_get(struct store *s, const char *id, struct device *ret)
{
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if ((e = store_get(s, STORE_DEVICE, id, &text, &n)) == CLUSTER_OK)
		e = device_parse(text, n, ret);
	free(text);
	return e;
}

static enum cluster_err record(const struct device *d, char id[ID_TEXT + 1], char **ret, size_t *ret_n)
{
	char person[ID_TEXT + 1];
	enum cluster_err e;
	struct json *j;

	id_text(&d->id, id);
	id_text(&d->person, person);
	j = json_make("{s:I, s:s, s:s, s:s}", "added", (long long)d->added, "id", id, "label", d->label, "person", person);
	if (d->sshkey[0])
		e = json_set(j, "sshkey", json_make("s", d->sshkey));
	else
		e = json_set(j, "key", jwk_build(&d->key, JWK_BARE));
	if (e == CLUSTER_OK)
		e = json_text(j, ret, ret_n);
	json_free(j);
	return e;
}

enum cluster_err device_add(struct store *s, const struct device *d)
{
	char id[ID_TEXT + 1], *text = NULL;
	enum cluster_err e;
	size_t n = 0;

	if ((e = record(d, id, &text, &n)) == CLUSTER_OK)
		e = store_add(s, STORE_DEVICE, id, text, n);
	free(text);
	return e;
}

enum cluster_err device_put(struct store *s, const struct device *d)
{
	char id[ID_TEXT + 1], *text = NULL;
	enum cluster_err e;
	size_t n = 0;

	if ((e = record(d, id, &text, &n)) == CLUSTER_OK)
		e = store_put(s, STORE_DEVICE, id, text, n);
	free(text);
	return e;
}

enum cluster_err device_thumbprint(const struct device *d, char ret[JWK_THUMBPRINT + 1])
{
	uint8_t blob[SSHKEY_BLOB_MAX];
	struct sshkey key;
	enum cluster_err e;

	if (!d->sshkey[0])
		return jwk_thumbprint(&d->key, ret);
	return (e = device_sshkey(d, blob, &key)) == CLUSTER_OK ? sshkey_thumbprint(&key, ret) : e;
}

enum cluster_err device_claim(const struct device *d, char dst[DEVICE_CLAIM_MAX])
{
	char jkt[JWK_THUMBPRINT + 1];
	enum cluster_err e = device_thumbprint(d, jkt);

	if (e == CLUSTER_OK)
		snprintf(dst, DEVICE_CLAIM_MAX, "device:%s", jkt);
	return e;
}
