/* SPDX-License-Identifier: Apache-2.0 */
/* sshd's question before anything is proved: one principal, or nothing. THREATS.md B9, C4, D7. */
#include "unit.h"
#include "world_hop.h"

#include <errno.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/moment.h"
#include "cluster/sshcert.h"
#include "principals.h"

static struct world w;
static struct credential cred;
static struct node_conf conf;
static struct principals_answer answer;
static char dir[64], passwd[100];
static uid_t nss_uid;
static int nss_error;

/* Takes the place of libc's. */
int getpwnam_r(const char *name, struct passwd *pw, char *room, size_t size, struct passwd **ret)
{
	static char empty[] = "";

	(void)room;
	(void)size;
	*ret = NULL;
	if (nss_error || nss_uid == UINT32_MAX)
		return nss_error;
	*pw = (struct passwd){ .pw_name = empty, .pw_passwd = empty, .pw_gecos = empty, .pw_dir = empty, .pw_shell = empty,
		.pw_uid = nss_uid ? nss_uid : strcmp(name, "alice") == 0 ? WORLD_UID_ALICE : strcmp(name, "lonely") == 0 ? WORLD_UID_LONELY : WORLD_UID_EMR };
	if (nss_uid == 1)
		pw->pw_uid = 0;
	*ret = pw;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	static const char text[] = "root:x:0:0::/root:/bin/sh\necs-user:x:1000:1000::/:/bin/sh\nrescue:x:1001:1001::/:/bin/sh\n";
	struct moment now;

	(void)state;
	nss_uid = 0;
	nss_error = 0;
	strcpy(dir, "/tmp/principals-XXXXXX");
	if (!mkdtemp(dir) || moment_now(&now) != CLUSTER_OK)
		return 1;
	world_init(&w, now.wall);
	w.fresh.boot_id = now.boot_id;
	w.fresh.boot_time = now.boot;
	cred = world_credential(&w, WORLD_ALICE);
	snprintf(passwd, sizeof passwd, "%s/passwd", dir);
	world_file(passwd, text, strlen(text), 0644);
	node_conf_init(&conf);
	snprintf(conf.state, sizeof conf.state, "%s/state", dir);
	world_store(&w, conf.state);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	world_done(&w);
	return 0;
}

/* A certificate of `cred` by `ca`, cut into sshd's arguments; `flip` >= 0 changes a character of it. */
static enum reason ask(const char *account, const struct crypto_key *ca, int flip)
{
	char *token = world_token(&w, &cred, NULL), *line = NULL, *space;
	const struct sshcert_spec spec = { .credential = token, .claims = &cred, .serial = 5, .key_id = "alice key" };
	struct principals_query q = { .account = account, .passwd = passwd, .conf = &conf, .owner = geteuid() };
	enum reason r;
	struct diag d;

	assert_ok(sshcert_build(&spec, ca, &line, &d));
	space = strchr(line, ' ');
	*space = '\0';
	q.type = line;
	q.certificate = space + 1;
	if (flip >= 0)
		space[1 + flip] = space[1 + flip] == 'A' ? 'B' : 'A';
	r = principals_decide(&q, &answer);
	assert_int_equal(r == REASON_OK, answer.principal[0] != '\0');
	if (r != REASON_OK)
		assert_true(answer.detail.text[0] != '\0');
	free(token);
	free(line);
	return r;
}

static void expect(const char *account, enum reason want)
{
	enum reason got = ask(account, w.sshca, -1);

	if (got != want)
		fail_msg("%s: %s (%s), expected %s", account, reason_word(got), answer.detail.text, reason_word(want));
}

static void test_principal(void **state)
{
	char jti[ID_TEXT + 1], cluster[ID_TEXT + 1], want[100];

	(void)state;
	id_text(&cred.jti, jti);
	id_text(&w.root.cluster, cluster);
	snprintf(want, sizeof want, "%s@%s", jti, cluster);
	expect("emr-user", REASON_OK);
	assert_string_equal(answer.principal, want);
	expect("alice", REASON_OK);
	assert_string_equal(answer.principal, want);
}

