/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/json.h"
#include "cluster/jwk.h"
#include "cluster/jws.h"
#include "cluster/secret.h"
#include "cluster/wr.h"
#include "cmd.h"
#include "out.h"

#define INPUT_MAX ((size_t)64 << 20)
#define KEYS_MAX 64

struct words {
	const char *key, *typ, *jwks;
};

static bool find_typ(const char *name, enum jws_typ *ret)
{
	enum jws_typ t;

	for (t = 0; t < JWS_TYP_N; t++) {
		if (strcmp(jws_typ_name(t), name) == 0) {
			*ret = t;
			return true;
		}
	}
	return false;
}

static enum cluster_err read_stdin(struct wr *ret, struct diag *d)
{
	char block[65536];
	enum cluster_err e;
	ssize_t n;

	wr_grow(ret, INPUT_MAX);
	while ((n = read(0, block, sizeof block)) > 0)
		wr_bytes(ret, block, (size_t)n);
	if (n < 0)
		return diag_errno(d, "cannot read the input");
	if ((e = wr_end(ret)) != CLUSTER_OK)
		return diag_set(d, e, "the input is too large");
	return CLUSTER_OK;
}

/* ---- sign ---- */

static const struct command_option sign_options[] = {
	{ "key", 0, COMMAND_TEXT, offsetof(struct words, key), 0, 0, "FILE", "private key, PKCS#8 PEM, mode 0600" },
	{ "typ", 0, COMMAND_TEXT, offsetof(struct words, typ), 0, 0, "TYPE", "such as cluster-credential+jwt" },
};

static enum cluster_err sign(const struct words *w, enum jws_typ typ, struct diag *d)
{
	const struct file_rules rules = { .owner = geteuid(), .forbid = 077, .max_size = 65536, .any_parent = true };
	struct crypto_key *key = NULL;
	struct secret *pem = NULL;
	struct wr payload;
	enum cluster_err e;
	char *token = NULL;

	wr_grow(&payload, INPUT_MAX);
	if ((e = file_read(w->key, &rules, &pem, d)) != CLUSTER_OK)
		goto out;
	if ((e = crypto_key_parse(pem->bytes, pem->n, &key)) != CLUSTER_OK) {
		diag_set(d, e, "%s is not a private key", w->key);
		goto out;
	}
	if ((e = read_stdin(&payload, d)) != CLUSTER_OK)
		goto out;
	if ((e = jws_sign(key, typ, payload.p, payload.n, &token)) != CLUSTER_OK) {
		diag_set(d, e, "cannot sign: %s", err_name(e));
		goto out;
	}
	puts(token);
out:
	free(token);
	wr_done(&payload);
	crypto_key_free(key);
	secret_free(pem);
	return e;
}

static int run_sign(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct words w = { .key = NULL };
	enum jws_typ typ;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (w.key == NULL || w.typ == NULL)
		return command_usage_error(argv[0], "--key and --typ are needed");
	if (!find_typ(w.typ, &typ))
		return command_usage_error(argv[0], "\"%s\" is not a type of PROTOCOL.md 2", w.typ);
	diag_clear(&d);
	return sign(&w, typ, &d) == CLUSTER_OK ? EXIT_DONE : out_failed(&d, NULL);
}

static const struct command sign_command = {
	.run = run_sign,
	.usage = "--key FILE --typ TYPE",
	.example = "  cluster-login jws sign --key issuer.key --typ cluster-credential+jwt <payload.json\n",
	COMMAND_OPTIONS(sign_options),
};

/* ---- verify ---- */

static const struct command_option verify_options[] = {
	{ "jwks", 0, COMMAND_TEXT, offsetof(struct words, jwks), 0, 0, "FILE", "{\"keys\":[JWK with alg and kid ...]}" },
	{ "typ", 0, COMMAND_TEXT, offsetof(struct words, typ), 0, 0, "TYPE", "this type only" },
};

struct keys {
	size_t n;
	struct crypto_pub pub[KEYS_MAX];
	char kid[KEYS_MAX][NAME_KID_MAX + 1];
};

static enum cluster_err add_key(struct keys *k, const struct json *jwk, struct diag *d)
{
	enum cluster_err e;
	size_t i;

	if (k->n == KEYS_MAX)
		return diag_set(d, CLUSTER_ELIMIT, "more than %d keys", KEYS_MAX);
	if ((e = jwk_parse(jwk, JWK_NAMED, &k->pub[k->n], d)) != CLUSTER_OK || (e = jwk_kid(&k->pub[k->n], k->kid[k->n])) != CLUSTER_OK)
		return e;
	for (i = 0; i < k->n; i++) {
		if (strcmp(k->kid[i], k->kid[k->n]) == 0)
			return diag_set(d, CLUSTER_EFORMAT, "kid %s stands there twice", k->kid[i]);
	}
	k->n++;
	return CLUSTER_OK;
}

