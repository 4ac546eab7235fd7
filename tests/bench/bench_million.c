/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One change in a directory of many: what the trust process does (verify, build), what the root process does (judge again, write, make durable, switch), what the first
 * start costs, sizes and memory. N accounts, N/10 groups, one of them with N/10 members, one account in 1,000 groups, every tenth account a person's, N/100 grants, N/1000 nodes, 100
 * revocations. Writes build/bench/million.json. With BENCH_CPU in the environment it tells how long a processor worked, for machines that have other things to do. Sizes are arguments;
 * ROUNDS changes of each kind, of which the median and the least count.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "assemble.h"
#include "cluster/b64.h"
#include "cluster/wr.h"
#include "ipc.h"
#include "publish.h"
#include "trustgen.h"

#define ROUNDS 5 /* of each kind of change */
#define REVOKED 100
#define HASH_TEXT 43
#define SHARD_RECORDS 1024
#define MEMBERS 10 /* of an ordinary group */
#define MANY_GROUPS 1000

enum measure { VERIFY, BUILD, HAND_OVER, PUBLISH, TOTAL, MEASURES };
static const char *const measure_names[MEASURES] = { "verify", "build", "hand over", "publish", "total" };

enum change { CHANGE_ACCOUNT, CHANGE_GRANT, CHANGE_REVOCATION, CHANGE_NODE, CHANGES };
static const char *const change_names[CHANGES] = { "one account", "one grant", "one revocation", "one node" };
#define ALL_ROUNDS (CHANGES * ROUNDS)

/* Shared by the processes. Round 0 is the first start. */
struct shared {
	double ms[ALL_ROUNDS + 1][MEASURES];
	size_t sizes[3], whole[3];
	long trust_kb, root_kb;
};

