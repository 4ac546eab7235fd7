/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "snap_inline.h"

uint64_t snap_hash(const void *data, size_t n, uint64_t seed)
{
	return snap_hash_inline(data, n, seed);
}

uint32_t snap_record_guard(const void *body, size_t n, uint32_t type)
{
	uint8_t few[SNAP_SUM_CHUNK] = { 0 };
	struct rd r = { .p = body, .n = n };
	struct snap_sum s;

	if (n < SNAP_SUM_CHUNK) {
		if (n)
			memcpy(few, body, n);
		r = (struct rd){ .p = few, .n = sizeof few };
	}
	snap_sum_init(&s);
	snap_sum_rest(&s, &r, 0);
	return snap_sum_guard(&s, type, n);
}

static uint64_t align_up(uint64_t n)
{
	return (n + SNAP_ALIGN - 1) & ~(uint64_t)(SNAP_ALIGN - 1);
}

/* Everything of the header; *ret_count sections follow, and their table is inside the file. */
static enum cluster_err parse_header(const uint8_t *p, size_t n, enum snap_kind kind, uint32_t *ret_count)
{
	uint32_t count;
	uint16_t major;

	if (n > SNAP_FILE_MAX)
		return CLUSTER_ELIMIT;
	if (n < SNAP_HEADER_SIZE)
		return CLUSTER_ETRUNC;
	if (memcmp(p, SNAP_MAGIC, 8) != 0)
		return CLUSTER_EFORMAT;
	if (snap_be32(p + 12) != (uint32_t)kind) /* each has versions of its own */
		return CLUSTER_EFORMAT;
	major = snap_be16(p + 8);
	if (major != snap_major(kind))
		return major > snap_major(kind) ? CLUSTER_EVERSION : CLUSTER_EFORMAT;
	if (snap_be64(p + 16) != n)
		return snap_be64(p + 16) > n ? CLUSTER_ETRUNC : CLUSTER_EFORMAT;
	count = snap_be32(p + 40);
	if (count < 1 || count > SNAP_SECTIONS_MAX || snap_be32(p + 44) != 0 || snap_be64(p + 48) != 0)
		return CLUSTER_EFORMAT;
	if (SNAP_HEADER_SIZE + (size_t)count * SNAP_SECTION_SIZE > n)
		return CLUSTER_ETRUNC;
	if (snap_hash(p + SNAP_HEADER_SIZE, (size_t)count * SNAP_SECTION_SIZE, snap_hash(p, 56, 0)) != snap_be64(p + 56))
		return CLUSTER_EFORMAT;
	*ret_count = count;
	return CLUSTER_OK;
}

/* The length suits the shape, and a flat section's checksum holds. */
static bool shape_ok(enum snap_shape shape, uint32_t type, const struct snap_section *x, uint64_t checksum)
{
	uint64_t buckets = x->n / SNAP_BUCKET_SIZE;

	switch (shape) {
	case SNAP_SHAPE_FLAT:
		return snap_hash(x->p, x->n, snap_seed(type, 0)) == checksum;
	case SNAP_SHAPE_RECORDS:
		return checksum == 0 && x->n % 8 == 0;
	case SNAP_SHAPE_INDEX:
		return checksum == 0 && x->n % SNAP_BUCKET_SIZE == 0 && buckets >= 1 && buckets <= SNAP_BUCKETS_MAX && !(buckets & (buckets - 1));
	case SNAP_SHAPE_UNKNOWN:
		break;
	}
	return true;
}

/* One entry of the section table. *cursor: where this section must begin; moves to where the next must. */
static enum cluster_err parse_section(struct snap *s, const uint8_t *entry, uint32_t *last_type, uint64_t *cursor)
{
	uint32_t type = snap_be32(entry), flags = snap_be32(entry + 4), records;
	uint64_t offset = snap_be64(entry + 8), length = snap_be64(entry + 16);
	enum snap_shape shape = snap_section_shape(s->kind, type, &records);
	struct snap_section x;

	if (type <= *last_type || flags & ~SNAP_CRITICAL || offset != *cursor)
		return CLUSTER_EFORMAT;
	if (offset > s->size || length > s->size - offset)
		return CLUSTER_ETRUNC;
	if (shape == SNAP_SHAPE_UNKNOWN && flags & SNAP_CRITICAL)
		return CLUSTER_EVERSION;
	x = (struct snap_section){ .p = s->base + offset, .n = (size_t)length };
	if (!shape_ok(shape, type, &x, snap_be64(entry + 24)))
		return CLUSTER_EFORMAT;
	if (shape != SNAP_SHAPE_UNKNOWN)
		s->section[type] = x;
	*last_type = type;
	*cursor = align_up(offset + length);
	return CLUSTER_OK;
}

static bool all_present(const struct snap *s)
{
	uint32_t records;

	for (uint32_t type = 1; snap_section_shape(s->kind, type, &records) != SNAP_SHAPE_UNKNOWN; type++)
		if (!s->section[type].p && snap_section_critical(s->kind, type))
			return false;
	return true;
}

enum cluster_err snap_parse(const void *data, size_t n, enum snap_kind kind, struct snap *ret)
{
	struct snap s = { .base = data, .size = n, .kind = kind };
	uint32_t count, last_type = 0;
	enum cluster_err e;
	uint64_t cursor;

	e = parse_header(s.base, n, kind, &count);
	if (e != CLUSTER_OK)
		return e;
	memcpy(s.cluster.b, s.base + 24, ID_SIZE);
	cursor = align_up(SNAP_HEADER_SIZE + (uint64_t)count * SNAP_SECTION_SIZE);
	for (uint32_t i = 0; i < count; i++) {
		e = parse_section(&s, s.base + SNAP_HEADER_SIZE + (size_t)i * SNAP_SECTION_SIZE, &last_type, &cursor);
		if (e != CLUSTER_OK)
			return e;
	}
	if (cursor != n || !all_present(&s))
		return CLUSTER_EFORMAT;
	*ret = s;
	return CLUSTER_OK;
}

