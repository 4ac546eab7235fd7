/* SPDX-License-Identifier: Apache-2.0 */
/* A request to the ssh-agent socket, as any process could send it. */
#include "fuzz.h"

#include <string.h>

#include "cluster/crypto.h"
#include "cluster/sshagent_msg.h"

static void check_inside(const struct rd *r, const uint8_t *p, size_t n)
{
	FUZZ_CHECK(r->p >= p && r->n <= n && (size_t)(r->p - p) <= n - r->n);
}

/* What was read writes the same bytes again. */
static void check(const struct sshagent_msg *m, const uint8_t *p, size_t n)
{
	switch (m->type) {
	case SSHAGENT_MSG_LIST:
		FUZZ_CHECK(n == 1);
		break;
	case SSHAGENT_MSG_SIGN:
		check_inside(&m->key, p, n);
		check_inside(&m->data, p, n);
		FUZZ_CHECK(n == 1 + 4 + m->key.n + 4 + m->data.n + 4 && m->key.n <= SSHAGENT_MSG_KEY_MAX);
		break;
	case SSHAGENT_MSG_BIND:
		check_inside(&m->hostkey, p, n);
		check_inside(&m->session_id, p, n);
		check_inside(&m->signature, p, n);
		FUZZ_CHECK(n == 1 + 4 + 24 + 4 + m->hostkey.n + 4 + m->session_id.n + 4 + m->signature.n + 1 && m->forwarding == (p[n - 1] != 0));
		FUZZ_CHECK(m->session_id.n >= SSHAGENT_MSG_SESSION_ID_MIN && m->session_id.n <= SSHAGENT_MSG_SESSION_ID_MAX);
		break;
	default:
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1); /* so that the sanitizer sees one byte too far */
	struct sshagent_msg m;

	FUZZ_CHECK(exact && crypto_start() == CLUSTER_OK);
	memcpy(exact, data, n);
	if (sshagent_msg_parse(exact, n, &m) == CLUSTER_OK) {
		check(&m, exact, n);
		(void)!sshagent_msg_bind_verify(&m);
	}
	free(exact);
	return 0;
}
