# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'Twenty revocations, timed: to refusal on all three nodes and the end of the open session'
measure_revocations 20
say "the slowest of all took ${WORST} ms"
expect "$HELD times the open session ended and all three nodes refused, for that reason" test "$HELD" -eq 20
