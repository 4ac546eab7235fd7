/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SNAP_FORMAT_H
#define CLUSTER_SNAP_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * The snapshot container (PROTOCOL.md 5). All integers big-endian. One header, a section table, sections at 64-byte boundaries.
 *
 *   header, 64 bytes                      section table entry, 32 bytes
 *    0 magic[8]  "CLSNAP1\n"               0 u32 type
 *    8 u16 major (SNAP_A_MAJOR, ...)       4 u32 flags  (SNAP_CRITICAL: a reader that does not know the type must refuse the file)
 *   10 u16 minor                           8 u64 offset (multiple of 64)
 *   12 u32 kind  (SNAP_ACCOUNTS, ...)     16 u64 length
 *   16 u64 size of the whole file         24 u64 checksum of a flat section's bytes; 0 for record and index sections
 *   24 cluster id[16]
 *   40 u32 number of sections
 *   44 u32 reserved (0)
 *   48 u64 reserved (0)
 *   56 u64 checksum of bytes 0..55 and the section table
 *
 * Sections stand in order of type, each at the first multiple of 64 after the one before, the file ends at the next multiple of 64; gaps are zero.
 *
 * Three shapes of section. Flat: guarded by the table's checksum. Records: each at an 8-byte boundary: u32 length of the body, u32 guard
 * (snap_record_guard), body. Index: a power of two of 64-byte buckets, each: u32 checksum of the other 60 bytes and the bucket's number, u8 slots in use
 * (0..7), u8 flags (SNAP_BUCKET_OVERFLOW: keep looking in the next bucket, at most SNAP_PROBE_MAX of them, wrapping), u16 reserved,
 * 7 x {u32 tag, u32 record offset / 8 within its record section}. hash = snap_hash(key); bucket = low bits of the hash; tag = its high 32 bits.
 * Guarding each bucket and each record lets a lookup trust exactly the bytes that it reads, at any file size.
 */
#define SNAP_MAGIC "CLSNAP1\n"
#define SNAP_HEADER_SIZE 64
#define SNAP_SECTION_SIZE 32
#define SNAP_SECTIONS_MAX 32
#define SNAP_ALIGN 64
#define SNAP_BUCKET_SIZE 64
#define SNAP_BUCKET_SLOTS 7
#define SNAP_BUCKET_OVERFLOW 0x01
#define SNAP_PROBE_MAX 16
#define SNAP_CRITICAL 0x1u
#define SNAP_FILE_MAX (UINT64_C(16) << 30)
#define SNAP_BUCKETS_MAX (UINT64_C(1) << 28)

enum snap_kind { SNAP_ACCOUNTS = 1, SNAP_TRUST = 2 };

/* Sections of accounts.snap (PROTOCOL.md 5.2). 1 to 8 are critical; 9 to 12 are not, and may be missing. */
enum snap_accounts_section {
	SNAP_A_ACCOUNTS = 1,    /* records, in name order: struct snap_account */
	SNAP_A_BY_NAME = 2,     /* index: account name */
	SNAP_A_BY_UID = 3,      /* index: uid as u32 */
	SNAP_A_GROUPS = 4,      /* records, in name order: struct snap_group */
	SNAP_A_GROUP_BY_NAME = 5,
	SNAP_A_GROUP_BY_GID = 6,
	SNAP_A_MEMBER = 7,      /* records, in name order: which groups an account is in */
	SNAP_A_MEMBER_BY_NAME = 8,
	SNAP_A_HOSTS = 9,       /* records, in name order: the addresses of a node or of all nodes of a role */
	SNAP_A_HOST_BY_NAME = 10,
	SNAP_A_ADDRESSES = 11,  /* records, in order of the node's name: which node an address belongs to */
	SNAP_A_ADDRESS_BY_BYTES = 12
};
#define SNAP_A_CRITICAL_MAX SNAP_A_MEMBER_BY_NAME
#define SNAP_A_MAJOR 2 /* 1: groups without the lengths of their members */
#define SNAP_T_MAJOR 1 /* of trust.snap */
#define SNAP_MINOR 0   /* of both */

#define SNAP_ACCOUNT_HEAD 16 /* u32 uid, u32 gid, u8 lengths of name, gecos, home, shell, u32 0; then the four strings, each with its NUL */
#define SNAP_GROUP_HEAD 16   /* u32 gid, u32 members, u32 bytes of members, u8 length of name, 3 x 0; then name NUL, each member NUL, u8 length of each with its NUL */
#define SNAP_MEMBER_HEAD 8   /* u32 gids, u8 length of name, 3 x 0; then name NUL, each gid u32, ascending */
#define SNAP_HOST_HEAD 12    /* u32 IPv4, u32 IPv6 addresses, u8 length of name, u8 flags (SNAP_HOST_ROLE), u16 0; then name NUL, 4 bytes each, 16 bytes each */
#define SNAP_HOST_ROLE 0x01
#define SNAP_ADDRESS_HEAD 4  /* u8 length of address (4, 16), u8 length of name, u16 0; then the address, name NUL */

