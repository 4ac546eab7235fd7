/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement with ssh-keygen: what both read they read alike, and what it refuses is refused here. THREATS.md B10. */
#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cluster/crypto.h"
#include "cluster/sshcert.h"
#include "cluster/sshsig.h"
#include "cluster/sshwire.h"
#include "cluster/wr.h"

#define OUTPUT_MAX ((size_t)4 << 20)

static char dir[] = "/tmp/test_sshcert_keygen.XXXXXX";
static char *expected; /* what ssh-keygen -L should say of all.pub */
static size_t expected_n;
static FILE *all;

/* Exit status; output to files. */
static int run(const char *command)
{
	int status = system(command); /* NOLINT: fixed words */

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static char *file_text(const char *name)
{
	char *text = calloc(1, OUTPUT_MAX);
	FILE *f = fopen(name, "re");

	assert_non_null(text);
	assert_non_null(f);
	assert_true(fread(text, 1, OUTPUT_MAX - 1, f) < OUTPUT_MAX - 1);
	fclose(f);
	return text;
}

static void write_line(const char *name, const char *text)
{
	FILE *f = fopen(name, "we");

	assert_non_null(f);
	assert_true(fprintf(f, "%s\n", text) > 0);
	assert_int_equal(fclose(f), 0);
}

/* The security key that would have the key of `from`: the same point, and an application. */
static void make_sk(const char *from, const char *type, const char *to)
{
	char name[64], line[SSHSIG_LINE_MAX], *text;
	uint8_t blob[SSHSIG_BLOB_MAX], out[SSHSIG_BLOB_MAX];
	struct rd r, old;
	struct wr w, l;
	size_t n = 0;

	snprintf(name, sizeof name, "%s.pub", from);
	text = file_text(name);
	text[strcspn(text, "\n")] = '\0';
	assert_ok(sshsig_key_parse(text, blob, &n, NULL));
	free(text);
	rd_init(&r, blob, n);
	assert_ok(sshwire_string(&r, &old));
	wr_init(&w, out, sizeof out);
	sshwire_put_text(&w, type);
	wr_bytes(&w, r.p, r.n);
	sshwire_put_text(&w, "ssh:");
	wr_init(&l, line, sizeof line);
	wr_printf(&l, "%s ", type);
	sshwire_encode(&l, out, w.n);
	wr_terminate(&l);
	assert_ok(wr_end(&w));
	assert_ok(wr_end(&l));
	snprintf(name, sizeof name, "%s.pub", to);
	write_line(name, line);
}

static int set_up(void **state)
{
	(void)state;
	assert_ok(crypto_start());
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(run("set -e; g() { ssh-keygen -q -N '' -C '' -t $1 -b $2 -f $3; }; g ed25519 256 ed; g ecdsa 256 p256; g ecdsa 384 p384; g ecdsa 521 p521; g rsa 2048 rsa; "
			     "g ed25519 256 ca_ed; g ecdsa 256 ca_p256; g ecdsa 384 ca_p384; g rsa 3072 ca_rsa"), 0);
	make_sk("ed", "sk-ssh-ed25519@openssh.com", "sked");
	make_sk("p256", "sk-ecdsa-sha2-nistp256@openssh.com", "skp256");
	assert_non_null(all = fopen("all.pub", "we"));
	assert_non_null(expected = calloc(1, OUTPUT_MAX));
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	free(expected);
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return run(command);
}

/* ---- what ssh-keygen -L would print ---- */

static void say(const char *fmt, ...) CLUSTER_PRINTF(1, 2);
static void say(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(expected + expected_n, OUTPUT_MAX - expected_n, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < OUTPUT_MAX - expected_n);
	expected_n += (size_t)n;
}

static const char *label(const struct sshcert_bytes *type)
{
	static const char *const labels[][2] = {
		{ "ssh-ed25519", "ED25519" }, { "ecdsa-sha2-nistp", "ECDSA" }, { "ssh-rsa", "RSA" }, { "sk-ssh-ed25519", "ED25519-SK" }, { "sk-ecdsa-sha2", "ECDSA-SK" },
	};

	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (type->n >= strlen(labels[i][0]) && memcmp(type->p, labels[i][0], strlen(labels[i][0])) == 0)
			return labels[i][1];
	return "?";
}

static void say_time(const char *word, uint64_t t)
{
	time_t when = (time_t)t;
	char text[40];
	struct tm tm;

	assert_true(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&when, &tm)) > 0);
	say("%s %s", word, text);
}

