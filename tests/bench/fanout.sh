#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a revocation's acknowledgement to the moment when the last of N waiting agents has it, with and without TLS, beside a bare epoll server; then a restart of the authority with
# all of them coming back at once, while credentials are asked for. NODES="1000 10000"; writes build/bench/fanout.json.
set -eu
cd "$(dirname "$0")/../.."
export BUILD="${BUILD:-build/release}"
ulimit -n "$(ulimit -Hn)"
# shellcheck disable=SC2086
exec "$BUILD/tests/bench/fanout/fanout" ${NODES:-1000 10000}
