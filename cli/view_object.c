/* SPDX-License-Identifier: Apache-2.0 */
#include "view_object.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/b64.h"
#include "cluster/file.h"
#include "cluster/json.h"
#include "cluster/secret.h"

#define HASH_TEXT (B64_LEN(CRYPTO_SHA256_SIZE) + 1)
#define NAME_SIZE (sizeof PROFILE_OBJECTS + 1 + HASH_TEXT)

/* A damaged file is fetched again. */
static bool is_whole(const struct secret *text, const uint8_t sha256[CRYPTO_SHA256_SIZE])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	return crypto_sha256(text->bytes, text->n, hash) == CLUSTER_OK && crypto_equal(hash, sha256, sizeof hash);
}

enum cluster_err view_object(const struct view_source *s, const uint8_t sha256[CRYPTO_SHA256_SIZE], size_t size, struct secret **ret, bool *ret_new, struct diag *d)
{
	char hash[HASH_TEXT], name[NAME_SIZE];
	const char *came = NULL;
	enum cluster_err e;

	if ((e = b64_encode(sha256, CRYPTO_SHA256_SIZE, hash, sizeof hash)) != CLUSTER_OK)
		return e;
	if (ret_new != NULL)
		*ret_new = true;
	if (s->objects != NULL && (came = json_member_text(s->objects, hash)) != NULL)
		return secret_copy(came, strlen(came), ret);
	(void)snprintf(name, sizeof name, "%s/%s", PROFILE_OBJECTS, hash);
	e = profile_read(s->p, name, false, ret, d);
	if (e == CLUSTER_OK && s->fetch != NULL && !is_whole(*ret, sha256)) {
		secret_free(*ret);
		*ret = NULL;
		e = CLUSTER_ENOTFOUND;
	}
	if (e == CLUSTER_ENOTFOUND && s->fetch != NULL)
		return s->fetch(s, hash, size, ret, d);
	if (ret_new != NULL)
		*ret_new = false;
	return e;
}

enum cluster_err view_object_store(const struct profile *p, const uint8_t sha256[CRYPTO_SHA256_SIZE], const struct secret *text, struct diag *d)
{
	char hash[HASH_TEXT], name[NAME_SIZE];
	enum cluster_err e;

	if ((e = b64_encode(sha256, CRYPTO_SHA256_SIZE, hash, sizeof hash)) != CLUSTER_OK)
		return e;
	(void)snprintf(name, sizeof name, "%s/%s", PROFILE_OBJECTS, hash);
	return profile_write(p, name, text->bytes, text->n, d);
}

static bool hash_is(const char *name, const uint8_t sha256[CRYPTO_SHA256_SIZE])
{
	char hash[HASH_TEXT];

	return b64_encode(sha256, CRYPTO_SHA256_SIZE, hash, sizeof hash) == CLUSTER_OK && strcmp(hash, name) == 0;
}

static bool is_named(const struct view *v, const char *name)
{
	bool named = hash_is(name, v->head.directory.sha256);

	for (size_t i = 0; i < v->dir->n_shards && !named; i++)
		named = v->dir->shards[i].kind == DIRECTORY_NODES && hash_is(name, v->dir->shards[i].sha256);
	return named;
}

void view_object_prune(const struct profile *p, const struct view *v, time_t now)
{
	char path[PROFILE_PATH_MAX];
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (file_join(path, sizeof path, p->dir, PROFILE_OBJECTS) != CLUSTER_OK || (dir = opendir(path)) == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (is_named(v, entry->d_name))
			(void)utimensat(dirfd(dir), entry->d_name, NULL, AT_SYMLINK_NOFOLLOW);
		else if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && now - st.st_mtime > VIEW_OBJECT_KEEP)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	(void)closedir(dir);
}
