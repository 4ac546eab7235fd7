/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_sign.h"

#include <stdlib.h>

#include "cluster/request.h"
#include "cluster/sshsig.h"
#include "cluster/sshwire.h"

/* First byte: 0 an enrolment, signed here with the key that the seeds name; 1 a request for a credential; 2 a public key line of a device. */

static char *sign(const uint8_t *p, size_t n)
{
	uint8_t data[SSHSIG_TO_SIGN_MAX], sig[CRYPTO_SIG_SIZE], room[128], blob[64];
	size_t data_n = 0;
	struct crypto_pub pub;
	char *armoured = NULL;
	struct wr w, b;
	struct rd k, s;

	FUZZ_CHECK(crypto_key_pub(fuzz_key(), &pub) == CLUSTER_OK && sshsig_to_sign(REQUEST_SSH_NAMESPACE, p, n, data, &data_n) == CLUSTER_OK);
	FUZZ_CHECK(crypto_sign(fuzz_key(), data, data_n, sig) == CLUSTER_OK);
	wr_init(&w, room, sizeof room);
	sshwire_put_signature(&w, pub.alg, sig);
	wr_init(&b, blob, sizeof blob);
	sshwire_put_blob(&b, &pub);
	rd_init(&k, b.p, b.n);
	rd_init(&s, w.p, w.n);
	FUZZ_CHECK(sshsig_build(&k, REQUEST_SSH_NAMESPACE, &s, &armoured) == CLUSTER_OK);
	return armoured;
}

static void enroll(const struct rd *text)
{
	char *armoured = sign(text->p, text->n);
	struct request_enroll r;
	struct rd s;

	rd_init(&s, armoured, strlen(armoured));
	if (request_enroll_ssh(text, &s, &r, NULL) == CLUSTER_OK)
		FUZZ_CHECK(r.c.htu[0] == '/' && r.code[0] && request_label_ok(r.label) && strncmp(r.sshkey, "ssh-ed25519 ", 12) == 0 && crypto_pub_check(&r.key) == CLUSTER_OK);
	free(armoured);
}

static void line(const struct rd *text)
{
	char in[SSHKEY_LINE_MAX + 1], out[SSHKEY_LINE_MAX + 1], jkt[JWK_THUMBPRINT + 1];
	uint8_t blob[SSHKEY_BLOB_MAX];
	struct sshkey k;

	if (text->n >= sizeof in)
		return;
	memcpy(in, text->p, text->n);
	in[text->n] = '\0';
	if (sshkey_line_parse(in, SSHKEY_DEVICE, blob, &k, NULL) != CLUSTER_OK)
		return;
	FUZZ_CHECK(sshkey_line_build(&k, out, sizeof out) == CLUSTER_OK && strncmp(in, out, strlen(out)) == 0 && sshkey_thumbprint(&k, jkt) == CLUSTER_OK && strlen(jkt) == JWK_THUMBPRINT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct request_credential r;
	struct rd text;

	FUZZ_CHECK(fuzz_key() != NULL);
	if (n == 0)
		return 0;
	rd_init(&text, data + 1, n - 1);
	if (data[0] % 3 == 0)
		enroll(&text);
	else if (data[0] % 3 == 2)
		line(&text);
	else if (request_credential_ssh(&text, &r, NULL) == CLUSTER_OK)
		FUZZ_CHECK(r.c.htu[0] == '/' && crypto_pub_check(&r.cnf) == CLUSTER_OK && r.n_acc <= CREDENTIAL_ACC_MAX && r.ttl >= 0);
	return 0;
}
