/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts database through the module. Requirements E1 (buffers), E3 (no endless ERANGE), E9 (results in the buffer), E11 (long names), D2 (the same
 * answer); that reserved names and addresses are never answered, whatever the snapshot says; damage is "unavailable", never "no such host".
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/snap.h"
#include "nss_result.h"
#include "nss_world.h"
#include "snap_vector.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define ARENA 4096

static uint8_t *good;
static size_t good_n;
static uint64_t generation;

/* What one call came to, and "name addr addr ..." of what it found. */
struct answer {
	enum nss_status status;
	int code, h_code;
	char text[512];
};

static void add_address(struct answer *a, int af, const void *bytes)
{
	char text[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(af, bytes, text, sizeof text));
	strcat(strcat(a->text, " "), text);
}

static void put_hostent(struct answer *a, const struct hostent *h)
{
	strcpy(a->text, h->h_name);
	for (char **p = h->h_addr_list; *p; p++)
		add_address(a, h->h_addrtype, *p);
	assert_int_equal(h->h_length, h->h_addrtype == AF_INET ? 4 : 16);
	assert_null(h->h_aliases[0]);
}

static struct answer by_name(const char *name, int af)
{
	struct answer a = { .code = 4711, .h_code = 4712 };
	char buf[1024], *canonical = NULL;
	struct hostent h;
	int32_t ttl = -1;

	a.status = module.gethostbyname3(name, af, &h, buf, sizeof buf, &a.code, &a.h_code, &ttl, &canonical);
	if (a.status != NSS_STATUS_SUCCESS)
		return a;
	put_hostent(&a, &h);
	assert_int_equal(ttl, 0);
	assert_ptr_equal(canonical, h.h_name);
	return a;
}

static struct answer by_name_any(const char *name)
{
	struct answer a = { .code = 4711, .h_code = 4712 };
	struct gaih_addrtuple *list = NULL;
	char buf[1024];

	a.status = module.gethostbyname4(name, &list, buf, sizeof buf, &a.code, &a.h_code, NULL);
	if (a.status != NSS_STATUS_SUCCESS)
		return a;
	strcpy(a.text, list->name);
	for (; list; list = list->next) {
		assert_int_equal(list->scopeid, 0);
		add_address(&a, list->family, list->addr);
	}
	return a;
}

static struct answer by_address(const char *text)
{
	int af = strchr(text, ':') ? AF_INET6 : AF_INET;
	struct answer a = { .code = 4711, .h_code = 4712 };
	struct hostent h;
	uint8_t bytes[16];
	char buf[256];

	assert_int_equal(inet_pton(af, text, bytes), 1);
	a.status = module.gethostbyaddr(bytes, af == AF_INET ? 4 : 16, af, &h, buf, sizeof buf, &a.code, &a.h_code);
	if (a.status == NSS_STATUS_SUCCESS)
		put_hostent(&a, &h);
	return a;
}

static void found(struct answer a, const char *want)
{
	assert_int_equal(a.status, NSS_STATUS_SUCCESS);
	assert_string_equal(a.text, want);
	assert_int_equal(a.code, 4711);
	assert_int_equal(a.h_code, NETDB_SUCCESS);
}

static void not_found(struct answer a, int h_code)
{
	assert_int_equal(a.status, NSS_STATUS_NOTFOUND);
	assert_int_equal(a.code, ENOENT);
	assert_int_equal(a.h_code, h_code);
}

static void unavailable(struct answer a)
{
	assert_int_equal(a.status, NSS_STATUS_UNAVAIL);
	assert_int_equal(a.code, EIO);
	assert_int_equal(a.h_code, NETDB_INTERNAL);
}

static void test_nodes(void **state)
{
	(void)state;
	found(by_name("master-1-1", AF_INET), "master-1-1 10.77.0.11");
	found(by_name("master-1-1", AF_INET6), "master-1-1 fd00:77::11");
	found(by_name_any("master-1-2"), "master-1-2 10.77.0.12 fd00:77::12");
	found(by_name("CORE-1-1", AF_INET), "core-1-1 10.77.0.21 192.168.77.21"); /* neither loopback nor link-local */
	not_found(by_name("core-1-1", AF_INET6), NO_DATA);
	not_found(by_name("task-1-1", AF_INET), NO_DATA);
	found(by_name_any("Task-1-1"), "task-1-1 fd00:77::31");
	not_found(by_name("task-1-2", AF_INET), HOST_NOT_FOUND);
	not_found(by_name_any("task-1"), HOST_NOT_FOUND);
}

