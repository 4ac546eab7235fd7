/* SPDX-License-Identifier: Apache-2.0 */
/* The ssh-agent: messages, a real one, and ones that are none. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cluster/crypto.h"
#include "cluster/secret.h"
#include "cluster/sshcert.h"
#include "cluster/sshwire.h"
#include "ssh_agent.h"
#include "ssh_key.h"
#include "trustgen.h"

static char dir[] = "/tmp/test_ssh_agent.XXXXXX", path[64];
static struct diag d;

static int set_up(void **state)
{
	(void)state;
	assert_ok(crypto_start());
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/agent", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* A key and a certificate for it, as the authority makes them. */
struct made {
	struct trustgen *g;
	struct crypto_key *key;
	uint8_t blob[SSHCERT_BLOB_MAX];
	size_t n;
};

static struct made make(void)
{
	struct credential c = { .jti = trustgen_id("jti"), .person = trustgen_id("alice"), .device = trustgen_id("laptop"), .n_amr = 1, .amr = { "swk" } };
	struct sshcert_spec spec = { .claims = &c, .serial = 5, .key_id = "alice" };
	struct made m = { .g = trustgen_new("prod", time(NULL)) };
	char *token = NULL, *line = NULL;
	struct sshcert cert;

	c.cluster = m.g->root.cluster;
	c.iat = c.nbf = c.auth_time = m.g->now;
	c.exp = m.g->now + 600;
	m.key = trustgen_key(m.g);
	assert_ok(crypto_key_pub(m.key, &c.cnf));
	assert_ok(credential_build(&c, m.g->role_key[KEYRING_ISSUER], &token));
	spec.credential = token;
	assert_ok(sshcert_build(&spec, m.g->role_key[KEYRING_SSHCA], &line, &d));
	assert_ok(sshcert_parse_text(line, strlen(line), m.blob, &cert, &d));
	m.n = (size_t)(cert.signature.p + cert.signature.n - m.blob);
	free(line);
	free(token);
	return m;
}

/* ---- messages ---- */

static void test_add(void **state)
{
	struct made m = make();
	const struct ssh_agent_msg_add add = { .key = m.key, .certificate = m.blob, .n = m.n, .comment = "alice", .lifetime = 0x01020304 };
	static const uint8_t end[] = { 0, 0, 0, 5, 'a', 'l', 'i', 'c', 'e', 1, 1, 2, 3, 4 };
	struct rd r, type, cert, pk, sk;
	struct crypto_pub pub;
	uint8_t kind;
	struct wr w;

	(void)state;
	wr_grow(&w, SSH_AGENT_MSG_MAX);
	assert_ok(ssh_agent_msg_add(&w, &add));
	rd_init(&r, w.p, w.n);
	assert_ok(rd_u8(&r, &kind));
	assert_int_equal(kind, 25);
	assert_ok(sshwire_string(&r, &type));
	assert_true(sshwire_is(&type, SSH_KEY_CERTIFICATE));
	assert_ok(sshwire_string(&r, &cert));
	assert_int_equal(cert.n, m.n);
	assert_ok(sshwire_string(&r, &pk));
	assert_ok(sshwire_string(&r, &sk));
	assert_ok(crypto_key_pub(m.key, &pub));
	assert_int_equal(pk.n, 32);
	assert_int_equal(sk.n, 64);
	assert_memory_equal(pk.p, pub.bytes, 32);
	assert_memory_equal(sk.p + 32, pub.bytes, 32);
	/* a lifetime, always: nothing of ours stays in an agent for ever */
	assert_int_equal(r.n, sizeof end);
	assert_memory_equal(r.p, end, sizeof end);
	wr_done(&w);
	trustgen_free(m.g);
}

