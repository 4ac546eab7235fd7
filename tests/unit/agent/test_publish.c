/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/document.h"
#include "cluster/moment.h"
#include "cluster/wr.h"
#include "docs.h"
#include "publish.h"
#include "snap_diff.h"
#include "trustgen.h"

/* A state directory and a cluster whose sets go into it. */
struct place {
	char dir[64];
	struct trustgen *g;
	struct directory *directory;
	struct cluster_id node;
	struct publish *p;
	struct diag d;
	int64_t now;
};

static void place_open(struct place *x)
{
	assert_ok(publish_open(x->dir, geteuid(), &x->g->root.cluster, &x->node, &x->p, &x->d));
}

static void place_close(struct place *x)
{
	publish_close(x->p);
	x->p = NULL;
}

static void setup(struct place *x)
{
	struct moment m;

	memset(x, 0, sizeof *x);
	strcpy(x->dir, "/tmp/publish-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	assert_ok(moment_now(&m));
	x->now = m.wall;
	x->g = trustgen_new("prod", x->now);
	x->node = trustgen_id("core-1-1");
	x->directory = trustgen_directory_read(x->g, trustgen_directory(x->g, 1, trustgen_sample(x->g)));
	place_open(x);
}

static void teardown(struct place *x)
{
	char command[100];

	publish_hook(NULL);
	place_close(x);
	directory_free(x->directory);
	trustgen_free(x->g);
	snprintf(command, sizeof command, "rm -rf %s", x->dir);
	assert_int_equal(system(command), 0);
}

/* accounts.snap of all accounts but the first `skip`; trust.snap of that revocations version; a bundle of one object. */
struct made {
	struct publish_set set;
	struct snap_bytes accounts;
	uint8_t *trust;
	struct wr docs;
};

static void report(void *arg, const char *sentence)
{
	(void)arg;
	(void)sentence;
}

static void make(struct place *x, struct made *m, int64_t head, int64_t revocations_version, size_t skip)
{
	const struct local_report r = { .line = report };
	static const struct conf_list adopt;
	const struct local_rules rules = { .adopt = &adopt, .id_min = 1000, .id_max = INT32_MAX };
	struct revoke_list *l = trustgen_revocations_read(x->g, trustgen_revocations(x->g, revocations_version, "[]"));
	const struct trust_documents from = { .root = &x->g->root, .keyset = &x->g->keyset, .dir = x->directory, .revocations = l };
	struct directory dir = *x->directory;
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	struct local *local;
	char text[64];

	memset(m, 0, sizeof *m);
	dir.accounts += skip;
	dir.n_accounts -= skip;
	assert_ok(local_parse("", 0, "", 0, &local));
	assert_ok(local_accounts_build(&x->g->root.cluster, &dir, local, &rules, &r, &m->accounts, &x->d));
	assert_ok(trust_build(&from, &x->node, &m->trust, &m->set.trust.n, &x->d));
	snprintf(text, sizeof text, "object of head %lld", (long long)head);
	assert_ok(crypto_sha256(text, strlen(text), sha256));
	wr_grow(&m->docs, 4096);
	docs_put_object(&m->docs, sha256, text, strlen(text));
	docs_put_name(&m->docs, DOCS_ROOT, sha256);
	snprintf(text, sizeof text, "head %lld", (long long)head);
	docs_put_head(&m->docs, text, strlen(text));
	assert_ok(wr_end(&m->docs));
	m->set.accounts.p = m->accounts.p;
	m->set.accounts.n = m->accounts.n;
	m->set.trust.p = m->trust;
	m->set.docs.p = m->docs.p;
	m->set.docs.n = m->docs.n;
	m->set.head_version = head;
	m->set.head_iat = x->now;
	revoke_free(l);
	local_free(local);
}

static void made_done(struct made *m)
{
	free(m->accounts.p);
	free(m->trust);
	wr_done(&m->docs);
}

/* The snapshot as a change of the installed one; the caller frees it. */
static uint8_t *as_change(struct place *x, enum snap_kind kind, struct publish_bytes *b)
{
	const struct trust *t = publish_trust(x->p);
	const struct snap_base base = { { (uint64_t)t->self.keyset_version, (uint64_t)t->self.directory_version, (uint64_t)t->self.revocations_version } };
	struct snap_fresh f;
	struct snap was, is;
	uint8_t *change;

	assert_ok(snap_open_current(x->dir, geteuid(), kind, &was, &f));
	assert_ok(snap_parse(b->p, b->n, kind, &is));
	assert_ok(snap_diff(&was, &is, &base, &change, &b->n));
	snap_close(&was);
	b->p = change;
	return change;
}

static bool by_change; /* what is put is a change, but for the first set */

static enum cluster_err put(struct place *x, int64_t head, int64_t revocations_version, size_t skip)
{
	uint8_t *accounts = NULL, *trust = NULL;
	bool changed = false;
	enum cluster_err e;
	struct made m;

	make(x, &m, head, revocations_version, skip);
	if (by_change && publish_trust(x->p)) {
		accounts = as_change(x, SNAP_ACCOUNTS, &m.set.accounts);
		trust = as_change(x, SNAP_TRUST, &m.set.trust);
	}
	e = publish_put(x->p, &m.set, &changed, &x->d);
	if (e == CLUSTER_OK)
		publish_tidy(x->p, &m.set);
	free(accounts);
	free(trust);
	made_done(&m);
	return e;
}

/* What PAM and NSS see: a whole set of this head version, or nothing if 0. */
static void check_readers(const struct place *x, uint64_t head, int64_t revocations_version)
{
	struct snap_fresh f;
	struct snap s;
	struct trust t;

	if (head == 0) {
		assert_err(snap_fresh_read(x->dir, geteuid(), &f), CLUSTER_ENOTFOUND);
		return;
	}
	assert_ok(snap_open_current(x->dir, geteuid(), SNAP_ACCOUNTS, &s, &f));
	assert_ok(snap_verify(&s));
	assert_true(f.head_version == head);
	snap_close(&s);
	assert_ok(trust_open(x->dir, geteuid(), &t));
	assert_ok(snap_verify(&t.snap));
	assert_int_equal(t.self.revocations_version, revocations_version);
	trust_close(&t);
}

static uint64_t word(const struct place *x)
{
	char path[128];
	uint64_t v;
	int fd;

	snprintf(path, sizeof path, "%s/generation", x->dir);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 4096);
	assert_int_equal(pread(fd, &v, sizeof v, 0), sizeof v);
	close(fd);
	return v;
}