static void test_roles(void **state)
{
	(void)state;
	found(by_name("master", AF_INET), "master 10.77.0.11 10.77.0.12");
	found(by_name("master", AF_INET6), "master fd00:77::11 fd00:77::12");
	found(by_name_any("worker"), "worker 10.77.0.21 192.168.77.21 10.77.0.22 fd00:77::31");
	found(by_name_any("Leader"), "leader 10.77.0.12 fd00:77::12");
	not_found(by_name("task", AF_INET), NO_DATA);
}

static void test_addresses(void **state)
{
	static const char *const strangers[] = {
		"10.77.0.13", "127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::21", "ff02::1", "fd00:77::99", "::ffff:127.0.0.1",
	};

	(void)state;
	found(by_address("10.77.0.21"), "core-1-1 10.77.0.21");
	found(by_address("192.168.77.21"), "core-1-1 192.168.77.21");
	found(by_address("fd00:77::31"), "task-1-1 fd00:77::31");
	found(by_address("::ffff:10.77.0.22"), "core-1-2 ::ffff:10.77.0.22");
	for (size_t i = 0; i < COUNT(strangers); i++)
		not_found(by_address(strangers[i]), HOST_NOT_FOUND);
}

static void test_other_entry_points(void **state)
{
	static const uint8_t address[4] = { 10, 77, 0, 22 };
	int code = 4711, h_code = 4712;
	struct hostent h;
	char buf[256];
	int32_t ttl;

	(void)state;
	assert_int_equal(module.gethostbyname("core-1-2", &h, buf, sizeof buf, &code, &h_code), NSS_STATUS_SUCCESS);
	assert_int_equal(h.h_addrtype, AF_INET);
	assert_memory_equal(h.h_addr_list[0], address, 4);
	assert_int_equal(module.gethostbyname2("core-1-2", AF_INET, &h, buf, sizeof buf, &code, &h_code), NSS_STATUS_SUCCESS);
	assert_memory_equal(h.h_addr_list[0], address, 4);
	assert_int_equal(module.gethostbyaddr2(address, 4, AF_INET, &h, buf, sizeof buf, &code, &h_code, &ttl), NSS_STATUS_SUCCESS);
	assert_int_equal(ttl, 0);
	assert_string_equal(h.h_name, "core-1-2");
	/* families and lengths that are none */
	assert_int_equal(module.gethostbyname2("core-1-2", AF_UNIX, &h, buf, sizeof buf, &code, &h_code), NSS_STATUS_UNAVAIL);
	assert_int_equal(code, EAFNOSUPPORT);
	assert_int_equal(h_code, NETDB_INTERNAL);
	for (socklen_t len = 0; len < 20; len++) {
		if (len != 4)
			assert_int_equal(module.gethostbyaddr(address, len, AF_INET, &h, buf, sizeof buf, &code, &h_code), NSS_STATUS_UNAVAIL);
		if (len != 16)
			assert_int_equal(module.gethostbyaddr(address, len, AF_INET6, &h, buf, sizeof buf, &code, &h_code), NSS_STATUS_UNAVAIL);
	}
}

/* nscd and older glibc bring a tuple of their own for the first address. */
static void test_tuple_of_the_caller(void **state)
{
	struct gaih_addrtuple mine, *list = &mine;
	int code, h_code;
	char buf[256];

	(void)state;
	memset(&mine, 0x5a, sizeof mine);
	assert_int_equal(module.gethostbyname4("master-1-1", &list, buf, sizeof buf, &code, &h_code, NULL), NSS_STATUS_SUCCESS);
	assert_ptr_equal(list, &mine);
	assert_int_equal(mine.family, AF_INET);
	assert_int_equal(mine.scopeid, 0);
	assert_string_equal(mine.name, "master-1-1");
	assert_true((char *)mine.next >= buf && (char *)(mine.next + 1) <= buf + sizeof buf);
	assert_int_equal(mine.next->family, AF_INET6);
	assert_null(mine.next->next);
}

