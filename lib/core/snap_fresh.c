/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snap_inline.h"

#define TRIES 8

enum cluster_err snap_fresh_parse(const void *data, size_t n, struct snap_fresh *ret)
{
	const uint8_t *p = data;
	struct snap_fresh f;

	if (n < SNAP_FRESH_SIZE)
		return CLUSTER_ETRUNC;
	if (memcmp(p, SNAP_FRESH_MAGIC, 8) != 0)
		return CLUSTER_EFORMAT;
	if (snap_be16(p + 8) != SNAP_FRESH_MAJOR)
		return snap_be16(p + 8) > SNAP_FRESH_MAJOR ? CLUSTER_EVERSION : CLUSTER_EFORMAT;
	if (n != SNAP_FRESH_SIZE || snap_be32(p + 12) != SNAP_FRESH_SIZE || snap_hash(p, SNAP_FRESH_SUMMED, 0) != snap_be64(p + SNAP_FRESH_SUMMED))
		return CLUSTER_EFORMAT;
	if (snap_be64(p + 88) != 0 || snap_be64(p + 96) != 0)
		return CLUSTER_EFORMAT;
	memcpy(f.cluster.b, p + 16, ID_SIZE);
	f.generation = snap_be64(p + 32);
	f.head_version = snap_be64(p + 40);
	f.head_iat = (int64_t)snap_be64(p + 48);
	f.newest_iat = (int64_t)snap_be64(p + 56);
	memcpy(f.boot_id.b, p + 64, ID_SIZE);
	f.boot_time = (int64_t)snap_be64(p + 80);
	if (!f.generation || f.head_iat < 0 || f.newest_iat < f.head_iat || f.boot_time < 0)
		return CLUSTER_EFORMAT;
	*ret = f;
	return CLUSTER_OK;
}

/* One behind the other. Without stdio, of which a process that looks up one name needs nothing else. */
static enum cluster_err join(char *dst, size_t size, const char *const *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const size_t length = strlen(parts[i]);

		if (length >= size)
			return CLUSTER_ELIMIT;
		memcpy(dst, parts[i], length + 1);
		dst += length;
		size -= length;
	}
	return CLUSTER_OK;
}

enum cluster_err snap_file_path(char *dst, size_t size, const char *state_dir, const char *file)
{
	const char *const parts[] = { state_dir, "/", file };

	return join(dst, size, parts, sizeof parts / sizeof parts[0]);
}

enum cluster_err snap_path(char *dst, size_t size, const char *state_dir, uint64_t generation, const char *file)
{
	char digits[sizeof "18446744073709551615"], *number = digits + sizeof digits - 1;
	const char *parts[] = { state_dir, "/gen/", NULL, "/", file };

	*number = '\0';
	do
		*--number = (char)('0' + generation % 10);
	while (generation /= 10);
	parts[2] = number;
	return join(dst, size, parts, sizeof parts / sizeof parts[0]);
}

enum cluster_err snap_fresh_read(const char *state_dir, uid_t owner, struct snap_fresh *ret)
{
	uint8_t data[SNAP_FRESH_SIZE + 1];
	char path[SNAP_PATH_SIZE];
	enum cluster_err e;
	struct stat st;
	int fd, saved;
	ssize_t n;

	e = snap_file_path(path, sizeof path, state_dir, "fresh");
	if (e != CLUSTER_OK)
		return e;
	e = snap_open_fd(path, owner, &fd, &st);
	if (e != CLUSTER_OK)
		return e;
	do
		n = pread(fd, data, sizeof data, 0);
	while (n < 0 && errno == EINTR);
	saved = errno;
	close(fd);
	errno = saved;
	return n < 0 ? CLUSTER_ESYSTEM : snap_fresh_parse(data, (size_t)n, ret);
}

static const char *file_of(enum snap_kind kind)
{
	return kind == SNAP_ACCOUNTS ? "accounts.snap" : "trust.snap";
}

enum cluster_err snap_file_open_current(const char *state_dir, uid_t owner, enum snap_kind kind, struct snap_file *ret, struct snap_fresh *ret_fresh)
{
	uint64_t last = 0;
	struct snap_fresh f;
	char path[SNAP_PATH_SIZE];
	enum cluster_err e;

	for (int i = 0; i < TRIES; i++) {
		e = snap_fresh_read(state_dir, owner, &f);
		if (e != CLUSTER_OK)
			return e;
		if (f.generation == last)
			return CLUSTER_ENOTFOUND;
		last = f.generation;
		e = snap_path(path, sizeof path, state_dir, f.generation, file_of(kind));
		if (e == CLUSTER_OK)
			e = snap_file_open(path, owner, ret);
		if (e == CLUSTER_ENOTFOUND)
			continue;
		if (e == CLUSTER_OK)
			*ret_fresh = f;
		return e;
	}
	return CLUSTER_ENOTFOUND;
}

enum cluster_err snap_open_current(const char *state_dir, uid_t owner, enum snap_kind kind, struct snap *ret, struct snap_fresh *ret_fresh)
{
	struct snap_file file;
	struct snap_fresh f;
	enum cluster_err e;
	struct snap s;

	e = snap_file_open_current(state_dir, owner, kind, &file, &f);
	if (e != CLUSTER_OK)
		return e;
	e = snap_file_map(&file, kind, NULL, &s);
	snap_file_close(&file);
	if (e != CLUSTER_OK)
		return e;
	if (!id_equal(&s.cluster, &f.cluster)) {
		snap_close(&s);
		return CLUSTER_EUNTRUSTED;
	}
	*ret = s;
	*ret_fresh = f;
	return CLUSTER_OK;
}

/* The file at `path` is the one that is mapped, and still one to trust. */
static bool same_file(const char *path, uid_t owner, const struct snap *s)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == owner && !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
	    (uint64_t)st.st_size == s->size && st.st_dev == s->dev && st.st_ino == s->ino && st.st_mtim.tv_sec == s->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == s->mtime.tv_nsec;
}

enum cluster_err snap_still_current(const char *state_dir, uid_t owner, const struct snap *s, bool *ret)
{
	char path[SNAP_PATH_SIZE];
	struct snap_fresh f;
	enum cluster_err e;

	e = snap_fresh_read(state_dir, owner, &f);
	if (e == CLUSTER_OK)
		e = snap_path(path, sizeof path, state_dir, f.generation, file_of(s->kind));
	if (e != CLUSTER_OK)
		return e;
	*ret = id_equal(&s->cluster, &f.cluster) && same_file(path, owner, s);
	return CLUSTER_OK;
}

enum cluster_err snap_word_map(const char *state_dir, uid_t owner, const uint64_t **ret)
{
	char path[SNAP_PATH_SIZE];
	void *p = MAP_FAILED;
	enum cluster_err e;
	struct stat st;
	int fd, saved;

	e = snap_file_path(path, sizeof path, state_dir, "generation");
	if (e != CLUSTER_OK)
		return e;
	e = snap_open_fd(path, owner, &fd, &st);
	if (e != CLUSTER_OK)
		return e;
	if (st.st_size >= SNAP_WORD_SIZE)
		p = mmap(NULL, SNAP_WORD_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	saved = errno;
	close(fd);
	errno = saved;
	if (p == MAP_FAILED)
		return st.st_size >= SNAP_WORD_SIZE ? CLUSTER_ESYSTEM : CLUSTER_EFORMAT;
	*ret = p;
	return CLUSTER_OK;
}