static ino_t inode(const struct place *x, uint64_t generation, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	assert_ok(snap_path(path, sizeof path, x->dir, generation, name));
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void test_generations(void **state)
{
	uint64_t *mapped, last = 0;
	struct place x;
	char path[128];
	int fd;

	(void)state;
	setup(&x);
	assert_true(publish_damaged(x.p));
	check_readers(&x, 0, 0);
	snprintf(path, sizeof path, "%s/generation", x.dir);
	fd = open(path, O_RDONLY);
	mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	assert_ok(put(&x, 10, 1, 0));
	assert_true(snap_word_settled(*mapped) && *mapped > last);
	last = *mapped;
	check_readers(&x, 10, 1);
	assert_false(publish_damaged(x.p));
	/* a re-signed head changes `fresh` and nothing else */
	assert_ok(put(&x, 11, 1, 0));
	assert_true(publish_fresh(x.p)->generation == 1);
	check_readers(&x, 11, 1);
	/* a revocation: accounts.snap is the same file */
	assert_ok(put(&x, 12, 2, 0));
	assert_true(snap_word_settled(*mapped) && *mapped > last);
	check_readers(&x, 12, 2);
	assert_true(inode(&x, 2, "accounts.snap") == inode(&x, 1, "accounts.snap"));
	assert_ok(put(&x, 13, 2, 1));
	assert_true(inode(&x, 3, "trust.snap") == inode(&x, 2, "trust.snap"));
	/* older than the one before */
	assert_true(inode(&x, 1, "trust.snap") == 0);
	assert_true(snap_word_settled(*mapped) && *mapped > last + 2);
	munmap(mapped, 4096);
	/* a restart finds it */
	place_close(&x);
	place_open(&x);
	assert_false(publish_damaged(x.p));
	assert_true(publish_fresh(x.p)->generation == 3);
	assert_int_equal(publish_floor(x.p).head, 13);
	assert_int_equal(publish_floor(x.p).revocations, 2);
	teardown(&x);
}

/* H1: root's own look at versions; I9 and E8: it takes no snapshot that its readers would not. */
static void test_refusals(void **state)
{
	bool changed;
	struct place x;
	struct made m;

	(void)state;
	setup(&x);
	make(&x, &m, 10, 2, 0);
	m.set.accounts.p = NULL; /* the first set has to be whole */
	assert_err(publish_put(x.p, &m.set, &changed, &x.d), CLUSTER_EUNAVAIL);
	made_done(&m);
	assert_ok(put(&x, 10, 2, 0));
	assert_err(put(&x, 10, 3, 0), CLUSTER_EVERSION);
	assert_err(put(&x, 9, 3, 0), CLUSTER_EVERSION);
	assert_err(put(&x, 11, 1, 0), CLUSTER_EVERSION);
	assert_err(put(&x, 11 + DOCUMENT_VERSION_STEP, 3, 0), CLUSTER_EVERSION); /* H5: no head could follow */
	make(&x, &m, 11, 3, 0);
	m.set.head_iat = x.now + 400;
	assert_err(publish_put(x.p, &m.set, &changed, &x.d), CLUSTER_EEARLY);
	m.set.head_iat = x.now;
	m.trust[m.set.trust.n / 2] ^= 1;
	assert_err(publish_put(x.p, &m.set, &changed, &x.d), CLUSTER_EFORMAT);
	m.trust[m.set.trust.n / 2] ^= 1;
	m.accounts.p[m.accounts.n - 70] ^= 1;
	assert_err(publish_put(x.p, &m.set, &changed, &x.d), CLUSTER_EFORMAT);
	m.accounts.p[m.accounts.n - 70] ^= 1;
	made_done(&m);
	x.node = trustgen_id("master-1-1");
	assert_err(put(&x, 11, 3, 0), CLUSTER_EUNTRUSTED);
	x.node = trustgen_id("core-1-1");
	check_readers(&x, 10, 2);
	assert_ok(put(&x, 11, 3, 0));
	teardown(&x);
}

/* After a start, from disk: the head is not newer, and its times stay those at which it came. */
static void test_rebuilt(void **state)
{
	struct snap_fresh before;
	bool changed = false;
	struct place x;
	struct made m;
	char path[PATH_MAX];

	(void)state;
	setup(&x);
	assert_ok(put(&x, 10, 1, 0));
	before = *publish_fresh(x.p);
	make(&x, &m, 10, 1, 1);
	m.set.rebuilt = true;
	assert_ok(publish_put(x.p, &m.set, &changed, &x.d));
	assert_true(changed);
	assert_true(publish_fresh(x.p)->generation == 2);
	assert_true(publish_fresh(x.p)->head_version == 10);
	assert_true(publish_fresh(x.p)->boot_time == before.boot_time);
	/* a head behind `fresh` does not lower it */
	m.set.head_version = 9;
	m.set.head_iat = x.now - 60;
	assert_ok(publish_put(x.p, &m.set, &changed, &x.d));
	assert_false(changed);
	check_readers(&x, 10, 1);
	/* damaged: a restart sees it, and a rebuilt set mends it */
	assert_ok(snap_path(path, sizeof path, x.dir, 2, "accounts.snap"));
	assert_int_equal(truncate(path, 100), 0);
	place_close(&x);
	place_open(&x);
	assert_true(publish_damaged(x.p));
	assert_ok(publish_put(x.p, &m.set, &changed, &x.d));
	assert_true(changed);
	check_readers(&x, 10, 1);
	made_done(&m);
	teardown(&x);
}

/* Damage while it runs: seen at the next look, and mended by a whole set only. */
static void test_damaged_meanwhile(void **state)
{
	bool changed = false;
	char path[PATH_MAX];
	struct place x;
	struct made m;

	(void)state;
	setup(&x);
	publish_look(x.p);
	assert_ok(put(&x, 10, 1, 0));
	publish_look(x.p);
	assert_false(publish_damaged(x.p));
	assert_ok(snap_path(path, sizeof path, x.dir, 1, "accounts.snap"));
	assert_int_equal(unlink(path), 0);
	publish_look(x.p);
	assert_true(publish_damaged(x.p));
	make(&x, &m, 11, 2, 0);
	m.set.accounts.p = NULL;
	assert_err(publish_put(x.p, &m.set, &changed, &x.d), CLUSTER_EUNAVAIL);
	m.set.accounts.p = m.accounts.p;
	assert_ok(publish_put(x.p, &m.set, &changed, &x.d));
	assert_false(publish_damaged(x.p));
	check_readers(&x, 11, 2);
	made_done(&m);
	teardown(&x);
}

static const char *stop_at;
static enum cluster_err stop_by;

static enum cluster_err stop(const char *step)
{
	if (strcmp(step, stop_at) != 0)
		return CLUSTER_OK;
	if (stop_by == CLUSTER_OK)
		_exit(7); /* as kill -9 between two steps */
	return stop_by;
}

static const char *const steps[] = { "begin", "accounts", "trust", "rename", "docs", "fresh", "word", "settle", "tidy" };
#define STEPS_BEFORE 7 /* as long as the old set holds */
#define STEPS (sizeof steps / sizeof steps[0])

/* H2: a stop before each step leaves the old or the new set, and the next start goes on from there. */
static void test_killed_at_each_step(void **state)
{
	struct place x;
	uint64_t before;
	int status;
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < STEPS; i++) {
		setup(&x);
		assert_ok(put(&x, 10, 1, 0));
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			stop_at = steps[i];
			stop_by = CLUSTER_OK;
			publish_hook(stop);
			(void)!put(&x, 11, 2, 1);
			_exit(1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WEXITSTATUS(status), 7);
		/* a word at rest is not moved on without the set, nor the set changed while the word says that it is at rest */
		assert_int_equal(snap_word_settled(word(&x)), strcmp(steps[i], "word") != 0 && strcmp(steps[i], "settle") != 0);
		before = word(&x);
		if (i >= STEPS_BEFORE)
			check_readers(&x, 11, 2);
		else
			check_readers(&x, 10, 1);
		place_close(&x);
		place_open(&x);
		assert_false(publish_damaged(x.p));
		assert_true(snap_word_settled(word(&x)) && word(&x) > before);
		before = word(&x);
		assert_ok(put(&x, 12, 3, 2));
		check_readers(&x, 12, 3);
		assert_true(snap_word_settled(word(&x)) && word(&x) > before);
		teardown(&x);
	}
}

