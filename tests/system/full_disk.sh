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
agent_says() {
	host_run $node bash -c 'grep -iq -- "$0" /var/log/*.log' "$1"
}
expect 'the agent says why' within 20000 agent_says 'no space'
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
on root@authority 'cluster-login revoke person bob --wait --timeout 60s'
expect_ok 'with room again it works'
on root@authority 'cluster-login audit >/dev/null && cluster-login status'
expect_ok 'and the store is sound'

# A person's disk: what is in hand stays, and a code is not spent on what could not be kept.
must_quietly root@client 'mkdir /home/carol/full && mount -t tmpfs -o size=128k,mode=0700,uid=$(id -u carol) full /home/carol/full'
must_quietly root@authority 'cluster-login user add carol && cluster-login grant add --person carol --account emr-user && cluster-login user invite carol'
SETUP=$(said 'cluster-login setup')
must_quietly carol@client "export CLUSTER_LOGIN_HOME=~/full; $SETUP && cluster-login get"
must_quietly carol@client 'dd if=/dev/zero of=full/filler bs=1k 2>/dev/null; true'
on carol@client 'CLUSTER_LOGIN_HOME=~/full cluster-login get'
expect_status 74 'get on a full disk'
expect_text 'No space left' 'and why'
must_quietly root@authority 'cluster-login user invite carol'
SETUP=$(said 'cluster-login setup')
on carol@client "CLUSTER_LOGIN_HOME=~/full $SETUP --force"
expect_status 74 'setup on a full disk'
on carol@client 'CLUSTER_LOGIN_HOME=~/full cluster-login show --offline && cluster-login whoami; ls -A full'
expect_text '^person +carol' 'what was in hand is still there'
expect_no_text 'setup.room|\.tmp' 'and nothing is left behind'
must_quietly carol@client 'rm full/filler'
on carol@client "CLUSTER_LOGIN_HOME=~/full $SETUP --force"
expect_ok 'with room the same code is good'
