/* SPDX-License-Identifier: Apache-2.0 */
#include "docs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/b64.h"
#include "cluster/file.h"
#include "cluster/rd.h"
#include "cluster/secret.h"

#define HEAD_MAX 8192
#define HASH_TEXT 43
#define MANY_OBJECTS 8 /* more are not synchronised one by one */

enum entry_kind { ENTRY_OBJECT = 1, ENTRY_KEEP, ENTRY_NAME, ENTRY_HEAD };

static const char *const names[DOCS_NAME_N] = { "root.jws", "keyset.jws", "directory.jws", "revocations.jws" };

struct entry {
	enum entry_kind kind;
	const uint8_t *sha256, *bytes;
	size_t n;
	enum docs_name name;
};

void docs_put_object(struct wr *w, const uint8_t sha256[CRYPTO_SHA256_SIZE], const void *bytes, size_t n)
{
	wr_u8(w, ENTRY_OBJECT);
	wr_bytes(w, sha256, CRYPTO_SHA256_SIZE);
	wr_u64(w, n);
	wr_bytes(w, bytes, n);
}

void docs_put_keep(struct wr *w, const uint8_t sha256[CRYPTO_SHA256_SIZE])
{
	wr_u8(w, ENTRY_KEEP);
	wr_bytes(w, sha256, CRYPTO_SHA256_SIZE);
}

void docs_put_name(struct wr *w, enum docs_name name, const uint8_t sha256[CRYPTO_SHA256_SIZE])
{
	wr_u8(w, ENTRY_NAME);
	wr_u8(w, (uint8_t)name);
	wr_bytes(w, sha256, CRYPTO_SHA256_SIZE);
}

void docs_put_head(struct wr *w, const char *text, size_t n)
{
	wr_u8(w, ENTRY_HEAD);
	wr_u64(w, n);
	wr_bytes(w, text, n);
}

static enum cluster_err take_bytes(struct rd *r, struct entry *x)
{
	enum cluster_err e;
	uint64_t n;

	if ((e = rd_u64(r, &n)) != CLUSTER_OK)
		return e;
	if (n > rd_left(r))
		return CLUSTER_ETRUNC;
	x->n = (size_t)n;
	return rd_view(r, x->n, &x->bytes);
}

/* The next entry; CLUSTER_ENOTFOUND at the end. */
static enum cluster_err next_entry(struct rd *r, struct entry *x)
{
	enum cluster_err e;
	uint8_t kind, name;

	memset(x, 0, sizeof *x);
	if (rd_left(r) == 0)
		return CLUSTER_ENOTFOUND;
	if ((e = rd_u8(r, &kind)) != CLUSTER_OK)
		return e;
	switch (kind) {
	case ENTRY_OBJECT:
	case ENTRY_KEEP:
		if ((e = rd_view(r, CRYPTO_SHA256_SIZE, &x->sha256)) != CLUSTER_OK || (kind == ENTRY_OBJECT && (e = take_bytes(r, x)) != CLUSTER_OK))
			return e;
		break;
	case ENTRY_NAME:
		if ((e = rd_u8(r, &name)) != CLUSTER_OK || (e = rd_view(r, CRYPTO_SHA256_SIZE, &x->sha256)) != CLUSTER_OK)
			return e;
		if (name >= DOCS_NAME_N)
			return CLUSTER_EFORMAT;
		x->name = (enum docs_name)name;
		break;
	case ENTRY_HEAD:
		if ((e = take_bytes(r, x)) != CLUSTER_OK)
			return e;
		break;
	default:
		return CLUSTER_EFORMAT;
	}
	x->kind = (enum entry_kind)kind;
	return CLUSTER_OK;
}

static enum cluster_err object_path(char *dst, size_t size, const char *dir, const uint8_t *sha256)
{
	char name[HASH_TEXT + 1];
	enum cluster_err e;

	if ((e = b64_encode(sha256, CRYPTO_SHA256_SIZE, name, sizeof name)) != CLUSTER_OK)
		return e;
	return file_join(dst, size, dir, name);
}

/* A second name for an object, replacing what had it; a copy of the directory entry only. */
static enum cluster_err link_name(const char *dir, const struct entry *x, struct diag *d)
{
	char from[PATH_MAX], to[PATH_MAX], temporary[PATH_MAX];
	enum cluster_err e;

	if ((e = object_path(from, sizeof from, dir, x->sha256)) != CLUSTER_OK || (e = file_join(to, sizeof to, dir, names[x->name])) != CLUSTER_OK ||
	    (e = file_join(temporary, sizeof temporary, dir, ".link")) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", dir);
	if (unlink(temporary) != 0 && errno != ENOENT)
		return diag_errno(d, "cannot remove %s", temporary);
	if (link(from, temporary) != 0 || rename(temporary, to) != 0)
		return diag_errno(d, "cannot make %s", to);
	if (unlink(temporary) != 0 && errno != ENOENT) /* rename does nothing when both are one file already */
		return diag_errno(d, "cannot remove %s", temporary);
	return CLUSTER_OK;
}

/* An object whose durability comes with all the others', at once. Cut short by a power failure it is no object: its name is its hash. */
static enum cluster_err store_quickly(const char *dir, const char *path, const struct entry *x, struct diag *d)
{
	char temporary[PATH_MAX];
	enum cluster_err e;
	int fd;

