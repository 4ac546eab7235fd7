/* SPDX-License-Identifier: Apache-2.0 */
#include "generation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/num.h"

#define WORD_SIZE 4096
#define SUFFIX ".tmp"
#define START_BYTES ((size_t)8 << 20)

static const char *const files[] = { "accounts.snap", "trust.snap" };

static enum cluster_err path_of(char dst[PATH_MAX], const char *gen, uint64_t number, const char *suffix, const char *name, struct diag *d)
{
	int n = snprintf(dst, PATH_MAX, "%s/%" PRIu64 "%s%s%s", gen, number, suffix, name ? "/" : "", name ? name : "");

	return n < 0 || n >= PATH_MAX ? diag_set(d, CLUSTER_ELIMIT, "%s: the path is too long", gen) : CLUSTER_OK;
}

static enum cluster_err sync_directory(const char *path, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fsync(fd) != 0)
		e = diag_errno(d, "%s", path);
	file_close(fd);
	return e;
}

/* The directory and the two files that may be in it. */
static void remove_one(int gen, const char *name)
{
	size_t i;
	int fd;

	fd = openat(gen, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	for (i = 0; i < sizeof files / sizeof files[0]; i++) {
		if (unlinkat(fd, files[i], 0) != 0)
			continue; /* not there, or rmdir will tell */
	}
	close(fd);
	if (unlinkat(gen, name, AT_REMOVEDIR) != 0)
		return; /* something of another's hand in it: not ours to delete */
}

void generation_drop(const char *gen, uint64_t number)
{
	char name[32];
	int fd;

	fd = open(gen, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	snprintf(name, sizeof name, "%" PRIu64, number);
	remove_one(fd, name);
	snprintf(name, sizeof name, "%" PRIu64 SUFFIX, number);
	remove_one(fd, name);
	close(fd);
}

void generation_clear(const char *gen, uint64_t current)
{
	const struct dirent *entry;
	uint64_t number;
	DIR *list;
	bool keep;

	list = opendir(gen);
	while (list && (entry = readdir(list)) != NULL) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		keep = num_u64(entry->d_name, 1, UINT64_MAX, &number) == CLUSTER_OK && (number == current || number + 1 == current);
		if (!keep && current != 0)
			remove_one(dirfd(list), entry->d_name);
	}
	if (list)
		closedir(list);
}

enum cluster_err generation_begin(const char *gen, uint64_t number, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;

	generation_drop(gen, number);
	if ((e = path_of(path, gen, number, SUFFIX, NULL, d)) != CLUSTER_OK)
		return e;
	return file_mkdir(path, 0755, d);
}

enum cluster_err generation_open(const char *gen, uint64_t number, const char *name, struct generation_file *ret, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;
	int fd;

	if ((e = path_of(path, gen, number, SUFFIX, name, d)) != CLUSTER_OK)
		return e;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || fchmod(fd, 0644) != 0) {
		e = diag_errno(d, "cannot make %s", path);
		file_close(fd);
		return e;
	}
	*ret = (struct generation_file){ .fd = fd };
	return CLUSTER_OK;
}

enum cluster_err generation_put(void *file, const void *p, size_t n)
{
	struct generation_file *f = file;
	const uint8_t *at = p;
	enum cluster_err e;
	size_t part;

	for (; n > 0; at += part, n -= part) {
		part = n < START_BYTES ? n : START_BYTES;
		if ((e = file_write_all(f->fd, at, part)) != CLUSTER_OK)
			return e;
		f->n += part;
		if (f->n - f->started < START_BYTES)
			continue;
		/* a hint: without it the disk only begins with the fsync */
		(void)!sync_file_range(f->fd, (off_t)f->started, (off_t)(f->n - f->started), SYNC_FILE_RANGE_WRITE);
		f->started = f->n;
	}
	return CLUSTER_OK;
}

enum cluster_err generation_sync(const struct generation_file *file, const char *name, struct diag *d)
{
	return fsync(file->fd) == 0 ? CLUSTER_OK : diag_errno(d, "cannot write %s", name);
}

void generation_close(struct generation_file *file)
{
	file_close(file->fd);
	file->fd = -1;
}

enum cluster_err generation_path(char *dst, size_t size, const char *gen, uint64_t number, const char *name, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;

	if ((e = path_of(path, gen, number, SUFFIX, name, d)) != CLUSTER_OK)
		return e;
	return snprintf(dst, size, "%s", path) < (int)size ? CLUSTER_OK : diag_set(d, CLUSTER_ELIMIT, "%s: the path is too long", gen);
}

enum cluster_err generation_link(const char *gen, uint64_t from, uint64_t number, const char *name, struct diag *d)
{
	char old[PATH_MAX], path[PATH_MAX];
	enum cluster_err e;

	if ((e = path_of(old, gen, from, "", name, d)) != CLUSTER_OK || (e = path_of(path, gen, number, SUFFIX, name, d)) != CLUSTER_OK)
		return e;
	if (link(old, path) != 0)
		return diag_errno(d, "cannot link %s to %s", old, path);
	return CLUSTER_OK;
}

enum cluster_err generation_end(const char *gen, uint64_t number, struct diag *d)
{
	char temporary[PATH_MAX], path[PATH_MAX];
	enum cluster_err e;

	if ((e = path_of(temporary, gen, number, SUFFIX, NULL, d)) != CLUSTER_OK || (e = path_of(path, gen, number, "", NULL, d)) != CLUSTER_OK ||
	    (e = sync_directory(temporary, d)) != CLUSTER_OK)
		return e;
	if (rename(temporary, path) != 0)
		return diag_errno(d, "cannot rename %s to %s", temporary, path);
	return sync_directory(gen, d);
}

enum cluster_err generation_word_open(const char *state, uid_t owner, uint64_t **ret, struct diag *d)
{
	static const uint8_t zeros[WORD_SIZE];
	char path[PATH_MAX];
	enum cluster_err e;
	struct stat st;
	void *p;
	int fd;

	if ((e = file_join(path, sizeof path, state, "generation")) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", state);
	e = file_create(path, zeros, sizeof zeros, 0644, d);
	if (e != CLUSTER_OK && e != CLUSTER_EDENIED)
		return e;
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		e = diag_errno(d, "cannot open %s", path);
		file_close(fd);
		return e;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != owner || st.st_mode & 022 || st.st_size != WORD_SIZE) {
		close(fd);
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s is not a file of %d bytes that only its owner may write; remove it and start again", path, WORD_SIZE);
	}
	p = mmap(NULL, WORD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		e = diag_errno(d, "cannot map %s", path);
	else
		e = CLUSTER_OK;
	close(fd);
	if (e == CLUSTER_OK)
		*ret = p;
	return e;
}

void generation_word_close(uint64_t *word)
{
	if (word)
		munmap(word, WORD_SIZE);
}
