/* SPDX-License-Identifier: Apache-2.0 */
#include "rotate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authority.h"
#include "change.h"
#include "cluster/moment.h"
#include "keys.h"
#include "rootsign.h"
#include "user.h"

#define ROLE_LIFE (730 * 86400)

static enum cluster_err take_out(struct document_keyset *ks, const char *kid, int64_t now, struct diag *d)
{
	size_t at = ks->ring.n;
	bool other = false;

	for (size_t i = 0; i < ks->ring.n; i++) {
		if (strcmp(ks->ring.key[i].kid, kid) == 0)
			at = i;
	}
	if (at == ks->ring.n)
		return diag_set(d, CLUSTER_ENOTFOUND, "the keyset has no key \"%s\"", kid);
	for (size_t i = 0; i < ks->ring.n; i++)
		other = other || (i != at && ks->ring.key[i].role == ks->ring.key[at].role && ks->ring.key[i].exp > now);
	if (!other)
		return diag_set(d, CLUSTER_EVERSION, "\"%s\" is the only %s key: rotate first", kid, keyring_role_name(ks->ring.key[at].role));
	memmove(&ks->ring.key[at], &ks->ring.key[at + 1], (ks->ring.n - at - 1) * sizeof *ks->ring.key);
	ks->ring.n--;
	return CLUSTER_OK;
}

static enum cluster_err put_in(const struct rotate *r, struct document_keyset *ks, int64_t now, struct diag *d)
{
	enum keyring_role role;
	struct keyring_key key;
	enum cluster_err e;

	if (keyring_role_parse(r->role, &role) != CLUSTER_OK)
		return diag_set(d, CLUSTER_ECONFIG, "\"%s\" is not a role: issuer, directory, revocation, head or sshca", r->role);
	if (ks->ring.n >= KEYRING_MAX)
		return diag_set(d, CLUSTER_ELIMIT, "the keyset is full: remove a key first");
	if ((e = keys_make(r->conf->dir, role, now, ROLE_LIFE, &key, d)) != CLUSTER_OK)
		return e;
	return keyring_add(&ks->ring, &key);
}

static enum cluster_err publish(struct authority *a, const struct rotate *r, const struct crypto_key *root_key, struct diag *d)
{
	struct document_keyset next;
	struct change_audit audit = { .actor = "root", .action = r->role ? "keyset/rotate" : "keyset/remove", .object = r->role ? r->role : r->remove, .reason = "ok" };
	struct change ch = { 0 };
	struct keys *keys = NULL;
	char *text = NULL;
	enum cluster_err e;

	/* nobody else can change the keyset from here on */
	if ((e = change_begin(&ch, a, authority_now(), d)) != CLUSTER_OK)
		goto out;
	next = a->keyset;
	next.version++;
	next.iat = ch.now;
	if ((r->remove && (e = take_out(&next, r->remove, next.iat, d)) != CLUSTER_OK) || (r->role && (e = put_in(r, &next, next.iat, d)) != CLUSTER_OK) ||
	    (e = rootsign_keyset(root_key, &a->root, &next, &text, d)) != CLUSTER_OK || (e = keys_load(a->conf.dir, &next.ring, &keys, d)) != CLUSTER_OK)
		goto out;
	ch.stage.keys = keys; /* what is signed with the keyset is signed by its keys */
	ch.keyset = true;
	if ((e = publish_text(&ch.stage, PUBLISH_KEYSET, next.version, text, d)) == CLUSTER_OK)
		e = change_commit(&ch, &audit, NULL, d);
out:
	change_done(&ch);
	keys_free(keys);
	free(text);
	return e;
}

enum cluster_err rotate_open(struct authority *a, const struct config *conf, struct diag *d)
{
	struct user u;
	enum cluster_err e;

	a->conf = *conf;
	if ((e = user_of(conf->dir, &u, d)) != CLUSTER_OK || (geteuid() == 0 && (e = user_become(&u, d)) != CLUSTER_OK))
		return e;
	return authority_open(a, d);
}

enum cluster_err rotate_run(const struct rotate *r, int64_t *ret_version, struct diag *d)
{
	struct authority *a = calloc(1, sizeof *a);
	struct crypto_key *root_key = NULL;
	enum cluster_err e;

	if (!a)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	/* the root key first: it may be root's alone */
	if ((e = keys_read(r->root_key, &root_key, d)) != CLUSTER_OK || (e = rotate_open(a, r->conf, d)) != CLUSTER_OK || (e = publish(a, r, root_key, d)) != CLUSTER_OK)
		goto out;
	*ret_version = a->keyset.version;
out:
	crypto_key_free(root_key);
	authority_close(a);
	free(a);
	return e;
}

enum cluster_err rotate_list(const struct config *conf, struct diag *d)
{
	struct authority *a = calloc(1, sizeof *a);
	char from[MOMENT_TEXT], to[MOMENT_TEXT];
	enum cluster_err e;

	if (!a)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = rotate_open(a, conf, d)) == CLUSTER_OK) {
		for (size_t i = 0; i < a->keyset.ring.n; i++) {
			const struct keyring_key *k = &a->keyset.ring.key[i];

			moment_text(k->nbf, from);
			moment_text(k->exp, to);
			printf("%-10s  %s  %s  %s%s\n", keyring_role_name(k->role), k->kid, from, to, a->keys->key[i] ? "" : "  (its private key is not here)");
		}
	}
	authority_close(a);
	free(a);
	return e;
}