/* A failure before each step: a clear error, the old set stands, nothing half-done stays, and the same process can go on. */
static void test_failure_at_each_step(void **state)
{
	char path[PATH_MAX];
	struct place x;
	size_t i;

	(void)state;
	stop_by = CLUSTER_ESYSTEM;
	for (i = 0; i < STEPS_BEFORE; i++) {
		setup(&x);
		assert_ok(put(&x, 10, 1, 0));
		stop_at = steps[i];
		publish_hook(stop);
		assert_err(put(&x, 11, 2, 1), CLUSTER_ESYSTEM);
		check_readers(&x, 10, 1);
		assert_int_equal(snprintf(path, sizeof path, "%s/gen/2", x.dir) > 0 && access(path, F_OK) == 0, 0);
		assert_int_equal(snprintf(path, sizeof path, "%s/gen/2.tmp", x.dir) > 0 && access(path, F_OK) == 0, 0);
		publish_hook(NULL);
		assert_ok(put(&x, 11, 2, 1));
		check_readers(&x, 11, 2);
		teardown(&x);
	}
}

static enum cluster_err no_descriptors(const char *step)
{
	struct rlimit none;

	if (strcmp(step, "settle") != 0)
		return CLUSTER_OK;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &none), 0);
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return CLUSTER_OK;
}