static void test_names_that_are_not_ours(void **state)
{
	static const char *const names[] = {
		"", ".", "localhost", "LOCALHOST", "localhost.localdomain", "ip6-localhost", "core-1-1.", "core-1-1.example.org", ".core-1-1", "deb.debian.org",
		"10.77.0.21", "fd00:77::11", "core-1-1\n", "core-1-1 ", "core 1", "-core", "\xff", "any", "all", "none", "_gateway", "wpad", "metadata",
	};
	char *name = malloc(120001);

	(void)state;
	assert_non_null(name);
	for (size_t i = 0; i < COUNT(names); i++) {
		not_found(by_name(names[i], AF_INET), HOST_NOT_FOUND);
		not_found(by_name_any(names[i]), HOST_NOT_FOUND);
	}
	for (size_t n = 60; n < 70; n++) {
		memset(name, 'a', n);
		name[n] = '\0';
		not_found(by_name_any(name), HOST_NOT_FOUND);
	}
	memset(name, 'a', 120000);
	name[120000] = '\0';
	not_found(by_name_any(name), HOST_NOT_FOUND);
	name[40] = '.';
	not_found(by_name_any(name), HOST_NOT_FOUND);
	free(name);
}

static void test_enumeration(void **state)
{
	static const char *const want[] = {
		"core-1-1 10.77.0.21", "core-1-1 192.168.77.21", "core-1-2 10.77.0.22", "master-1-1 10.77.0.11", "master-1-1 fd00:77::11",
		"master-1-2 fd00:77::12", "master-1-2 10.77.0.12", "task-1-1 fd00:77::31",
	};
	struct hostent h;
	char buf[256];
	int code, h_code;

	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(module.sethostent(round), NSS_STATUS_SUCCESS);
		for (size_t i = 0; i < COUNT(want); i++) {
			struct answer a = { .text = "" };

			assert_int_equal(module.gethostent(&h, buf, 20, &code, &h_code), NSS_STATUS_TRYAGAIN); /* skips nobody */
			assert_int_equal(module.gethostent(&h, buf, sizeof buf, &code, &h_code), NSS_STATUS_SUCCESS);
			put_hostent(&a, &h);
			assert_string_equal(a.text, want[i]);
		}
		for (int i = 0; i < 2; i++) {
			assert_int_equal(module.gethostent(&h, buf, sizeof buf, &code, &h_code), NSS_STATUS_NOTFOUND);
			assert_int_equal(h_code, HOST_NOT_FOUND);
		}
		assert_int_equal(module.endhostent(), NSS_STATUS_SUCCESS);
	}
}

/* ---- buffers ---- */

union result {
	struct hostent h;
	struct gaih_addrtuple *list;
};

typedef enum nss_status ask_function(union result *ret, char *buf, size_t n, int *errnop, int *h_errnop);

static enum nss_status ask_v4(union result *ret, char *buf, size_t n, int *errnop, int *h_errnop)
{
	return module.gethostbyname2("worker", AF_INET, &ret->h, buf, n, errnop, h_errnop);
}

static enum nss_status ask_v6(union result *ret, char *buf, size_t n, int *errnop, int *h_errnop)
{
	return module.gethostbyname2("master", AF_INET6, &ret->h, buf, n, errnop, h_errnop);
}

static enum nss_status ask_address(union result *ret, char *buf, size_t n, int *errnop, int *h_errnop)
{
	static const uint8_t address[16] = { [10] = 0xff, 0xff, 10, 77, 0, 21 };

	return module.gethostbyaddr(address, 16, AF_INET6, &ret->h, buf, n, errnop, h_errnop);
}

static enum nss_status ask_first(union result *ret, char *buf, size_t n, int *errnop, int *h_errnop)
{
	module.sethostent(0);
	return module.gethostent(&ret->h, buf, n, errnop, h_errnop);
}

static enum nss_status ask_tuples(union result *ret, char *buf, size_t n, int *errnop, int *h_errnop)
{
	return module.gethostbyname4("worker", &ret->list, buf, n, errnop, h_errnop, NULL);
}

static void inside(const void *p, size_t size, size_t align, const char *buf, size_t n)
{
	assert_true((const char *)p >= buf && (const char *)p + size <= buf + n);
	assert_int_equal((uintptr_t)p % align, 0);
}

static void check_hostent(const union result *r, const char *buf, size_t n)
{
	const struct hostent *h = &r->h;
	size_t i;

	inside(h->h_name, strlen(h->h_name) + 1, 1, buf, n);
	inside(h->h_aliases, sizeof(char *), sizeof(char *), buf, n);
	assert_null(h->h_aliases[0]);
	for (i = 0; h->h_addr_list[i]; i++)
		inside(h->h_addr_list[i], (size_t)h->h_length, 4, buf, n); /* callers cast to struct in_addr and in6_addr */
	inside(h->h_addr_list, (i + 1) * sizeof(char *), sizeof(char *), buf, n);
	assert_true(i > 0);
}

