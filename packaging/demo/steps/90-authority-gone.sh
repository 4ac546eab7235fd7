# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'The authority is killed: logins go on'
authority_kill authority
KILLED=$EPOCHREALTIME
on root@authority 'cluster-login revoke person carol'
expect_status 69 'nobody answers'
for node in core-1-1 master-1-1; do
	on bob@client "cluster-login ssh emr-user@$node -- id -un"
	expect_ok "bob logs on to $node"
done
cast_rescue 'the break-glass account works'

step 'The head is too old: cluster people are refused, and told why; local people are not'
say 'core-1-1 is to be stricter than the cluster: a head older than 10 seconds is too old there.'
must root@core-1-1 'mkdir -p /etc/cluster-login/node.conf.d; printf "[node]\nmax_stale = 10s\n" >/etc/cluster-login/node.conf.d/60-strict.conf'
expect_quietly 60000 explains_no core-1-1 bob emr-user
say "$(ms_since "$KILLED") ms after the authority was killed"
on root@core-1-1 'cluster-login explain --person bob --account emr-user'
expect_status 1 'explain says no'
expect_text 'stale|older than max_stale' 'and why'
on bob@client 'cluster-login ssh emr-user@core-1-1 -- id -un'
expect_refused core-1-1 'stale|stale_boot'
cast_rescue 'the break-glass account works on the same node'
on bob@client 'cluster-login ssh emr-user@master-1-1 -- id -un'
expect_ok 'master-1-1, less strict, lets bob in'

step 'The authority is back: freshness returns by itself'
authority_start authority
BACK=$EPOCHREALTIME
expect_quietly 60000 explains_yes core-1-1 bob emr-user
say "core-1-1 after $(ms_since "$BACK") ms"
cast_settled
say "all nodes after $(ms_since "$BACK") ms"
on bob@client 'cluster-login ssh emr-user@core-1-1 -- id -un'
expect_ok 'bob logs on to core-1-1 again'
on root@core-1-1 'cluster-login explain --person bob --account emr-user'
expect_ok 'explain says yes'
must_quietly root@core-1-1 'rm /etc/cluster-login/node.conf.d/60-strict.conf'
