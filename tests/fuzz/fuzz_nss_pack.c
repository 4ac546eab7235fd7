/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record of any strings into a caller's buffer of any size and alignment: right and inside it, or CLUSTER_ELIMIT and nothing touched. Input:
 * u16 size, u8 alignment (bit 7: short lists of gids), then the record's strings, each ended by a NUL byte.
 */
#include "fuzz.h"

#include <string.h>

#include "nss_pack.h"

static void check_account(const char *block, const size_t n[4], char *buf, size_t size)
{
	struct snap_account a = { .name_n = n[0], .gecos_n = n[1], .home_n = n[2], .shell_n = n[3], .uid = 5, .gid = 6 };
	size_t need = n[0] + n[1] + n[2] + n[3] + 4 + 2;
	struct passwd pw;

	a.name = block;
	a.gecos = a.name + n[0] + 1;
	a.home = a.gecos + n[1] + 1;
	a.shell = a.home + n[2] + 1;
	if (nss_pack_account(&a, &pw, buf, size) != CLUSTER_OK) {
		FUZZ_CHECK(size < need);
		return;
	}
	FUZZ_CHECK(size >= need && strcmp(pw.pw_passwd, "*") == 0 && pw.pw_passwd + 2 <= buf + size && pw.pw_name == buf);
	FUZZ_CHECK(strcmp(pw.pw_name, a.name) == 0 && strcmp(pw.pw_gecos, a.gecos) == 0);
	FUZZ_CHECK(strcmp(pw.pw_dir, a.home) == 0 && strcmp(pw.pw_shell, a.shell) == 0);
}

static void check_group(const char *block, size_t block_n, uint32_t members, char *buf, size_t size)
{
	struct snap_group g = { .name = block, .name_n = strlen(block), .n_members = members };
	struct group gr;
	const char *p;

	g.members = block + g.name_n + 1;
	g.members_size = block_n - g.name_n - 1;
	if (nss_pack_group(&g, &gr, buf, size) != CLUSTER_OK) {
		FUZZ_CHECK(size < block_n + 2 + (members + 1) * sizeof(char *) + sizeof(char *) - 1);
		return;
	}
	FUZZ_CHECK((uintptr_t)gr.gr_mem % sizeof(char *) == 0 && (char *)gr.gr_mem >= buf && gr.gr_passwd + 2 <= buf + size);
	FUZZ_CHECK(strcmp(gr.gr_name, block) == 0 && strcmp(gr.gr_passwd, "*") == 0 && !gr.gr_mem[members]);
	p = g.members;
	for (uint32_t i = 0; i < members; i++, p += strlen(p) + 1)
		FUZZ_CHECK(strcmp(gr.gr_mem[i], p) == 0);
}

static void check_gids(const uint8_t *gids, uint32_t n, long limit)
{
	gid_t *groups = malloc(sizeof *groups), primary = n ? snap_be32(gids) : 0;
	long start = 1, size = 1;
	struct nss_gids list = { .start = &start, .size = &size, .groups = &groups, .limit = limit };

	FUZZ_CHECK(groups != NULL);
	groups[0] = primary;
	FUZZ_CHECK(nss_pack_gids(gids, n, primary, &list) == CLUSTER_OK);
	FUZZ_CHECK(start >= 1 && start <= size && (limit <= 0 || size <= limit));
	for (long i = 1; i < start; i++)
		FUZZ_CHECK(groups[i] != primary);
	free(groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t size, shift, lengths[4] = { 0 }, strings = 0, first4 = 0, at = 0;
	char *block, *arena;

	if (n < 4)
		return 0;
	size = snap_be16(data) % 4096;
	shift = data[2] % 16;
	n -= 3;
	block = malloc(n);
	arena = malloc(size + shift + 1);
	FUZZ_CHECK(block && arena);
	memcpy(block, data + 3, n);
	block[n - 1] = '\0';
	for (; at < n; at += strlen(block + at) + 1, strings++) {
		if (strings < 4)
			lengths[strings] = strlen(block + at);
		if (strings == 4)
			first4 = at;
	}
	if (strings >= 4)
		check_account(block, lengths, arena + shift, size);
	check_group(block, n, (uint32_t)strings - 1, arena + shift, size);
	check_gids((const uint8_t *)block, (uint32_t)(n / 4), data[2] & 0x80 ? 1 + (long)(first4 % 7) : -1);
	free(arena);
	free(block);
	return 0;
}
