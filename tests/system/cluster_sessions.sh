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

# What the authority has heard may be of a moment before: of sessions that have ended, too.
would_hit() {
	off root@authority 'cluster-login revoke person alice --dry-run'
	grep -Eq "$1" <<<"$OUT"
}

session_open first alice emr-user@$node 'echo up; sleep 86421'
session_open second alice emr-user@core-1-1 'echo up; sleep 86422'
expect_quietly 20000 session_up first
expect_quietly 20000 session_up second
expect 'the authority knows the session on master-1-1' within 20000 sessions_have "^alice +emr-user +$node +credential "
expect 'the authority knows the session on core-1-1' within 20000 sessions_have '^alice +emr-user +core-1-1 +credential '
expect 'a dry run counts both sessions' within 20000 would_hit '^sessions +2'
expect_text '^people +1: alice' 'and names her'
on root@authority "cluster-login sessions --node core-1-1 --json"
ID=$(sed -n 's/.*"id": *"\([A-Za-z0-9_-]*\)".*/\1/p' <<<"$OUT" | head -1)
on root@authority "cluster-login sessions --end $ID --wait --reason 'left open'"
expect_ok 'every node has proved the end of one session'
expect_text '^core-1-1 +yes ' 'node by node'
expect 'that session has ended' within 10000 session_ended second
expect 'the other lives on' node_runs $node '^sleep 86421'
expect 'it has left the list' within 20000 sessions_lack core-1-1
must_quietly alice@client "cluster-login ssh emr-user@core-1-1 -- true"
must_quietly root@authority 'cluster-login revoke person alice --before now --wait'
expect 'what was issued before has ended' within 10000 session_ended first

# ---- why somebody was refused: by the id that he was shown, on that node and from anywhere (PROTOCOL.md 5.7, 6.5) ----
cast_client client boss
must_quietly root@authority 'cluster-login user add boss --admin && cluster-login account add ecs-user'
cast_device boss client authority
cast_settled

# refused_id NODE: bob has no grant for that account there; ID is what his ssh shows him.
refused_id() {
	on bob@client "cluster-login ssh ecs-user@$1 -- id"
	expect_text 'Access refused \(id ' 'bob sees one sentence and an id'
	ID=$(sed -n 's/.*Access refused (id \([A-Za-z0-9_-]*\)).*/\1/p' <<<"$OUT" | head -1)
}

# knows USER@HOST REGEX: what explain says there.
knows() {
	off "$1" "cluster-login explain $ID"
	grep -Eq "$2" <<<"$OUT"
}

refused_id $node
on root@$node "cluster-login explain $ID"
expect_ok 'root on that node asks its agent'
expect_text "^where +$node, sshd, from 10.77.0.20$" 'where'
expect_text '^who +bob, as ecs-user$' 'who'
expect_text '^reason +no_grant$' 'which check'
expect_text '^try +cluster-login grant add' 'and what to do'
on rescue@$node "cluster-login explain $ID"
expect_status 77 'nobody else there may'
expect 'the authority hears of it' within 20000 knows root@authority '^reason +no_grant$'
on boss@client "cluster-login explain $ID --json"
expect_text '"person": "bob"' 'an administrator explains it from his own machine'
expect_text "\"node\": \"$node\"" 'and sees which node it was'
on bob@client "cluster-login explain $ID"
expect_status 77 'bob may not'
on root@core-1-1 "cluster-login explain $ID"
expect_status 1 'another node knows nothing of it'
expect_text '^cluster-login: this node knows of no refusal' 'and says so'
agent_kill $node
agent_start $node
on root@$node "cluster-login explain $ID"
expect_status 1 'an agent that has started anew has forgotten it'
expect 'the authority has not' knows boss@client '^who +bob, as ecs-user$'
authority_kill authority
refused_id core-1-1
expect 'without the authority its node knows' knows root@core-1-1 '^where +core-1-1, '
authority_start authority
expect 'and tells when it is back' within 60000 knows boss@client '^where +core-1-1, '
