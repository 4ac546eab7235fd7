/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SNAP_H
#define CLUSTER_SNAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/name.h"
#include "cluster/rd.h"
#include "cluster/snap_format.h"

/*
 * Reading snapshots (snap_read.c). Nothing here locks, allocates, logs or reads the environment; functions that take a path or a
 * state directory, and snap_close, alone make system calls. Safe on arbitrary bytes: every offset is checked against the mapped size before it is followed.
 */

#define SNAP_STATE_DIR "/var/lib/cluster-login"

struct snap_section {
	const uint8_t *p;
	size_t n;
};

/* A mapped (or borrowed) snapshot. Plain values: may be copied, the mapping has one owner. */
struct snap {
	const uint8_t *base;
	size_t size;
	bool mapped;
	enum snap_kind kind;
	struct cluster_id cluster;
	dev_t dev; /* which file is mapped: snap_still_current */
	ino_t ino;
	struct timespec mtime;
	struct snap_section section[SNAP_SECTIONS_MAX]; /* by section type */
};

/* The hash of index keys and checksums (PROTOCOL.md 5.1): 64-bit, seedless, not cryptographic. */
uint64_t snap_hash(const void *data, size_t n, uint64_t seed) CLUSTER_PURE;
/* What guards a record of section `type` with this body (PROTOCOL.md 5.1). */
uint32_t snap_record_guard(const void *body, size_t n, uint32_t type) CLUSTER_PURE;

/*
 * Judges bytes in memory: magic, major, kind, size, header checksum, section bounds, flat checksums, that every critical section is known and present, index
 * sizes. The bytes stay the caller's and must outlive *ret.
 * CLUSTER_EVERSION: newer major; CLUSTER_EFORMAT, CLUSTER_ETRUNC: damaged.
 */
enum cluster_err snap_parse(const void *data, size_t n, enum snap_kind kind, struct snap *ret) CLUSTER_MUST_USE;

/*
 * Opens, judges the descriptor (regular, st_uid == owner, no 022 bits, size), maps read-only and shared, closes the descriptor, snap_parse.
 * CLUSTER_ENOTFOUND: ENOENT; CLUSTER_EUNTRUSTED: owner or mode; CLUSTER_ESYSTEM: errno tells; else as snap_parse. Nothing is left on failure.
 */
enum cluster_err snap_open(const char *path, uid_t owner, enum snap_kind kind, struct snap *ret) CLUSTER_MUST_USE;
/*
 * snap_open in parts, for a reader that says where the mapping goes. An open file of a size that a snapshot may have; it holds a descriptor until
 * snap_file_close, which keeps errno.
 */
struct snap_file {
	int fd;
	size_t size;
	dev_t dev;
	ino_t ino;
	struct timespec mtime;
};

/* Errors as snap_open; nothing is left on failure. */
enum cluster_err snap_file_open(const char *path, uid_t owner, struct snap_file *ret) CLUSTER_MUST_USE;
void snap_file_close(struct snap_file *f);
/*
 * Maps and parses it. `at`: NULL, and snap_close unmaps it; or an address where the caller has f->size bytes mapped that are to be replaced, and which stay
 * mapped whatever happens: with what, on failure, is open.
 */
enum cluster_err snap_file_map(const struct snap_file *f, enum snap_kind kind, void *at, struct snap *ret) CLUSTER_MUST_USE;

/* mmap in place of what is mapped there, in one step: who reads there while it happens reads the one or the other. */
void *snap_map_over(void *at, size_t n, int prot, int flags, int fd);

/* Unmaps what snap_open mapped; harmless on a zeroed struct. */
void snap_close(struct snap *s);

/* Walks everything: every bucket, every record, both directions. For the publisher, tests and `doctor`; cost grows with size. */
enum cluster_err snap_verify(const struct snap *s) CLUSTER_MUST_USE;
/* Parts of that: one group's members, ascending and each one's record naming the group; nodes. */
struct snap_group;
enum cluster_err snap_verify_group(const struct snap *s, const struct snap_group *g) CLUSTER_MUST_USE;
enum cluster_err snap_verify_hosts(const struct snap *s) CLUSTER_MUST_USE;