/* Whoever's certificate it is: nothing for uid 0, a local account, a name that is none. */
static void test_accounts(void **state)
{
	(void)state;
	expect("root", REASON_ROOT);
	expect("rescue", REASON_SHADOWED);
	expect("ecs-user", REASON_SHADOWED);
	conf.adopt.n = 2;
	strcpy(conf.adopt.item[0], "ecs-user");
	strcpy(conf.adopt.item[1], "root"); /* below 1000: adopted by nobody */
	expect("ecs-user", REASON_OK);
	expect("root", REASON_ROOT);
	expect("lonely", REASON_NO_GRANT);
	expect("nobody-here", REASON_FOREIGN);
	expect("../x", REASON_NAME);
	expect("", REASON_NAME);
	expect("Emr-User", REASON_NAME);
	nss_uid = 1;
	expect("emr-user", REASON_ROOT); /* a name service that says uid 0 */
	nss_uid = 4711;
	expect("emr-user", REASON_SHADOWED);
	nss_uid = UINT32_MAX;
	expect("emr-user", REASON_ACCOUNT_UNKNOWN);
	nss_error = EIO;
	expect("emr-user", REASON_SYSTEM);
	nss_error = 0;
	nss_uid = 0;
	assert_int_equal(remove(passwd), 0);
	expect("emr-user", REASON_OK); /* nobody counts as local, as in PAM; the directory and getpwnam agree */
}

static void test_certificates(void **state)
{
	static const char *const types[] = { "ssh-ed25519", "", "ssh-rsa-cert-v01@openssh.com" };
	char *huge;

	(void)state;
	assert_int_equal(ask("emr-user", w.issuer, -1), REASON_CERTIFICATE_CA);
	assert_int_equal(ask("emr-user", w.cnf, -1), REASON_CERTIFICATE_CA);
	assert_int_equal(ask("emr-user", w.sshca, 70), REASON_CERTIFICATE);
	assert_int_equal(ask("emr-user", w.sshca, 400), REASON_CERTIFICATE);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const struct principals_query q = { .account = "emr-user", .type = types[i], .certificate = "AAAAC3NzaC1lZDI1NTE5", .passwd = passwd, .conf = &conf, .owner = geteuid() };

		assert_int_equal(principals_decide(&q, &answer), REASON_CERTIFICATE);
	}
	huge = malloc(1 << 20);
	assert_non_null(huge);
	memset(huge, 'A', 1 << 20);
	huge[(1 << 20) - 1] = '\0';
	assert_int_equal(principals_decide(&(struct principals_query){ .account = "emr-user", .type = "t", .certificate = huge, .passwd = passwd, .conf = &conf, .owner = geteuid() }, &answer), REASON_CERTIFICATE);
	free(huge);
}

static void test_policy(void **state)
{
	const struct credential good = cred;

	(void)state;
	cred.n_src = 1;
	strcpy(cred.src[0], "198.51.100.0/24");
	expect("emr-user", REASON_OK); /* the address is sshd's to check, and PAM's */
	cred.n_nod = 1;
	strcpy(cred.nod[0], "node:core-1-1");
	expect("emr-user", REASON_NARROW_NODE);
	cred = good;
	cred.iat = cred.nbf = w.now - 3600;
	cred.exp = w.now - 1;
	expect("emr-user", REASON_EXPIRED);
	cred = good;
	world_revoke(&w, REVOKE_CERT_SERIAL, "5", 0);
	world_store(&w, conf.state);
	expect("emr-user", REASON_REVOKED_CERTIFICATE);
	assert_true(answer.certificate.has_facts && answer.certificate.facts.serial == 5);
	assert_string_equal(answer.certificate.facts.key_id, "alice key");
	w.revocations.n = 0;
	world_revoke(&w, REVOKE_LOCKDOWN, "", 0);
	world_store(&w, conf.state);
	expect("emr-user", REASON_LOCKDOWN);
}