static struct shared *shared;
static char work[200];
static struct cluster_id cluster;
static uint8_t pin[CRYPTO_SHA256_SIZE];

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_million: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must_ok(enum cluster_err e, const struct diag *d)
{
	if (e == CLUSTER_OK)
		return;
	fprintf(stderr, "bench_million: %s: %s\n", err_name(e), d ? d->text : "");
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(getenv("BENCH_CPU") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long peak_kb(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_maxrss;
}

/* --- files: objects under their hashes, heads under their numbers --- */

static void write_file(const char *name, const void *data, size_t n)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", work, name);
	f = fopen(path, "we");
	must(f && fwrite(data, 1, n, f) == n && fclose(f) == 0, path);
}

static char *read_file(const char *name, size_t *ret_n)
{
	char path[300], *p = NULL;
	struct stat st;
	int fd;

	snprintf(path, sizeof path, "%s/%s", work, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && fstat(fd, &st) == 0 && (p = malloc((size_t)st.st_size + 1)) && read(fd, p, (size_t)st.st_size) == st.st_size, path);
	close(fd);
	*ret_n = (size_t)st.st_size;
	return p;
}

static void object_name(const uint8_t *sha256, char name[HASH_TEXT + 1])
{
	must(b64_encode(sha256, CRYPTO_SHA256_SIZE, name, HASH_TEXT + 1) == CLUSTER_OK, "hash");
}

static void write_object(const void *data, size_t n, uint8_t sha256[CRYPTO_SHA256_SIZE])
{
	char name[HASH_TEXT + 1];

	must_ok(crypto_sha256(data, n, sha256), NULL);
	object_name(sha256, name);
	write_file(name, data, n);
}

static void write_text(const char *text)
{
	uint8_t sha256[CRYPTO_SHA256_SIZE];

	write_object(text, strlen(text), sha256);
}

/* --- the directory --- */

/* Which record each round changes; its text says which round. */
struct made {
	struct trustgen *g;
	unsigned n, round;
	const char *node_key, **hop; /* of every node; of each */
	struct directory dir;
};

static enum change change_of(unsigned round)
{
	return (enum change)((round - 1) / ROUNDS);
}

/* Number of the record, of n of a kind, that this round changes; none: n. */
static unsigned changed_record(enum change kind, unsigned round, unsigned n)
{
	return round && change_of(round) == kind ? (unsigned)((uint64_t)n * round / (ALL_ROUNDS + 1)) : n;
}

static void account_name(unsigned i, char name[20])
{
	snprintf(name, 20, "user%07u", i);
}

static void put_account(const struct made *m, unsigned i, struct wr *w)
{
	char name[20], person[40] = "";
	struct cluster_id id = trustgen_id("nobody");
	char id_chars[ID_TEXT + 1];

	account_name(i, name);
	if (i % 10 == 0) {
		memcpy(id.b, &i, sizeof i);
		id_text(&id, id_chars);
		snprintf(person, sizeof person, "\"person\":\"%s\",", id_chars);
	}
	wr_printf(w, "{\"gecos\":\"User number %u%s\",\"gid\":%u,\"home\":\"/home/%s\",\"name\":\"%s\",%s\"shell\":\"/bin/bash\",\"uid\":%u}", i,
		changed_record(CHANGE_ACCOUNT, m->round, m->n) == i ? " who changed" : "", 100000000 + i, name, name, person, 100000000 + i);
}

/* Group 0 has a tenth of all accounts; the last account is in MANY_GROUPS; the others are spread evenly. */
static void put_group(const struct made *m, unsigned i, struct wr *w)
{
	unsigned count = i ? MEMBERS : m->n / 10;
	char name[20];

	wr_printf(w, "{\"gid\":%u,\"members\":[", 200000000 + i);
	for (unsigned k = 0; k < count; k++) {
		account_name((unsigned)(((uint64_t)i * MEMBERS + k * 7919u) % (m->n - 1)), name);
		wr_printf(w, "%s\"%s\"", k ? "," : "", name);
	}
	account_name(m->n - 1, name);
	if (i && i <= MANY_GROUPS)
		wr_printf(w, ",\"%s\"", name);
	wr_printf(w, "],\"name\":\"group%06u\"}", i);
}

static void put_person(const struct made *m, unsigned i, struct wr *w)
{
	struct cluster_id id = trustgen_id("nobody"), device = trustgen_id("nothing");
	char id_chars[ID_TEXT + 1], device_chars[ID_TEXT + 1];

	(void)m;
	i *= 10;
	memcpy(id.b, &i, sizeof i);
	memcpy(device.b, &i, sizeof i);
	id_text(&id, id_chars);
	id_text(&device, device_chars);
	wr_printf(w, "{\"devices\":[{\"id\":\"%s\",\"jkt\":\"%.43s\"}],\"id\":\"%s\",\"name\":\"person%u\",\"roles\":[\"staff\"]}", device_chars,
		"0123456789012345678901234567890123456789AAA", id_chars, i);
}

static void put_grant(const struct made *m, unsigned i, struct wr *w)
{
	struct cluster_id id = trustgen_id("a grant");
	char id_chars[ID_TEXT + 1], name[20];

	account_name(i * 100, name);
	memcpy(id.b, &i, sizeof i);
	id_text(&id, id_chars);
	wr_printf(w, "{\"accounts\":[\"%s\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"staff\",\"ttl\":%u}", name, id_chars,
		changed_record(CHANGE_GRANT, m->round, m->n / 100) == i ? 3600 + m->round : 3600);
}

static void put_node(const struct made *m, unsigned i, struct wr *w)
{
	struct cluster_id id = trustgen_id("a node");
	char id_chars[ID_TEXT + 1];

	memcpy(id.b, &i, sizeof i);
	id_text(&id, id_chars);
	wr_printf(w, "{\"addresses\":[\"10.%u.%u.%u\"],\"hop\":%s,\"key\":%s,\"hostkeys\":[\"%s\"],\"id\":\"%s\",\"name\":\"worker-%u\",\"roles\":[\"worker\"]}",
		changed_record(CHANGE_NODE, m->round, m->n / 1000) == i ? 100 + m->round : 1, i / 200 + 1, i % 200 + 1, m->hop[i], m->node_key,
		trustgen_hostkey(m->g, id_chars), id_chars, i);
}

typedef void put_record(const struct made *m, unsigned i, struct wr *w);
typedef void name_record(unsigned i, char name[20]);

static void node_name(unsigned i, char name[20])
{
	snprintf(name, 20, "worker-%u", i);
}

static void group_name(unsigned i, char name[20])
{
	snprintf(name, 20, "group%06u", i);
}

/* One kind of record, of which `change` changes one. */
struct kind {
	enum directory_kind kind;
	unsigned n;
	name_record *name_of;
	put_record *put;
	enum change change;
};

static void put_shard(struct made *m, const struct kind *k, unsigned first, const unsigned *next, struct directory_shard *to)
{
	struct wr w;

	wr_grow(&w, DIRECTORY_SHARD_MAX);
	wr_text(&w, "[");
	for (unsigned i = first; i; i = next[i - 1]) {
		if (w.n > 1)
			wr_text(&w, ",");
		k->put(m, i - 1, &w);
	}
	wr_text(&w, "]");
	must_ok(wr_end(&w), NULL);
	to->kind = k->kind;
	to->size = w.n;
	write_object(w.p, w.n, to->sha256);
	wr_done(&w);
}

/* Records into shards by the first bits of the hash of the name, as an authority does. In later rounds only what has changed is written. */
static void put_kind(struct made *m, const struct kind *k)
{
	unsigned n = k->n, shards = 1, *shard_of = malloc((n + 1) * sizeof *shard_of), *next = NULL;
	unsigned is = changed_record(k->change, m->round, n), was = m->round ? changed_record(k->change, m->round - 1, n) : n;
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	char name[20];

	while ((uint64_t)shards * SHARD_RECORDS < n)
		shards *= 2;
	if (m->round && is == n && was == n) {
		m->dir.n_shards += shards;
		free(shard_of);
		return;
	}
	must(shard_of && (next = calloc(n + shards, sizeof *next)), "memory");
	for (unsigned i = n; i-- > 0;) {
		k->name_of(i, name);
		must_ok(crypto_sha256(name, strlen(name), sha256), NULL);
		shard_of[i] = (unsigned)((uint64_t)(sha256[0] << 8 | sha256[1]) * shards >> 16);
		next[shards + i] = next[shard_of[i]]; /* lists: 0 ends, else number + 1 */
		next[shard_of[i]] = i + 1;
	}
	if (m->round == 0)
		m->dir.shards = realloc(m->dir.shards, (m->dir.n_shards + shards) * sizeof *m->dir.shards);
	must(m->dir.shards != NULL, "memory");
	for (unsigned s = 0; s < shards; s++, m->dir.n_shards++) {
		if (m->round == 0 || (is < n && s == shard_of[is]) || (was < n && s == shard_of[was]))
			put_shard(m, k, next[s], next + shards, &m->dir.shards[m->dir.n_shards]);
	}
	free(shard_of);
	free(next);
}

static void put_sample(struct made *m, enum directory_kind kind, const char *text)
{
	struct directory_shard *to;

	m->dir.shards = realloc(m->dir.shards, (m->dir.n_shards + 1) * sizeof *m->dir.shards);
	must(m->dir.shards != NULL, "memory");
	to = &m->dir.shards[m->dir.n_shards++];
	to->kind = kind;
	to->size = strlen(text);
	write_object(text, to->size, to->sha256);
}

static const char *revocations_text(struct made *m, unsigned version)
{
	const char *text;
	struct wr w;

	wr_grow(&w, 1 << 20);
	wr_text(&w, "[");
	for (unsigned i = 1; i < REVOKED + version; i++) {
		struct cluster_id id = trustgen_id("gone");
		char id_chars[ID_TEXT + 1];

		memcpy(id.b, &i, sizeof i);
		id_text(&id, id_chars);
		wr_printf(&w, "%s{\"iat\":%lld,\"kind\":\"credential\",\"seq\":%u,\"until\":%lld,\"value\":\"%s\"}", i > 1 ? "," : "", (long long)m->dir.iat, i, (long long)m->dir.iat + 9999,
			id_chars);
	}
	wr_text(&w, "]");
	wr_terminate(&w);
	must_ok(wr_end(&w), NULL);
	text = trustgen_revocations(m->g, version, (const char *)w.p);
	wr_done(&w);
	return text;
}

static void put_directory(struct made *m, struct trustgen_records sample)
{
	const struct kind kinds[] = {
		{ DIRECTORY_ACCOUNTS, m->n, account_name, put_account, CHANGE_ACCOUNT }, { DIRECTORY_GROUPS, m->n / 10, group_name, put_group, CHANGES },
		{ DIRECTORY_PEOPLE, m->n / 10, account_name, put_person, CHANGES }, { DIRECTORY_NODES, m->n / 1000, node_name, put_node, CHANGE_NODE },
		{ DIRECTORY_GRANTS, m->n / 100, account_name, put_grant, CHANGE_GRANT },
	};

	m->dir.n_shards = 0;
	for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		put_kind(m, &kinds[i]);
	if (m->round == 0)
		put_sample(m, DIRECTORY_NODES, sample.kind[DIRECTORY_NODES]);
	else
		m->dir.n_shards++;
}

/* All heads and objects of all rounds, in files. */
static void generate(unsigned n, int64_t now)
{
	struct trustgen *g = trustgen_new("prod", now);
	struct trustgen_records sample = trustgen_sample(g);
	struct made m = { .g = g, .n = n };
	const char *root = trustgen_root_text(g), *keyset = trustgen_keyset_text(g), *revocations = NULL, *head;
	unsigned revoked = 0;

	write_text(root);
	write_text(keyset);
	write_file("pin", g->pin, sizeof g->pin);
	m.node_key = trustgen_jwk(g, trustgen_key(g));
	m.hop = calloc(n / 1000 + 1, sizeof *m.hop);
	must(m.hop != NULL, "memory");
	for (unsigned i = 0; i < n / 1000; i++)
		m.hop[i] = trustgen_jwk(g, trustgen_key(g));
	m.dir.iat = now;
	m.dir.max_stale = m.dir.sudo_fresh = 900;
	m.dir.skew = 30;
	for (m.round = 0; m.round <= ALL_ROUNDS; m.round++) {
		static struct trustgen_directory dir;
		char *payload, name[20];

		if (m.round == 0 || change_of(m.round) == CHANGE_REVOCATION) {
			revocations = revocations_text(&m, ++revoked);
			write_text(revocations);
		}
		if (m.round == 0 || change_of(m.round) != CHANGE_REVOCATION) {
			m.dir.version = dir.version = m.round + 1;
			put_directory(&m, sample);
			must_ok(directory_index_build(&m.dir, &g->root.cluster, &payload), NULL);
			dir.text = trustgen_format(g, "%s\n", trustgen_sign(g, JWS_DIRECTORY, KEYRING_DIRECTORY, payload));
			free(payload);
			write_text(dir.text);
		}
		head = trustgen_head(g, m.round + 1, root, keyset, &dir, revocations, revoked);
		snprintf(name, sizeof name, "head%u", m.round);
		write_file(name, head, strlen(head));
	}
	trustgen_free(g);
	free(m.hop);
	free(m.dir.shards);
}

/* --- the two processes --- */

static void ignore_line(void *arg, const char *sentence)
{
	(void)arg;
	(void)sentence;
}

/* Gives what is wanted; reading the files is the network's part and does not count. */
static double give(struct assemble *a, struct diag *d)
{
	const struct assemble_want *want;
	char name[HASH_TEXT + 1];
	double spent = 0;
	size_t n;

	want = assemble_wanted(a, &n);
	for (size_t i = 0; i < n; i++) {
		size_t size;
		char *text;

		object_name(want[i].sha256, name);
		text = read_file(name, &size);
		spent -= now_ms();
		must_ok(assemble_object(a, text, size, d), d);
		spent += now_ms();
		free(text);
	}
	return spent;
}

/* One output to the other process, as a descriptor; its size stands in shared memory. */
static void hand_over(int to, const struct memory *b, size_t *ret_n)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .align = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec byte = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space };

	*ret_n = b->p ? b->n : 0;
	if (!b->p)
		return;
	memcpy(CMSG_DATA(&control.align), &b->fd, sizeof b->fd);
	must_ok(ipc_seal(b->fd, NULL), NULL);
	must(sendmsg(to, &msg, 0) == 1, "sendmsg");
}