/* H1: what was put in place cannot be read again for want of a descriptor. It stands all the same, and nothing older comes after it. */
static void test_unread_for_a_while(void **state)
{
	struct rlimit before;
	struct place x;

	(void)state;
	setup(&x);
	assert_ok(put(&x, 10, 5, 0));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	publish_hook(no_descriptors);
	(void)!put(&x, 11, 6, 1);
	publish_hook(NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	check_readers(&x, 11, 6);
	assert_int_equal(publish_floor(x.p).head, 11);
	assert_int_equal(publish_floor(x.p).revocations, 5); /* of trust.snap as last read */
	assert_true(publish_damaged(x.p));
	assert_err(put(&x, 10, 6, 0), CLUSTER_EVERSION);
	assert_err(put(&x, 12, 4, 0), CLUSTER_EVERSION);
	check_readers(&x, 11, 6);
	assert_ok(put(&x, 12, 6, 1));
	assert_false(publish_damaged(x.p));
	check_readers(&x, 12, 6);
	teardown(&x);
}

static enum cluster_err no_descriptors_at_start(const char *step)
{
	return no_descriptors(strcmp(step, "look") == 0 ? "settle" : step);
}

static enum cluster_err no_memory_at_start(const char *step)
{
	struct rlimit none;

	if (strcmp(step, "look") != 0)
		return CLUSTER_OK;
	assert_int_equal(getrlimit(RLIMIT_AS, &none), 0);
	none.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	return CLUSTER_OK;
}

/* H1, B9: an agent that starts while nothing can be opened, or mapped, does not take that for a node that has nothing: it tries again, and what is installed stays. */
static void test_unread_at_start(void **state)
{
	static const struct { enum cluster_err (*hook)(const char *); __rlimit_resource_t resource; const char *text; } rows[] = {
		{ no_descriptors_at_start, RLIMIT_NOFILE, "fresh cannot be read" }, { no_memory_at_start, RLIMIT_AS, "trust.snap cannot be read" },
	};
	struct rlimit before;
	struct place x;

	(void)state;
	setup(&x);
	assert_ok(put(&x, 10, 5, 0));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum cluster_err e;

		place_close(&x);
		assert_int_equal(getrlimit(rows[i].resource, &before), 0);
		publish_hook(rows[i].hook);
		e = publish_open(x.dir, geteuid(), &x.g->root.cluster, &x.node, &x.p, &x.d);
		publish_hook(NULL);
		assert_int_equal(setrlimit(rows[i].resource, &before), 0);
		assert_err(e, CLUSTER_ESYSTEM);
		assert_non_null(strstr(x.d.text, rows[i].text));
		place_open(&x);
		check_readers(&x, 10, 5);
		assert_int_equal(publish_floor(x.p).revocations, 5);
		assert_false(publish_damaged(x.p));
	}
	teardown(&x);
}

