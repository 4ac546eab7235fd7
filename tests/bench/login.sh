#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a login costs: by key (plain ssh, nothing of ours on the client), credential, certificate, one-time credential and hop, LOGINS (30) of each, interleaved, on the same sshd
# and account and without multiplexing; and how soon a local user is asked for a password, on a node and on a machine with nothing of ours. As root; writes build/bench/login.json.
set -u
cd "$(dirname "$0")/../.." || exit 1
exec packaging/demo/run --quiet tests/bench/steps/login.sh
