/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to the hop socket. Input: steps of a letter and what belongs to it, so that the fuzzer gets past signatures: b FORWARDING (a bind that is true), l (list), s WHICH WHAT (sign
 * for an offer, with one part wrong unless WHAT is 0), c FLAGS (what root says of who asks), t SECONDS, r u16 BYTES (a request of any bytes). What must never be is checked at each step.
 */
#include "fuzz_sign.h"

#include "cluster/jwk.h"
#include "cluster/snap_write.h"
#include "cluster/sshcert.h"
#include "cluster/wr.h"
#include "hop_client.h"
#include "hop_talk.h"

#define UID 1880000001u

enum { NOT_FOUND = 1, ENDED = 2, NARROWED = 4, ONETIME = 8, OTHER_UID = 16, FAILED = 32, OTHER_SESSION = 64, OTHER_NODES = 128 };

static struct trust trust;
static struct snap accounts;
static uint8_t hostkey[64], session_id[32];
static size_t hostkey_n;
static struct crypto_key *host;

struct run {
	struct hop_talk t;
	struct hop_caller caller;
	struct hop_view view;
	uint8_t flags;
	struct hop_talk_note note;
	uint8_t request[SSHAGENT_MSG_MAX], answer[65536];
	size_t n;
};

static char *line_of(const struct crypto_key *key)
{
	struct crypto_pub pub;
	char *line = NULL;

	FUZZ_CHECK(crypto_key_pub(key, &pub) == CLUSTER_OK && sshcert_public_line(&pub, &line) == CLUSTER_OK);
	return line;
}

/* alice may hop as emr-user from node 1 to node 2. */
static void make_world(void)
{
	struct document_root root = { .version = 1, .name = "fuzz" };
	struct document_keyset keyset = { .version = 1 };
	struct directory_device device = { .id = { { 4 } } };
	struct directory_person person = { .id = { { 3 } }, .name = "alice", .n_devices = 1, .devices = &device };
	struct directory_account account = { .name = "emr-user", .uid = UID, .gid = UID, .gecos = (char[]){ "" }, .home = (char[]){ "/home/emr" }, .shell = (char[]){ "/bin/sh" } };
	char names[1][NAME_ACCOUNT_MAX + 1] = { "emr-user" }, *any[] = { (char[]){ "any" } }, *hostkeys[2][1] = { { line_of(fuzz_key()) }, { NULL } };
	struct directory_grant grant = { .id = { { 5 } }, .person = person.id, .n_accounts = 1, .accounts = names, .n_nodes = 1, .nodes = any, .hop = true };
	struct directory_node nodes[2] = { { .id = { { 1 } }, .name = "source", .port = 22, .n_hostkeys = 1, .hostkeys = hostkeys[0] },
		{ .id = { { 2 } }, .name = "target", .port = 22, .n_hostkeys = 1, .hostkeys = hostkeys[1] } };
	struct directory dir = { .version = 1, .iat = FUZZ_NOW, .max_stale = 900, .skew = 30, .sudo_fresh = 900, .n_accounts = 1, .n_people = 1, .n_nodes = 2, .n_grants = 1,
		.accounts = &account, .people = &person, .nodes = nodes, .grants = &grant };
	struct revoke_list revocations = { .version = 1, .iat = FUZZ_NOW };
	const struct trust_documents from = { .root = &root, .keyset = &keyset, .dir = &dir, .revocations = &revocations };
	struct snap_account_in in = { .name = account.name, .gecos = account.gecos, .home = account.home, .shell = account.shell, .uid = UID, .gid = UID };
	const struct snap_names local = { .accounts = &in, .n_accounts = 1 };
	struct crypto_pub pub;
	uint8_t *bytes = NULL;
	struct diag d;
	struct wr w;
	size_t n;

	FUZZ_CHECK(crypto_key_new(CRYPTO_ED25519, &host) == CLUSTER_OK && crypto_key_pub(host, &pub) == CLUSTER_OK);
	hostkeys[1][0] = line_of(host);
	wr_init(&w, hostkey, sizeof hostkey);
	sshwire_put_blob(&w, &pub);
	hostkey_n = w.n;
	FUZZ_CHECK(crypto_key_pub(fuzz_key(), &pub) == CLUSTER_OK && jwk_thumbprint(&pub, device.jkt) == CLUSTER_OK);
	nodes[0].hop = nodes[1].hop = pub;
	FUZZ_CHECK(trust_build(&from, &nodes[0].id, &bytes, &n, &d) == CLUSTER_OK && trust_parse(bytes, n, &trust) == CLUSTER_OK);
	FUZZ_CHECK(snap_accounts_build(&root.cluster, &local, &bytes, &n, &d) == CLUSTER_OK && snap_parse(bytes, n, SNAP_ACCOUNTS, &accounts) == CLUSTER_OK);
	trust.fresh.head_iat = trust.fresh.newest_iat = FUZZ_NOW;
	free(hostkeys[0][0]);
	free(hostkeys[1][0]);
}

static void set_caller(struct run *x, uint8_t flags)
{
	struct session s = { .id = { { flags & OTHER_SESSION ? 8 : 7 } }, .person = { { 3 } }, .device = { { 4 } }, .jti = { { 6 } }, .kind = flags & ONETIME ? SESSION_ONETIME : SESSION_CREDENTIAL,
		.account = "emr-user", .issuer = "AAAAAAAAAAAAAAAAAAAAAA", .auth_time = FUZZ_NOW - 5, .iat = FUZZ_NOW - 5, .narrowed = flags & NARROWED, .narrowed_nodes = flags & OTHER_NODES };

	x->flags = flags;
	x->caller = (struct hop_caller){ .uid = flags & OTHER_UID ? 0 : UID, .err = flags & FAILED ? CLUSTER_ESYSTEM : CLUSTER_OK, .found = !(flags & NOT_FOUND), .ended = flags & ENDED,
		.session = s };
}

