/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of hops: what a node issues verifies, and nothing else does. THREATS.md B9, C4. */
#include "hop_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/sshcert_hop.h"
#include "cluster/sshwire.h"

static struct hop_world x;
static struct hop hop, got;
static struct diag d;
static char *token;
static uint8_t room[SSHCERT_BLOB_MAX];
static struct sshcert cert;

static int setup(void **state)
{
	(void)state;
	hop_world_init(&x);
	hop = x.hop;
	assert_ok(hop_build(&hop, x.key, &token));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(token);
	token = NULL;
	hop_world_done(&x);
	return 0;
}

static char *line_of(const struct sshcert_hop_spec *spec, const struct crypto_key *ca)
{
	char *line = NULL;

	assert_ok(sshcert_hop_build(spec, ca, &line, &d));
	return line;
}

static void make_spec(const struct sshcert_hop_spec *spec, const struct crypto_key *ca)
{
	char *line = line_of(spec, ca);

	assert_ok(sshcert_parse_text(line, strlen(line), room, &cert, &d));
	free(line);
}

/* A certificate for `claims` that carries `carried`, parsed into `cert`, in `room`. */
static void make(const struct hop *claims, const char *carried, const struct crypto_key *ca)
{
	make_spec(&(struct sshcert_hop_spec){ .hop = carried, .claims = claims, .person = "alice", .node = "master-1-1" }, ca);
}

static enum cluster_err verify(void)
{
	return sshcert_hop_verify(&cert, &x.by, &got, &d);
}

/* Puts a byte into a view of `room`, and signs anew. */
static void poke(const uint8_t *p, uint8_t value)
{
	size_t n = cert.signed_part.n, total = n + 4 + cert.signature.n;
	uint8_t sig[CRYPTO_SIG_SIZE];

	room[p - room] = value;
	assert_ok(crypto_sign(x.key, room, n, sig));
	memcpy(room + total - sizeof sig, sig, sizeof sig);
	assert_ok(sshcert_parse(room, total, &cert, &d));
}

static void test_round_trip(void **state)
{
	char principal[SSHCERT_HOP_PRINCIPAL + 1], target[ID_TEXT + 1], cluster[ID_TEXT + 1], want[SSHCERT_HOP_PRINCIPAL + 1];
	struct crypto_pub signer;
	struct sshcert_facts facts;

	(void)state;
	make(&hop, token, x.key);
	assert_ok(sshcert_hop_signer(&cert, &signer));
	assert_true(crypto_pub_equal(&signer, &x.pub));
	assert_ok(verify());
	assert_true(id_equal(&got.jti, &hop.jti) && id_equal(&got.target, &hop.target));
	sshcert_hop_principal(&hop, principal);
	id_text(&hop.target, target);
	id_text(&hop.cluster, cluster);
	snprintf(want, sizeof want, "emr-user@%s.%s", target, cluster);
	assert_string_equal(principal, want);
	assert_true(cert.n_principals == 1 && cert.principals[0].n == strlen(want) && memcmp(cert.principals[0].p, want, strlen(want)) == 0);
	assert_true(cert.after == HOP_NOW - SSHCERT_HOP_LEEWAY && cert.before == HOP_NOW + HOP_LIFE_MAX && cert.serial == 0 && cert.type == SSHCERT_USER);
	assert_true(cert.n_critical == 0 && cert.n_extensions == 3);
	assert_ok(sshcert_facts(&cert, &facts));
	assert_memory_equal(facts.key_id, "alice via master-1-1 ", 21);
	assert_int_equal(strlen(facts.key_id), 21 + ID_TEXT);
}

