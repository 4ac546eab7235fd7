/* SPDX-License-Identifier: Apache-2.0 */
/* What sshd tells PAM of the keys it has seen proved, and the certificate in it. */
#include "fuzz.h"

#include <string.h>

#include "cluster/authinfo.h"
#include "cluster/sshcert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data, *found = NULL;
	uint8_t room[SSHCERT_BLOB_MAX];
	struct sshcert cert;
	struct diag d;
	size_t size = 0;

	if (authinfo_certificate(text, n, &found, &size) != CLUSTER_OK)
		return 0;
	FUZZ_CHECK(found >= text + 10 && size > 0 && found + size <= text + n && memcmp(found - 10, "publickey ", 10) == 0);
	FUZZ_CHECK(found == text + 10 || found[-11] == '\n');
	FUZZ_CHECK(found + size == text + n || found[size] == '\n' || found[size] == ' ');
	FUZZ_CHECK(!memchr(found, '\n', size) && memmem(found, size, "-cert-v01@openssh.com ", 22) && found[size - 1] != ' ');
	if (sshcert_parse_text(found, size, room, &cert, &d) == CLUSTER_OK)
		FUZZ_CHECK(cert.key_type.n < size && memcmp(cert.key_type.p, found, cert.key_type.n) == 0);
	return 0;
}