static int say(struct run *x, const uint8_t *p, size_t n)
{
	struct hop_talk_request q = { .p = p, .n = n, .view = &x->view, .key = fuzz_key() };
	enum hop_talk_step step;
	struct wr w;

	wr_init(&w, x->answer, sizeof x->answer);
	step = hop_talk_take(&x->t, &q, &w, &x->note);
	if (step == HOP_TALK_ASK) {
		FUZZ_CHECK(w.n == 0 && x->t.state == HOP_TALK_BOUND);
		q.caller = &x->caller;
		step = hop_talk_take(&x->t, &q, &w, &x->note);
	}
	FUZZ_CHECK(step != HOP_TALK_ASK && wr_end(&w) == CLUSTER_OK && (step == HOP_TALK_END) == (w.n == 0));
	FUZZ_CHECK((x->note.what == HOP_TALK_VOUCHED) == (w.n > 0 && x->answer[0] == 14));
	FUZZ_CHECK(x->t.requests <= HOP_TALK_REQUESTS_MAX || w.n == 0);
	x->n = w.n;
	return w.n ? x->answer[0] : 0;
}

/* Whoever asks may be vouched for: with no other session than any before. */
static bool welcome(const struct run *x)
{
	return !(x->flags & ~OTHER_SESSION) && x->view.now.wall <= FUZZ_NOW + 900;
}

static void step_bind(struct run *x, uint8_t forwarding)
{
	const struct hop_client_bind b = { .hostkey = hostkey, .hostkey_n = hostkey_n, .host = host, .session_id = session_id, .session_id_n = sizeof session_id, .forwarding = forwarding };
	bool fits = x->t.state == HOP_TALK_NEW && !forwarding;
	struct wr w;
	int type;

	wr_init(&w, x->request, sizeof x->request);
	hop_client_bind(&w, &b);
	type = say(x, x->request, w.n);
	FUZZ_CHECK(type == 0 || type == (fits ? 6 : 5));
	FUZZ_CHECK(type == 0 || x->t.state == (fits ? HOP_TALK_BOUND : HOP_TALK_SPOILT));
}

static void step_list(struct run *x)
{
	int type = say(x, (const uint8_t *)"\x0b", 1);

	FUZZ_CHECK(type == 0 || type == 12);
	if (type)
		FUZZ_CHECK(x->t.n == (x->t.state == HOP_TALK_BOUND && welcome(x) ? 1 : 0) && x->answer[4] == x->t.n);
}

static void step_sign(struct run *x, uint8_t which, uint8_t what)
{
	static const char *const users[] = { "emr-user", "root" };
	uint8_t key[SSHCERT_BLOB_MAX], other_id[sizeof session_id] = { 1 };
	struct hop_client_sign s = { .session_id = { session_id, sizeof session_id }, .hostkey = { hostkey, hostkey_n }, .user = users[what == 1], .service = what == 2 ? "ssh" : "ssh-connection" };
	bool offered = x->t.n > 0, holds = offered && what == 0 && welcome(x) && x->view.now.wall < x->t.claims.exp && x->view.now.wall >= x->t.claims.iat;
	struct wr w;
	int type;

	if (!offered)
		return;
	holds = holds && id_equal(&x->t.claims.session, &x->caller.session.id);
	memcpy(key, x->t.offer[0].blob, x->t.offer[0].n);
	s.key = s.userkey = (struct rd){ key, x->t.offer[0].n };
	if (what == 3)
		s.session_id.p = other_id;
	if (what == 4)
		s.hostkey.n--;
	if (what == 5)
		key[s.key.n - 1 - which % 64] ^= 1;
	if (what == 6)
		s.key.n--;
	if (which & 128 && what != 4)
		s.hostkey.p = NULL;
	wr_init(&w, x->request, sizeof x->request);
	hop_client_sign(&w, &s);
	type = say(x, x->request, w.n);
	FUZZ_CHECK(what > 6 || type == 0 || type == (holds ? 14 : 5));
	FUZZ_CHECK(what != 0 || type != 14 || holds);
}

static void run(struct run *x, struct rd *r)
{
	uint8_t op, a, b;
	const uint8_t *p;
	uint16_t n;

	while (rd_u8(r, &op) == CLUSTER_OK) {
		if (op == 'b' && rd_u8(r, &a) == CLUSTER_OK)
			step_bind(x, a);
		else if (op == 'l')
			step_list(x);
		else if (op == 's' && rd_u8(r, &a) == CLUSTER_OK && rd_u8(r, &b) == CLUSTER_OK)
			step_sign(x, a, b % 7);
		else if (op == 'c' && rd_u8(r, &a) == CLUSTER_OK)
			set_caller(x, a);
		else if (op == 't' && rd_u8(r, &a) == CLUSTER_OK)
			x->view.now.wall += a;
		else if (op == 'r' && rd_u16(r, &n) == CLUSTER_OK && rd_view(r, n, &p) == CLUSTER_OK)
			FUZZ_CHECK(say(x, p, n) != 14);
		else
			break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct run *x = calloc(1, sizeof *x);
	struct rd r;

	FUZZ_CHECK(x && fuzz_key());
	if (!host)
		make_world();
	hop_talk_init(&x->t);
	x->view = (struct hop_view){ .trust = &trust, .accounts = &accounts, .now = { .wall = FUZZ_NOW } };
	set_caller(x, 0);
	rd_init(&r, data, n);
	run(x, &r);
	hop_talk_done(&x->t);
	free(x);
	return 0;
}
