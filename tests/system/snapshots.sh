# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Damaged, truncated, missing, foreign-owned snapshots on a node: cluster people are refused with the reason, local people are not touched (THREATS.md A2, A5, H9, I3).
cast_all
STATE=/var/lib/cluster-login
node=core-1-1
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_ok 'all is well'
agent_kill $node
must root@$node 'cp -a /var/lib/cluster-login /root/sound'

# damage SENTENCE REASON COMMAND: the command spoils $G, the installed generation, or $S, the state directory.
damage() {
	must root@$node "rm -rf $STATE && cp -a /root/sound $STATE && S=$STATE && G=\$(ls -d $STATE/gen/[0-9]* | sort -V | tail -n 1) && $3"
	on bob@client "cluster-login ssh emr-user@$node -- id -un"
	expect_refused $node "$2"
	expect_no_text '^emr-user$' "$1: no command ran"
	cast_rescue "$1: the break-glass account works" $node
	on root@$node 'getent passwd rescue ecs-user | wc -l'
	expect_text '^2$' "$1: local names resolve"
}

flip='python3 -c "
import sys
with open(sys.argv[1], \"r+b\") as f:
    data = bytearray(f.read()); at = len(data) * int(sys.argv[2]) // 100
    data[at] ^= 1; f.seek(0); f.write(data)"'

damage 'trust.snap missing' 'snapshot_(missing|damaged)' 'rm $G/trust.snap'
damage 'trust.snap empty' snapshot_damaged ': >$G/trust.snap'
damage 'trust.snap cut in half' snapshot_damaged 'truncate -s $(($(stat -c %s $G/trust.snap) / 2)) $G/trust.snap'
damage 'trust.snap one byte short' snapshot_damaged 'truncate -s -1 $G/trust.snap'
damage 'trust.snap one byte long' snapshot_damaged 'printf x >>$G/trust.snap'
damage 'a bit of the header flipped' 'snapshot_(damaged|version)' "$flip \$G/trust.snap 0"
damage 'trust.snap replaced by text' 'snapshot_(damaged|version)' 'echo hello >$G/trust.snap'
damage 'trust.snap owned by somebody else' snapshot_owner 'chown rescue $G/trust.snap'
damage 'trust.snap writable for all' snapshot_owner 'chmod 0666 $G/trust.snap'
damage 'trust.snap a link' 'snapshot_(owner|damaged|missing)|system_error' 'mv $G/trust.snap $S/x; ln -s $S/x $G/trust.snap'
damage 'trust.snap a fifo' 'snapshot_(owner|damaged|missing)|system_error' 'rm $G/trust.snap; mkfifo $G/trust.snap'
damage 'trust.snap a directory' 'snapshot_(owner|damaged|missing)|system_error' 'rm $G/trust.snap; mkdir $G/trust.snap'
damage 'accounts.snap in the place of trust.snap' 'snapshot_(damaged|version)' 'cp $G/accounts.snap $G/trust.snap'
damage 'fresh missing' 'snapshot_(missing|damaged)' 'rm $S/fresh'
damage 'fresh cut' snapshot_damaged 'truncate -s 10 $S/fresh'
damage 'everything missing but the marker' 'snapshot_(missing|damaged)' 'find $S -mindepth 1 ! -name enrolled -delete'
damage 'the marker of enrolment is a directory, the rest is gone' 'snapshot_(missing|damaged)' 'find $S -mindepth 1 -delete; mkdir $S/enrolled'

# The account's own half: without it nobody has a uid.
must root@$node "rm -rf $STATE && cp -a /root/sound $STATE && rm $STATE/gen/*/accounts.snap"
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_no_text '^emr-user$' 'accounts.snap missing: no command ran'
expect_status 255 'accounts.snap missing: refused'
cast_rescue 'accounts.snap missing: the break-glass account works' $node

# The agent puts it right by itself.
must root@$node "rm -rf $STATE && cp -a /root/sound $STATE && : >\$(ls -d $STATE/gen/[0-9]* | sort -V | tail -n 1)/trust.snap"
agent_start $node
expect 'the agent rebuilds what is damaged' within 60000 explains_yes $node bob emr-user
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_ok 'and people log on again'

# Older snapshots put back by hand: versions only rise.
must_quietly root@authority 'cluster-login revoke person bob --wait'
agent_kill $node
must root@$node "rm -rf $STATE && cp -a /root/sound $STATE"
agent_start $node
expect 'an older state that was put back is brought up to date at once' within 60000 explains_no $node bob emr-user
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_refused $node revoked_person
