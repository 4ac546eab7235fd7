/* SPDX-License-Identifier: Apache-2.0 */
#include "backup.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/b64.h"
#include "cluster/crypto.h"
#include "cluster/file.h"
#include "cluster/num.h"
#include "cluster/secret.h"
#include "cluster/wr.h"

#define MANIFEST "manifest"
#define PATH_SIZE 512
#define FILE_MAX ((size_t)4 << 20)
#define HASH_TEXT (B64_LEN(CRYPTO_SHA256_SIZE) + 1)

/* One line of the manifest: "mode uid gid after path". mode 0: there was no file. after: "-" before the commit, "none" for no file, else its SHA-256. */
struct item {
	uint32_t mode, uid, gid;
	char after[HASH_TEXT];
	char path[PATH_SIZE];
};

struct manifest {
	size_t n;
	struct item item[BACKUP_FILES_MAX];
};

static enum cluster_err own_path(const char *dir, size_t i, char dst[PATH_SIZE])
{
	int n = snprintf(dst, PATH_SIZE, "%s/%zu", dir, i);

	return n > 0 && n < PATH_SIZE ? CLUSTER_OK : CLUSTER_ELIMIT;
}

/* The whole file whatever its owner: it is copied, not believed. CLUSTER_ENOTFOUND. */
static enum cluster_err read_any(const char *path, struct secret **ret, struct stat *ret_st, struct diag *d)
{
	struct file_rules rules = { .forbid = 0, .max_size = FILE_MAX, .any_parent = true };

	if (lstat(path, ret_st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? CLUSTER_ENOTFOUND : diag_errno(d, "%s", path);
	rules.owner = ret_st->st_uid;
	return file_read(path, &rules, ret, d);
}

static enum cluster_err hash_now(const char *path, char dst[HASH_TEXT], struct diag *d)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct secret *text = NULL;
	enum cluster_err e;
	struct stat st;

	if ((e = read_any(path, &text, &st, d)) == CLUSTER_ENOTFOUND) {
		(void)snprintf(dst, HASH_TEXT, "none");
		return CLUSTER_OK;
	}
	if (e == CLUSTER_OK && (e = crypto_sha256(text->bytes, text->n, hash)) == CLUSTER_OK)
		e = b64_encode(hash, sizeof hash, dst, HASH_TEXT);
	secret_free(text);
	return e;
}

static enum cluster_err write_manifest(const char *dir, const struct manifest *m, struct diag *d)
{
	char path[PATH_SIZE];
	enum cluster_err e;
	struct wr w;
	size_t i;

	wr_grow(&w, BACKUP_FILES_MAX * (PATH_SIZE + 128));
	for (i = 0; i < m->n; i++)
		wr_printf(&w, "%u %u %u %s %s\n", m->item[i].mode, m->item[i].uid, m->item[i].gid, m->item[i].after, m->item[i].path);
	if ((e = wr_end(&w)) == CLUSTER_OK && (e = file_join(path, sizeof path, dir, MANIFEST)) == CLUSTER_OK)
		e = file_replace(path, w.p, w.n, 0600, d);
	else
		diag_set(d, e, "%s: %s", dir, err_name(e));
	wr_done(&w);
	return e;
}

static bool parse_item(char *line, struct item *ret)
{
	char *word[5], *rest = NULL;
	size_t i;

	for (i = 0; i < 4; i++) {
		if ((word[i] = strtok_r(i == 0 ? line : NULL, " ", &rest)) == NULL)
			return false;
	}
	word[4] = rest;
	return num_u32(word[0], 0, S_IFREG | 07777, &ret->mode) == CLUSTER_OK && num_u32(word[1], 0, UINT32_MAX, &ret->uid) == CLUSTER_OK &&
	    num_u32(word[2], 0, UINT32_MAX, &ret->gid) == CLUSTER_OK && snprintf(ret->after, sizeof ret->after, "%s", word[3]) < (int)sizeof ret->after &&
	    word[4] != NULL && word[4][0] == '/' && snprintf(ret->path, sizeof ret->path, "%s", word[4]) < (int)sizeof ret->path;
}

static enum cluster_err read_manifest(const char *dir, struct manifest *ret, struct diag *d)
{
	const struct file_rules rules = { .owner = geteuid(), .forbid = 077, .max_size = FILE_MAX };
	char path[PATH_SIZE], *line, *rest = NULL;
	struct secret *text = NULL;
	enum cluster_err e;