static void test_answers(void **state)
{
	static const uint8_t yes[] = { 6 }, more[] = { 6, 0 }, no[] = { 5 }, old[] = { 30 }, other[] = { 102 }, strange[] = { 99 };
	static const uint8_t two[] = { 12, 0, 0, 0, 2, 0, 0, 0, 1, 'k', 0, 0, 0, 0, 0, 0, 0, 1, 'l', 0, 0, 0, 1, 'c' };
	static const uint8_t many[] = { 12, 0, 0, 8, 1 }, signature[] = { 14, 0, 0, 0, 2, 'a', 'b' }, empty[] = { 14, 0, 0, 0, 0 };
	struct rd list, key, comment;
	uint32_t n = 77;
	uint8_t long_one[sizeof two + 1];

	(void)state;
	assert_ok(ssh_agent_msg_done(yes, 1));
	assert_ok(ssh_agent_msg_done(more, 2));
	assert_err(ssh_agent_msg_done(no, 1), CLUSTER_EDENIED);
	assert_err(ssh_agent_msg_done(old, 1), CLUSTER_EDENIED);
	assert_err(ssh_agent_msg_done(other, 1), CLUSTER_EDENIED);
	assert_err(ssh_agent_msg_done(strange, 1), CLUSTER_EFORMAT);
	assert_err(ssh_agent_msg_done(yes, 0), CLUSTER_ETRUNC);
	assert_ok(ssh_agent_msg_keys(two, sizeof two, &list, &n));
	assert_int_equal(n, 2);
	assert_ok(ssh_agent_msg_next(&list, &key, &comment));
	assert_ok(ssh_agent_msg_next(&list, &key, &comment));
	assert_true(sshwire_is(&key, "l") && sshwire_is(&comment, "c"));
	for (size_t i = 0; i < sizeof two; i++)
		assert_err(ssh_agent_msg_keys(two, i, &list, &n), CLUSTER_ETRUNC);
	memcpy(long_one, two, sizeof two);
	long_one[sizeof two] = 0;
	assert_err(ssh_agent_msg_keys(long_one, sizeof long_one, &list, &n), CLUSTER_EFORMAT);
	assert_err(ssh_agent_msg_keys(many, sizeof many, &list, &n), CLUSTER_ELIMIT);
	assert_err(ssh_agent_msg_keys(no, 1, &list, &n), CLUSTER_EDENIED);
	assert_ok(ssh_agent_msg_signature(signature, sizeof signature, &key));
	assert_true(sshwire_is(&key, "ab"));
	assert_err(ssh_agent_msg_signature(empty, sizeof empty, &key), CLUSTER_ELIMIT);
	assert_err(ssh_agent_msg_signature(signature, sizeof signature - 1, &key), CLUSTER_ETRUNC);
}

static void test_other_keys(void **state)
{
	struct made m = make();
	struct ssh_agent_msg_add add = { .key = m.key, .certificate = m.blob, .n = m.n, .comment = "", .lifetime = 1 };
	struct crypto_key *p256 = NULL;
	struct secret *text = NULL;
	struct wr w;

	(void)state;
	assert_ok(crypto_key_new(CRYPTO_ES256, &p256));
	add.key = p256;
	wr_grow(&w, SSH_AGENT_MSG_MAX);
	assert_err(ssh_agent_msg_add(&w, &add), CLUSTER_EFORMAT);
	assert_err(ssh_key_build(p256, "", &text), CLUSTER_EFORMAT);
	assert_null(text);
	wr_done(&w);
	crypto_key_free(p256);
	trustgen_free(m.g);
}

/* ---- a real agent ---- */

static pid_t start_agent(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (freopen("/dev/null", "w", stdout) == NULL)
			_exit(127);
		execlp("ssh-agent", "ssh-agent", "-D", "-a", path, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000; i++) {
		struct ssh_agent *a = NULL;
		const struct timespec little = { .tv_nsec = 10000000 };

		if (ssh_agent_open(path, &a, NULL) == CLUSTER_OK) {
			ssh_agent_close(a);
			return pid;
		}
		nanosleep(&little, NULL);
	}
	fail_msg("ssh-agent does not start");
	return -1;
}