/* Sections of trust.snap (PROTOCOL.md 5.3). */
enum snap_trust_section {
	SNAP_T_SELF = 1,     /* flat: this node, limits, document versions */
	SNAP_T_KEYS = 2,     /* flat: role keys of the keyset */
	SNAP_T_PEOPLE = 3,   /* records */
	SNAP_T_PERSON_BY_ID = 4,
	SNAP_T_PERSON_BY_NAME = 5,
	SNAP_T_GRANTS = 6,   /* records: all grants of one subject for one account that hold on this node */
	SNAP_T_GRANT_BY_KEY = 7,
	SNAP_T_ACCOUNTS = 8, /* records: accounts of the directory and who they belong to */
	SNAP_T_ACCOUNT_BY_NAME = 9,
	SNAP_T_REVOKED = 10, /* records */
	SNAP_T_REVOKED_BY_KEY = 11,
	SNAP_T_GLOBAL = 12,  /* flat: everything before T, lockdown */
	SNAP_T_NODES = 13,   /* records: every node of the directory */
	SNAP_T_NODE_BY_ID = 14,
	SNAP_T_NODE_BY_HOP_KEY = 15,
	SNAP_T_HOSTKEYS = 16, /* records: which node has a host key */
	SNAP_T_HOSTKEY_BY_HASH = 17,
	SNAP_T_HOPS = 18,    /* records: accounts that somebody may hop to */
	SNAP_T_HOP_BY_KEY = 19
};

enum snap_shape { SNAP_SHAPE_UNKNOWN = 0, SNAP_SHAPE_FLAT, SNAP_SHAPE_RECORDS, SNAP_SHAPE_INDEX };

/* The major version: a reader refuses a file of any other. */
static inline uint16_t snap_major(enum snap_kind kind)
{
	return kind == SNAP_ACCOUNTS ? SNAP_A_MAJOR : SNAP_T_MAJOR;
}

/* The shape of section `type`; for an index, *ret_records is the record section that it leads to (0 otherwise). */
static inline enum snap_shape snap_section_shape(enum snap_kind kind, uint32_t type, uint32_t *ret_records)
{
	/* F flat, R records, otherwise the type of the record section, in order of type from 1 */
	static const char accounts[] = "R11R44R7R9R;", trust[] = "FFR33R6R8R:FR==R@RB"; /* ':' is 10, '=' 13, '@' 16, 'B' 18 */
	const char *shapes = kind == SNAP_ACCOUNTS ? accounts : trust;
	char c = type >= 1 && type <= strlen(shapes) ? shapes[type - 1] : '\0';

	*ret_records = c >= '1' && c <= 'B' ? (uint32_t)(c - '0') : 0;
	if (c == '\0')
		return SNAP_SHAPE_UNKNOWN;
	return c == 'F' ? SNAP_SHAPE_FLAT : c == 'R' ? SNAP_SHAPE_RECORDS : SNAP_SHAPE_INDEX;
}

/* Whether a file without section `type` is damaged; if not, a reader that does not know the section passes it over. */
static inline bool snap_section_critical(enum snap_kind kind, uint32_t type)
{
	return kind != SNAP_ACCOUNTS || type <= SNAP_A_CRITICAL_MAX;
}

/* The seed of a guard (PROTOCOL.md 5.1): section type, and the body's length or the bucket's number. */
static inline uint64_t snap_seed(uint32_t type, uint32_t low)
{
	return (uint64_t)type << 32 | low;
}

/* Caps that keep a caller's ERANGE loop finite (THREATS.md E3); the writer refuses more, the reader refuses to believe more. */
#define SNAP_ACCOUNT_BODY_MAX 4096
#define SNAP_GROUP_MEMBERS_MAX 131072u
#define SNAP_GROUP_BODY_MAX (5u << 20)
#define SNAP_MEMBER_GROUPS_MAX 65536u
#define SNAP_HOST_ADDRESSES_MAX 65536u
#define SNAP_RECORD_MAX (16u << 20)

static inline uint16_t snap_be16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return __builtin_bswap16(v);
}
static inline uint32_t snap_be32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return __builtin_bswap32(v);
}
static inline uint64_t snap_be64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v);
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "snap_be* assume a little-endian host"
#endif

#endif