/* Names at their longest, the longest account, a P-256 hop key, addresses. */
static void test_longest(void **state)
{
	struct sshcert_hop_spec spec = { .claims = &hop, .person = "a234567890123456789012345678901234567890123456789012345678901234",
		.node = "n23456789012345678901234567890123456789012345678901234567890123", .source = "192.0.2.1,2001:db8::/32,198.51.100.0/24" };
	struct crypto_key *p256 = NULL;

	(void)state;
	strcpy(hop.account, "a2345678901234567890123456789012");
	assert_ok(crypto_key_new(CRYPTO_ES256, &p256));
	assert_ok(crypto_key_pub(p256, &x.pub));
	free(token);
	assert_ok(hop_build(&hop, p256, &token));
	spec.hop = token;
	make_spec(&spec, p256);
	assert_int_equal(cert.key_id.n, SSHCERT_KEY_ID_MAX);
	assert_true(cert.n_critical == 1 && cert.critical[0].data.n == strlen(spec.source));
	assert_int_equal(cert.principals[0].n, SSHCERT_HOP_PRINCIPAL);
	assert_ok(verify());
	crypto_key_free(p256);
}

/* B9: another key's, and ours of another kind. */
static void test_keys(void **state)
{
	const struct crypto_key *others[] = { x.w.issuer, x.w.sshca, x.w.cnf };
	struct credential cred = world_credential(&x.w, WORLD_ALICE);
	const struct keyring_at at = world_at(&x.w);
	struct sshcert_spec spec = { .claims = &cred, .serial = 1, .key_id = "alice" };
	struct crypto_pub pub;
	struct credential c;
	char *line = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		make(&hop, token, others[i]);
		assert_err(verify(), CLUSTER_ENOTFOUND);
	}
	make(&hop, token, x.w.sshca); /* and a hop is no certificate of the authority, whoever signs it */
	assert_int_not_equal(sshcert_verify(&cert, &at, &c, &d), CLUSTER_OK);
	free(token);
	token = world_token(&x.w, &cred, NULL);
	spec.credential = token;
	assert_ok(sshcert_build(&spec, x.key, &line, &d));
	assert_ok(sshcert_parse_text(line, strlen(line), room, &cert, &d));
	free(line);
	assert_err(sshcert_hop_signer(&cert, &pub), CLUSTER_ENOTFOUND);
	assert_err(verify(), CLUSTER_EDENIED);
}

/* The certificate says something else than the hop in it. */
static void test_binding(void **state)
{
	struct hop h;

	(void)state;
	h = hop, h.jti.b[0] ^= 1;
	make(&h, token, x.key);
	assert_err(verify(), CLUSTER_EDENIED);
	h = hop, h.cluster.b[0] ^= 1;
	make(&h, token, x.key);
	assert_err(verify(), CLUSTER_EDENIED);
	h = hop, h.target.b[0] ^= 1;
	make(&h, token, x.key);
	assert_err(verify(), CLUSTER_EDENIED);
	h = hop, strcpy(h.account, "root");
	make(&h, token, x.key);
	assert_err(verify(), CLUSTER_EDENIED);
	h = hop, h.cnf = x.pub;
	make(&h, token, x.key);
	assert_err(verify(), CLUSTER_EDENIED);
	h = hop, h.exp++;
	make(&h, token, x.key);
	assert_err(verify(), CLUSTER_EDENIED);
	h = hop, h.iat--;
	make(&h, token, x.key);
	assert_err(verify(), CLUSTER_EDENIED);
	h = hop, h.iat++, h.exp--;
	make(&h, token, x.key);
	assert_ok(verify());
	make(&hop, "not a hop", x.key);
	assert_err(verify(), CLUSTER_EFORMAT);
	make(&hop, "", x.key);
	assert_int_not_equal(verify(), CLUSTER_OK);
}

