/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PASSWD_FILE_H
#define CLI_PASSWD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* Files in the form of passwd(5) and group(5), read for an import. Passwords in them are not looked at. */

struct passwd_row {
	char *text;                         /* owned: what the others point into */
	const char *name, *gecos, *home, *shell; /* of gecos what stands before the first comma */
	uint32_t uid, gid;
	unsigned int line;
};
struct group_row {
	char *text;
	const char *name;
	char *members; /* separated by commas */
	uint32_t gid;
	unsigned int line;
};

enum passwd_form { PASSWD_FORM_PASSWD, PASSWD_FORM_GROUP };

struct passwd_file {
	enum passwd_form form;
	size_t n, room;
	union {
		void *rows;
		struct passwd_row *account;
		struct group_row *group;
	};
	size_t left_out; /* rows of the system's own */
};

/* Told of each row that is left out. */
typedef void passwd_told(unsigned int line, const char *name, const char *why);

/*
 * Reads `path` ("-": stdin). Blank lines and those that begin with '#' are passed over. A row with a number or a name that no directory may give, since it is
 * the system's own, is left out and told. CLUSTER_EFORMAT names the line of anything else that is not right; CLUSTER_ESYSTEM, CLUSTER_ENOMEM.
 * The caller calls passwd_file_done, on zeroed storage too.
 */
enum cluster_err passwd_file_read(const char *path, enum passwd_form form, passwd_told *told, struct passwd_file *ret, struct diag *d) CLUSTER_MUST_USE;
void passwd_file_done(struct passwd_file *f);

#endif
