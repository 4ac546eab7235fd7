/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_SCRATCH_H
#define HARNESS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A directory of a test's own: made under /tmp, and taken away with all that is in it. */
#define SCRATCH_SIZE 64

/* 0, or -1. */
static inline int scratch_make(char dir[SCRATCH_SIZE], const char *name)
{
	snprintf(dir, SCRATCH_SIZE, "/tmp/%.40s-XXXXXX", name);
	return mkdtemp(dir) ? 0 : -1;
}

static inline int scratch_remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

/* 0, or something else. */
static inline int scratch_remove(const char *dir)
{
	return nftw(dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