/* An index and the records it leads to, in few words. */
struct snap_table {
	const uint8_t *buckets;
	uint64_t mask; /* the number of buckets, less one */
	const uint8_t *records;
	uint64_t size; /* bytes of records */
	const uint8_t *base;
	_Atomic uint8_t *judged; /* NULL: nothing is remembered */
};

/*
 * What has been judged in a mapping need not be judged again while it stands: a file of a snapshot never changes. `judged`, where there is one, has a bit for
 * each 32 bytes from `base` on: 1, the record that begins there has passed all checks, and its guard says whether it is still the same. Shorter records
 * have none (SNAP_JUDGED_MIN), so no bit is for two. Lookups that judge set them.
 */
#define SNAP_JUDGED_SPAN 32
#define SNAP_JUDGED_MIN (SNAP_JUDGED_SPAN - 8 - 7) /* bytes of body; the head is 8, and the padding up to 7 */
/* The bytes of bits for n bytes. */
static inline size_t snap_judged_size(size_t n)
{
	return n / (8 * SNAP_JUDGED_SPAN) + 1;
}

/* Both are sections of what snap_parse accepted, of these shapes, or the caller checks the result. */
struct snap_table snap_table(const struct snap *s, uint32_t records, uint32_t index);

/* A search through one index for candidates. */
struct snap_probe {
	const struct snap *s;
	uint32_t records, index; /* section types */
	uint64_t bucket;
	uint32_t tag, found, probes;
	bool begun;
};

void snap_probe_init(struct snap_probe *p, const struct snap *s, uint32_t records, uint32_t index, const void *key, size_t n);
/*
 * The next record whose tag matches, its checksum verified; the caller compares the key. CLUSTER_ENOTFOUND: there is none, and every
 * bucket looked into was sound. CLUSTER_EFORMAT: damage on the way: the answer is unknown and must be treated as such.
 */
enum cluster_err snap_probe_next(struct snap_probe *p, struct rd *ret_body) CLUSTER_MUST_USE;

/* Record by record through a record section, in its order; *cursor starts at 0. CLUSTER_ENOTFOUND at the end. */
enum cluster_err snap_each(const struct snap *s, uint32_t records, uint64_t *cursor, struct rd *ret_body) CLUSTER_MUST_USE;

/* ---- accounts.snap (snap_account.c); strings point into the mapping and are NUL-terminated ---- */

struct snap_account {
	const char *name, *gecos, *home, *shell;
	size_t name_n, gecos_n, home_n, shell_n; /* without the NUL */
	uint32_t uid, gid;
};

struct snap_group {
	const char *name;
	size_t name_n;
	uint32_t gid;
	uint32_t n_members;
	const char *members; /* n_members names one after the other, each NUL-terminated */
	size_t members_size;
	const uint8_t *lengths; /* of each, with its NUL */
};

/*
 * All lookups: CLUSTER_ENOTFOUND, or CLUSTER_EFORMAT when damage makes the answer unknown. Values are checked again on read
 * (name grammar, reserved names, name_id_ok, paths): a record that breaks a rule is CLUSTER_EFORMAT.
 */
enum cluster_err snap_account_by_name(const struct snap *s, const char *name, struct snap_account *ret) CLUSTER_MUST_USE;
enum cluster_err snap_account_by_uid(const struct snap *s, uint32_t uid, struct snap_account *ret) CLUSTER_MUST_USE;
enum cluster_err snap_account_each(const struct snap *s, uint64_t *cursor, struct snap_account *ret) CLUSTER_MUST_USE;
enum cluster_err snap_group_by_name(const struct snap *s, const char *name, struct snap_group *ret) CLUSTER_MUST_USE;
enum cluster_err snap_group_by_gid(const struct snap *s, uint32_t gid, struct snap_group *ret) CLUSTER_MUST_USE;
enum cluster_err snap_group_each(const struct snap *s, uint64_t *cursor, struct snap_group *ret) CLUSTER_MUST_USE;
/* The gids (u32 big-endian, *ret_n of them, ascending) of the groups that list `name` as a member. CLUSTER_ENOTFOUND: in none. */
enum cluster_err snap_member_groups(const struct snap *s, const char *name, const uint8_t **ret, uint32_t *ret_n) CLUSTER_MUST_USE;