static void say_valid(const struct sshcert *c)
{
	say("        Valid: ");
	if (c->after == 0 && c->before == UINT64_MAX)
		say("forever");
	else if (c->after == 0)
		say_time("before", c->before);
	else if (c->before == UINT64_MAX)
		say_time("after", c->after);
	else
		say_time("from", c->after), say_time(" to", c->before);
	say("\n");
}

static bool named(const struct sshcert_option *o, const char *name)
{
	return o->name.n == strlen(name) && memcmp(o->name.p, name, o->name.n) == 0;
}

static void say_options(const char *title, const struct sshcert_option *o, size_t n, bool critical)
{
	say("        %s: %s\n", title, n ? "" : "(none)");
	for (size_t i = 0; i < n; i++, o++) {
		say("                %.*s", (int)o->name.n, (const char *)o->name.p);
		if (critical && (named(o, "force-command") || named(o, "source-address"))) {
			say(" %.*s", (int)o->data.n, (const char *)o->data.p);
		} else if (memmem(o->name.p, o->name.n, "@", 1) && o->data.n == 0) {
			say(" UNKNOWN FLAG OPTION");
		} else if (memmem(o->name.p, o->name.n, "@", 1)) {
			say(" UNKNOWN OPTION: ");
			for (size_t k = 0; k < o->data.n + 4; k++)
				say("%02x", o->data.p[k - 4]);
			say(" (len %zu)", o->data.n + 4);
		}
		say("\n");
	}
}

static void say_all(const char *file, unsigned int line, const struct sshcert *c)
{
	char key[SSHCERT_FINGERPRINT + 1], ca[SSHCERT_FINGERPRINT + 1];
	struct rd r, type, sig, sig_type;
	struct sshcert_bytes ca_type;

	rd_init(&r, c->ca.p, c->ca.n);
	assert_ok(sshwire_string(&r, &type));
	rd_init(&sig, c->signature.p, c->signature.n);
	assert_ok(sshwire_string(&sig, &sig_type));
	ca_type = (struct sshcert_bytes){ .p = type.p, .n = type.n };
	assert_ok(sshcert_key_fingerprint(c, key));
	assert_ok(sshcert_ca_fingerprint(c, ca));
	if (line == 1)
		say("%s:\n", file);
	else
		say("%s:%u:\n", file, line);
	say("        Type: %.*s %s certificate\n", (int)c->key_type.n, (const char *)c->key_type.p, c->type == SSHCERT_USER ? "user" : "host");
	say("        Public key: %s-CERT %s\n        Signing CA: %s %s (using %.*s)\n", label(&c->key_type), key, label(&ca_type), ca, (int)sig_type.n, (const char *)sig_type.p);
	say("        Key ID: \"%.*s\"\n        Serial: %" PRIu64 "\n", (int)c->key_id.n, (const char *)c->key_id.p, c->serial);
	say_valid(c);
	say("        Principals: %s\n", c->n_principals ? "" : "(none)");
	for (size_t i = 0; i < c->n_principals; i++)
		say("                %.*s\n", (int)c->principals[i].n, (const char *)c->principals[i].p);
	say_options("Critical Options", c->critical, c->n_critical, true);
	say_options("Extensions", c->extensions, c->n_extensions, false);
}

/* ---- generated ones ---- */

static unsigned int lines;

/* Signs <key>.pub and adds the certificate to all.pub; the result of our parser. */
static enum cluster_err sign(const char *ca, const char *key, const char *words)
{
	uint8_t room[SSHCERT_BLOB_MAX];
	char command[2048], *text;
	struct sshcert c;
	enum cluster_err e;

	snprintf(command, sizeof command, "ssh-keygen -q -s %s %s %s.pub", ca, words, key);
	assert_int_equal(run(command), 0);
	snprintf(command, sizeof command, "%s-cert.pub", key);
	text = file_text(command);
	e = sshcert_parse_text(text, strlen(text), room, &c, NULL);
	if (e == CLUSTER_OK) {
		assert_true(fputs(text, all) >= 0);
		say_all("all.pub", ++lines, &c);
	}
	free(text);
	return e;
}