/* The other end of it. */
static struct publish_bytes taken(int from, size_t n)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space };
	struct publish_bytes b = { .n = n };
	int fd;

	if (!n)
		return b;
	must(recvmsg(from, &msg, MSG_CMSG_CLOEXEC) == 1, "recvmsg");
	memcpy(&fd, CMSG_DATA(&control.align), sizeof fd);
	b.p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	must(b.p != MAP_FAILED, "map");
	close(fd);
	return b;
}

static void trust_round(struct assemble *a, unsigned round, int to, int64_t now)
{
	const struct local_report report = { .line = ignore_line };
	double *ms = shared->ms[round], t;
	enum assemble_state state;
	struct assemble_output o;
	struct diag d = { .code = CLUSTER_OK };
	char name[20], *head;
	size_t n;

	snprintf(name, sizeof name, "head%u", round);
	head = read_file(name, &n);
	t = now_ms();
	must_ok(assemble_head(a, head, n, now, &state, &d), &d);
	ms[VERIFY] = now_ms() - t;
	while (state == ASSEMBLE_WANT) {
		ms[VERIFY] += give(a, &d);
		t = now_ms();
		must_ok(assemble_step(a, now, &state, &d), &d);
		ms[VERIFY] += now_ms() - t;
	}
	must(state == ASSEMBLE_READY, "state");
	t = now_ms();
	must_ok(assemble_build(a, &report, &o, &d), &d);
	ms[BUILD] = now_ms() - t;
	t = now_ms();
	hand_over(to, &o.accounts, &shared->sizes[0]);
	hand_over(to, &o.trust, &shared->sizes[1]);
	hand_over(to, &o.docs, &shared->sizes[2]);
	if (round == 0)
		memcpy(shared->whole, shared->sizes, sizeof shared->whole);
	assemble_output_done(&o);
	ms[HAND_OVER] = now_ms() - t;
	assemble_commit(a);
	free(head);
	shared->trust_kb = peak_kb();
}

