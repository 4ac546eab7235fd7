# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'The authority: keys, an empty store, a daemon'
say 'The head is signed again every minute; here every 2 seconds, so that the end of this story comes sooner.'
must root@authority 'mkdir -p /etc/cluster-login; printf "[authority]\nhead_interval = 2s\n" >/etc/cluster-login/authority.conf'
cast_authority authority demo
on root@authority 'cluster-login status'
expect_ok
PIN=$(grep -o -m 1 'sha256:[A-Za-z0-9_-]*' <<<"$OUT")
expect "the pin of this cluster is $PIN" test -n "$PIN"
