/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "cluster/b64.h"
#include "cluster/credential.h"
#include "cluster/file.h"
#include "cluster/moment.h"
#include "cluster/rd.h"
#include "cluster/request.h"
#include "cluster/secret.h"
#include "docs.h"
#include "ipc.h"
#include "publish.h"
#include "trustgen.h"

/* The trust process as it runs on a node, in its sandbox; this test is its root and its fetch. */
struct node {
	char dir[64];
	struct trustgen *g;
	struct crypto_key *key;
	struct agent agent;
	struct publish *publish;
	int root, fetch;
	pid_t pid;
	const char *served[64];
	size_t n_served;
	uint32_t last_flags, unproved;
	struct trustgen_directory *directory;
	char refusal[IPC_TEXT_MAX + 1];
	struct diag d;
};

static void boot(struct node *n)
{
	struct assemble_floor floor;
	int packets[2], frames[2];

	assert_ok(publish_open(n->dir, geteuid(), &n->agent.enrolled.cluster, &n->agent.enrolled.node, &n->publish, &n->d));
	floor = publish_floor(n->publish);
	assert_ok(ipc_pair(packets, &n->d));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, frames), 0);
	n->agent.parent = getpid();
	n->pid = fork();
	assert_true(n->pid >= 0);
	if (n->pid == 0)
		_exit(trust_process(&n->agent, packets[1], frames[1], &floor));
	close(packets[1]);
	close(frames[1]);
	n->root = packets[0];
	n->fetch = frames[0];
}