	if ((e = file_join(temporary, sizeof temporary, dir, ".object")) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", dir);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || fchmod(fd, 0644) != 0 || file_write_all(fd, x->bytes, x->n) != CLUSTER_OK || rename(temporary, path) != 0)
		e = diag_errno(d, "cannot write %s", path);
	file_close(fd);
	if (e != CLUSTER_OK)
		(void)unlink(temporary);
	return e;
}

static enum cluster_err sync_filesystem(const char *dir, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;
	int fd;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || syncfs(fd) != 0)
		e = diag_errno(d, "%s", dir);
	file_close(fd);
	return e;
}

static enum cluster_err store_entry(const char *dir, const struct entry *x, bool many, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;

	switch (x->kind) {
	case ENTRY_OBJECT:
		if ((e = object_path(path, sizeof path, dir, x->sha256)) != CLUSTER_OK)
			return diag_set(d, e, "%s: the path is too long", dir);
		return many ? store_quickly(dir, path, x, d) : file_replace(path, x->bytes, x->n, 0644, d);
	case ENTRY_NAME:
		return link_name(dir, x, d);
	case ENTRY_HEAD:
		if ((e = file_join(path, sizeof path, dir, DOCS_HEAD)) != CLUSTER_OK)
			return diag_set(d, e, "%s: the path is too long", dir);
		if (many && (e = sync_filesystem(dir, d)) != CLUSTER_OK)
			return e;
		return file_replace(path, x->bytes, x->n, 0644, d);
	case ENTRY_KEEP:
		break;
	}
	return CLUSTER_OK;
}

enum cluster_err docs_store(const char *dir, const uint8_t *bundle, size_t n, struct diag *d)
{
	size_t objects = 0;
	struct entry x;
	enum cluster_err e;
	struct rd r;

	for (rd_init(&r, bundle, n); next_entry(&r, &x) == CLUSTER_OK;)
		objects += x.kind == ENTRY_OBJECT;
	rd_init(&r, bundle, n);
	while ((e = next_entry(&r, &x)) == CLUSTER_OK) {
		if ((e = store_entry(dir, &x, objects > MANY_OBJECTS, d)) != CLUSTER_OK)
			return e;
	}
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : diag_set(d, e, "documents handed over are damaged");
}

static int compare_hash(const void *a, const void *b)
{
	return memcmp(a, b, CRYPTO_SHA256_SIZE);
}

/* The hashes that a bundle names, sorted; the caller frees *ret. */
static enum cluster_err named(const uint8_t *bundle, size_t n, uint8_t (**ret)[CRYPTO_SHA256_SIZE], size_t *ret_n)
{
	uint8_t (*hash)[CRYPTO_SHA256_SIZE] = NULL;
	size_t count = 0, i = 0;
	struct entry x;
	struct rd r;

	for (rd_init(&r, bundle, n); next_entry(&r, &x) == CLUSTER_OK;)
		count += x.sha256 != NULL;
	hash = calloc(count + 1, sizeof *hash);
	if (!hash)
		return CLUSTER_ENOMEM;
	for (rd_init(&r, bundle, n); next_entry(&r, &x) == CLUSTER_OK;) {
		if (x.sha256)
			memcpy(hash[i++], x.sha256, CRYPTO_SHA256_SIZE);
	}
	qsort(hash, count, sizeof *hash, compare_hash);
	*ret = hash;
	*ret_n = count;
	return CLUSTER_OK;
}

void docs_prune(const char *dir, const uint8_t *bundle, size_t n)
{
	uint8_t (*keep)[CRYPTO_SHA256_SIZE] = NULL, hash[CRYPTO_SHA256_SIZE];
	const struct dirent *entry;
	DIR *list = NULL;
	size_t n_keep;

	if (named(bundle, n, &keep, &n_keep) != CLUSTER_OK)
		return;
	list = opendir(dir);
	while (list && (entry = readdir(list)) != NULL) {
		if (strlen(entry->d_name) != HASH_TEXT || b64_decode_exact(entry->d_name, HASH_TEXT, hash, sizeof hash) != CLUSTER_OK)
			continue;
		if (!bsearch(hash, keep, n_keep, sizeof *keep, compare_hash) && unlinkat(dirfd(list), entry->d_name, 0) != 0)
			break;
	}
	if (list)
		closedir(list);
	free(keep);
}

static enum cluster_err read_file(const char *path, uid_t owner, size_t max, char **ret, size_t *ret_n, struct diag *d)
{
	const struct file_rules rules = { .owner = owner, .forbid = 022, .max_size = max };
	struct secret *s = NULL;
	enum cluster_err e;
	char *text;

	if ((e = file_read(path, &rules, &s, d)) != CLUSTER_OK)
		return e;
	text = malloc(s->n + 1);
	if (text) {
		memcpy(text, s->bytes, s->n + 1);
		*ret_n = s->n;
		*ret = text;
	}
	secret_free(s);
	return text ? CLUSTER_OK : diag_set(d, CLUSTER_ENOMEM, "%s: out of memory", path);
}

enum cluster_err docs_head(const char *dir, uid_t owner, char **ret, size_t *ret_n, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;

	if ((e = file_join(path, sizeof path, dir, DOCS_HEAD)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", dir);
	return read_file(path, owner, HEAD_MAX, ret, ret_n, d);
}

enum cluster_err docs_object(const char *dir, uid_t owner, const uint8_t sha256[CRYPTO_SHA256_SIZE], size_t max, char **ret, size_t *ret_n, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;

	if ((e = object_path(path, sizeof path, dir, sha256)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", dir);
	return read_file(path, owner, max, ret, ret_n, d);
}
