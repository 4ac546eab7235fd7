/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/secret.h"
#include "ssh_agent.h"
#include "ssh_key.h"

#define PUBLIC "-cert.pub"
#define COMMENT_MAX (CONF_STRING_SIZE + 64)

enum cluster_err certificate_check(struct certificate *c, const struct keyring_at *at, struct diag *d)
{
	struct credential claims;
	struct sshcert cert;
	struct crypto_pub pub;
	enum cluster_err e;

	if ((e = sshcert_parse_text(c->line, strlen(c->line), c->blob, &cert, d)) != CLUSTER_OK || (e = sshcert_verify(&cert, at, &claims, d)) != CLUSTER_OK)
		return diag_prefix(d, "the certificate that came back");
	if ((e = sshcert_facts(&cert, &c->facts)) != CLUSTER_OK || (e = crypto_key_pub(c->wallet.key, &pub)) != CLUSTER_OK)
		return diag_set(d, e, "the certificate that came back: %s", err_name(e));
	if (!crypto_pub_equal(&pub, &cert.pub) || !id_equal(&claims.jti, &c->wallet.claims.jti) || !id_equal(&claims.person, &c->wallet.claims.person))
		return diag_set(d, CLUSTER_EUNTRUSTED, "the certificate that came back is of another key or credential");
	c->n = (size_t)(cert.signature.p + cert.signature.n - c->blob);
	return CLUSTER_OK;
}

void certificate_done(struct certificate *c)
{
	wallet_done(&c->wallet);
	free(c->line);
	*c = (struct certificate){ .n = 0 };
}

static void comment_of(const struct profile *p, char dst[COMMENT_MAX])
{
	char cluster[ID_TEXT + 1];

	id_text(&p->cluster, cluster);
	(void)snprintf(dst, COMMENT_MAX, "%s@%s (cluster-login)", p->name, cluster);
}

/* ---- agent ---- */

/* Is it one of ours, for this person? What it says of itself is believed: it only decides what is shown and what is taken out. */
static bool held(const struct profile *p, const struct rd *blob, struct certificate_held *ret)
{
	char token[CREDENTIAL_SIZE_MAX + 1];
	struct sshcert cert;

	if (sshcert_parse(blob->p, blob->n, &cert, NULL) != CLUSTER_OK || cert.type != SSHCERT_USER || sshcert_facts(&cert, &ret->facts) != CLUSTER_OK)
		return false;
	for (size_t i = 0; i < cert.n_extensions; i++) {
		const struct sshcert_option *o = &cert.extensions[i];

		if (o->name.n != strlen(SSHCERT_EXTENSION) || memcmp(o->name.p, SSHCERT_EXTENSION, o->name.n) != 0 || o->data.n > CREDENTIAL_SIZE_MAX)
			continue;
		memcpy(token, o->data.p, o->data.n);
		token[o->data.n] = '\0';
		ret->blob = blob->p;
		ret->n = blob->n;
		return wallet_claims(token, &ret->claims, NULL) == CLUSTER_OK && id_equal(&ret->claims.cluster, &p->cluster) && id_equal(&ret->claims.person, &p->person);
	}
	return false;
}

enum cluster_err certificate_each(const struct profile *p, struct ssh_agent *a, certificate_visit *visit, void *ctx, struct diag *d)
{
	struct ssh_agent_list *list = NULL;
	struct certificate_held h;
	enum cluster_err e;

