/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snap_inline.h"

static void put64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof v);
}

void snap_fresh_build(const struct snap_fresh *f, uint8_t dst[SNAP_FRESH_SIZE])
{
	memset(dst, 0, SNAP_FRESH_SIZE);
	memcpy(dst, SNAP_FRESH_MAGIC, 8);
	put64(dst + 8, (uint64_t)SNAP_FRESH_MAJOR << 48 | SNAP_FRESH_SIZE);
	memcpy(dst + 16, f->cluster.b, ID_SIZE);
	put64(dst + 32, f->generation);
	put64(dst + 40, f->head_version);
	put64(dst + 48, (uint64_t)f->head_iat);
	put64(dst + 56, (uint64_t)f->newest_iat);
	memcpy(dst + 64, f->boot_id.b, ID_SIZE);
	put64(dst + 80, (uint64_t)f->boot_time);
	put64(dst + SNAP_FRESH_SUMMED, snap_hash(dst, SNAP_FRESH_SUMMED, 0));
}

/* Stores the next word, as `next` has it. */
static enum cluster_err move_word(const char *state_dir, uint64_t (*next)(uint64_t))
{
	char path[SNAP_PATH_SIZE];
	uint64_t word = 0;
	enum cluster_err e;
	struct stat st;
	int fd, saved;
	bool ok;

	e = snap_file_path(path, sizeof path, state_dir, "generation");
	if (e != CLUSTER_OK)
		return e;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
	if (fd < 0)
		return errno == ELOOP ? CLUSTER_EUNTRUSTED : CLUSTER_ESYSTEM;
	/* The size only ever grows, so a reader's mapping stays whole. A word read while it is half written is one more change seen. */
	ok = fstat(fd, &st) == 0 && fchmod(fd, 0644) == 0 && (st.st_size >= SNAP_WORD_SIZE || ftruncate(fd, SNAP_WORD_SIZE) == 0) &&
	    pread(fd, &word, sizeof word, 0) == (ssize_t)sizeof word;
	word = next(word);
	ok = ok && pwrite(fd, &word, sizeof word, 0) == (ssize_t)sizeof word;
	saved = errno;
	close(fd);
	errno = saved;
	return ok ? CLUSTER_OK : CLUSTER_ESYSTEM;
}

enum cluster_err snap_word_begin(const char *state_dir)
{
	return move_word(state_dir, snap_word_begun);
}

enum cluster_err snap_word_finish(const char *state_dir)
{
	return move_word(state_dir, snap_word_done);
}