static enum reason ask_hop(struct world_hop *h, const char *account)
{
	char *line = world_hop_line(h, WORLD_HOP_EDGE), *space = strchr(line, ' ');
	const struct principals_query q = { .account = account, .type = line, .certificate = space + 1, .passwd = passwd, .conf = &conf, .owner = geteuid() };
	enum reason r;

	*space = '\0';
	r = principals_decide(&q, &answer);
	assert_int_equal(r == REASON_OK, answer.principal[0] != '\0');
	if (r != REASON_OK)
		assert_true(answer.detail.text[0] != '\0');
	free(line);
	return r;
}

/* The one principal of a hop, and nothing for an account that is none of ours, whoever vouches for it. */
static void hops(struct world_hop *h)
{
	char target[ID_TEXT + 1], cluster[ID_TEXT + 1], want[100];

	world_store(&w, conf.state);
	id_text(&w.node.id, target);
	id_text(&w.root.cluster, cluster);
	snprintf(want, sizeof want, "emr-user@%s.%s", target, cluster);
	assert_int_equal(ask_hop(h, "emr-user"), REASON_OK);
	assert_string_equal(answer.principal, want);
	assert_int_equal(ask_hop(h, "alice"), REASON_NARROW_ACCOUNT);
	assert_string_equal(answer.certificate.source, "edge-1");
	assert_int_equal(ask_hop(h, "root"), REASON_ROOT);
	nss_uid = 1;
	assert_int_equal(ask_hop(h, "emr-user"), REASON_ROOT);
	nss_uid = 0;
	assert_int_equal(ask_hop(h, "rescue"), REASON_SHADOWED);
	strcpy(h->hop.account, "ecs-user");
	assert_int_equal(ask_hop(h, "ecs-user"), REASON_SHADOWED);
	conf.adopt.n = 1;
	strcpy(conf.adopt.item[0], "ecs-user");
	assert_int_equal(ask_hop(h, "ecs-user"), h->hop.machine ? REASON_NO_GRANT : REASON_NO_HOP);
	if (!h->hop.machine) {
		w.grants[WORLD_GRANT_ALICE_ECS].hop = true;
		world_store(&w, conf.state);
		assert_int_equal(ask_hop(h, "ecs-user"), REASON_OK);
	}
	strcpy(h->hop.account, "emr-user");
	h->hop.target = world_id('n', 9);
	assert_int_equal(ask_hop(h, "emr-user"), REASON_NARROW_NODE);
	h->hop.target = w.node.id;
	world_revoke_id(&w, REVOKE_NODE, &h->hop.source, 0);
	world_store(&w, conf.state);
	assert_int_equal(ask_hop(h, "emr-user"), REASON_REVOKED_NODE);
}

static void test_hop(void **state)
{
	struct world_hop h;

	(void)state;
	world_hop_init(&w, &h);
	hops(&h);
	world_hop_done(&h);
}

static void test_hop_machine(void **state)
{
	struct world_hop h;

	(void)state;
	world_hop_init(&w, &h);
	world_hop_machine(&w, &h);
	hops(&h);
	world_hop_done(&h);
}

static void test_snapshots(void **state)
{
	(void)state;
	conf.service_max_stale.n = 1;
	strcpy(conf.service_max_stale.item[0], "sshd:1m");
	w.fresh.head_iat -= 61;
	world_store_fresh(&w, conf.state);
	expect("emr-user", REASON_STALE_WALL);
	conf.service_max_stale.n = 0;
	expect("emr-user", REASON_OK);
	w.fresh.head_iat -= WORLD_MAX_STALE;
	world_store_fresh(&w, conf.state);
	expect("emr-user", REASON_STALE_WALL);
	strcat(conf.state, "x");
	expect("emr-user", REASON_SNAPSHOT_MISSING);
	expect("rescue", REASON_SHADOWED);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_principal), T(test_accounts), T(test_certificates), T(test_policy), T(test_hop), T(test_hop_machine), T(test_snapshots) };

	return cmocka_run_group_tests_name("principals", tests, NULL, NULL);
}