/* A disk that is full after n bytes of each file (RLIMIT_FSIZE stands in for it): error, old set, no residue, then recovery. */
static void test_no_room(void **state)
{
	struct rlimit before, small;
	struct place x;
	rlim_t size;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	setup(&x);
	assert_ok(put(&x, 10, 1, 0));
	for (size = 0;; size += 97) {
		enum cluster_err e;

		small = before;
		small.rlim_cur = size;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		e = put(&x, 11, 2, 1);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		if (e == CLUSTER_OK)
			break;
		assert_err(e, CLUSTER_ESYSTEM);
		assert_non_null(strstr(x.d.text, "too large"));
		check_readers(&x, 10, 1);
		assert_true(inode(&x, 2, "trust.snap") == 0);
	}
	assert_true(size > 500);
	check_readers(&x, 11, 2);
	signal(SIGXFSZ, SIG_DFL);
	teardown(&x);
}

static void test_docs(void **state)
{
	uint8_t sha256[CRYPTO_SHA256_SIZE], old[CRYPTO_SHA256_SIZE];
	char docs[96], path[160], *text;
	struct stat a, b;
	struct place x;
	size_t n;

	(void)state;
	setup(&x);
	snprintf(docs, sizeof docs, "%s/%s", x.dir, DOCS_DIR);
	assert_err(docs_head(docs, geteuid(), &text, &n, &x.d), CLUSTER_ENOTFOUND);
	assert_ok(put(&x, 10, 1, 0));
	assert_ok(put(&x, 11, 2, 0));
	assert_ok(docs_head(docs, geteuid(), &text, &n, &x.d));
	assert_string_equal(text, "head 11");
	free(text);
	assert_ok(crypto_sha256("object of head 11", 17, sha256));
	assert_ok(crypto_sha256("object of head 10", 17, old));
	assert_ok(docs_object(docs, geteuid(), sha256, 100, &text, &n, &x.d));
	assert_string_equal(text, "object of head 11");
	free(text);
	assert_err(docs_object(docs, geteuid(), sha256, 16, &text, &n, &x.d), CLUSTER_ELIMIT);
	assert_err(docs_object(docs, geteuid(), old, 100, &text, &n, &x.d), CLUSTER_ENOTFOUND);
	snprintf(path, sizeof path, "%s/root.jws", docs);
	assert_int_equal(stat(path, &a), 0);
	assert_int_equal(a.st_nlink, 2);
	snprintf(path, sizeof path, "%s/.link", docs);
	assert_int_equal(stat(path, &b), -1);
	/* many objects at a time */
	{
		struct wr w;
		int i;

		wr_grow(&w, 65536);
		for (i = 0; i < 20; i++) {
			snprintf(path, sizeof path, "object %d", i);
			assert_ok(crypto_sha256(path, strlen(path), sha256));
			docs_put_object(&w, sha256, path, strlen(path));
		}
		docs_put_head(&w, "head 12", 7);
		assert_ok(docs_store(docs, w.p, w.n, &x.d));
		assert_ok(docs_object(docs, geteuid(), sha256, 100, &text, &n, &x.d));
		assert_string_equal(text, "object 19");
		free(text);
		assert_ok(docs_head(docs, geteuid(), &text, &n, &x.d));
		assert_string_equal(text, "head 12");
		free(text);
		wr_done(&w);
		snprintf(path, sizeof path, "%s/.object", docs);
		assert_int_equal(access(path, F_OK), -1);
	}
	/* damaged bundles */
	assert_err(docs_store(docs, (const uint8_t *)"\x01", 1, &x.d), CLUSTER_ETRUNC);
	assert_err(docs_store(docs, (const uint8_t *)"\x09", 1, &x.d), CLUSTER_EFORMAT);
	teardown(&x);
}