/* Ends it by closing its channels; it must leave in good order. */
static void halt(struct node *n)
{
	int status;

	close(n->root);
	close(n->fetch);
	assert_int_equal(waitpid(n->pid, &status, 0), n->pid);
	if (WIFSIGNALED(status))
		fail_msg("the trust process died of signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	publish_close(n->publish);
}

static void setup(struct node *n)
{
	struct secret *pem;
	struct moment now;
	char path[128];

	memset(n, 0, sizeof *n);
	strcpy(n->dir, "/tmp/trust-XXXXXX");
	assert_non_null(mkdtemp(n->dir));
	assert_int_equal(chmod(n->dir, 0755), 0);
	assert_ok(moment_now(&now));
	n->g = trustgen_new("prod", now.wall);
	n->key = trustgen_key(n->g);
	assert_ok(crypto_key_build(n->key, &pem));
	snprintf(path, sizeof path, "%s/node.key", n->dir);
	assert_ok(file_create(path, pem->bytes, pem->n, 0600, &n->d));
	secret_free(pem);
	node_conf_init(&n->agent.conf);
	snprintf(n->agent.conf.state, sizeof n->agent.conf.state, "%s", n->dir);
	memcpy(n->agent.enrolled.pin, n->g->pin, sizeof n->g->pin);
	n->agent.enrolled.cluster = n->g->root.cluster;
	n->agent.enrolled.node = trustgen_id("core-1-1");
	n->agent.owner = geteuid();
	n->agent.user = (struct sandbox_user){ .drop = geteuid() == 0, .uid = 65534, .gid = 65534 };
	boot(n);
}

static void teardown(struct node *n)
{
	char command[100];

	halt(n);
	trustgen_free(n->g);
	snprintf(command, sizeof command, "rm -rf %s", n->dir);
	assert_int_equal(system(command), 0);
}

/* ---- root's part ---- */

static void send_local(struct node *n, const char *passwd, const char *group)
{
	struct ipc m;
	int fds[2];

	assert_ok(ipc_memory("passwd", passwd, strlen(passwd), &fds[0], &n->d));
	assert_ok(ipc_memory("group", group, strlen(group), &fds[1], &n->d));
	ipc_init(&m, IPC_LOCAL);
	assert_ok(ipc_send(n->root, &m, fds, 2, 1));
	ipc_close_fds(fds, 2);
}

/* Waits for a set, puts it in place, answers. Log lines on the way are passed over. */
static bool put_next(struct node *n, uint64_t ended)
{
	struct publish_set set;
	int fds[IPC_FDS_MAX];
	bool changed = false;
	struct ipc m, answer;
	size_t n_fds, i = 0;
	enum cluster_err e;

	do {
		assert_ok(ipc_receive(n->root, &m, fds, &n_fds));
	} while (m.type == IPC_LOG);
	assert_int_equal(m.type, IPC_PUBLISH);
	n->last_flags = m.publish.flags;
	memset(&set, 0, sizeof set);
	if (m.publish.flags & IPC_PUBLISH_ACCOUNTS)
		assert_ok(ipc_map(fds[i++], 1u << 20, &set.accounts.p, &set.accounts.n, &n->d));
	if (m.publish.flags & IPC_PUBLISH_TRUST)
		assert_ok(ipc_map(fds[i++], 1u << 20, &set.trust.p, &set.trust.n, &n->d));
	if (m.publish.flags & IPC_PUBLISH_DOCS)
		assert_ok(ipc_map(fds[i++], 1u << 20, &set.docs.p, &set.docs.n, &n->d));
	assert_int_equal(i, n_fds);
	set.head_version = (int64_t)m.publish.head_version;
	set.head_iat = m.publish.head_iat;
	set.rebuilt = m.publish.flags & IPC_PUBLISH_REBUILT;
	e = publish_put(n->publish, &set, &changed, &n->d);
	if (e == CLUSTER_OK)
		publish_tidy(n->publish, &set);
	ipc_unmap(set.accounts.p, set.accounts.n);
	ipc_unmap(set.trust.p, set.trust.n);
	ipc_unmap(set.docs.p, set.docs.n);
	ipc_close_fds(fds, n_fds);
	ipc_init(&answer, IPC_PUBLISHED);
	answer.published.err = (uint32_t)e;
	answer.published.ended = ended;
	answer.published.unproved = n->unproved;
	ipc_text(answer.published.text, sizeof answer.published.text, n->d.text);
	assert_ok(ipc_send(n->root, &answer, NULL, 0, 1));
	assert_ok(e);
	return changed;
}

/* ---- fetch's part ---- */

/* Pins say of which keyset they are: fetch does not go back to those of an older one (THREATS.md H1). */
static void check_pins(const struct frame *f)
{
	uint64_t version = 0;
	struct rd r;

	rd_init(&r, f->data, f->n);
	assert_ok(rd_u64(&r, &version));
	assert_true(version >= 1);
	assert_true(rd_left(&r) > 0 && rd_left(&r) % CRYPTO_SHA256_SIZE == 0);
}

static enum frame_type hear(struct node *n, struct frame *f)
{
	for (;;) {
		assert_ok(frame_receive(n->fetch, f));
		if (f->type != FRAME_PINS)
			return f->type;
		check_pins(f);
		frame_done(f);
	}
}

/* POLL or REFUSED: the installed version. */
static uint64_t hear_version(struct node *n, enum frame_type want)
{
	uint64_t version;
	struct frame f;
	struct rd r;

	assert_int_equal(hear(n, &f), want);
	rd_init(&r, f.data, f.n);
	assert_ok(rd_u64(&r, &version));
	snprintf(n->refusal, sizeof n->refusal, "%.*s", (int)rd_left(&r), (const char *)r.p);
	frame_done(&f);
	return version;
}

static void serve(struct node *n, const char *text)
{
	assert_true(n->n_served < 64);
	n->served[n->n_served++] = text;
}

static const char *make_head(struct node *n, int64_t version, int64_t directory_version, const char *entries, int64_t revocations_version)
{
	struct trustgen_directory *dir = n->directory;
	const char *root = trustgen_root_text(n->g), *keyset = trustgen_keyset_text(n->g), *rev = trustgen_revocations(n->g, revocations_version, entries);
	size_t i;

	if (!dir || dir->version != directory_version) /* its keys are fresh ones each time */
		dir = n->directory = trustgen_directory(n->g, directory_version, trustgen_sample(n->g));
	serve(n, root);
	serve(n, keyset);
	serve(n, dir->text);
	serve(n, rev);
	for (i = 0; i < dir->n_shards; i++)
		serve(n, dir->shard[i]);
	return trustgen_head(n->g, version, root, keyset, dir, rev, revocations_version);
}

static size_t give(struct node *n, const struct frame *want)
{
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	const uint8_t *wanted;
	size_t given = 0, i;
	uint64_t max;
	struct rd r;

	rd_init(&r, want->data, want->n);
	while (rd_left(&r) > 0) {
		assert_ok(rd_view(&r, CRYPTO_SHA256_SIZE, &wanted));
		assert_ok(rd_u64(&r, &max));
		for (i = 0; i < n->n_served; i++) {
			assert_ok(crypto_sha256(n->served[i], strlen(n->served[i]), sha256));
			if (memcmp(sha256, wanted, sizeof sha256) == 0)
				break;
		}
		assert_true(i < n->n_served);
		assert_ok(frame_send(n->fetch, FRAME_OBJECT, n->served[i], strlen(n->served[i])));
		given++;
	}
	assert_ok(frame_send(n->fetch, FRAME_FETCHED, NULL, 0));
	return given;
}

/* A head with all that it wants, up to the publication. Returns how many objects were fetched. */
static size_t bring(struct node *n, const char *head, int rounds)
{
	size_t given = 0;
	struct frame f;

	assert_ok(frame_send(n->fetch, FRAME_HEAD, head, strlen(head)));
	for (; rounds > 0; rounds--) {
		assert_int_equal(hear(n, &f), FRAME_WANT);
		given += give(n, &f);
		frame_done(&f);
	}
	return given;
}

static enum frame_type ask_signature(struct node *n, const char *path, struct request_node *ret)
{
	struct crypto_pub pub;
	struct frame f;
	struct jws jws;

	assert_ok(frame_send(n->fetch, FRAME_SIGN, path, strlen(path)));
	assert_int_equal(hear(n, &f), FRAME_TOKEN);
	if (f.n == 0) {
		frame_done(&f);
		return FRAME_REFUSED;
	}
	assert_ok(request_node_parse((const char *)f.data, f.n, &jws, ret, &n->d));
	assert_ok(crypto_key_pub(n->key, &pub));
	assert_ok(jws_verify(&jws, &pub));
	jws_done(&jws);
	frame_done(&f);
	return FRAME_TOKEN;
}

static void test_life_of_a_node(void **state)
{
	const char *head;
	struct request_node r;
	struct node n;

	(void)state;
	setup(&n);
	send_local(&n, "root:x:0:0::/root:/bin/sh\n", "root:x:0:\n");
	assert_int_equal(hear_version(&n, FRAME_POLL), 0);
	/* the first head: root and keyset, index and revocations, shards */
	head = make_head(&n, 10, 1, "[]", 1);
	assert_int_equal(bring(&n, head, 3), 9);
	assert_true(put_next(&n, 0));
	assert_int_equal(hear_version(&n, FRAME_POLL), 10);
	assert_int_equal(publish_fresh(n.publish)->head_version, 10);
	/* the report: which version, how many sessions ended */
	assert_int_equal(ask_signature(&n, "/v1/head?after=10&wait=30", &r), FRAME_TOKEN);
	assert_int_equal(r.applied, 10);
	assert_string_equal(r.c.htm, "GET");
	assert_string_equal(r.c.htu, "/v1/head?after=10&wait=30");
	/* a revocation: one object */
	head = make_head(&n, 11, 1, "[]", 2);
	assert_int_equal(bring(&n, head, 1), 1);
	assert_true(put_next(&n, 3));
	assert_int_equal(hear_version(&n, FRAME_POLL), 11);
	assert_int_equal(ask_signature(&n, "/v1/head?after=11&wait=30", &r), FRAME_TOKEN);
	assert_int_equal(r.applied, 11);
	assert_int_equal(r.ended, 3);
	/* root has found damage: all of the same head again */
	{
		struct ipc again;

		ipc_init(&again, IPC_AGAIN);
		assert_ok(ipc_send(n.root, &again, NULL, 0, 1));
		assert_false(put_next(&n, 3));
		assert_int_equal(n.last_flags, IPC_PUBLISH_ACCOUNTS | IPC_PUBLISH_TRUST | IPC_PUBLISH_DOCS | IPC_PUBLISH_REBUILT);
	}
	/* the same once more, an old one, rubbish */
	(void)bring(&n, head, 0);
	assert_int_equal(hear_version(&n, FRAME_POLL), 11);
	(void)bring(&n, make_head(&n, 9, 1, "[]", 2), 0);
	assert_int_equal(hear_version(&n, FRAME_REFUSED), 11);
	assert_non_null(strstr(n.refusal, "went back"));
	(void)bring(&n, "rubbish", 0);
	assert_int_equal(hear_version(&n, FRAME_REFUSED), 11);
	teardown(&n);
}

/* The node key signs what a node reads, for whoever has taken over fetch. */
static void test_signs_nothing_else(void **state)
{
	static const char *const bad[] = {
		"", "/v1/join", "/v1/head", "/v1/head?after=1", "/v1/head?after=&wait=1", "/v1/head?after=1&wait=", "/v1/head?after=1&wait=1&x", "/v1/head?after=-1&wait=1",
		"/v1/objects/", "/v1/objects/../root", "/v1/objects/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", "/v1/objects/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"/v1/admin/status", "/v1/head?after=1&wait=1\n", "/v1/sessions/", "/v1/sessions?x", "/v1/renewal/", "/v1/renewal/AAAAAAAAAAAAAAAAAAAAA", "/v1/renewal/AAAAAAAAAAAAAAAAAAAAAA?x",
	};
	struct request_node r;
	struct node n;
	size_t i;

	(void)state;
	setup(&n);
	send_local(&n, "", "");
	assert_int_equal(hear_version(&n, FRAME_POLL), 0);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (ask_signature(&n, bad[i], &r) != FRAME_REFUSED)
			fail_msg("signed: %s", bad[i]);
	}
	assert_int_equal(ask_signature(&n, "/v1/objects/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &r), FRAME_TOKEN);
	assert_int_equal(r.applied, 0);
	assert_int_equal(ask_signature(&n, "/v1/renewal/AAAAAAAAAAAAAAAAAAAAAA", &r), FRAME_TOKEN);
	assert_string_equal(r.c.htm, "GET");
	assert_int_equal(ask_signature(&n, "/v1/sessions", &r), FRAME_TOKEN);
	assert_string_equal(r.c.htm, "POST");
	teardown(&n);
}

static int64_t applied(struct node *n)
{
	struct request_node r;

	assert_int_equal(ask_signature(n, "/v1/head?after=1&wait=30", &r), FRAME_TOKEN);
	return r.applied;
}

/* What is installed is not proved while some session could not be looked at. */
static void test_unproved(void **state)
{
	struct node n;
	struct ipc m;

	(void)state;
	setup(&n);
	send_local(&n, "", "");
	assert_int_equal(hear_version(&n, FRAME_POLL), 0);
	(void)bring(&n, make_head(&n, 10, 1, "[]", 1), 3);
	assert_true(put_next(&n, 0));
	assert_int_equal(hear_version(&n, FRAME_POLL), 10);
	assert_int_equal(applied(&n), 10);
	(void)bring(&n, make_head(&n, 11, 1, "[]", 2), 1);
	n.unproved = 1;
	assert_true(put_next(&n, 0));
	assert_int_equal(hear_version(&n, FRAME_POLL), 11);
	assert_int_equal(applied(&n), 10);
	ipc_init(&m, IPC_PROVED);
	assert_ok(ipc_send(n.root, &m, NULL, 0, 1));
	while (applied(&n) != 11)
		; /* root and fetch are heard in no order */
	teardown(&n);
}

static void offer(struct node *n, const char *credential)
{
	char body[ID_SIZE + CREDENTIAL_SIZE_MAX];

	memset(body, 7, ID_SIZE);
	memcpy(body + ID_SIZE, credential, strlen(credential));
	assert_ok(frame_send(n->fetch, FRAME_RENEWAL, body, ID_SIZE + strlen(credential)));
}

/* A newer credential for a session goes to root if the cluster's issuer signed it, and only then. */
static void test_renewal(void **state)
{
	struct credential c = { .n_amr = 1, .amr = { "device" } }, *got;
	const uint8_t *p = NULL;
	struct crypto_key *key;
	int fds[IPC_FDS_MAX];
	char *good, *forged;
	struct node n;
	struct ipc m;
	size_t n_fds, size;

	(void)state;
	setup(&n);
	key = trustgen_key(n.g);
	c.cluster = n.agent.enrolled.cluster;
	c.person = trustgen_id("alice");
	c.device = trustgen_id("alice-laptop");
	c.jti = trustgen_id("jti");
	c.iat = c.nbf = c.auth_time = n.g->now;
	c.exp = n.g->now + 600;
	assert_ok(crypto_key_pub(key, &c.cnf));
	assert_ok(credential_build(&c, n.g->role_key[KEYRING_ISSUER], &good));
	assert_ok(credential_build(&c, key, &forged));
	send_local(&n, "", "");
	assert_int_equal(hear_version(&n, FRAME_POLL), 0);
	offer(&n, good); /* nothing is installed to verify it by */
	assert_ok(ipc_receive(n.root, &m, fds, &n_fds));
	assert_int_equal(m.type, IPC_LOG);
	(void)bring(&n, make_head(&n, 10, 1, "[]", 1), 3);
	assert_true(put_next(&n, 0));
	assert_int_equal(hear_version(&n, FRAME_POLL), 10);
	offer(&n, forged);
	assert_ok(ipc_receive(n.root, &m, fds, &n_fds));
	assert_int_equal(m.type, IPC_LOG);
	assert_non_null(strstr(m.log.text, "refused"));
	offer(&n, good);
	assert_ok(ipc_receive(n.root, &m, fds, &n_fds));
	assert_int_equal(m.type, IPC_RENEWED);
	assert_int_equal(n_fds, 1);
	assert_int_equal(m.renew.session.b[0], 7);
	assert_ok(ipc_map(fds[0], sizeof c, &p, &size, &n.d));
	assert_int_equal(size, sizeof c);
	got = malloc(sizeof *got);
	memcpy(got, p, sizeof *got);
	assert_true(id_equal(&got->jti, &c.jti) && got->exp == c.exp);
	free(got);
	ipc_unmap(p, size);
	ipc_close_fds(fds, n_fds);
	free(good);
	free(forged);
	teardown(&n);
}

/* A restart goes on from disk; the local files decide again; an unchanged set makes no new generation. */
static void test_restart_and_local_files(void **state)
{
	struct node n;
	char path[160];

	(void)state;
	setup(&n);
	send_local(&n, "", "");
	assert_int_equal(hear_version(&n, FRAME_POLL), 0);
	(void)bring(&n, make_head(&n, 10, 1, "[]", 1), 3);
	assert_true(put_next(&n, 0));
	assert_int_equal(hear_version(&n, FRAME_POLL), 10);
	halt(&n);
	boot(&n);
	send_local(&n, "", "");
	assert_false(put_next(&n, 0));
	assert_int_equal(hear_version(&n, FRAME_POLL), 10);
	/* a local account appears while it runs */
	send_local(&n, "alice:x:1000:1000::/home/alice:/bin/sh\n", "");
	assert_true(put_next(&n, 0));
	assert_int_equal(publish_fresh(n.publish)->generation, 2);
	assert_int_equal(publish_fresh(n.publish)->head_version, 10);
	/* and while it does not: the next start finds it */
	halt(&n);
	boot(&n);
	send_local(&n, "", "");
	assert_true(put_next(&n, 0));
	assert_int_equal(hear_version(&n, FRAME_POLL), 10);
	assert_int_equal(publish_fresh(n.publish)->generation, 3);
	/* documents that cannot be used: everything is fetched again, the version is not forgotten */
	halt(&n);
	snprintf(path, sizeof path, "%s/docs/head.jws", n.dir);
	assert_int_equal(truncate(path, 20), 0);
	boot(&n);
	send_local(&n, "", "");
	assert_int_equal(hear_version(&n, FRAME_POLL), 0);
	(void)bring(&n, make_head(&n, 9, 1, "[]", 1), 1);
	assert_int_equal(hear_version(&n, FRAME_REFUSED), 0);
	(void)bring(&n, make_head(&n, 11, 1, "[]", 1), 3);
	(void)put_next(&n, 0);
	assert_int_equal(hear_version(&n, FRAME_POLL), 11);
	teardown(&n);
}

/* Root could not put it in place (disk full): fetch is told to come back later, and the same head is taken then. */
static void test_failed_publication(void **state)
{
	struct ipc m, answer;
	int fds[IPC_FDS_MAX];
	const char *head;
	struct node n;
	size_t n_fds;

	(void)state;
	setup(&n);
	send_local(&n, "", "");
	assert_int_equal(hear_version(&n, FRAME_POLL), 0);
	head = make_head(&n, 10, 1, "[]", 1);
	(void)bring(&n, head, 3);
	assert_ok(ipc_receive(n.root, &m, fds, &n_fds));
	ipc_close_fds(fds, n_fds);
	ipc_init(&answer, IPC_PUBLISHED);
	answer.published.err = CLUSTER_ESYSTEM;
	ipc_text(answer.published.text, sizeof answer.published.text, "No space left on device");
	assert_ok(ipc_send(n.root, &answer, NULL, 0, 1));
	assert_int_equal(hear_version(&n, FRAME_REFUSED), 0);
	assert_non_null(strstr(n.refusal, "No space"));
	(void)bring(&n, head, 3);
	assert_true(put_next(&n, 0));
	assert_int_equal(hear_version(&n, FRAME_POLL), 10);
	teardown(&n);
}

/* I1: what is not a frame of the protocol ends the process; a length that would exhaust memory is refused unread. */
static void test_misbehaving_fetch(void **state)
{
	static const uint8_t bad[][5] = { { 255, 255, 255, 255, FRAME_OBJECT }, { 1, 0, 0, 0, FRAME_FETCHED }, { 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, FRAME_TYPE_N }, { 0, 0, 0, 0, FRAME_POLL } };
	char command[100];
	struct node n;
	int status;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		setup(&n);
		send_local(&n, "", "");
		assert_int_equal(hear_version(&n, FRAME_POLL), 0);
		assert_int_equal(write(n.fetch, bad[i], sizeof bad[i]), sizeof bad[i]);
		assert_int_equal(waitpid(n.pid, &status, 0), n.pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 70);
		close(n.root);
		close(n.fetch);
		publish_close(n.publish);
		trustgen_free(n.g);
		snprintf(command, sizeof command, "rm -rf %s", n.dir);
		assert_int_equal(system(command), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life_of_a_node),
		cmocka_unit_test(test_signs_nothing_else),
		cmocka_unit_test(test_unproved),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_restart_and_local_files),
		cmocka_unit_test(test_failed_publication),
		cmocka_unit_test(test_misbehaving_fetch),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