	if ((e = ssh_agent_list(a, &list, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < list->n; i++)
		if (held(p, &list->key[i].blob, &h))
			visit(ctx, &h);
	ssh_agent_list_free(list);
	return CLUSTER_OK;
}

struct removal {
	struct ssh_agent *a;
	const struct certificate *but; /* NULL: all of them */
	enum cluster_err e;
	struct diag *d;
};

static void remove_one(void *ctx, const struct certificate_held *h)
{
	const struct rd blob = { .p = h->blob, .n = h->n };
	struct removal *r = ctx;

	if (r->e != CLUSTER_OK || (r->but != NULL && r->but->n == h->n && memcmp(r->but->blob, h->blob, h->n) == 0))
		return;
	r->e = ssh_agent_remove(r->a, &blob, r->d);
}

static enum cluster_err take_out(const struct profile *p, struct ssh_agent *a, const struct certificate *but, struct diag *d)
{
	struct removal r = { .a = a, .but = but, .e = CLUSTER_OK, .d = d };
	enum cluster_err e = certificate_each(p, a, remove_one, &r, d);

	return e != CLUSTER_OK ? e : r.e;
}

enum cluster_err certificate_drop(const struct profile *p, struct ssh_agent *a, struct diag *d)
{
	return take_out(p, a, NULL, d);
}

enum cluster_err certificate_to_agent(const struct profile *p, const struct certificate *c, struct ssh_agent *a, struct diag *d)
{
	struct ssh_agent_msg_add add = { .key = c->wallet.key, .certificate = c->blob, .n = c->n };
	int64_t left = c->wallet.claims.exp - time(NULL);
	char comment[COMMENT_MAX];
	enum cluster_err e;

	if (left <= 0 || left > CREDENTIAL_LIFE_MAX)
		return diag_set(d, CLUSTER_EEXPIRED, "the certificate has expired by this machine's clock");
	comment_of(p, comment);
	add.comment = comment;
	add.lifetime = (uint32_t)left;
	if ((e = ssh_agent_add(a, &add, d)) != CLUSTER_OK)
		return e;
	return take_out(p, a, c, d);
}

/* ---- file ---- */

/* Nothing of others is overwritten: either nothing is there, or a certificate of ours lies beside the key. */
static enum cluster_err may_write(const struct profile *p, const char *path, const char *public, struct diag *d)
{
	const struct file_rules rules = { .owner = geteuid(), .forbid = 022, .max_size = SSHCERT_TEXT_MAX, .any_parent = true };
	uint8_t room[SSHCERT_BLOB_MAX];
	struct secret *text = NULL;
	struct certificate_held h;
	struct sshcert cert;
	struct stat st;
	bool ours = false;

	if (lstat(path, &st) != 0 && lstat(public, &st) != 0)
		return CLUSTER_OK;
	if (file_read(public, &rules, &text, NULL) == CLUSTER_OK && sshcert_parse_text((const char *)text->bytes, text->n, room, &cert, NULL) == CLUSTER_OK) {
		const struct rd blob = { .p = room, .n = (size_t)(cert.signature.p + cert.signature.n - room) };

		ours = held(p, &blob, &h);
	}
	secret_free(text);
	return ours ? CLUSTER_OK : diag_set(d, CLUSTER_EDENIED, "%s: something else is there already, and nothing of it is overwritten", path);
}

enum cluster_err certificate_to_file(const struct profile *p, const struct certificate *c, const char *path, struct diag *d)
{
	char public[PROFILE_PATH_MAX], comment[COMMENT_MAX], *line = NULL;
	struct secret *key = NULL;
	enum cluster_err e;
	int n = snprintf(public, sizeof public, "%s" PUBLIC, path);

	if (n < 0 || (size_t)n >= sizeof public)
		return diag_set(d, CLUSTER_ECONFIG, "%s: the path is too long", path);
	comment_of(p, comment);
	if ((e = may_write(p, path, public, d)) != CLUSTER_OK)
		return e;
	if ((e = ssh_key_build(c->wallet.key, comment, &key)) != CLUSTER_OK || asprintf(&line, "%s %s\n", c->line, comment) < 0) {
		line = NULL;
		e = diag_set(d, e != CLUSTER_OK ? e : CLUSTER_ENOMEM, "the key cannot be written");
		goto out;
	}
	/* the certificate first: with it there, the next run knows the key for ours */
	if ((e = file_replace(public, line, strlen(line), 0644, d)) == CLUSTER_OK)
		e = file_replace(path, key->bytes, key->n, 0600, d);
out:
	free(line);
	secret_free(key);
	return e;
}
