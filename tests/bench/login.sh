#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a login costs: `cluster-login ssh` against ssh by key, 20 interleaved pairs on the same sshd and account, with the same host key check and
# without multiplexing. As root; prints both, their difference and ratio, and writes build/bench/login.json.
set -u
cd "$(dirname "$0")/../.." || exit 1
exec packaging/demo/run --quiet tests/bench/steps/login.sh