static int changes_on(void **state)
{
	(void)state;
	by_change = true;
	return 0;
}

static int changes_off(void **state)
{
	(void)state;
	by_change = false;
	return 0;
}

/* H1, H2: a change of something else than what is installed, to something older, or cut: refused, the old set stands, and only a whole set is taken then. */
static void test_changes_refused(void **state)
{
	bool changed = false;
	uint8_t *own;
	struct place x;
	struct made m;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool trust = i == 1 || i == 2;

		setup(&x);
		assert_ok(put(&x, 10, 5, 0));
		make(&x, &m, 11, i == 1 ? 4 : 6, 1);
		own = as_change(&x, trust ? SNAP_TRUST : SNAP_ACCOUNTS, trust ? &m.set.trust : &m.set.accounts);
		if (i == 0)
			own[28 + 7] ^= 1; /* the base's keyset */
		if (i == 2)
			own[m.set.trust.n - 1] ^= 1;
		if (i == 3)
			m.set.accounts.n--; /* refused before there is anything to merge */
		assert_true(publish_put(x.p, &m.set, &changed, &x.d) != CLUSTER_OK);
		assert_true(publish_damaged(x.p));
		free(own);
		made_done(&m);
		check_readers(&x, 10, 5);
		assert_ok(put(&x, 12, 7, 1));
		check_readers(&x, 12, 7);
		teardown(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generations),
		cmocka_unit_test_setup_teardown(test_generations, changes_on, changes_off),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_rebuilt),
		cmocka_unit_test(test_damaged_meanwhile),
		cmocka_unit_test(test_killed_at_each_step),
		cmocka_unit_test_setup_teardown(test_killed_at_each_step, changes_on, changes_off),
		cmocka_unit_test(test_failure_at_each_step),
		cmocka_unit_test_setup_teardown(test_failure_at_each_step, changes_on, changes_off),
		cmocka_unit_test(test_unread_for_a_while), cmocka_unit_test(test_unread_at_start),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test_setup_teardown(test_no_room, changes_on, changes_off),
		cmocka_unit_test(test_changes_refused),
		cmocka_unit_test(test_docs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