static enum cluster_err read_keys(const char *path, struct keys *ret, struct diag *d)
{
	const struct file_rules rules = { .owner = geteuid(), .forbid = 022, .max_size = 1 << 20, .any_parent = true };
	const struct json *list = NULL;
	const struct json_field fields[] = { { .name = "keys", .kind = JSON_KIND_ARRAY, .dst = &list, .max = KEYS_MAX } };
	struct secret *text = NULL;
	struct json *j = NULL;
	enum cluster_err e;
	size_t i;

	if ((e = file_read(path, &rules, &text, d)) != CLUSTER_OK || (e = json_parse((const char *)text->bytes, text->n, 1 << 20, &j, d)) != CLUSTER_OK ||
	    (e = json_read(j, fields, 1, d)) != CLUSTER_OK)
		goto out;
	for (i = 0; i < json_count(list) && e == CLUSTER_OK; i++)
		e = add_key(ret, json_at(list, i), d);
out:
	if (e != CLUSTER_OK)
		diag_prefix(d, "%s", path);
	json_free(j);
	secret_free(text);
	return e;
}

/* A type that names its key by itself (dpop+jwt) is accepted only if the set has that key. */
static enum cluster_err check(const struct jws *j, const struct keys *k, struct diag *d)
{
	enum cluster_err e;
	size_t i;

	for (i = 0; i < k->n; i++) {
		if (j->typ == JWS_DPOP ? crypto_pub_equal(&j->jwk, &k->pub[i]) : strcmp(j->kid, k->kid[i]) == 0)
			break;
	}
	if (i == k->n)
		return diag_set(d, CLUSTER_ESIGNATURE, "no key of the set has the header's kid");
	if ((e = jws_verify(j, &k->pub[i])) != CLUSTER_OK)
		diag_set(d, e, "the signature does not hold");
	return e;
}

static enum cluster_err parse_any(const struct wr *in, const char *typ, struct jws *ret, struct diag *d)
{
	enum cluster_err e = CLUSTER_EFORMAT;
	size_t n = in->n;
	enum jws_typ t;

	if (n > 0 && in->p[n - 1] == '\n')
		n--;
	if (typ != NULL && find_typ(typ, &t))
		return jws_parse((const char *)in->p, n, t, ret, d);
	for (t = 0; t < JWS_TYP_N && e != CLUSTER_OK; t++)
		e = jws_parse((const char *)in->p, n, t, ret, d);
	return e == CLUSTER_OK ? e : diag_set(d, e, "not a compact JWS of a type of PROTOCOL.md 2");
}

static enum cluster_err verify(const struct words *w, const struct keys *keys, struct diag *d)
{
	struct jws j = { .payload = NULL };
	enum cluster_err e;
	struct wr in;

	if ((e = read_stdin(&in, d)) != CLUSTER_OK)
		goto out;
	if ((e = parse_any(&in, w->typ, &j, d)) != CLUSTER_OK)
		goto out;
	if ((e = check(&j, keys, d)) == CLUSTER_OK)
		(void)fwrite(j.payload, 1, j.payload_n, stdout);
	jws_done(&j);
out:
	wr_done(&in);
	return e;
}

static int run_verify(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct words w = { .key = NULL };
	struct keys *keys = NULL;
	enum jws_typ typ;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (w.jwks == NULL)
		return command_usage_error(argv[0], "--jwks is needed");
	if (w.typ != NULL && !find_typ(w.typ, &typ))
		return command_usage_error(argv[0], "\"%s\" is not a type of PROTOCOL.md 2", w.typ);
	diag_clear(&d);
	if ((keys = calloc(1, sizeof *keys)) == NULL)
		return out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
	if (read_keys(w.jwks, keys, &d) != CLUSTER_OK) {
		status = out_failed(&d, NULL);
	} else if (verify(&w, keys, &d) != CLUSTER_OK) {
		out_error("refused: %s", d.text);
		status = d.code == CLUSTER_ENOMEM || d.code == CLUSTER_ESYSTEM ? exit_of(d.code) : EXIT_NO;
	} else {
		status = EXIT_DONE;
	}
	free(keys);
	return status;
}

static const struct command verify_command = {
	.run = run_verify,
	.usage = "--jwks FILE",
	.example = "  cluster-login jws verify --jwks keys.json --typ cluster-credential+jwt <token\n\nExit status 0: accepted, the payload is printed; 1: refused.\n",
	COMMAND_OPTIONS(verify_options),
};

static const struct command_row verbs[] = {
	{ "sign", &sign_command, "sign the payload on stdin", COMMAND_TOOL },
	{ "verify", &verify_command, "verify the token on stdin", COMMAND_TOOL },
};

const struct command cmd_jws = { .verbs = verbs, .n_verbs = sizeof verbs / sizeof verbs[0] };
