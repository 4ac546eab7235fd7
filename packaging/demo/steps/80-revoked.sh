# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'Two people work under the same account'
session_open alice-shell alice emr-user@master-1-1 'echo up; setsid sleep 86401 >/dev/null 2>&1 </dev/null & sleep 86402'
session_open alice-forward alice -N -L 18022:127.0.0.1:22 emr-user@master-1-1
session_open bob-shell bob emr-user@master-1-1 'echo up; setsid sleep 86403 >/dev/null 2>&1 </dev/null & sleep 86404'
session_open bob-forward bob -N -L 18023:127.0.0.1:22 emr-user@master-1-1
for name in alice-shell bob-shell; do
	expect_quietly 20000 session_up "$name"
done
for port in 18022 18023; do
	expect_quietly 20000 forward_works "$port"
done
on root@master-1-1 'ps -u emr-user -o pid,sess,args --no-headers'
for seconds in 86401 86402 86403 86404; do
	expect "sleep $seconds runs" within 10000 node_runs master-1-1 "^sleep $seconds"
done

step 'Revoked: one command, every node, open sessions too'
STARTED=$EPOCHREALTIME
on root@authority 'cluster-login revoke person alice --reason "left the company" --wait'
expect_ok 'every node has proved it'
for node in "${NODES[@]}"; do
	expect_text "$node" "listed: $node"
done
expect "alice's shell has ended" within 10000 session_ended alice-shell
expect "alice's forwarding connection has ended" within 10000 session_ended alice-forward
say "ended $(session_ended_after alice-shell "$STARTED") and $(session_ended_after alice-forward "$STARTED") ms after the command was started"
expect 'her foreground process is gone' within 10000 node_runs_not master-1-1 '^sleep 86402'
expect 'her setsid process is gone' within 10000 node_runs_not master-1-1 '^sleep 86401'
expect 'her forwarded port is closed' within 10000 forward_dead 18022
expect "bob's shell lives on" within 10000 node_runs master-1-1 '^sleep 86404'
expect "bob's setsid process lives on" within 10000 node_runs master-1-1 '^sleep 86403'
expect "bob's forwarded port works" within 10000 forward_works 18023
for node in "${NODES[@]}"; do
	on alice@client "cluster-login ssh emr-user@$node -- id -un"
	expect_refused "$node" revoked_person
done
on alice@client 'cluster-login get'
expect_status 77 'no new credential for her either'
on bob@client 'cluster-login ssh emr-user@master-1-1 -- id -un'
expect_ok 'bob logs on as before'
cast_rescue 'the break-glass account works'
on root@authority 'cluster-login revoke --list'
NUMBER=$(awk '/alice/ {print $1; exit}' <<<"$OUT")
on root@authority "cluster-login unrevoke $NUMBER"
expect_ok 'taken back: she is a person again'
cast_settled
on alice@client 'cluster-login get >/dev/null; cluster-login ssh emr-user@task-1-1 -- id -un'
expect_ok 'alice logs on again'
