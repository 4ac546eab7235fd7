# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'The authority: keys, an empty store, a daemon'
cast_authority authority demo
on root@authority 'cluster-login status'
expect_ok
PIN=$(grep -o -m 1 'sha256:[A-Za-z0-9_-]*' <<<"$OUT")
expect "the pin of this cluster is $PIN" test -n "$PIN"