static void check_tuples(const union result *r, const char *buf, size_t n)
{
	size_t count = 0;

	for (const struct gaih_addrtuple *t = r->list; t; t = t->next, count++) {
		inside(t, sizeof *t, _Alignof(struct gaih_addrtuple), buf, n);
		inside(t->name, strlen(t->name) + 1, 1, buf, n);
	}
	assert_int_equal(count, 4);
}

/* Every size from 0 at every alignment: refused, or inside; the bytes around are never touched, nor anything when it is refused. */
static void sweep(ask_function *ask, void (*check)(const union result *, const char *, size_t), size_t least_max)
{
	static _Alignas(64) unsigned char arena[ARENA], clean[ARENA];
	union result ret, untouched;
	size_t least = SIZE_MAX;

	memset(clean, 0xa5, sizeof clean);
	memset(&untouched, 0, sizeof untouched);
	for (size_t shift = 0; shift < 9; shift++) {
		for (size_t n = 0; n <= 1024; n++) {
			char *buf = (char *)arena + 512 + shift;
			int code = 4711, h_code = 4712;
			enum nss_status status;

			memcpy(arena, clean, sizeof arena);
			memcpy(&ret, &untouched, sizeof ret);
			status = ask(&ret, buf, n, &code, &h_code);
			if (status == NSS_STATUS_TRYAGAIN) {
				assert_int_equal(code, ERANGE);
				assert_int_equal(h_code, NETDB_INTERNAL);
				assert_memory_equal(arena, clean, sizeof arena);
				assert_memory_equal(&ret, &untouched, sizeof ret);
				continue;
			}
			assert_int_equal(status, NSS_STATUS_SUCCESS);
			assert_int_equal(code, 4711);
			assert_int_equal(h_code, NETDB_SUCCESS);
			assert_memory_equal(arena, clean, 512 + shift);
			assert_memory_equal(buf + n, clean, 512);
			check(&ret, buf, n);
			if (n < least)
				least = n;
		}
	}
	assert_in_range(least, 20, least_max);
}

static void test_e1_buffers(void **state)
{
	(void)state;
	sweep(ask_v4, check_hostent, 64);
	sweep(ask_v6, check_hostent, 64);
	sweep(ask_address, check_hostent, 48);
	sweep(ask_first, check_hostent, 40);
	sweep(ask_tuples, check_tuples, 4 * sizeof(struct gaih_addrtuple) + 8);
}

