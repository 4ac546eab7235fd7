/* SPDX-License-Identifier: Apache-2.0 */
/* The hop process behind its socket, in its sandbox; this test is its root and its clients. THREATS.md I1, I2; DESIGN.md 3.3 (hop). */
#include "hop_ground.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "cluster/file.h"
#include "cluster/moment.h"
#include "cluster/secret.h"
#include "hop_client.h"
#include "hop_room.h"
#include "hop_talk.h"
#include "ipc.h"

static struct ground g;
static char dir[64];
static struct agent a;
static int root;
static pid_t pid;
static uint8_t session_id[64], out[SSHAGENT_MSG_MAX + 64], in[65536];

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void put_state(void)
{
	struct secret *pem = NULL;
	struct moment now;
	char path[96];

	assert_ok(moment_now(&now));
	g.w.fresh.boot_id = now.boot_id;
	g.w.fresh.boot_time = now.boot;
	world_store(&g.w, dir);
	assert_ok(crypto_key_build(g.h.keys[WORLD_HOP_HERE], &pem));
	snprintf(path, sizeof path, "%s/hop.key", dir);
	world_file(path, pem->bytes, pem->n, 0600);
	secret_free(pem);
}

static int setup(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener, pair[2];
	struct diag d;

	(void)state;
	ground_init_at(&g, (int64_t)time(NULL));
	strcpy(dir, "/tmp/hop-process-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	put_state();
	node_conf_init(&a.conf);
	strcpy(a.conf.state, dir);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/hop.sock", dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(chmod(at.sun_path, 0666), 0);
	assert_int_equal(listen(listener, 128), 0);
	assert_ok(ipc_pair(pair, &d));
	a.owner = geteuid();
	a.user = (struct sandbox_user){ .drop = geteuid() == 0, .uid = 65534, .gid = 65534 };
	a.parent = getpid();
	pid = fork();
	if (pid == 0)
		_exit(hop_process(&a, pair[1], listener));
	assert_true(pid > 0);
	close(pair[1]);
	close(listener);
	root = pair[0];
	return 0;
}

static int teardown(void **state)
{
	int status;

	(void)state;
	if (root >= 0)
		close(root);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	ground_done(&g);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A connection of whoever has this uid. */
static int dial(uid_t uid)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s/hop.sock", dir);
	if (geteuid() == 0)
		assert_int_equal(seteuid(uid), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	return fd;
}

/* The next packet of this type, whatever else is said; *ret_pidfd is the caller's. */
static void from_root(enum ipc_type type, struct ipc *ret, int *ret_pidfd)
{
	int fds[IPC_FDS_MAX];
	size_t n;

	do {
		assert_ok(ipc_receive(root, ret, fds, &n));
		if (ret->type != type)
			ipc_close_fds(fds, n);
	} while (ret->type != type);
	if (ret_pidfd) {
		assert_int_equal(n, 1);
		*ret_pidfd = fds[0];
	} else {
		ipc_close_fds(fds, n);
	}
}

static void answer_root(const struct ipc *question)
{
	struct ipc m;

	ipc_init(&m, IPC_HOP_CALLER);
	m.hop_caller.client = question->hop_ask.client;
	m.hop_caller.caller = g.caller;
	m.hop_caller.caller.uid = question->hop_ask.uid;
	assert_ok(ipc_send(root, &m, NULL, 0, 1));
}

/* Root's part of one request. */
static void play_root(uid_t uid)
{
	struct ipc m;
	int pidfd;

	from_root(IPC_HOP_ASK, &m, &pidfd);
	assert_int_equal(m.hop_ask.uid, uid);
	assert_int_equal(m.hop_ask.pid, getpid());
	close(pidfd);
	answer_root(&m);
}

/* One message, with its length, at the end of what is there. */
static size_t begin(struct wr *w)
{
	wr_u32(w, 0);
	return w->n;
}

static void end(struct wr *w, size_t at)
{
	wr_patch_u32(w, at - 4, (uint32_t)(w->n - at));
	assert_ok(wr_end(w));
}

static void put_bind(struct wr *w)
{
	const struct hop_client_bind bind = { .hostkey = g.hostkey, .hostkey_n = g.hostkey_n, .host = g.host, .session_id = session_id, .session_id_n = sizeof session_id };
	size_t at = begin(w);

	hop_client_bind(w, &bind);
	end(w, at);
}

static void put_list(struct wr *w)
{
	size_t at = begin(w);

	hop_client_list(w);
	end(w, at);
}

/* The type of the next answer, which is in in[] without length and type. */
static int receive(int fd, size_t *ret_n)
{
	uint8_t header[4];
	struct rd r;
	uint32_t n;

	assert_ok(file_read_all(fd, header, sizeof header));
	rd_init(&r, header, sizeof header);
	assert_ok(rd_u32(&r, &n));
	assert_true(n > 0 && n <= sizeof in);
	assert_ok(file_read_all(fd, in, n));
	*ret_n = n - 1;
	return in[0];
}

static uint32_t identities(int fd, struct rd *ret_first)
{
	uint32_t count;
	struct rd r;
	size_t n;

	assert_int_equal(receive(fd, &n), 12);
	rd_init(&r, in + 1, n);
	assert_ok(rd_u32(&r, &count));
	if (count > 0)
		assert_ok(sshwire_string(&r, ret_first));
	return count;
}

static void ended(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

/* Is there another line for the log? What was said before an answer was given is there by then. */
static bool more_said(void)
{
	int fds[IPC_FDS_MAX];
	bool said = false;
	struct ipc m;
	char byte;
	size_t n;

	while (recv(root, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
		assert_ok(ipc_receive(root, &m, fds, &n));
		ipc_close_fds(fds, n);
		said = said || m.type == IPC_LOG;
	}
	return said;
}

/* The first one of a person and account is said, and no other. */
static void login(int fd, size_t piece, bool first_of_all)
{
	struct hop_client_sign s = { .session_id = { session_id, sizeof session_id }, .hostkey = { g.hostkey, g.hostkey_n }, .user = "emr-user", .service = "ssh-connection" };
	static uint8_t cert[8192];
	struct rd first;
	struct wr w;
	size_t n, at;
	struct ipc m;

	wr_init(&w, out, sizeof out);
	put_bind(&w);
	put_list(&w);
	for (at = 0; at < w.n; at += n) {
		n = w.n - at < piece ? w.n - at : piece;
		assert_int_equal(send(fd, out + at, n, 0), n);
	}
	assert_int_equal(receive(fd, &n), 6);
	play_root(WORLD_UID_EMR);
	assert_int_equal(identities(fd, &first), 2);
	assert_true(first.n < sizeof cert);
	memcpy(cert, first.p, first.n);
	s.key = s.userkey = (struct rd){ cert, first.n };
	wr_init(&w, out, sizeof out);
	at = begin(&w);
	hop_client_sign(&w, &s);
	end(&w, at);
	assert_ok(file_write_all(fd, out, w.n));
	play_root(WORLD_UID_EMR);
	if (first_of_all) {
		from_root(IPC_LOG, &m, NULL);
		assert_non_null(strstr(m.log.text, "event=hop result=vouched person=alice account=emr-user target=edge-1 sid="));
	}
	assert_int_equal(receive(fd, &n), 14);
	assert_false(more_said());
}

static bool root_here(void)
{
	return geteuid() == 0; /* there is no other user to be */
}

static void test_login(void **state)
{
	static const size_t pieces[] = { 65536, 1, 3, 100 };
	int fd[sizeof pieces / sizeof pieces[0]];

	(void)state;
	if (!root_here())
		return;
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		fd[i] = dial(WORLD_UID_EMR);
		login(fd[i], pieces[i], i == 0);
	}
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
		close(fd[i]);
}

/* uid 0, and what is not bound: nothing, and the first is said to the log. */
static void test_nothing(void **state)
{
	struct rd first;
	struct wr w;
	struct ipc m;
	size_t n;
	int fd;

	(void)state;
	fd = dial(geteuid());
	wr_init(&w, out, sizeof out);
	put_list(&w);
	assert_ok(file_write_all(fd, out, w.n));
	assert_int_equal(identities(fd, &first), 0);
	if (root_here()) {
		wr_init(&w, out, sizeof out);
		put_bind(&w);
		put_list(&w);
		assert_ok(file_write_all(fd, out, w.n));
		assert_int_equal(receive(fd, &n), 6);
		play_root(0);
		from_root(IPC_LOG, &m, NULL);
		assert_non_null(strstr(m.log.text, "event=hop result=refused reason=uid_zero uid=0 target=edge-1"));
		assert_int_equal(identities(fd, &first), 0);
	}
	close(fd);
}

/* Whoever goes round all nodes with what he is refused does not fill the log. */
static void test_refusals_are_told_once(void **state)
{
	struct crypto_key *host = g.host;
	struct crypto_pub pub;
	struct wr w;
	size_t n;

	(void)state;
	if (!root_here())
		return;
	for (int i = 0; i < 2; i++) {
		int fd = dial(0);
		struct rd first;

		wr_init(&w, out, sizeof out);
		put_bind(&w);
		put_list(&w);
		assert_ok(file_write_all(fd, out, w.n));
		assert_int_equal(receive(fd, &n), 6);
		play_root(0);
		assert_int_equal(identities(fd, &first), 0);
		assert_int_equal(more_said(), i == 0);
		close(fd);
		g.host = g.w.cnf; /* this node's own: another target */
		assert_ok(crypto_key_pub(g.host, &pub));
		wr_init(&w, g.hostkey, sizeof g.hostkey);
		sshwire_put_blob(&w, &pub);
		assert_ok(wr_end(&w));
		g.hostkey_n = w.n;
	}
	g.host = host;
}

/* A revocation that is installed between two requests of one connection. */
static void test_new_generation(void **state)
{
	struct rd first;
	struct wr w;
	size_t n;
	int fd;

	(void)state;
	if (!root_here())
		return;
	fd = dial(WORLD_UID_EMR);
	wr_init(&w, out, sizeof out);
	put_bind(&w);
	put_list(&w);
	assert_ok(file_write_all(fd, out, w.n));
	assert_int_equal(receive(fd, &n), 6);
	play_root(WORLD_UID_EMR);
	assert_int_equal(identities(fd, &first), 2);
	world_revoke_id(&g.w, REVOKE_PERSON, &g.w.people[WORLD_ALICE].id, 0);
	g.w.fresh.generation++;
	put_state();
	wr_init(&w, out, sizeof out);
	put_list(&w);
	assert_ok(file_write_all(fd, out, w.n));
	play_root(WORLD_UID_EMR);
	assert_int_equal(identities(fd, &first), 0);
	close(fd);
}

/* Too long, empty, a language of its own: the end of that connection and of nothing else. */
static void test_rubbish(void **state)
{
	static const char *const bad[] = { "\0\0\0\0x", "\0\0\x80\1x", "\xff\xff\xff\xffx", "GET / HTTP/1.1\r\n\r\n" };
	struct wr w;
	size_t n;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		fd = dial(geteuid());
		assert_int_equal(send(fd, bad[i], 5, 0), 5);
		ended(fd);
	}
	fd = dial(geteuid());
	memset(out, 0, sizeof out); /* the longest there is */
	wr_init(&w, out, sizeof out);
	wr_u32(&w, SSHAGENT_MSG_MAX);
	out[4] = 13;
	assert_ok(file_write_all(fd, out, 4 + SSHAGENT_MSG_MAX));
	assert_int_equal(receive(fd, &n), 5);
	close(fd);
}

/* As many requests as a connection has, all at once; then it ends. */
static void test_many_requests(void **state)
{
	struct rd first;
	struct wr w;
	int fd;

	(void)state;
	fd = dial(geteuid());
	wr_init(&w, out, sizeof out);
	for (int i = 0; i < HOP_TALK_REQUESTS_MAX + 1; i++)
		put_list(&w);
	assert_ok(file_write_all(fd, out, w.n));
	for (int i = 0; i < HOP_TALK_REQUESTS_MAX; i++)
		assert_int_equal(identities(fd, &first), 0);
	ended(fd);
}

/* Clients that go while root is asked, one whose question root answers for nobody, and one that comes after. */
static void test_dead_clients(void **state)
{
	struct rd first;
	struct ipc m;
	struct wr w;
	int fd[3], pidfd;
	size_t n;

	(void)state;
	if (!root_here())
		return;
	for (int i = 0; i < 3; i++) {
		fd[i] = dial(WORLD_UID_EMR);
		wr_init(&w, out, sizeof out);
		put_bind(&w);
		put_list(&w);
		assert_ok(file_write_all(fd[i], out, w.n));
		assert_int_equal(receive(fd[i], &n), 6);
	}
	close(fd[0]);
	close(fd[1]);
	from_root(IPC_HOP_ASK, &m, &pidfd);
	close(pidfd);
	m.hop_ask.client += 1000;
	answer_root(&m); /* to nobody: root is asked again */
	for (int i = 0; i < 3; i++)
		play_root(WORLD_UID_EMR);
	assert_int_equal(identities(fd[2], &first), 2);
	close(fd[2]);
}

/* One user's hundred connections: 32 of them stay, and others are served. */
static void test_crowd(void **state)
{
	int fd[100], other, left = 0;
	struct rd first;
	struct wr w;
	char byte;

	(void)state;
	for (int i = 0; i < 100; i++)
		fd[i] = dial(geteuid());
	if (root_here()) {
		other = dial(WORLD_UID_EMR);
		wr_init(&w, out, sizeof out);
		put_list(&w);
		assert_ok(file_write_all(other, out, w.n));
		assert_int_equal(identities(other, &first), 0);
		close(other);
		for (int i = 0; i < 100; i++)
			left += recv(fd[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
		assert_int_equal(left, HOP_ROOM_OF_ONE);
	}
	for (int i = 0; i < 100; i++)
		close(fd[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_login), T(test_nothing), T(test_refusals_are_told_once), T(test_new_generation), T(test_rubbish), T(test_many_requests), T(test_dead_clients), T(test_crowd),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
