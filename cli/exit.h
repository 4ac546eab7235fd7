/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include "cluster/err.h"

/* Exit statuses (DESIGN.md 3.9); those of sysexits.h where they have one. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_NO = 1,         /* checked, and the answer is no */
	EXIT_USAGE = 64,
	EXIT_DATA = 65,      /* bad data */
	EXIT_UNREACHABLE = 69,
	EXIT_BUG = 70,
	EXIT_IO = 74,
	EXIT_LATER = 75,     /* try later */
	EXIT_REFUSED = 77,
	EXIT_CONFIG = 78
};

/* The one map from errors to exit statuses. */
int exit_of(enum cluster_err e);

#endif
