# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'From node to node without key, forwarded agent or password: a hop, vouched for by the node where the session is'
must root@authority 'cluster-login grant add --role data --account emr-user --node role:core --node role:task --hop'
cast_hops master-1-1 core-1-1 task-1-1
on alice@client 'cluster-login ssh emr-user@master-1-1 -- '"'"'for h in core-1-1 task-1-1; do ssh -o BatchMode=yes $h hostname; done'"'"
expect_text '^core-1-1$' 'a loop over hosts, as Hadoop'"'"'s scripts have it'
expect_text '^task-1-1$' 'each of them'
expect_log core-1-1 'pam_cluster.*session_open result=accepted.*person=alice account=emr-user .* via=master-1-1 from=10\.77\.0\.20 ' 'the log there names the person, and the way'
SCRIPT='setpriv --reuid=emr-user --regid=emr-user --init-groups --reset-env ssh -o BatchMode=yes core-1-1 hostname'
on root@master-1-1 "$SCRIPT"
expect_no_text '^core-1-1$' 'a script that nobody is behind gets nowhere'
must root@authority 'cluster-login grant hop --account emr-user --from role=master --to role=core'
cast_settled
on root@master-1-1 "$SCRIPT"
expect_text '^core-1-1$' 'until a grant names the account, from where and to where'