/* Stays alive between the rounds, which `go` and `done` begin and end. */
static void trust_part(int to, int go, int done, int64_t now)
{
	struct assemble_conf conf = { .cluster = cluster, .node = trustgen_id("core-1-1"), .id_min = 1000, .id_max = INT32_MAX };
	const struct assemble_floor floor = { .head = 0 };
	struct assemble *a;
	unsigned char round;

	memcpy(conf.pin, pin, sizeof pin);
	must_ok(assemble_new(&conf, &floor, &a), NULL);
	while (read(go, &round, 1) == 1) {
		trust_round(a, round, to, now);
		must(write(done, &round, 1) == 1, "pipe");
	}
	assemble_free(a);
}

static void root_round(struct publish *p, unsigned round, int from, int64_t now)
{
	struct publish_set set = { .head_version = round + 1, .head_iat = now };
	struct publish_bytes *const b[] = { &set.accounts, &set.trust, &set.docs };
	struct diag d = { .code = CLUSTER_OK };
	double *ms = shared->ms[round], t = now_ms();
	bool changed;

	for (unsigned i = 0; i < 3; i++)
		*b[i] = taken(from, shared->sizes[i]);
	must_ok(publish_put(p, &set, &changed, &d), &d);
	must(changed, "nothing changed");
	publish_tidy(p, &set);
	for (unsigned i = 0; i < 3; i++)
		must(!b[i]->p || munmap((void *)(uintptr_t)b[i]->p, b[i]->n) == 0, "unmap");
	ms[PUBLISH] = now_ms() - t;
	ms[TOTAL] = ms[VERIFY] + ms[BUILD] + ms[HAND_OVER] + ms[PUBLISH];
}

