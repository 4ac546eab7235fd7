# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'Twenty revocations, timed: to refusal on all three nodes and the end of the open session'
measure_revocations 20
expect "the slowest of all took ${WORST} ms, less than a second" test "$WORST" -lt 1000