/* A machine's says so in its key id, and nobody's name stands there. */
static void test_machine(void **state)
{
	struct hop machine = hop;
	struct sshcert_facts facts;
	char *other = NULL;

	(void)state;
	machine.machine = true;
	assert_ok(hop_build(&machine, x.key, &other));
	make_spec(&(struct sshcert_hop_spec){ .hop = other, .claims = &machine, .node = "master-1-1" }, x.key);
	assert_ok(verify());
	assert_true(got.machine);
	assert_ok(sshcert_facts(&cert, &facts));
	assert_memory_equal(facts.key_id, "- via master-1-1 ", 17);
	make(&hop, other, x.key); /* a person's name over a machine's hop */
	assert_err(verify(), CLUSTER_EDENIED);
	make(&machine, token, x.key); /* and the other way round */
	assert_err(verify(), CLUSTER_EDENIED);
	free(other);
}

/* Signed by the node, and not of the form that a node issues: a hop key makes no wider certificates. */
static void test_form(void **state)
{
	struct sshcert_hop_spec spec = { .hop = token, .claims = &hop, .person = "alice", .node = "a", .source = "192.0.2.1" };
	struct crypto_pub pub;

	(void)state;
	make(&hop, token, x.key);
	poke(cert.key_id.p - 5, SSHCERT_HOST);
	assert_err(verify(), CLUSTER_EDENIED);
	assert_err(sshcert_hop_signer(&cert, &pub), CLUSTER_ENOTFOUND);
	make(&hop, token, x.key);
	poke(cert.key_id.p - 9, 1); /* the serial */
	assert_err(verify(), CLUSTER_EDENIED);
	make(&hop, token, x.key);
	poke(cert.extensions[0].name.p, 'g');
	assert_err(verify(), CLUSTER_EDENIED);
	make(&hop, token, x.key);
	poke(cert.extensions[2].name.p + cert.extensions[2].name.n - 1, 'z');
	assert_err(verify(), CLUSTER_EDENIED);
	make(&hop, token, x.key);
	poke(cert.principals[0].p, 'f');
	assert_err(verify(), CLUSTER_EDENIED);
	make(&hop, token, x.key); /* two principals: the account's bare name, and what is left */
	memset(room + (cert.principals[0].p - room) + 8, 0, 3);
	room[cert.principals[0].p - room + 11] = (uint8_t)(cert.principals[0].n - 12);
	poke(cert.principals[0].p - 1, 8);
	assert_int_equal(cert.n_principals, 2);
	assert_err(verify(), CLUSTER_EDENIED);
	make_spec(&spec, x.key);
	assert_ok(verify());
	poke(cert.critical[0].name.p, 'S');
	assert_err(verify(), CLUSTER_EDENIED);
	make_spec(&spec, x.key);
	poke(cert.critical[0].data.p, '?');
	assert_err(verify(), CLUSTER_EDENIED);
}

/* The right principal and another one behind it: an account's bare name, say. */
static void test_second_principal(void **state)
{
	uint8_t out[SSHCERT_BLOB_MAX], sig[CRYPTO_SIG_SIZE];
	size_t first, n;
	struct wr bytes;

	(void)state;
	make(&hop, token, x.key);
	first = (size_t)(cert.principals[0].p - room);
	n = cert.principals[0].n;
	wr_init(&bytes, out, sizeof out);
	wr_bytes(&bytes, room, first - 8);
	wr_u32(&bytes, (uint32_t)(4 + n + 4 + 4));
	sshwire_put(&bytes, room + first, n);
	sshwire_put_text(&bytes, "root");
	wr_bytes(&bytes, room + first + n, cert.signed_part.n - first - n);
	assert_ok(crypto_sign(x.key, bytes.p, bytes.n, sig));
	wr_u32(&bytes, (uint32_t)cert.signature.n);
	sshwire_put_signature(&bytes, CRYPTO_ED25519, sig);
	assert_ok(wr_end(&bytes));
	assert_ok(sshcert_parse(out, bytes.n, &cert, &d));
	assert_int_equal(cert.n_principals, 2);
	assert_err(verify(), CLUSTER_EDENIED);
}

