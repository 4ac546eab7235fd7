/* SPDX-License-Identifier: Apache-2.0 */
#include "device_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/json.h"
#include "cluster/request.h"
#include "cluster/sshsig.h"
#include "cluster/sshwire.h"
#include "out.h"
#include "ssh_agent.h"

#define IN_AGENT "agent "
#define FINGERPRINT "SHA256:"
#define FINGERPRINT_TEXT 50

struct device_key {
	struct ssh_agent *agent;
	struct ssh_agent_list *list;
	struct sshkey key; /* borrows from the list */
	struct diag *d;    /* of device_key_signer */
};

void device_key_free(struct device_key *k)
{
	if (k == NULL)
		return;
	ssh_agent_list_free(k->list);
	ssh_agent_close(k->agent);
	free(k);
}

static enum cluster_err open_agent(struct device_key **ret, struct diag *d)
{
	struct device_key *k = calloc(1, sizeof *k);
	enum cluster_err e;

	if (k == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = ssh_agent_open(NULL, &k->agent, d)) != CLUSTER_OK || (e = ssh_agent_list(k->agent, &k->list, d)) != CLUSTER_OK) {
		device_key_free(k);
		return e;
	}
	*ret = k;
	return CLUSTER_OK;
}

/* ---- which one ---- */

/* A certificate is no key of its own. */
static bool is_certificate(const struct rd *blob)
{
	struct rd r = *blob, type;

	return sshwire_string(&r, &type) != CLUSTER_OK || memmem(type.p, type.n, "-cert-v", 7) != NULL;
}

/* The key file's blob, if `path` or `path`.pub can be read as one: *ret_there. */
static enum cluster_err read_file(const char *path, uint8_t blob[SSHKEY_BLOB_MAX], size_t *ret_n, bool *ret_there, struct diag *d)
{
	char name[PROFILE_PATH_MAX], line[SSHKEY_LINE_MAX + 2] = "";
	size_t n = strlen(path);
	struct sshkey key;
	enum cluster_err e;
	FILE *f;

	*ret_there = false;
	if (snprintf(name, sizeof name, "%s%s", path, n > 4 && strcmp(path + n - 4, ".pub") == 0 ? "" : ".pub") >= (int)sizeof name || (f = fopen(name, "re")) == NULL)
		return CLUSTER_OK;
	*ret_there = true;
	if (fgets(line, sizeof line, f) == NULL)
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\r\n")] = '\0';
	if ((e = sshkey_line_parse(line, SSHKEY_DEVICE, blob, &key, d)) == CLUSTER_OK)
		*ret_n = key.blob.n;
	else
		(void)diag_prefix(d, "%s", name);
	return e;
}

/* How the wanted one is told from the others. */
struct wanted {
	const char *text;
	bool by_file;
	uint8_t blob[SSHKEY_BLOB_MAX];
	size_t n;
};

static bool matches(const struct wanted *w, const struct ssh_agent_key *k)
{
	char print[51];

	if (w->by_file)
		return k->blob.n == w->n && memcmp(k->blob.p, w->blob, w->n) == 0;
	if (strncmp(w->text, FINGERPRINT, strlen(FINGERPRINT)) == 0)
		return sshsig_fingerprint(k->blob.p, k->blob.n, print) == CLUSTER_OK && strcmp(print, w->text) == 0;
	return *w->text != '\0' && sshwire_is(&k->comment, w->text) && !is_certificate(&k->blob);
}

static enum cluster_err choose(struct device_key *k, const struct wanted *w, struct diag *d)
{
	const struct ssh_agent_key *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < k->list->n; i++) {
		if (!matches(w, &k->list->key[i]))
			continue;
		found = &k->list->key[i];
		n++;
	}
	if (n > 1)
		return diag_set(d, CLUSTER_ENOTFOUND, "several keys of the ssh-agent are called \"%s\": name one by its fingerprint", w->text);
	if (found == NULL && w->by_file)
		return diag_set(d, CLUSTER_ENOTFOUND, "the ssh-agent does not hold the key of %s: ssh-add its private key", w->text);
	if (found == NULL)
		return diag_set(d, CLUSTER_ENOTFOUND, "the ssh-agent holds no key \"%s\": a fingerprint SHA256:..., the path of a .pub file or a comment", w->text);
	return sshkey_parse(found->blob.p, found->blob.n, SSHKEY_DEVICE, &k->key, d);
}

enum cluster_err device_key_find(const char *text, struct device_key **ret, struct diag *d)
{
	struct wanted w = { .text = text };
	struct device_key *k = NULL;
	enum cluster_err e;

	if (strncmp(text, FINGERPRINT, strlen(FINGERPRINT)) != 0 && *text != '\0' && (e = read_file(text, w.blob, &w.n, &w.by_file, d)) != CLUSTER_OK)
		return e;
	if ((e = open_agent(&k, d)) != CLUSTER_OK)
		return e;
	if ((e = choose(k, &w, d)) != CLUSTER_OK) {
		device_key_free(k);
		return e;
	}
	*ret = k;
	return CLUSTER_OK;
}

enum cluster_err device_key_open(const struct profile *p, struct device_key **ret, struct diag *d)
{
	const char *print = p->device_key + strlen(IN_AGENT);
	struct wanted w = { .text = print };
	struct device_key *k = NULL;
	enum cluster_err e;