/*
 * The same for a reader under whose eyes the bytes may be replaced, a whole file at a time, such as NSS (nss_state.h): what is answered is copied, and
 * judged on the way. No bytes whatever lead to a read outside the mapping, if zeros follow it, or to a write outside the room given. What is answered
 * counts only if, afterwards, the table is still the one it was. *ret is undefined on failure, and of the room, whatever was not needed.
 */

struct snap_room {
	char *p;
	size_t n;
};

/* The four strings, at room->p. CLUSTER_ELIMIT: there is no room for them, and it was not touched. Else as above. */
enum cluster_err snap_copy_account_by_name(const struct snap_table *t, const char *name, const struct snap_room *room, struct snap_account *ret) CLUSTER_MUST_USE;
enum cluster_err snap_copy_account_by_uid(const struct snap_table *t, uint32_t uid, const struct snap_room *room, struct snap_account *ret) CLUSTER_MUST_USE;
enum cluster_err snap_copy_account_each(const struct snap_table *t, uint64_t *cursor, const struct snap_room *room, struct snap_account *ret) CLUSTER_MUST_USE;

struct snap_group_copy {
	char *name, **members; /* aligned, ended by NULL */
	char *end;             /* behind the last byte used */
	uint32_t gid;
};

/* The array, the name and the members, in room. CLUSTER_ELIMIT as above. */
enum cluster_err snap_copy_group_by_name(const struct snap_table *t, const char *name, const struct snap_room *room, struct snap_group_copy *ret) CLUSTER_MUST_USE;
enum cluster_err snap_copy_group_by_gid(const struct snap_table *t, uint32_t gid, const struct snap_room *room, struct snap_group_copy *ret) CLUSTER_MUST_USE;
enum cluster_err snap_copy_group_each(const struct snap_table *t, uint64_t *cursor, const struct snap_room *room, struct snap_group_copy *ret) CLUSTER_MUST_USE;
/* As snap_member_groups, but the gids are not judged yet. */
enum cluster_err snap_find_member(const struct snap_table *t, const char *name, const uint8_t **ret, uint32_t *ret_n) CLUSTER_MUST_USE;

/* ---- accounts.snap: names and addresses of nodes (snap_host.c) ---- */

/* A name as it is looked up: one label, in lower case, name_host_ok. */
struct snap_host_name {
	char text[NAME_NODE_MAX + 1];
	size_t n;
};

struct snap_host {
	const char *name;
	size_t name_n;
	bool role;            /* the addresses are those of all its nodes, in order of their names */
	uint32_t n_v4, n_v6;  /* not both 0 */
	const uint8_t *v4;    /* 4 bytes each */
	const uint8_t *v6;    /* 16 bytes each */
};

struct snap_address {
	const uint8_t *bytes;
	size_t n; /* 4 or 16 */
	const char *name; /* the node's */
	size_t name_n;
};

/* Folds ASCII capitals. False: no name that could ever be found, after a look at 64 bytes at most; *ret is undefined then. */
bool snap_host_name(const char *name, struct snap_host_name *ret);
/* An address that a node may have: not unspecified, loopback, link-local, multicast or reserved (0.0.0.0/8, 127/8, 169.254/16, 224/3; 0::/8, fe80::/10, ff00::/8). */
bool snap_address_ok(const uint8_t *bytes, size_t n);

/*
 * As for accounts; names and addresses are judged again on every read. CLUSTER_EUNAVAIL: the file comes from a writer that did not know of nodes.
 */
enum cluster_err snap_host_by_name(const struct snap *s, const struct snap_host_name *name, struct snap_host *ret) CLUSTER_MUST_USE;
enum cluster_err snap_host_by_address(const struct snap *s, const uint8_t *bytes, size_t n, struct snap_address *ret) CLUSTER_MUST_USE;
/* Address by address, in order of the nodes' names. */
enum cluster_err snap_host_each(const struct snap *s, uint64_t *cursor, struct snap_address *ret) CLUSTER_MUST_USE;

