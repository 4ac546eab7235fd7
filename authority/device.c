/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/json.h"
#include "cluster/jwk.h"
#include "cluster/moment.h"

enum cluster_err device_parse(const char *text, size_t n, struct device *ret)
{
	const struct json *key = NULL;
	const char *id = NULL, *person = NULL;
	struct device v = { .added = 0 };
	struct json_field f[] = {
		{ .name = "added", .kind = JSON_KIND_INT, .dst = &v.added, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "id", .kind = JSON_KIND_TEXT, .dst = &id, .max = ID_TEXT },
		{ .name = "key", .kind = JSON_KIND_OBJECT, .dst = &key },
		{ .name = "label", .kind = JSON_KIND_STRING, .dst = v.label, .size = sizeof v.label },
		{ .name = "person", .kind = JSON_KIND_TEXT, .dst = &person, .max = ID_TEXT },
	};
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = json_parse(text, n, 4096, &j, NULL)) == CLUSTER_OK && (e = json_read(j, f, sizeof f / sizeof *f, NULL)) == CLUSTER_OK && (e = id_parse(id, &v.id)) == CLUSTER_OK &&
	    (e = id_parse(person, &v.person)) == CLUSTER_OK && (e = jwk_parse(key, JWK_BARE, &v.key, NULL)) == CLUSTER_OK)
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

enum cluster_err device_add(struct store *s, const struct device *d)
{
	char id[ID_TEXT + 1], person[ID_TEXT + 1];
	struct json *j = NULL;
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	id_text(&d->id, id);
	id_text(&d->person, person);
	j = json_make("{s:I, s:s, s:o, s:s, s:s}", "added", (long long)d->added, "id", id, "key", jwk_build(&d->key, JWK_BARE), "label", d->label, "person", person);
	if ((e = json_text(j, &text, &n)) == CLUSTER_OK)
		e = store_add(s, STORE_DEVICE, id, text, n);
	free(text);
	json_free(j);
	return e;
}

enum cluster_err device_claim(const struct crypto_pub *key, char dst[DEVICE_CLAIM_MAX])
{
	char jkt[JWK_THUMBPRINT + 1];
	enum cluster_err e = jwk_thumbprint(key, jkt);

	if (e == CLUSTER_OK)
		snprintf(dst, DEVICE_CLAIM_MAX, "device:%s", jkt);
	return e;
}