static void root_part(int from, int go, int done, int64_t now)
{
	const struct cluster_id node = trustgen_id("core-1-1");
	struct diag d = { .code = CLUSTER_OK };
	struct publish *p;
	char state[300];

	snprintf(state, sizeof state, "%s/state", work);
	must(mkdir(state, 0755) == 0, state);
	must_ok(publish_open(state, geteuid(), &cluster, &node, &p, &d), &d);
	for (unsigned char round = 0; round <= ALL_ROUNDS; round++) {
		must(write(go, &round, 1) == 1 && read(done, &round, 1) == 1, "the trust process ended");
		root_round(p, round, from, now);
	}
	publish_close(p);
	shared->root_kb = peak_kb();
}

static void wait_for(pid_t pid)
{
	int status;

	must(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "a part of the bench failed");
}

static int compare(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return (d > 0) - (d < 0);
}

/* Median and least of one measure over the rounds of one kind of change. */
static void sorted(enum change c, enum measure m, double ms[ROUNDS])
{
	for (unsigned i = 0; i < ROUNDS; i++)
		ms[i] = shared->ms[1 + (unsigned)c * ROUNDS + i][m];
	qsort(ms, ROUNDS, sizeof ms[0], compare);
}

static void print(FILE *out, unsigned n, const char *comma)
{
	double ms[ROUNDS];

	fprintf(out, "%s{\"accounts\":%u,\"groups\":%u,\"people\":%u,\"accounts_snap_bytes\":%zu,\"trust_snap_bytes\":%zu,\"trust_process_peak_kb\":%ld,\"root_process_peak_kb\":%ld,"
		"\"ms\":{\"first start\":{", comma, n, n / 10, n / 10, shared->whole[0], shared->whole[1], shared->trust_kb, shared->root_kb);
	printf("\n%u accounts: accounts.snap %.1f MB, trust.snap %.1f MB; peak memory: trust process %ld MB, root process %ld MB\n  %-16s", n, (double)shared->whole[0] / 1e6,
		(double)shared->whole[1] / 1e6, shared->trust_kb / 1024, shared->root_kb / 1024, "ms");
	for (unsigned m = 0; m < MEASURES; m++)
		printf("%10s", measure_names[m]);
	printf("     least\n  %-16s", "first start");
	for (unsigned m = 0; m < MEASURES; m++) {
		fprintf(out, "%s\"%s\":%.2f", m ? "," : "", measure_names[m], shared->ms[0][m]);
		printf("%10.1f", shared->ms[0][m]);
	}
	printf("\n");
	for (unsigned c = 0; c < CHANGES; c++) {
		fprintf(out, "},\"%s\":{", change_names[c]);
		printf("  %-16s", change_names[c]);
		for (unsigned m = 0; m < MEASURES; m++) {
			sorted((enum change)c, (enum measure)m, ms);
			fprintf(out, "%s\"%s\":%.2f,\"least %s\":%.2f", m ? "," : "", measure_names[m], ms[ROUNDS / 2], measure_names[m], ms[0]);
			printf("%10.1f", ms[ROUNDS / 2]);
		}
		printf("%10.1f\n", ms[0]);
	}
	fprintf(out, "}}}");
	fflush(stdout);
}

