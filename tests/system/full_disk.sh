# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# A full disk on a node and on the authority: a clear error, old data kept, no acknowledgement of what is not stored; goes on by itself when there is room.
cast_all
node=core-1-1
agent_kill $node
must root@$node 'cp -a /var/lib/cluster-login /root/state && mount -t tmpfs -o size=2m,mode=0755 small /var/lib/cluster-login && cp -a /root/state/. /var/lib/cluster-login/'
agent_start $node
cast_settled
must root@$node 'dd if=/dev/zero of=/var/lib/cluster-login/filler bs=4k 2>/dev/null; rm -f /dev/null.x; df --output=avail /var/lib/cluster-login | tail -n 1'
must root@authority 'cluster-login user add dora && cluster-login grant add --person dora --account emr-user'
on root@authority 'cluster-login revoke person alice --wait --timeout 3s'
expect_status 1 'revoke --wait does not say that it is done'
expect_text 'core-1-1' 'and names the node that has not proved it'
on root@$node 'grep -il "no space" /var/log/*.log'
expect_ok 'the agent says why'
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_ok 'what was installed still holds'
must root@$node 'rm /var/lib/cluster-login/filler'
expect 'with room again the node catches up by itself' within 60000 explains_no $node alice emr-user
on alice@client "cluster-login ssh emr-user@$node -- id -un"
expect_refused $node revoked_person

authority_kill authority
must root@authority 'cp -a /var/lib/cluster-authority /root/store && mount -t tmpfs -o size=4m small /var/lib/cluster-authority && cp -a /root/store/. /var/lib/cluster-authority/ && chown --reference=/root/store /var/lib/cluster-authority && chmod --reference=/root/store /var/lib/cluster-authority'
authority_start authority
must root@authority 'dd if=/dev/zero of=/var/lib/cluster-authority/filler bs=4k 2>/dev/null; true'
on root@authority 'for i in $(seq 200); do cluster-login revoke person bob --reason "$(printf "%0190d" $i)" || exit $?; done'
expect_status 74 'a revocation that cannot be stored is not acknowledged'
expect_text 'full|space|store' 'and the reason is said'
must root@authority 'rm /var/lib/cluster-authority/filler'
on root@authority 'cluster-login revoke person bob --wait'
expect_ok 'with room again it works'
on root@authority 'cluster-login audit >/dev/null && cluster-login status'
expect_ok 'and the store is sound'