static void test_result_map(void **state)
{
	static const struct { enum cluster_err e; enum nss_status status; int code, h_code; } table[] = {
		{ CLUSTER_OK, NSS_STATUS_SUCCESS, 4711, NETDB_SUCCESS }, { CLUSTER_ENOTFOUND, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND },
		{ CLUSTER_ELIMIT, NSS_STATUS_TRYAGAIN, ERANGE, NETDB_INTERNAL }, { CLUSTER_ENOMEM, NSS_STATUS_TRYAGAIN, ENOMEM, NETDB_INTERNAL },
		{ CLUSTER_EFORMAT, NSS_STATUS_UNAVAIL, EIO, NETDB_INTERNAL }, { CLUSTER_EUNAVAIL, NSS_STATUS_UNAVAIL, EIO, NETDB_INTERNAL },
		{ CLUSTER_EUNTRUSTED, NSS_STATUS_UNAVAIL, EIO, NETDB_INTERNAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int code = 4711, h_code = 4712;

		assert_int_equal(nss_result_host(table[i].e, &code, &h_code), table[i].status);
		assert_int_equal(code, table[i].code);
		assert_int_equal(h_code, table[i].h_code);
	}
}

/* ---- a snapshot that is sealed and hostile ---- */

static void must(enum cluster_err e)
{
	assert_int_equal(e, CLUSTER_OK);
}

static void craft_host(struct snap_writer *w, const char *name, const uint8_t v4[4], const uint8_t v6[16])
{
	size_t n = strlen(name);
	uint8_t body[128] = { [3] = 1, [7] = 1, [8] = (uint8_t)n };
	uint32_t offset;

	memcpy(body + SNAP_HOST_HEAD, name, n);
	memcpy(body + SNAP_HOST_HEAD + n + 1, v4, 4);
	memcpy(body + SNAP_HOST_HEAD + n + 5, v6, 16);
	must(snap_writer_record(w, SNAP_A_HOSTS, body, SNAP_HOST_HEAD + n + 21, &offset));
	must(snap_writer_key(w, SNAP_A_HOST_BY_NAME, name, n, offset));
}

static void craft_address(struct snap_writer *w, const uint8_t *bytes, size_t n, const char *name)
{
	size_t name_n = strlen(name);
	uint8_t body[128] = { [0] = (uint8_t)n, [1] = (uint8_t)name_n };
	uint32_t offset;

	memcpy(body + SNAP_ADDRESS_HEAD, bytes, n);
	memcpy(body + SNAP_ADDRESS_HEAD + n, name, name_n);
	must(snap_writer_record(w, SNAP_A_ADDRESSES, body, SNAP_ADDRESS_HEAD + n + name_n + 1, &offset));
	must(snap_writer_key(w, SNAP_A_ADDRESS_BY_BYTES, bytes, n, offset));
}

/* Everything that must not be said, in good order and under good seals. */
static const char *const claimed[] = { "localhost", "localhost.localdomain", "ip6-localhost", "deb.debian.org", "_gateway", "wpad", "127", "UPPER", "evil", "node", "void" };

static void publish_hostile(void)
{
	static const uint8_t v4[4] = { 6, 6, 6, 6 }, v6[16] = { 0xfd, 6 }, loopback[4] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 }, other[4] = { 6, 6, 6, 7 }, third[4] = { 6, 6, 6, 8 };
	static const struct cluster_id cluster = { { 0xc1, 0xd2 } };
	struct snap_writer *w;
	struct diag d;
	uint8_t *file;
	size_t n;

	must(snap_writer_new(SNAP_ACCOUNTS, &cluster, &w));
	for (size_t i = 0; i < COUNT(claimed); i++)
		craft_host(w, claimed[i], strcmp(claimed[i], "evil") == 0 ? loopback : v4, strcmp(claimed[i], "node") == 0 ? loopback6 : v6);
	craft_address(w, loopback, 4, "evil");
	craft_address(w, loopback6, 16, "evil");
	craft_address(w, v4, 4, "localhost");
	craft_address(w, v6, 16, "deb.debian.org");
	craft_address(w, other, 4, "metadata");
	craft_address(w, third, 4, "void");
	must(snap_writer_end(w, &file, &n, &d));
	snap_writer_free(w);
	world_publish(++generation, file, n);
	free(file);
}

static void test_reserved_names_are_never_answered(void **state)
{
	(void)state;
	publish_hostile();
	for (size_t i = 0; i < 8; i++) {
		not_found(by_name(claimed[i], AF_INET), HOST_NOT_FOUND);
		not_found(by_name_any(claimed[i]), HOST_NOT_FOUND);
	}
	unavailable(by_name("evil", AF_INET)); /* that name is 127.0.0.1 */
	unavailable(by_name_any("node"));      /* and that one ::1 */
	found(by_name("void", AF_INET), "void 6.6.6.6"); /* the control */
	not_found(by_address("127.0.0.1"), HOST_NOT_FOUND);
	not_found(by_address("::1"), HOST_NOT_FOUND);
	unavailable(by_address("6.6.6.6"));
	unavailable(by_address("fd06::"));
	unavailable(by_address("6.6.6.7"));
	found(by_address("6.6.6.8"), "void 6.6.6.8");
	world_publish(++generation, good, good_n);
}

/* ---- damage ---- */

/* Each lookup right, or unavailable. */
static void check_all(unsigned long *refused)
{
	static const struct { const char *name, *want; } names[] = {
		{ "core-1-1", "core-1-1 10.77.0.21 192.168.77.21" }, { "master-1-2", "master-1-2 10.77.0.12 fd00:77::12" }, { "task-1-1", "task-1-1 fd00:77::31" },
		{ "worker", "worker 10.77.0.21 192.168.77.21 10.77.0.22 fd00:77::31" }, { "leader", "leader 10.77.0.12 fd00:77::12" },
	};
	static const struct { const char *address, *want; } addresses[] = {
		{ "10.77.0.21", "core-1-1 10.77.0.21" }, { "fd00:77::12", "master-1-2 fd00:77::12" }, { "fd00:77::31", "task-1-1 fd00:77::31" },
	};

	for (size_t i = 0; i < COUNT(names) + COUNT(addresses); i++) {
		bool is_name = i < COUNT(names);
		struct answer a = is_name ? by_name_any(names[i].name) : by_address(addresses[i - COUNT(names)].address);

		if (a.status == NSS_STATUS_SUCCESS) {
			found(a, is_name ? names[i].want : addresses[i - COUNT(names)].want);
		} else {
			unavailable(a);
			++*refused;
		}
	}
}

