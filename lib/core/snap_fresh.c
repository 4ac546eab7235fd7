/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/wr.h"
#include "snap_inline.h"

#define FRESH_MAGIC "CLFRSH1\n"
#define FRESH_MAJOR 1
#define FRESH_SUMMED (SNAP_FRESH_SIZE - 8) /* bytes before the checksum, which is the last field */
#define TRIES 8
#define PATH_SIZE 4096

void snap_fresh_build(const struct snap_fresh *f, uint8_t dst[SNAP_FRESH_SIZE])
{
	struct wr w;

	wr_init(&w, dst, SNAP_FRESH_SIZE);
	wr_bytes(&w, FRESH_MAGIC, 8);
	wr_u16(&w, FRESH_MAJOR);
	wr_u16(&w, 0);
	wr_u32(&w, SNAP_FRESH_SIZE);
	wr_bytes(&w, f->cluster.b, ID_SIZE);
	wr_u64(&w, f->generation);
	wr_u64(&w, f->head_version);
	wr_u64(&w, (uint64_t)f->head_iat);
	wr_u64(&w, (uint64_t)f->newest_iat);
	wr_bytes(&w, f->boot_id.b, ID_SIZE);
	wr_u64(&w, (uint64_t)f->boot_time);
	wr_zero(&w, FRESH_SUMMED - w.n);
	wr_u64(&w, snap_hash(dst, FRESH_SUMMED, 0));
}

enum cluster_err snap_fresh_parse(const void *data, size_t n, struct snap_fresh *ret)
{
	const uint8_t *p = data;
	struct snap_fresh f;

	if (n < SNAP_FRESH_SIZE)
		return CLUSTER_ETRUNC;
	if (memcmp(p, FRESH_MAGIC, 8) != 0)
		return CLUSTER_EFORMAT;
	if (snap_be16(p + 8) != FRESH_MAJOR)
		return snap_be16(p + 8) > FRESH_MAJOR ? CLUSTER_EVERSION : CLUSTER_EFORMAT;
	if (n != SNAP_FRESH_SIZE || snap_be32(p + 12) != SNAP_FRESH_SIZE || snap_hash(p, FRESH_SUMMED, 0) != snap_be64(p + FRESH_SUMMED))
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

static enum cluster_err path_of(char *dst, size_t size, const char *state_dir, const char *file)
{
	int n = snprintf(dst, size, "%s/%s", state_dir, file);

	return n < 0 || (size_t)n >= size ? CLUSTER_ELIMIT : CLUSTER_OK;
}

enum cluster_err snap_path(char *dst, size_t size, const char *state_dir, uint64_t generation, const char *file)
{
	int n = snprintf(dst, size, "%s/gen/%llu/%s", state_dir, (unsigned long long)generation, file);

	return n < 0 || (size_t)n >= size ? CLUSTER_ELIMIT : CLUSTER_OK;
}

enum cluster_err snap_fresh_read(const char *state_dir, uid_t owner, struct snap_fresh *ret)
{
	uint8_t data[SNAP_FRESH_SIZE + 1];
	char path[PATH_SIZE];
	enum cluster_err e;
	struct stat st;
	int fd, saved;
	ssize_t n;

	e = path_of(path, sizeof path, state_dir, "fresh");
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

enum cluster_err snap_open_current(const char *state_dir, uid_t owner, enum snap_kind kind, struct snap *ret, struct snap_fresh *ret_fresh)
{
	uint64_t last = 0;
	struct snap_fresh f;
	struct snap s = { 0 };
	char path[PATH_SIZE];
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
			e = snap_open(path, owner, kind, &s);
		if (e == CLUSTER_ENOTFOUND)
			continue;
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
	return CLUSTER_ENOTFOUND;
}

enum cluster_err snap_word_map(const char *state_dir, uid_t owner, const uint64_t **ret)
{
	char path[PATH_SIZE];
	void *p = MAP_FAILED;
	enum cluster_err e;
	struct stat st;
	int fd, saved;

	e = path_of(path, sizeof path, state_dir, "generation");
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

enum cluster_err snap_word_store(const char *state_dir, uint64_t word)
{
	char path[PATH_SIZE];
	enum cluster_err e;
	struct stat st;
	int fd, saved;
	bool ok;

	e = path_of(path, sizeof path, state_dir, "generation");
	if (e != CLUSTER_OK)
		return e;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
	if (fd < 0)
		return errno == ELOOP ? CLUSTER_EUNTRUSTED : CLUSTER_ESYSTEM;
	/* The size only ever grows, so a reader's mapping stays whole. A word read while it is half written is one more change seen. */
	ok = fstat(fd, &st) == 0 && fchmod(fd, 0644) == 0 && (st.st_size >= SNAP_WORD_SIZE || ftruncate(fd, SNAP_WORD_SIZE) == 0) &&
	    pwrite(fd, &word, sizeof word, 0) == (ssize_t)sizeof word;
	saved = errno;
	close(fd);
	errno = saved;
	return ok ? CLUSTER_OK : CLUSTER_ESYSTEM;
}