enum cluster_err snap_open_fd(const char *path, uid_t owner, int *ret_fd, struct stat *ret_st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int saved;

	if (fd < 0)
		return errno == ENOENT ? CLUSTER_ENOTFOUND : errno == ELOOP ? CLUSTER_EUNTRUSTED : CLUSTER_ESYSTEM;
	if (fstat(fd, ret_st) != 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return CLUSTER_ESYSTEM;
	}
	if (!S_ISREG(ret_st->st_mode) || ret_st->st_uid != owner || ret_st->st_mode & (S_IWGRP | S_IWOTH)) {
		close(fd);
		return CLUSTER_EUNTRUSTED;
	}
	*ret_fd = fd;
	return CLUSTER_OK;
}

enum cluster_err snap_file_open(const char *path, uid_t owner, struct snap_file *ret)
{
	enum cluster_err e;
	struct stat st;
	int fd;

	e = snap_open_fd(path, owner, &fd, &st);
	if (e != CLUSTER_OK)
		return e;
	if (st.st_size < SNAP_HEADER_SIZE || (uint64_t)st.st_size > SNAP_FILE_MAX) {
		close(fd);
		return st.st_size < SNAP_HEADER_SIZE ? CLUSTER_ETRUNC : CLUSTER_ELIMIT;
	}
	*ret = (struct snap_file){ .fd = fd, .size = (size_t)st.st_size, .dev = st.st_dev, .ino = st.st_ino, .mtime = st.st_mtim };
	return CLUSTER_OK;
}

void *snap_map_over(void *at, size_t n, int prot, int flags, int fd)
{
#ifdef __SANITIZE_THREAD__ /* which takes a mapping for a write that races with those who read what was there, as they may */
	return (void *)syscall(SYS_mmap, at, n, prot, flags | MAP_FIXED, fd, 0);
#else
	return mmap(at, n, prot, flags | MAP_FIXED, fd, 0);
#endif
}

enum cluster_err snap_file_map(const struct snap_file *f, enum snap_kind kind, void *at, struct snap *ret)
{
	void *base = at ? snap_map_over(at, f->size, PROT_READ, MAP_SHARED, f->fd) : mmap(NULL, f->size, PROT_READ, MAP_SHARED, f->fd, 0);
	enum cluster_err e;

	if (base == MAP_FAILED)
		return CLUSTER_ESYSTEM;
	e = snap_parse(base, f->size, kind, ret);
	if (e != CLUSTER_OK) {
		if (!at)
			munmap(base, f->size);
		return e;
	}
	ret->mapped = !at;
	ret->dev = f->dev;
	ret->ino = f->ino;
	ret->mtime = f->mtime;
	return CLUSTER_OK;
}

void snap_file_close(struct snap_file *f)
{
	int saved = errno;

	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	errno = saved;
}

enum cluster_err snap_open(const char *path, uid_t owner, enum snap_kind kind, struct snap *ret)
{
	struct snap_file f;
	enum cluster_err e;

	e = snap_file_open(path, owner, &f);
	if (e != CLUSTER_OK)
		return e;
	e = snap_file_map(&f, kind, NULL, ret);
	snap_file_close(&f);
	return e;
}

void snap_close(struct snap *s)
{
	if (s->mapped)
		munmap((void *)(uintptr_t)s->base, s->size);
	memset(s, 0, sizeof *s);
}

struct snap_table snap_table(const struct snap *s, uint32_t records, uint32_t index)
{
	return (struct snap_table){ .buckets = s->section[index].p, .mask = s->section[index].n / SNAP_BUCKET_SIZE - 1, .records = s->section[records].p,
		.size = s->section[records].n, .base = s->base };
}

void snap_probe_init(struct snap_probe *p, const struct snap *s, uint32_t records, uint32_t index, const void *key, size_t n)
{
	const uint64_t hash = snap_hash_inline(key, n, 0);

	p->s = s;
	p->records = records;
	p->index = index;
	p->tag = (uint32_t)(hash >> 32);
	p->bucket = hash;
	p->found = p->probes = 0;
	p->begun = false;
}

enum cluster_err snap_probe_next(struct snap_probe *p, struct rd *ret_body)
{
	struct snap_search w = { .tag = p->tag, .found = p->found, .probes = p->probes };
	struct snap_table t;
	enum cluster_err e;

	/* Not the index and the records of one another: nothing there can be believed. */
	if (p->index >= SNAP_SECTIONS_MAX || p->records >= SNAP_SECTIONS_MAX || p->s->section[p->index].n < SNAP_BUCKET_SIZE)
		return CLUSTER_EFORMAT;
	t = snap_table(p->s, p->records, p->index);
	w.number = p->bucket & t.mask;
	w.bucket = p->begun ? t.buckets + w.number * SNAP_BUCKET_SIZE : NULL;
	e = snap_search_record(&w, &t, p->records, p->index, ret_body);
	p->begun = true;
	p->bucket = w.number;
	p->found = w.found;
	p->probes = w.probes;
	return e;
}

enum cluster_err snap_each(const struct snap *s, uint32_t records, uint64_t *cursor, struct rd *ret_body)
{
	struct snap_table t;

	if (records >= SNAP_SECTIONS_MAX)
		return CLUSTER_EFORMAT;
	t = (struct snap_table){ .records = s->section[records].p, .size = s->section[records].n };
	return snap_next_record(&t, records, cursor, ret_body);
}