/* ---- fresh (snap_fresh.c; PROTOCOL.md 5.4): which generation holds, and how new it is ---- */

#define SNAP_FRESH_SIZE 112

struct snap_fresh {
	struct cluster_id cluster;
	uint64_t generation;
	uint64_t head_version;
	int64_t head_iat;
	int64_t newest_iat;        /* newest signed time ever seen: the clock's floor */
	struct cluster_id boot_id; /* of the boot in which the head was installed */
	int64_t boot_time;         /* CLOCK_BOOTTIME at that time, seconds */
};

enum cluster_err snap_fresh_parse(const void *data, size_t n, struct snap_fresh *ret) CLUSTER_MUST_USE;
void snap_fresh_build(const struct snap_fresh *f, uint8_t dst[SNAP_FRESH_SIZE]);
/* Reads <state_dir>/fresh with the same suspicion as snap_open. */
enum cluster_err snap_fresh_read(const char *state_dir, uid_t owner, struct snap_fresh *ret) CLUSTER_MUST_USE;
/* "<state_dir>/gen/<n>/<file>". CLUSTER_ELIMIT if it does not fit. */
enum cluster_err snap_path(char *dst, size_t size, const char *state_dir, uint64_t generation, const char *file) CLUSTER_MUST_USE;
/*
 * The generation word (PROTOCOL.md 5.5): `generation`, a file of SNAP_WORD_SIZE bytes that is never replaced nor truncated; its first 8 bytes, a
 * native u64, change with every publication, so that a reader who has it mapped notices a new generation without a system call. It counts up: odd while
 * a change is under way, which may be for ever, even when it is done. 0: nobody has published yet.
 */
#define SNAP_WORD_SIZE 4096
/* The word to store before a change begins, and the one for when it is done. No word comes twice, so none is taken for an earlier one. */
static inline uint64_t snap_word_begun(uint64_t word)
{
	return (word + 1) | 1;
}
static inline uint64_t snap_word_done(uint64_t word)
{
	return (word | 1) + 1;
}
/* Nothing is under way: what holds now, holds until the word changes. */
static inline bool snap_word_settled(uint64_t word)
{
	return word && !(word & 1);
}
/* Maps it for the life of the process. Errors as snap_open; CLUSTER_EFORMAT: too small. */
enum cluster_err snap_word_map(const char *state_dir, uid_t owner, const uint64_t **ret) CLUSTER_MUST_USE;
/*
 * For whoever changes `fresh`, `enrolled` or what they lead to: moves the word on before the change, and after it. Makes the file if there is none.
 * CLUSTER_ESYSTEM: errno tells.
 */
enum cluster_err snap_word_begin(const char *state_dir) CLUSTER_MUST_USE;
enum cluster_err snap_word_finish(const char *state_dir) CLUSTER_MUST_USE;

/*
 * fresh, then the named snapshot of its generation, once more from the start if the generation went away in between (8 tries at most), and a
 * check that both are of one cluster. CLUSTER_ENOTFOUND: no fresh, or no such file in its generation; CLUSTER_EUNTRUSTED: also another cluster's.
 */
enum cluster_err snap_open_current(const char *state_dir, uid_t owner, enum snap_kind kind, struct snap *ret, struct snap_fresh *ret_fresh) CLUSTER_MUST_USE;

/* Its file, open: the first part of snap_open_current. That both are of one cluster is the caller's to check. Errors as there. */
enum cluster_err snap_file_open_current(const char *state_dir, uid_t owner, enum snap_kind kind, struct snap_file *ret, struct snap_fresh *ret_fresh) CLUSTER_MUST_USE;

/*
 * Whether `s`, which snap_open mapped, is the file that `fresh` names now, through whatever generation (an unchanged one is a hard link), and still
 * has the owner and mode to be trusted. Errors are those of snap_fresh_read.
 */
enum cluster_err snap_still_current(const char *state_dir, uid_t owner, const struct snap *s, bool *ret) CLUSTER_MUST_USE;

#endif
