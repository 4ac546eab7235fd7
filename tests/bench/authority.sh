#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a revocation's acknowledgement to the moment when the answer has reached the last of N waiting nodes, each on a TLS connection of its own.
set -eu
cd "$(dirname "$0")/../.."
export BUILD="${BUILD:-build/release}" PYTHONDONTWRITEBYTECODE=1
exec python3 tests/authority/bench_fanout.py "${1:-1000}" "${2:-5}"