static void test_generated(void **state)
{
	static const char *const keys[] = { "ed", "p256", "p384", "p521", "rsa", "sked", "skp256" }, *const cas[] = { "ca_ed", "ca_p256", "ca_p384", "ca_rsa" };
	char *said;

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		assert_ok(sign("ca_ed", keys[i], "-I someone -n alice -z 7 -V 20260101:20270101"));
		assert_ok(sign("ca_p256", keys[i], "-h -I host -n h1,h2 -V always:forever"));
	}
	for (size_t i = 0; i < sizeof cas / sizeof *cas; i++)
		assert_ok(sign(cas[i], "ed", "-I x -z 18446744073709551615"));
	assert_ok(sign("ca_rsa", "rsa", "-t rsa-sha2-256 -I x"));
	assert_ok(sign("ca_ed", "ed", "-I '' -V always:20300101"));
	assert_ok(sign("ca_ed", "ed", "-I 'words and more' -V 20200101:forever"));
	assert_ok(sign("ca_ed", "ed", "-I x -O clear"));
	assert_ok(sign("ca_ed", "ed", "-I x -O clear -O permit-pty -O permit-port-forwarding -O extension:credential@cluster-login=abc"));
	assert_ok(sign("ca_ed", "ed", "-I x -O force-command='ls -l' -O source-address=192.0.2.0/24,2001:db8::/32 "
			       "-O extension:flag@example.org -O extension:value@example.org=a=b -O critical:must@example.org"));
	assert_ok(sign("ca_ed", "skp256", "-I x -O no-touch-required -O verify-required"));
	assert_ok(sign("ca_ed", "ed", "-I x -n 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"));
	assert_err(sign("ca_ed", "ed", "-I x -n 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"), CLUSTER_ELIMIT);
	assert_err(sign("ca_ed", "ed", "-I x -O extension:a@b -O extension:a@b"), CLUSTER_EFORMAT);
	assert_int_equal(fflush(all), 0);
	assert_int_equal(run("ssh-keygen -L -f all.pub >said 2>errors"), 0);
	said = file_text("said");
	assert_string_equal(said, expected);
	free(said);
}

/* ---- damaged ones ---- */

/* The form, and the signature where we can check it: what ssh-keygen looks at. */
static bool ours(const uint8_t *blob, size_t n)
{
	uint8_t sig[CRYPTO_SIG_SIZE];
	struct crypto_pub ca;
	struct sshcert c;

	if (sshcert_parse(blob, n, &c, NULL) != CLUSTER_OK || sshwire_blob(c.ca.p, c.ca.n, &ca) != CLUSTER_OK)
		return false;
	return sshwire_signature(c.signature.p, c.signature.n, ca.alg, sig) == CLUSTER_OK && crypto_verify(&ca, c.signed_part.p, c.signed_part.n, sig) == CLUSTER_OK;
}

static void put_line(FILE *f, const uint8_t *blob, size_t n)
{
	struct rd r, type;
	struct wr w;

	rd_init(&r, blob, n);
	wr_grow(&w, SSHCERT_TEXT_MAX + 4096);
	if (sshwire_string(&r, &type) == CLUSTER_OK && type.n > 0 && type.n < 60 && !memchr(type.p, '\n', type.n) && !memchr(type.p, '\0', type.n))
		wr_bytes(&w, type.p, type.n);
	else
		wr_text(&w, "x");
	wr_u8(&w, ' ');
	sshwire_encode(&w, blob, n);
	wr_u8(&w, '\n');
	assert_ok(wr_end(&w));
	assert_int_equal(fwrite(w.p, 1, w.n, f), w.n);
	wr_done(&w);
}