static void measure(unsigned n)
{
	const char *place = getenv("BENCH_DIR");
	int fds[2], go[2], done[2];
	int64_t now = (int64_t)time(NULL);
	char command[300];
	pid_t pid;
	size_t size;
	char *text;

	snprintf(work, sizeof work, "%s/bench-million-XXXXXX", place ? place : "/var/tmp");
	must(mkdtemp(work) != NULL, work);
	memset(shared, 0, sizeof *shared);
	if ((pid = fork()) == 0) {
		generate(n, now);
		_exit(0); /* what stdio holds is the parent's */
	}
	wait_for(pid);
	text = read_file("pin", &size);
	memcpy(pin, text, sizeof pin);
	memcpy(cluster.b, pin, ID_SIZE);
	free(text);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0, "socketpair");
	must(pipe(go) == 0 && pipe(done) == 0, "pipe");
	if ((pid = fork()) == 0) {
		close(go[1]);
		trust_part(fds[0], go[0], done[1], now);
		_exit(0); /* what stdio holds is the parent's */
	}
	close(go[0]);
	close(done[1]);
	root_part(fds[1], go[1], done[0], now);
	close(go[1]);
	close(done[0]);
	wait_for(pid);
	close(fds[0]);
	close(fds[1]);
	snprintf(command, sizeof command, "rm -rf '%s'", work);
	must(system(command) == 0, command);
}

int main(int argc, char **argv)
{
	static const char *const usual[] = { "10000", "100000", "1000000" };
	const char *const *sizes = argc > 1 ? (const char *const *)argv + 1 : usual, *build = getenv("BUILD");
	int n = argc > 1 ? argc - 1 : 3;
	char path[400];
	FILE *out;

	must_ok(crypto_start(), NULL);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "memory");
	snprintf(path, sizeof path, "%s/bench", build ? build : "build");
	mkdir(path, 0755);
	strcat(path, "/million.json");
	out = fopen(path, "we");
	must(out != NULL, path);
	fprintf(out, "[");
	for (int i = 0; i < n; i++) {
		measure((unsigned)strtoul(sizes[i], NULL, 10));
		print(out, (unsigned)strtoul(sizes[i], NULL, 10), i ? "," : "");
	}
	fprintf(out, "]\n");
	fclose(out);
	return 0;
}
