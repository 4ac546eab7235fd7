/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* The one function of a fuzz target: libFuzzer calls it under `make fuzz`, driver.c with the seeds in every other build. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* An invariant of the target; holds in every build, unlike assert(). */
#define FUZZ_CHECK(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

#endif