static void test_damage(void **state)
{
	size_t n;

	(void)state;
	make(&hop, token, x.key);
	n = cert.signed_part.n + 4 + cert.signature.n;
	for (size_t i = 0; i < n; i++) {
		room[i] ^= (uint8_t)(1 << i % 8);
		if (sshcert_parse(room, n, &cert, &d) == CLUSTER_OK)
			assert_int_not_equal(verify(), CLUSTER_OK);
		room[i] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(sshcert_parse(room, i, &cert, &d), CLUSTER_OK);
	}
	assert_ok(sshcert_parse(room, n, &cert, &d));
	assert_ok(verify());
}

static void test_build_refuses(void **state)
{
	static const char *const sources[] = { "", ",", "192.0.2.1,", ",192.0.2.1", "192.0.2.1/24", "host", "192.0.2.1 ", "::ffff:192.0.2.1" };
	struct sshcert_hop_spec spec = { .hop = token, .claims = &hop, .person = "alice", .node = "a" };
	char *line = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		spec.source = sources[i];
		assert_err(sshcert_hop_build(&spec, x.key, &line, &d), CLUSTER_EFORMAT);
	}
	spec.source = NULL;
	spec.person = "alice via b";
	assert_err(sshcert_hop_build(&spec, x.key, &line, &d), CLUSTER_EFORMAT);
	spec.person = "alice", spec.node = "a b";
	assert_err(sshcert_hop_build(&spec, x.key, &line, &d), CLUSTER_EFORMAT);
	spec.node = "a", hop.exp = hop.iat;
	assert_err(sshcert_hop_build(&spec, x.key, &line, &d), CLUSTER_EFORMAT);
	assert_null(line);
}

/* ssh-keygen reads it as it is meant. */
static void test_keygen(void **state)
{
	struct sshcert_hop_spec spec = { .hop = token, .claims = &hop, .person = "alice", .node = "master-1-1", .source = "192.0.2.1,198.51.100.7" };
	char path[] = "/tmp/test_sshcert_hop.XXXXXX", command[200], text[8192], principal[SSHCERT_HOP_PRINCIPAL + 1], jti[ID_TEXT + 1], want[300], *line = line_of(&spec, x.key);
	int fd = mkstemp(path);
	size_t n;
	FILE *f;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(dprintf(fd, "%s\n", line), strlen(line) + 1);
	close(fd);
	snprintf(command, sizeof command, "TZ=UTC ssh-keygen -L -f %s", path);
	f = popen(command, "re"); /* NOLINT: fixed words and a path of our own */
	assert_non_null(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	assert_int_equal(pclose(f), 0);
	unlink(path);
	sshcert_hop_principal(&hop, principal);
	id_text(&hop.jti, jti);
	snprintf(want, sizeof want, "Key ID: \"alice via master-1-1 %s\"\n", jti);
	assert_non_null(strstr(text, want));
	assert_non_null(strstr(text, "Type: ssh-ed25519-cert-v01@openssh.com user certificate\n"));
	assert_non_null(strstr(text, "Serial: 0\n"));
	assert_non_null(strstr(text, "Valid: from 2027-01-15T07:59:30 to 2027-01-15T08:02:00\n"));
	snprintf(want, sizeof want, "Principals: \n                %s\n        Critical Options: \n                source-address 192.0.2.1,198.51.100.7\n        Extensions: \n", principal);
	assert_non_null(strstr(text, want));
	assert_non_null(strstr(text, " hop@cluster-login UNKNOWN OPTION"));
	assert_non_null(strstr(text, " permit-port-forwarding\n                permit-pty\n"));
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown), cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown), cmocka_unit_test_setup_teardown(test_binding, setup, teardown),
		cmocka_unit_test_setup_teardown(test_form, setup, teardown), cmocka_unit_test_setup_teardown(test_second_principal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown), cmocka_unit_test_setup_teardown(test_machine, setup, teardown),
		cmocka_unit_test_setup_teardown(test_build_refuses, setup, teardown), cmocka_unit_test_setup_teardown(test_keygen, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
