/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "cluster/crypto.h"
#include "cluster/sshsig.h"

/* A public key line, a line end, an armoured signature. The seeds are real; a changed one must not verify for another message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char line[SSHSIG_LINE_MAX + 2], print[51];
	const uint8_t *end = memchr(data, '\n', n);
	size_t line_n = end ? (size_t)(end - data) : n, blob_n = 0;
	uint8_t blob[SSHSIG_BLOB_MAX];
	const char *sig;

	FUZZ_CHECK(crypto_start() == CLUSTER_OK);
	if (line_n >= sizeof line)
		return 0;
	memcpy(line, data, line_n);
	line[line_n] = '\0';
	if (sshsig_key_parse(line, blob, &blob_n, NULL) == CLUSTER_OK) {
		FUZZ_CHECK(blob_n > 0 && blob_n <= sizeof blob && sshsig_fingerprint(blob, blob_n, print) == CLUSTER_OK && strlen(print) == 50);
	}
	if (!end)
		return 0;
	sig = (const char *)end + 1;
	n -= line_n + 1;
	if (sshsig_verify(sig, n, line, "cluster-login-join", "message", 7, NULL) == CLUSTER_OK)
		FUZZ_CHECK(sshsig_verify(sig, n, line, "cluster-login-join", "another", 7, NULL) == CLUSTER_ESIGNATURE && sshsig_verify(sig, n, line, "file", "message", 7, NULL) == CLUSTER_ESIGNATURE);
	return 0;
}
