/* SPDX-License-Identifier: Apache-2.0 */
/* What a process asks to have signed. */
#include "fuzz.h"

#include <string.h>

#include "cluster/sshwire.h"
#include "cluster/userauth.h"

/* What was read writes the same bytes again. */
static void check(const struct userauth *u, const uint8_t *p, size_t n)
{
	struct wr w;

	wr_grow(&w, n);
	sshwire_put(&w, u->session_id.p, u->session_id.n);
	wr_u8(&w, 50);
	sshwire_put(&w, u->user.p, u->user.n);
	sshwire_put_text(&w, "ssh-connection");
	sshwire_put_text(&w, u->hostbound ? "publickey-hostbound-v00@openssh.com" : "publickey");
	wr_u8(&w, 1);
	sshwire_put(&w, u->algorithm.p, u->algorithm.n);
	sshwire_put(&w, u->key.p, u->key.n);
	if (u->hostbound)
		sshwire_put(&w, u->hostkey.p, u->hostkey.n);
	FUZZ_CHECK(wr_end(&w) == CLUSTER_OK && w.n == n && memcmp(w.p, p, n) == 0);
	wr_done(&w);
}

/* Bound to itself it is signed exactly if its algorithm is its key's type, and bound to another user it is not. */
static void check_bound(const struct userauth *u)
{
	static const uint8_t host[] = "host";
	struct userauth_bind bind = { .session_id = u->session_id, .key = u->key, .hostkey = { .p = host, .n = sizeof host } };
	struct rd key = u->key, type;
	char *user = malloc(u->user.n + 2);
	bool typed;

	FUZZ_CHECK(user);
	memcpy(user, u->user.p, u->user.n);
	user[u->user.n] = '\0';
	bind.user = user;
	if (u->hostbound)
		bind.hostkey = u->hostkey;
	typed = sshwire_string(&key, &type) == CLUSTER_OK && type.n == u->algorithm.n && memcmp(type.p, u->algorithm.p, type.n) == 0;
	FUZZ_CHECK(userauth_bound(u, &bind) == typed);
	user[u->user.n] = 'x';
	user[u->user.n + 1] = '\0';
	FUZZ_CHECK(!userauth_bound(u, &bind));
	free(user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1); /* so that the sanitizer sees one byte too far */
	struct userauth u;

	FUZZ_CHECK(exact);
	memcpy(exact, data, n);
	if (userauth_parse(exact, n, &u) == CLUSTER_OK) {
		check(&u, exact, n);
		check_bound(&u);
	}
	free(exact);
	return 0;
}
