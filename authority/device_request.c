/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "authority.h"
#include "cluster/json.h"
#include "cluster/request.h"
#include "cluster/sshsig.h"
#include "device.h"

#define REQUEST_MAX 8192

/* Without an sshsig the request is a JWS. */
struct body {
	const char *request, *sshsig;
	struct rd text, signature;
};

static enum cluster_err body_read(const struct json *j, struct body *ret, struct diag *d)
{
	struct body b = { .request = NULL };
	struct json_field f[] = {
		{ .name = "request", .kind = JSON_KIND_TEXT, .dst = &b.request, .max = REQUEST_MAX },
		{ .name = "sshsig", .kind = JSON_KIND_TEXT, .optional = true, .dst = &b.sshsig, .max = SSHSIG_TEXT_MAX },
	};
	enum cluster_err e;

	if ((e = json_read(j, f, sizeof f / sizeof *f, d)) != CLUSTER_OK)
		return e;
	rd_init(&b.text, b.request, strlen(b.request));
	rd_init(&b.signature, b.sshsig, b.sshsig ? strlen(b.sshsig) : 0);
	*ret = b;
	return CLUSTER_OK;
}

enum cluster_err device_read_enroll(const struct json *body, struct request_enroll *ret, struct diag *d)
{
	struct body b;
	enum cluster_err e;

	if ((e = body_read(body, &b, d)) != CLUSTER_OK)
		return e;
	return b.sshsig ? request_enroll_ssh(&b.text, &b.signature, ret, d) : request_enroll_parse(b.request, b.text.n, ret, d);
}

/* By its id, if that is one of this cluster's. */
static enum cluster_err find(struct authority *a, const struct request_credential *r, struct device *ret, struct diag *d)
{
	char id[ID_TEXT + 1];
	enum cluster_err e;

	id_text(&r->device, id);
	if (!id_equal(&r->cluster, &a->cluster) || (e = device_get(a->store, id, ret)) == CLUSTER_ENOTFOUND)
		return diag_set(d, CLUSTER_ESIGNATURE, "no such device in this cluster");
	return e;
}

/* In the form that its key has: the other one proves nothing, whatever is in it. */
static enum cluster_err verify(const struct device *device, const struct jws *jws, const struct body *b, struct diag *d)
{
	uint8_t blob[SSHKEY_BLOB_MAX];
	char kid[NAME_KID_MAX + 1];
	struct sshkey key;
	enum cluster_err e;

	if (!b->sshsig != !device->sshkey[0])
		return diag_set(d, CLUSTER_ESIGNATURE, "signed in another form than the device's key has");
	if (b->sshsig) {
		if ((e = device_sshkey(device, blob, &key)) != CLUSTER_OK)
			return diag_set(d, e, "the device's key: %s", err_name(e));
		return sshsig_verify_key(&b->signature, &key, REQUEST_SSH_NAMESPACE, b->text.p, b->text.n, d);
	}
	if ((e = jwk_kid(&device->key, kid)) == CLUSTER_OK && strcmp(kid, jws->kid) != 0)
		return diag_set(d, CLUSTER_ESIGNATURE, "signed by another key than the device's");
	return e == CLUSTER_OK && (e = jws_verify(jws, &device->key)) != CLUSTER_OK ? diag_set(d, e, "the device's signature does not hold") : e;
}

enum cluster_err device_read_credential(struct authority *a, const struct json *body, struct request_credential *ret, struct device *ret_device, struct diag *d)
{
	struct jws jws = { .payload = NULL };
	struct request_credential r;
	struct device device;
	enum cluster_err e;
	struct body b;

	if ((e = body_read(body, &b, d)) != CLUSTER_OK)
		return e;
	e = b.sshsig ? request_credential_ssh(&b.text, &r, d) : request_credential_parse(b.request, b.text.n, &jws, &r, d);
	if (e != CLUSTER_OK)
		return e;
	if ((e = find(a, &r, &device, d)) == CLUSTER_OK && (e = verify(&device, &jws, &b, d)) == CLUSTER_OK) {
		*ret = r;
		*ret_device = device;
	}
	jws_done(&jws);
	return e;
}
