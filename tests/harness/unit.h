/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/err.h"

#define assert_err(call, want) assert_int_equal((call), (want))
#define assert_ok(call) assert_int_equal((call), CLUSTER_OK)

#endif