/* Every bit flip and every truncation of one certificate: whoever refuses, both do. */
static void damage(const char *ca, const char *key)
{
	uint8_t room[SSHCERT_BLOB_MAX];
	char command[128], *text;
	FILE *f = fopen("damaged", "we");
	size_t n, line = 0, taken = 0;
	struct sshcert c;
	bool *mine;

	assert_non_null(f);
	snprintf(command, sizeof command, "ssh-keygen -q -s %s -I id -n a,b -O force-command=ls %s.pub", ca, key);
	assert_int_equal(run(command), 0);
	snprintf(command, sizeof command, "%s-cert.pub", key);
	text = file_text(command);
	assert_ok(sshcert_parse_text(text, strlen(text), room, &c, NULL));
	free(text);
	n = c.signed_part.n + 4 + c.signature.n;
	assert_non_null(mine = calloc(2 * n + 1, sizeof *mine));
	for (size_t i = 0; i < n; i++) {
		room[i] ^= (uint8_t)(1 << i % 8);
		mine[line++] = ours(room, n);
		put_line(f, room, n);
		room[i] ^= (uint8_t)(1 << i % 8);
		mine[line++] = ours(room, i + 1);
		put_line(f, room, i + 1);
	}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(run("ssh-keygen -L -f damaged 2>errors | grep -o '^damaged:[0-9]*' | cut -d: -f2 >said"), 0);
	text = file_text("said");
	for (char *p = text; *p; p = strchr(p, '\n') + 1) {
		size_t at = strtoul(p, NULL, 10);

		taken++;
		assert_true(at >= 1 && at <= line);
		if (!mine[at - 1])
			print_message("line %zu of %s by %s: ssh-keygen reads it, we do not\n", at, key, ca);
		mine[at - 1] = false;
	}
	assert_true(taken >= 1); /* the whole one is the last line */
	for (size_t i = 0; i < line; i++)
		if (mine[i])
			fail_msg("line %zu of %s by %s: ssh-keygen refuses it, we do not", i + 1, key, ca);
	free(text);
	free(mine);
}

static void test_damaged(void **state)
{
	(void)state;
	damage("ca_ed", "ed");
	damage("ca_p256", "p256");
	damage("ca_ed", "rsa");
	damage("ca_ed", "p384");
	damage("ca_p256", "sked");
}

static bool ssh_keygen_reads(const uint8_t *blob, size_t n)
{
	FILE *f = fopen("one", "we");

	assert_non_null(f);
	put_line(f, blob, n);
	assert_int_equal(fclose(f), 0);
	return run("ssh-keygen -L -f one >said 2>errors") == 0 && run("grep -q 'Extensions:' said") == 0;
}

/* Bytes between key and CA that are wrong, under a signature that holds: lengths, types, options. */
static void test_signed_damage(void **state)
{
	struct credential cred = { .nbf = 1800000000, .exp = 1800000600, .n_src = 1, .src = { "192.0.2.1" } };
	const struct sshcert_spec spec = { .credential = "abc", .claims = &cred, .serial = 1, .key_id = "id" };
	uint8_t room[SSHCERT_BLOB_MAX], sig[CRYPTO_SIG_SIZE];
	struct crypto_key *ca = NULL, *key = NULL;
	size_t from, to, n, refused = 0;
	struct sshcert c, other;
	char *line = NULL;

	(void)state;
	assert_ok(crypto_key_new(CRYPTO_ED25519, &ca));
	assert_ok(crypto_key_new(CRYPTO_ED25519, &key));
	assert_ok(crypto_key_pub(key, &cred.cnf));
	assert_ok(sshcert_build(&spec, ca, &line, NULL));
	assert_ok(sshcert_parse_text(line, strlen(line), room, &c, NULL));
	n = c.signed_part.n + 4 + c.signature.n;
	assert_true(ssh_keygen_reads(room, n));
	from = (size_t)(c.key.p + c.key.n - room);
	to = c.signed_part.n - c.ca.n;
	for (size_t i = from; i < to; i++) {
		uint8_t was = room[i];

		room[i] = was ? (uint8_t)(i % 2 ? 0 : was + 1) : 1;
		assert_ok(crypto_sign(ca, room, c.signed_part.n, sig));
		memcpy(room + n - sizeof sig, sig, sizeof sig);
		if (sshcert_parse(room, n, &other, NULL) != CLUSTER_OK)
			refused++;
		else if (!ssh_keygen_reads(room, n))
			fail_msg("byte %zu made %u from %u: ssh-keygen refuses it, we do not", i, room[i], was);
		room[i] = was;
	}
	assert_in_range(refused, 20, to - from - 1);
	free(line);
	crypto_key_free(key);
	crypto_key_free(ca);
}

