# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# The administrator's view of live sessions: the whole cluster's, whom a revocation would hit, and the end of exactly one, proved by every node (DESIGN.md 3.6; PROTOCOL.md 6.5).
cast_all
node=master-1-1
must_quietly alice@client "cluster-login ssh emr-user@$node -- true"

sessions_have() {
	off root@authority 'cluster-login sessions'
	grep -Eq "$1" <<<"$OUT"
}

sessions_lack() {
	! sessions_have "$1"
}

session_open first alice emr-user@$node 'echo up; sleep 86421'
session_open second alice emr-user@core-1-1 'echo up; sleep 86422'
expect_quietly 20000 session_up first
expect_quietly 20000 session_up second
expect 'the authority knows the session on master-1-1' within 10000 sessions_have "^alice +emr-user +$node +credential "
expect 'the authority knows the session on core-1-1' within 10000 sessions_have '^alice +emr-user +core-1-1 +credential '
on root@authority 'cluster-login revoke person alice --dry-run'
expect_text '^people +1: alice' 'a dry run names her'
expect_text '^sessions +2' 'and both sessions'
on root@authority "cluster-login sessions --node core-1-1 --json"
ID=$(sed -n 's/.*"id": *"\([A-Za-z0-9_-]*\)".*/\1/p' <<<"$OUT" | head -1)
on root@authority "cluster-login sessions --end $ID --wait --reason 'left open'"
expect_ok 'every node has proved the end of one session'
expect_text '^core-1-1 +yes ' 'node by node'
expect 'that session has ended' within 10000 session_ended second
expect 'the other lives on' session_up first
expect 'it has left the list' within 10000 sessions_lack core-1-1
must_quietly alice@client "cluster-login ssh emr-user@core-1-1 -- true"
must_quietly root@authority 'cluster-login revoke person alice --before now --wait'
expect 'what was issued before has ended' within 10000 session_ended first
