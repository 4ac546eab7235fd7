/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of accounts.snap from a hostile maker: whatever is merged and passes snap_merge_check is a snapshot that snap_verify passes. Input: 0 and the change as it is; or 1 and
 * steps {u8 what (0 put, 1 drop, 2 clear), u8 section, u8 n, n bytes}, of which a well-formed change is made.
 */
#include "fuzz.h"

#include <string.h>

#include "cluster/rd.h"
#include "cluster/snap_change.h"
#include "cluster/wr.h"

static const struct cluster_id cluster = { { 1 } };
static const struct snap_base base;

static void make_base(struct snap *ret)
{
	static const char *const first[] = { "alice", "bob" }, *const second[] = { "bob" };
	static const struct snap_account_in accounts[] = { { "alice", "", "/a", "/s", 70000, 70000 }, { "bob", "", "/b", "/s", 70001, 70001 } };
	static const struct snap_group_in groups[] = { { "g", 80000, first, 2 }, { "h", 80001, second, 1 } };
	static char address[1][SNAP_ADDRESS_TEXT] = { "10.0.0.1" };
	static const struct snap_node_in nodes[] = { { .name = "n", .addresses = address, .n_addresses = 1 } };
	const struct snap_names names = { .accounts = accounts, .n_accounts = 2, .groups = groups, .n_groups = 2, .nodes = nodes, .n_nodes = 1 };
	uint8_t *file;
	size_t n;

	FUZZ_CHECK(snap_accounts_build(&cluster, &names, &file, &n, NULL) == CLUSTER_OK && snap_parse(file, n, SNAP_ACCOUNTS, ret) == CLUSTER_OK);
}

static enum cluster_err into(void *ctx, const void *p, size_t n)
{
	wr_bytes(ctx, p, n);
	return wr_end(ctx);
}

static void apply(const struct snap *old, const uint8_t *change, size_t n)
{
	struct snap_merge *m = NULL;
	struct snap now;
	struct wr w;

	wr_grow(&w, 1 << 24);
	if (snap_merge_new(old, change, n, &m, NULL) == CLUSTER_OK && snap_merge_put(m, &(struct snap_sink){ .put = into, .ctx = &w }, NULL) == CLUSTER_OK) {
		FUZZ_CHECK(snap_parse(w.p, w.n, SNAP_ACCOUNTS, &now) == CLUSTER_OK);
		if (snap_merge_check(m, &now, NULL) == CLUSTER_OK)
			FUZZ_CHECK(snap_verify(&now) == CLUSTER_OK);
	}
	snap_merge_free(m);
	wr_done(&w);
}

static void take_step(struct snap_change *c, struct rd *r)
{
	const uint8_t *bytes = NULL;
	uint8_t what, type, n;
	uint32_t offset;

	if (rd_u8(r, &what) != CLUSTER_OK || rd_u8(r, &type) != CLUSTER_OK || rd_u8(r, &n) != CLUSTER_OK || rd_view(r, n <= rd_left(r) ? n : rd_left(r), &bytes) != CLUSTER_OK)
		return;
	n = (uint8_t)(r->p - bytes);
	if (what % 3 == 0)
		FUZZ_CHECK(snap_writer_record(snap_change_writer(c), type % 16, bytes, n, &offset) != CLUSTER_ENOMEM);
	else if (what % 3 == 1)
		FUZZ_CHECK(snap_change_drop(c, type % 16, bytes, n) != CLUSTER_ENOMEM);
	else
		FUZZ_CHECK(snap_change_clear(c, type % 16) != CLUSTER_ENOMEM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct snap old;
	struct snap_change *c = NULL;
	uint8_t *change = NULL;
	struct rd r;

	if (!old.base)
		make_base(&old);
	if (n < 1)
		return 0;
	if (data[0] % 2 == 0) {
		apply(&old, data + 1, n - 1);
		return 0;
	}
	FUZZ_CHECK(snap_change_new(SNAP_ACCOUNTS, &cluster, &base, &c) == CLUSTER_OK);
	for (rd_init(&r, data + 1, n - 1); rd_left(&r) > 0; )
		take_step(c, &r);
	if (snap_change_end(c, &change, &n) == CLUSTER_OK)
		apply(&old, change, n);
	snap_change_free(c);
	free(change);
	return 0;
}
