/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts and groups of any strings to a snapshot and back: what the builder takes, the reader finds as it was and snap_verify passes; what the
 * rules forbid, the builder refuses. Input: per account u32 uid, u32 gid and five strings that end at NUL bytes, the fifth a group's name.
 */
#include "fuzz.h"

#include <string.h>

#include "cluster/name.h"
#include "cluster/snap.h"
#include "cluster/snap_write.h"

#define MOST 8

struct input {
	struct snap_account_in accounts[MOST];
	struct snap_group_in groups[MOST];
	const char *members[MOST];
	char text[MOST][5][300];
	size_t n;
};

static void take_string(const uint8_t **p, const uint8_t *end, char *dst, size_t size)
{
	size_t n = 0;

	while (*p < end && **p && n + 1 < size)
		dst[n++] = (char)*(*p)++;
	dst[n] = '\0';
	if (*p < end)
		++*p;
}

static void take_input(const uint8_t *p, const uint8_t *end, struct input *in)
{
	for (; in->n < MOST && end - p >= 8; in->n++) {
		size_t i = in->n;
		uint32_t uid = snap_be32(p), gid = snap_be32(p + 4);

		p += 8;
		for (size_t j = 0; j < 5; j++)
			take_string(&p, end, in->text[i][j], sizeof in->text[i][j]);
		in->members[i] = in->text[i][0];
		in->accounts[i] = (struct snap_account_in){ in->text[i][0], in->text[i][1], in->text[i][2], in->text[i][3], uid, gid };
		in->groups[i] = (struct snap_group_in){ in->text[i][4], gid, in->members, i };
	}
}

static void check(const struct snap *s, const struct input *in)
{
	struct snap_account a;
	struct snap_group g;
	const uint8_t *gids;
	uint32_t n;

	for (size_t i = 0; i < in->n; i++) {
		const struct snap_account_in *want = &in->accounts[i];

		FUZZ_CHECK(name_id_ok(want->uid) && !name_account_reserved(want->name) && !name_group_reserved(in->groups[i].name));
		FUZZ_CHECK(snap_account_by_name(s, want->name, &a) == CLUSTER_OK && a.uid == want->uid && a.gid == want->gid);
		FUZZ_CHECK(strcmp(a.gecos, want->gecos) == 0 && strcmp(a.home, want->home) == 0 && strcmp(a.shell, want->shell) == 0);
		FUZZ_CHECK(snap_account_by_uid(s, want->uid, &a) == CLUSTER_OK && strcmp(a.name, want->name) == 0);
		FUZZ_CHECK(snap_group_by_name(s, in->groups[i].name, &g) == CLUSTER_OK && g.gid == want->gid && g.n_members == i);
		n = 0; /* the account of number i is in each group behind its own */
		FUZZ_CHECK(snap_member_groups(s, want->name, &gids, &n) == (i + 1 < in->n ? CLUSTER_OK : CLUSTER_ENOTFOUND) && n == in->n - i - 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct cluster_id cluster = { { 1 } };
	struct input in = { .n = 0 };
	struct snap_names names;
	size_t file_n;
	uint8_t *file;
	struct diag d;
	struct snap s;

	take_input(data, data + n, &in);
	names = (struct snap_names){ .accounts = in.accounts, .n_accounts = in.n, .groups = in.groups, .n_groups = in.n };
	if (snap_accounts_build(&cluster, &names, &file, &file_n, &d) != CLUSTER_OK) {
		FUZZ_CHECK(d.text[0] != '\0' && memchr(d.text, '\0', sizeof d.text));
		return 0;
	}
	FUZZ_CHECK(snap_parse(file, file_n, SNAP_ACCOUNTS, &s) == CLUSTER_OK && snap_verify(&s) == CLUSTER_OK);
	check(&s, &in);
	free(file);
	return 0;
}