	if ((e = open_agent(&k, d)) != CLUSTER_OK) {
		(void)diag_prefix(d, "this device's key %s", print);
		return e;
	}
	if ((e = choose(k, &w, d)) != CLUSTER_OK) {
		device_key_free(k);
		return e == CLUSTER_ENOTFOUND ? diag_set(d, CLUSTER_EUNAVAIL, "the ssh-agent does not hold this device's key %s: ssh-add the file that has it", print) : e;
	}
	*ret = k;
	return CLUSTER_OK;
}

void device_key_list(void)
{
	struct device_key *k = NULL;
	char print[51];

	if (open_agent(&k, NULL) != CLUSTER_OK)
		return;
	out_note(k->list->n > 0 ? "The ssh-agent holds:" : "The ssh-agent holds no key: ssh-add FILE.");
	for (size_t i = 0; i < k->list->n; i++) {
		const struct ssh_agent_key *one = &k->list->key[i];
		struct rd r = one->blob, type;

		if (is_certificate(&one->blob) || sshwire_string(&r, &type) != CLUSTER_OK || sshsig_fingerprint(one->blob.p, one->blob.n, print) != CLUSTER_OK)
			continue;
		out_note("  %s %.*s %.*s%s", print, (int)type.n, (const char *)type.p, (int)one->comment.n, (const char *)one->comment.p,
		    sshkey_parse(one->blob.p, one->blob.n, SSHKEY_DEVICE, &k->key, NULL) == CLUSTER_OK ? "" : " (cannot be a device's key)");
	}
	device_key_free(k);
}

const struct sshkey *device_key_public(const struct device_key *k)
{
	return &k->key;
}

enum cluster_err device_key_name(const struct device_key *k, char *dst, size_t size)
{
	char print[51];
	enum cluster_err e;

	if ((e = sshsig_fingerprint(k->key.blob.p, k->key.blob.n, print)) != CLUSTER_OK)
		return e;
	return snprintf(dst, size, IN_AGENT "%s", print) < (int)size ? CLUSTER_OK : CLUSTER_ELIMIT;
}

bool device_key_name_ok(const char *s)
{
	return strncmp(s, IN_AGENT FINGERPRINT, strlen(IN_AGENT FINGERPRINT)) == 0 && strlen(s) == strlen(IN_AGENT) + FINGERPRINT_TEXT;
}

/* ---- what it does ---- */

static enum cluster_err sign(struct device_key *k, const void *data, size_t n, uint8_t **ret, size_t *ret_n, struct diag *d)
{
	struct rd bytes;
	enum cluster_err e;

	if (k->key.kind == SSHKEY_SK_ED25519 || k->key.kind == SSHKEY_SK_P256)
		out_note("Touch your security key.");
	rd_init(&bytes, data, n);
	if ((e = ssh_agent_sign(k->agent, &k->key.blob, &bytes, ret, ret_n, d)) != CLUSTER_OK)
		return e;
	rd_init(&bytes, *ret, *ret_n);
	if ((e = sshkey_verify(&k->key, &bytes, data, n)) == CLUSTER_OK)
		return CLUSTER_OK;
	free(*ret);
	*ret = NULL;
	return diag_set(d, e, "what the ssh-agent made is no signature of this device's key");
}

enum cluster_err device_key_request(struct device_key *k, const char *text, size_t n, struct json **ret, struct diag *d)
{
	uint8_t data[SSHSIG_TO_SIGN_MAX], *signature = NULL;
	size_t data_n = 0, signature_n = 0;
	char *armoured = NULL;
	struct json *body = NULL;
	struct rd bytes;
	enum cluster_err e;

	if ((e = sshsig_to_sign(REQUEST_SSH_NAMESPACE, text, n, data, &data_n)) != CLUSTER_OK) {
		diag_set(d, e, "cannot sign the request: %s", err_name(e));
		goto out;
	}
	if ((e = sign(k, data, data_n, &signature, &signature_n, d)) != CLUSTER_OK)
		goto out;
	rd_init(&bytes, signature, signature_n);
	if ((e = sshsig_build(&k->key.blob, REQUEST_SSH_NAMESPACE, &bytes, &armoured)) != CLUSTER_OK) {
		diag_set(d, e, "cannot sign the request: %s", err_name(e));
		goto out;
	}
	if ((body = json_make("{s:s, s:s}", "request", text, "sshsig", armoured)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	*ret = body;
	e = CLUSTER_OK;
out:
	free(armoured);
	free(signature);
	return e;
}

static enum cluster_err sign_jws(void *ctx, const void *data, size_t n, uint8_t ret[CRYPTO_SIG_SIZE])
{
	struct device_key *k = ctx;
	uint8_t *signature = NULL;
	size_t signature_n = 0;
	enum cluster_err e;

	if ((e = sign(k, data, n, &signature, &signature_n, k->d)) == CLUSTER_OK)
		e = sshwire_signature(signature, signature_n, k->key.pub.alg, ret);
	free(signature);
	return e;
}

enum cluster_err device_key_signer(struct device_key *k, struct diag *d, struct jws_signer *ret)
{
	if (sshkey_pub(&k->key) == NULL)
		return diag_set(d, CLUSTER_EDENIED, "this needs an Ed25519 or ECDSA P-256 key; this device's is %s: answer from another device of yours", sshkey_type(k->key.kind));
	k->d = d;
	*ret = (struct jws_signer){ .pub = k->key.pub, .sign = sign_jws, .ctx = k };
	return CLUSTER_OK;
}
