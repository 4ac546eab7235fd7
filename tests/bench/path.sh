#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The whole path on the demo's real nodes, as root: how long after a revocation is acknowledged does sshd refuse, has the open session ended, have all nodes proved it? 100 revocations
# (PATH_ROUNDS). Adds its row to build/bench/fanout.json.
set -u
cd "$(dirname "$0")/../.." || exit 1
exec packaging/demo/run --quiet tests/bench/steps/path.sh