/* One option with these raw data, under a signature that holds. */
static size_t forge(const struct crypto_key *ca, bool critical, const char *name, const uint8_t *data, size_t n, uint8_t dst[SSHCERT_BLOB_MAX])
{
	uint8_t option[256], sig[CRYPTO_SIG_SIZE];
	struct crypto_pub pub;
	struct wr w, o;
	size_t at;

	assert_ok(crypto_key_pub(ca, &pub));
	wr_init(&o, option, sizeof option);
	sshwire_put_text(&o, name);
	sshwire_put(&o, data, n);
	wr_init(&w, dst, SSHCERT_BLOB_MAX);
	sshwire_put_text(&w, "ssh-ed25519-cert-v01@openssh.com");
	sshwire_put_text(&w, "nonce");
	sshwire_put_key(&w, &pub);
	wr_u64(&w, 1);
	wr_u32(&w, SSHCERT_USER);
	sshwire_put_text(&w, "id");
	sshwire_put_text(&w, "");
	wr_u64(&w, 0);
	wr_u64(&w, UINT64_MAX);
	sshwire_put(&w, option, critical ? o.n : 0);
	sshwire_put(&w, option, critical ? 0 : o.n);
	sshwire_put_text(&w, "");
	at = w.n;
	wr_u32(&w, 0);
	sshwire_put_blob(&w, &pub);
	wr_patch_u32(&w, at, (uint32_t)(w.n - at - 4));
	assert_ok(wr_end(&o));
	assert_ok(wr_end(&w));
	assert_ok(crypto_sign(ca, w.p, w.n, sig));
	at = w.n;
	wr_u32(&w, 0);
	sshwire_put_signature(&w, pub.alg, sig);
	wr_patch_u32(&w, at, (uint32_t)(w.n - at - 4));
	assert_ok(wr_end(&w));
	return w.n;
}

/* Options with data that their names do not have. */
static void test_option_data(void **state)
{
	static const struct {
		const char *name;
		uint8_t data[16];
		size_t n;
		bool critical, fine;
	} rows[] = {
		{ .name = "permit-pty", .fine = true }, { .name = "permit-pty", .n = 4 }, { .name = "permit-pty", .data = { 0, 0, 0, 1, 'x' }, .n = 5 },
		{ .name = "no-touch-required", .n = 4 }, { .name = "verify-required", .critical = true, .fine = true }, { .name = "verify-required", .n = 4, .critical = true },
		{ .name = "source-address", .critical = true }, { .name = "source-address", .data = { 0, 0, 0, 1, 'x' }, .n = 5, .critical = true, .fine = true },
		{ .name = "force-command", .data = { 0, 0, 0, 1, 'x', 0 }, .n = 6, .critical = true }, { .name = "force-command", .data = { 0, 0, 0, 2, 'x' }, .n = 5, .critical = true },
		{ .name = "force-command", .data = { 0, 0, 0, 2, 0, 'x' }, .n = 6, .critical = true },
		{ .name = "a@b", .fine = true }, { .name = "a@b", .data = { 0, 0, 0, 1, 'x' }, .n = 5, .fine = true },
	};
	struct crypto_key *ca = NULL;
	uint8_t blob[SSHCERT_BLOB_MAX];
	struct sshcert c;
	size_t n;

	(void)state;
	assert_ok(crypto_key_new(CRYPTO_ED25519, &ca));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		n = forge(ca, rows[i].critical, rows[i].name, rows[i].data, rows[i].n, blob);
		if ((sshcert_parse(blob, n, &c, NULL) == CLUSTER_OK) != rows[i].fine || ssh_keygen_reads(blob, n) != rows[i].fine)
			fail_msg("%s with %zu bytes", rows[i].name, rows[i].n);
	}
	n = forge(ca, false, "a@b", (const uint8_t[]){ 1, 2, 3 }, 3, blob); /* here we ask for more than ssh-keygen */
	assert_err(sshcert_parse(blob, n, &c, NULL), CLUSTER_ETRUNC);
	crypto_key_free(ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_generated), cmocka_unit_test(test_damaged), cmocka_unit_test(test_signed_damage), cmocka_unit_test(test_option_data) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
