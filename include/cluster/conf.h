/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_CONF_H
#define CLUSTER_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/*
 * `key = value` in [sections], '#' comments on lines of their own, conf.d drop-ins read in name order after the main file (a drop-in may
 * set a key again; the same key twice in one file is an error). One table describes the keys; every error names file, line and, for an
 * unknown key, the nearest known one. PROTOCOL.md 7.
 */
#define CONF_STRING_SIZE 256
#define CONF_LIST_MAX 64
#define CONF_FILE_MAX 65536

enum conf_type {
	CONF_STRING,  /* char[CONF_STRING_SIZE] */
	CONF_PATH,    /* char[CONF_STRING_SIZE], absolute */
	CONF_NUMBER,  /* uint64_t in [min, max] */
	CONF_SECONDS, /* uint64_t in [min, max], units s m h d */
	CONF_BOOL,    /* bool: yes or no */
	CONF_CHOICE,  /* int: index into choices */
	CONF_LIST     /* struct conf_list: words separated by spaces or commas */
};

struct conf_list {
	size_t n;
	char item[CONF_LIST_MAX][64];
};

struct conf_key {
	const char *section;
	const char *name;
	enum conf_type type;
	size_t offset; /* of the field in the caller's struct, which holds the defaults before loading */
	uint64_t min, max;
	const char *const *choices; /* NULL-terminated, for CONF_CHOICE */
	bool (*item_ok)(const char *); /* for CONF_STRING and CONF_LIST items; NULL accepts any printable text */
	const char *help;
};

/* Parses `n` bytes of text named `file` in messages. On failure the struct may be half filled and must not be used. */
enum cluster_err conf_parse(const char *text, size_t n, const char *file, const struct conf_key *keys, size_t n_keys, void *fields, struct diag *d) CLUSTER_MUST_USE;

/*
 * Reads `path` and then `path` with ".conf" replaced by ".conf.d", all *.conf in name order, with the file rules (owner, no 022 bits). A missing
 * main file is CLUSTER_OK (defaults hold); a missing directory is fine. CLUSTER_ECONFIG with a sentence otherwise, or file_open's errors.
 */
enum cluster_err conf_load(const char *path, uid_t owner, const struct conf_key *keys, size_t n_keys, void *fields, struct diag *d) CLUSTER_MUST_USE;

/* One "name=value" word, as PAM arguments are written; names are matched in every section, `source` stands in messages. */
enum cluster_err conf_word(const char *word, const char *source, const struct conf_key *keys, size_t n_keys, void *fields, struct diag *d) CLUSTER_MUST_USE;

struct wr;
/* The effective values in the file's own syntax (--dump). */
void conf_dump(const struct conf_key *keys, size_t n_keys, const void *fields, struct wr *w);

/* The word of `words` (n entries, stride bytes apart, each beginning with a char pointer) nearest to `word`, or NULL if none is near. */
const char *conf_nearest(const char *word, const void *words, size_t n, size_t stride);

#endif