static void test_real(void **state)
{
	struct made m = make();
	const struct ssh_agent_msg_add add = { .key = m.key, .certificate = m.blob, .n = m.n, .comment = "alice", .lifetime = 600 };
	const struct rd data = { .p = (const uint8_t *)"what is signed", .n = 14 }, blob = { .p = m.blob, .n = m.n };
	struct ssh_agent_list *list = NULL;
	struct ssh_agent *a = NULL;
	uint8_t *signature = NULL, sig[CRYPTO_SIG_SIZE];
	struct crypto_pub pub;
	pid_t pid = start_agent();
	size_t n = 0;

	(void)state;
	assert_ok(ssh_agent_open(path, &a, &d));
	assert_ok(ssh_agent_list(a, &list, &d));
	assert_int_equal(list->n, 0);
	ssh_agent_list_free(list);
	assert_err(ssh_agent_sign(a, &blob, &data, &signature, &n, &d), CLUSTER_EDENIED);
	assert_ok(ssh_agent_add(a, &add, &d));
	assert_ok(ssh_agent_list(a, &list, &d));
	assert_int_equal(list->n, 1);
	assert_int_equal(list->key[0].blob.n, m.n);
	assert_memory_equal(list->key[0].blob.p, m.blob, m.n);
	assert_true(sshwire_is(&list->key[0].comment, "alice"));
	assert_ok(ssh_agent_sign(a, &list->key[0].blob, &data, &signature, &n, &d));
	assert_ok(crypto_key_pub(m.key, &pub));
	assert_ok(sshwire_signature(signature, n, CRYPTO_ED25519, sig));
	assert_ok(crypto_verify(&pub, data.p, data.n, sig));
	free(signature);
	ssh_agent_list_free(list);
	assert_ok(ssh_agent_remove(a, &blob, &d));
	assert_ok(ssh_agent_remove(a, &blob, &d)); /* it is not there any more */
	assert_ok(ssh_agent_list(a, &list, &d));
	assert_int_equal(list->n, 0);
	ssh_agent_list_free(list);
	ssh_agent_close(a);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	unlink(path);
	trustgen_free(m.g);
}

/* ---- others ---- */

/* What a listener that answers the first request with these bytes, and then closes, does to a caller. */
static enum cluster_err list_from(const void *answer, size_t n)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), c;
	struct ssh_agent_list *list = NULL;
	struct ssh_agent *a = NULL;
	char request[16];
	enum cluster_err e;
	pid_t pid;

	memcpy(address.sun_path, path, strlen(path));
	assert_true(fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		c = accept(fd, NULL, NULL);
		_exit(c >= 0 && recv(c, request, 5, MSG_WAITALL) == 5 && (n == 0 || send(c, answer, n, MSG_NOSIGNAL) == (ssize_t)n) ? 0 : 1);
	}
	close(fd);
	assert_ok(ssh_agent_open(path, &a, &d));
	e = ssh_agent_list(a, &list, &d);
	assert_true((e == CLUSTER_OK) == (list != NULL));
	ssh_agent_list_free(list);
	ssh_agent_close(a);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	unlink(path);
	return e;
}

static void test_strange_agents(void **state)
{
	static const uint8_t fine[] = { 0, 0, 0, 5, 12, 0, 0, 0, 0 }, large[] = { 0, 4, 0, 1, 12 }, empty[] = { 0, 0, 0, 0 }, no[] = { 0, 0, 0, 1, 5 }, half[] = { 0, 0, 0, 5, 12, 0 };

	(void)state;
	assert_ok(list_from(fine, sizeof fine));
	assert_err(list_from(large, sizeof large), CLUSTER_EFORMAT);
	assert_err(list_from(empty, sizeof empty), CLUSTER_EFORMAT);
	assert_err(list_from("HTTP/1.1 400", 12), CLUSTER_EFORMAT);
	assert_err(list_from(no, sizeof no), CLUSTER_EDENIED);
	assert_err(list_from(half, sizeof half), CLUSTER_EUNAVAIL);
	assert_err(list_from(NULL, 0), CLUSTER_EUNAVAIL);
}

static void test_open(void **state)
{
	char long_path[200];
	struct ssh_agent *a = NULL;

	(void)state;
	assert_int_equal(unsetenv("SSH_AUTH_SOCK"), 0);
	assert_err(ssh_agent_open(NULL, &a, &d), CLUSTER_EUNAVAIL);
	assert_err(ssh_agent_open("", &a, &d), CLUSTER_EUNAVAIL);
	assert_err(ssh_agent_open("/nowhere/at/all", &a, &d), CLUSTER_EUNAVAIL);
	assert_err(ssh_agent_open("/dev/null", &a, &d), CLUSTER_EUNAVAIL);
	memset(long_path, 'a', sizeof long_path);
	long_path[sizeof long_path - 1] = '\0';
	assert_err(ssh_agent_open(long_path, &a, &d), CLUSTER_EUNAVAIL);
	assert_null(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add), cmocka_unit_test(test_answers), cmocka_unit_test(test_other_keys), cmocka_unit_test(test_real), cmocka_unit_test(test_strange_agents), cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