	if ((e = file_join(path, sizeof path, dir, MANIFEST)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", dir);
	if ((e = file_read(path, &rules, &text, d)) != CLUSTER_OK)
		return e;
	ret->n = 0;
	for (line = strtok_r((char *)text->bytes, "\n", &rest); line != NULL && e == CLUSTER_OK; line = strtok_r(NULL, "\n", &rest)) {
		if (ret->n == BACKUP_FILES_MAX || !parse_item(line, &ret->item[ret->n++]))
			e = diag_set(d, CLUSTER_EFORMAT, "%s is damaged", path);
	}
	secret_free(text);
	return e;
}

static enum cluster_err save(const char *dir, size_t i, struct item *item, struct diag *d)
{
	struct secret *text = NULL;
	char path[PATH_SIZE];
	enum cluster_err e;
	struct stat st;

	if ((e = read_any(item->path, &text, &st, d)) == CLUSTER_ENOTFOUND)
		return CLUSTER_OK;
	if (e == CLUSTER_OK && (e = own_path(dir, i, path)) == CLUSTER_OK)
		e = file_replace(path, text->bytes, text->n, 0600, d);
	item->mode = (uint32_t)(S_IFREG | (st.st_mode & 07777));
	item->uid = st.st_uid;
	item->gid = st.st_gid;
	secret_free(text);
	return e;
}

bool backup_exists(const char *dir)
{
	char path[PATH_SIZE];

	return file_join(path, sizeof path, dir, MANIFEST) == CLUSTER_OK && access(path, F_OK) == 0;
}

enum cluster_err backup_begin(const char *dir, const char *const *paths, size_t n, struct diag *d)
{
	struct manifest *m = NULL;
	enum cluster_err e;
	size_t i;

	if (backup_exists(dir))
		return diag_set(d, CLUSTER_EDENIED, "%s: this machine is configured already", dir);
	if (n > BACKUP_FILES_MAX || (m = calloc(1, sizeof *m)) == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = file_mkdir(dir, 0700, d)) != CLUSTER_OK)
		goto out;
	for (i = 0; i < n; i++) {
		(void)snprintf(m->item[i].after, sizeof m->item[i].after, "-");
		if (snprintf(m->item[i].path, sizeof m->item[i].path, "%s", paths[i]) >= PATH_SIZE) {
			e = diag_set(d, CLUSTER_ELIMIT, "%s: the path is too long", paths[i]);
			goto out;
		}
		if ((e = save(dir, i, &m->item[i], d)) != CLUSTER_OK)
			goto out;
	}
	m->n = n;
	e = write_manifest(dir, m, d);
out:
	free(m);
	return e;
}

enum cluster_err backup_commit(const char *dir, struct diag *d)
{
	struct manifest *m = calloc(1, sizeof *m);
	enum cluster_err e;
	size_t i;

	if (m == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	e = read_manifest(dir, m, d);
	for (i = 0; i < m->n && e == CLUSTER_OK; i++)
		e = hash_now(m->item[i].path, m->item[i].after, d);
	if (e == CLUSTER_OK)
		e = write_manifest(dir, m, d);
	free(m);
	return e;
}

static bool changed(const struct item *item)
{
	char now[HASH_TEXT];

	return strcmp(item->after, "-") != 0 && (hash_now(item->path, now, NULL) != CLUSTER_OK || strcmp(now, item->after) != 0);
}

bool backup_changed(const char *dir, const char *path)
{
	struct manifest *m = calloc(1, sizeof *m);
	bool found = false;
	size_t i;

	if (m != NULL && read_manifest(dir, m, NULL) == CLUSTER_OK) {
		for (i = 0; i < m->n; i++)
			found = found || (strcmp(m->item[i].path, path) == 0 && changed(&m->item[i]));
	}
	free(m);
	return found;
}

static enum cluster_err put_back(const char *dir, size_t i, const struct item *item, struct diag *d)
{
	struct secret *text = NULL;
	char path[PATH_SIZE];
	enum cluster_err e;
	struct stat st;

	if (item->mode == 0) {
		if (unlink(item->path) != 0 && errno != ENOENT && errno != ENOTDIR)
			return diag_errno(d, "cannot remove %s", item->path);
		return CLUSTER_OK;
	}
	if ((e = own_path(dir, i, path)) != CLUSTER_OK || (e = read_any(path, &text, &st, d)) != CLUSTER_OK)
		goto out;
	if ((e = file_replace(item->path, text->bytes, text->n, (mode_t)(item->mode & 07777), d)) != CLUSTER_OK)
		goto out;
	if (chown(item->path, item->uid, item->gid) != 0)
		e = diag_errno(d, "cannot give %s back its owner", item->path);
out:
	secret_free(text);
	return e;
}

enum cluster_err backup_restore(const char *dir, bool (*keep)(void *arg, const char *path, bool changed), void *arg, struct diag *d)
{
	struct manifest *m = calloc(1, sizeof *m);
	enum cluster_err e, failed = CLUSTER_OK;
	size_t i;

	if (m == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = read_manifest(dir, m, d)) != CLUSTER_OK)
		goto out;
	for (i = m->n; i-- > 0;) {
		const struct item *item = &m->item[i];

		if (keep != NULL && keep(arg, item->path, changed(item)))
			continue;
		if ((e = put_back(dir, i, item, d)) != CLUSTER_OK)
			failed = e;
	}
	e = failed;
out:
	free(m);
	return e;
}

enum cluster_err backup_remove(const char *dir, struct diag *d)
{
	char path[PATH_SIZE];
	size_t i;

	for (i = 0; i < BACKUP_FILES_MAX; i++) {
		if (own_path(dir, i, path) == CLUSTER_OK)
			(void)unlink(path);
	}
	if (file_join(path, sizeof path, dir, MANIFEST) == CLUSTER_OK)
		(void)unlink(path);
	if (rmdir(dir) != 0 && errno != ENOENT)
		return diag_errno(d, "cannot remove %s", dir);
	return CLUSTER_OK;
}
