/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/crypto.h"
#include "cluster/sshsig.h"

/* Against what the real ssh-keygen makes. */

#define MESSAGE "a.request.to-join"
#define NAMESPACE "cluster-login-join"

static char dir[] = "/tmp/test_sshsig.XXXXXX";

static void run(char *const argv[])
{
	int status, null;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static char *file_text(const char *name)
{
	char *text = calloc(1, 16384);
	FILE *f = fopen(name, "re");

	assert_non_null(text);
	assert_non_null(f);
	assert_true(fread(text, 1, 16383, f) > 0);
	fclose(f);
	return text;
}

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(name, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	fclose(f);
}

static int set_up(void **state)
{
	static const char *const keys[][3] = { { "ed25519", "ed25519", "256" }, { "p256", "ecdsa", "256" }, { "p384", "ecdsa", "384" }, { "rsa", "rsa", "2048" }, { "small", "rsa", "1024" } };

	(void)state;
	assert_ok(crypto_start());
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char *make[] = { "ssh-keygen", "-q", "-N", "", "-C", "", "-f", (char *)(uintptr_t)keys[i][0], "-t", (char *)(uintptr_t)keys[i][1], "-b", (char *)(uintptr_t)keys[i][2], NULL };

		run(make);
	}
	return 0;
}

static int tear_down(void **state)
{
	char *argv[] = { "rm", "-rf", dir, NULL };

	(void)state;
	assert_int_equal(chdir("/"), 0);
	run(argv);
	return 0;
}

static char *line_of(const char *key)
{
	char name[40], *line;

	snprintf(name, sizeof name, "%s.pub", key);
	line = file_text(name);
	line[strcspn(line, "\n")] = '\0';
	if (line[strlen(line) - 1] == ' ')
		line[strlen(line) - 1] = '\0';
	return line;
}

static char *sign(const char *key, const char *hash)
{
	char option[40], *argv[] = { "ssh-keygen", "-Y", "sign", "-q", "-f", (char *)(uintptr_t)key, "-n", NAMESPACE, "-O", option, "message", NULL };

	snprintf(option, sizeof option, "hashalg=%s", hash);
	write_text("message", MESSAGE);
	unlink("message.sig");
	run(argv);
	return file_text("message.sig");
}

static enum cluster_err verify(const char *sig, const char *line, const char *namespace, const char *message)
{
	return sshsig_verify(sig, strlen(sig), line, namespace, message, strlen(message), NULL);
}

static void check(const char *key, const char *hash)
{
	char *line = line_of(key), *sig = sign(key, hash), *other = line_of(strcmp(key, "p256") == 0 ? "ed25519" : "p256");

	assert_ok(verify(sig, line, NAMESPACE, MESSAGE));
	assert_err(verify(sig, line, NAMESPACE, MESSAGE "!"), CLUSTER_ESIGNATURE);
	assert_err(verify(sig, line, NAMESPACE, ""), CLUSTER_ESIGNATURE);
	assert_err(verify(sig, line, "file", MESSAGE), CLUSTER_ESIGNATURE);
	assert_err(verify(sig, other, NAMESPACE, MESSAGE), CLUSTER_ESIGNATURE);
	free(other);
	free(sig);
	free(line);
}

static void test_verify(void **state)
{
	(void)state;
	check("ed25519", "sha512");
	check("ed25519", "sha256");
	check("p256", "sha512");
	check("rsa", "sha512");
	check("rsa", "sha256");
}

/* Every truncation and every changed character of the armour is refused. */
static void test_damage(void **state)
{
	char *line = line_of("p256"), *sig = sign("p256", "sha512");
	size_t n = strlen(sig), end = (size_t)(strstr(sig, "-----END") - sig);

	(void)state;
	for (size_t i = 0; i < n - 1; i++)
		assert_int_not_equal(sshsig_verify(sig, i, line, NAMESPACE, MESSAGE, strlen(MESSAGE), NULL), CLUSTER_OK);
	for (size_t i = 0; i < end; i++) {
		char c = sig[i];

		if (c == '\n')
			continue;
		sig[i] = c == 'A' ? 'B' : 'A';
		assert_int_not_equal(verify(sig, line, NAMESPACE, MESSAGE), CLUSTER_OK);
		sig[i] = c;
	}
	assert_ok(verify(sig, line, NAMESPACE, MESSAGE));
	free(sig);
	free(line);
}

static void test_keys(void **state)
{
	uint8_t blob[SSHSIG_BLOB_MAX];
	char *line = line_of("p384"), *good = line_of("ed25519"), *text;
	struct diag d = { 0 };
	size_t n = 0;

	(void)state;
	assert_err(sshsig_key_parse(line, blob, &n, &d), CLUSTER_EDENIED);
	free(line);
	line = line_of("small");
	assert_err(sshsig_key_parse(line, blob, &n, &d), CLUSTER_EDENIED);
	free(line);
	assert_ok(sshsig_key_parse(good, blob, &n, &d));
	assert_int_equal(n, 51);
	text = malloc(strlen(good) + 100);
	sprintf(text, "%s a comment", good);
	assert_ok(sshsig_key_parse(text, blob, &n, &d));
	sprintf(text, "ssh-rsa%s", good + strlen("ssh-ed25519"));
	assert_err(sshsig_key_parse(text, blob, &n, &d), CLUSTER_EFORMAT);
	sprintf(text, "%s=", good);
	assert_err(sshsig_key_parse(text, blob, &n, &d), CLUSTER_EFORMAT);
	sprintf(text, "%.*s", (int)strlen(good) - 4, good);
	assert_err(sshsig_key_parse(text, blob, &n, &d), CLUSTER_EFORMAT);
	assert_err(sshsig_key_parse("", blob, &n, &d), CLUSTER_EFORMAT);
	assert_err(sshsig_key_parse("ssh-ed25519", blob, &n, &d), CLUSTER_EFORMAT);
	assert_err(sshsig_key_parse(NULL, blob, &n, &d), CLUSTER_EFORMAT);
	free(text);
	free(good);
}

static void test_fingerprint(void **state)
{
	char *argv[] = { "sh", "-c", "ssh-keygen -l -f rsa.pub >fingerprint", NULL }, *said, *line = line_of("rsa"), print[51];
	uint8_t blob[SSHSIG_BLOB_MAX];
	size_t n = 0;

	(void)state;
	run(argv);
	said = file_text("fingerprint");
	assert_ok(sshsig_key_parse(line, blob, &n, NULL));
	assert_ok(sshsig_fingerprint(blob, n, print));
	assert_int_equal(strlen(print), 50);
	assert_non_null(strstr(said, print));
	free(said);
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_verify), cmocka_unit_test(test_damage), cmocka_unit_test(test_keys), cmocka_unit_test(test_fingerprint) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