static void test_every_bit_of_the_sections(void **state)
{
	unsigned long refused = 0;
	struct snap s;
	char path[128];
	int fd;

	(void)state;
	assert_ok(snap_parse(good, good_n, SNAP_ACCOUNTS, &s));
	assert_ok(snap_path(path, sizeof path, WORLD_STATE, generation, "accounts.snap"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	check_all(&refused);
	assert_int_equal(refused, 0);
	for (size_t bit = 8 * (size_t)(s.section[SNAP_A_HOSTS].p - good); bit < 8 * good_n; bit++) {
		uint8_t byte = (uint8_t)(good[bit / 8] ^ 1u << bit % 8);

		assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
		check_all(&refused);
		assert_int_equal(pwrite(fd, good + bit / 8, 1, (off_t)(bit / 8)), 1);
	}
	close(fd);
	assert_true(refused > 1000);
}

static void test_whole_file_refused(void **state)
{
	(void)state;
	world_publish(++generation, good, good_n / 2);
	unavailable(by_name("core-1-1", AF_INET));
	unavailable(by_name("nobody", AF_INET6));
	unavailable(by_name_any("core-1-1"));
	unavailable(by_address("10.77.0.21"));
	/* what is never ours does not suffer */
	not_found(by_name_any("deb.debian.org"), HOST_NOT_FOUND);
	not_found(by_name_any("localhost"), HOST_NOT_FOUND);
	not_found(by_address("127.0.0.1"), HOST_NOT_FOUND);
	world_publish(++generation, good, good_n);
	found(by_name("core-1-2", AF_INET), "core-1-2 10.77.0.22");
}

/* A snapshot that says nothing of nodes: accounts as ever, hosts unknown. */
static void test_snapshot_without_nodes(void **state)
{
	static uint8_t golden[SNAP_VECTOR_MAX], bare[SNAP_VECTOR_MAX];
	size_t n;
	struct passwd pw;
	struct hostent h;
	char buf[256];
	int code, h_code;

	(void)state;
	(void)snap_vector_read(SNAP_VECTOR_FILE, golden, sizeof golden);
	n = snap_without_nodes(golden, bare);
	memset(bare + 24, 0, ID_SIZE);
	bare[24] = 0xc1;
	bare[25] = 0xd2;
	snap_reseal_header(bare);
	world_publish(++generation, bare, n);
	assert_int_equal(module.getpwnam("alice", &pw, buf, sizeof buf, &code), NSS_STATUS_SUCCESS);
	unavailable(by_name("core-1-1", AF_INET));
	module.sethostent(0);
	assert_int_equal(module.gethostent(&h, buf, sizeof buf, &code, &h_code), NSS_STATUS_UNAVAIL);
	module.endhostent();
	world_publish(++generation, good, good_n);
}

static void test_not_enrolled(void **state)
{
	(void)state;
	unlink(WORLD_STATE "/enrolled");
	assert_ok(snap_word_begin(WORLD_STATE));
	not_found(by_name("core-1-1", AF_INET), HOST_NOT_FOUND);
	not_found(by_name_any("core-1-1"), HOST_NOT_FOUND);
	not_found(by_address("10.77.0.21"), HOST_NOT_FOUND);
	world_enroll();
	assert_ok(snap_word_finish(WORLD_STATE));
	found(by_name("core-1-2", AF_INET), "core-1-2 10.77.0.22");
}

static int set_up(void **state)
{
	(void)state;
	world_enter();
	world_load();
	world_enroll();
	good = world_accounts(2, 0, &good_n);
	world_publish(++generation, good, good_n);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_other_entry_points),
		cmocka_unit_test(test_tuple_of_the_caller),
		cmocka_unit_test(test_names_that_are_not_ours),
		cmocka_unit_test(test_enumeration),
		cmocka_unit_test(test_e1_buffers),
		cmocka_unit_test(test_result_map),
		cmocka_unit_test(test_reserved_names_are_never_answered),
		cmocka_unit_test(test_every_bit_of_the_sections),
		cmocka_unit_test(test_whole_file_refused),
		cmocka_unit_test(test_snapshot_without_nodes),
		cmocka_unit_test(test_not_enrolled),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
