# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# From a session on one node to another with plain ssh, in BatchMode and without a key: who gets there, what the target logs, what ends it (PROTOCOL.md 4.9; THREATS.md B9, C4, D2, H8).
cast_all
HOP='ssh -o BatchMode=yes'
must_quietly root@authority 'cluster-login grant add --person alice --account emr-user --hop && cluster-login user add carol --account && cluster-login grant add --person carol --account carol --hop --sudo'
must_quietly root@authority 'cluster-login account add other && cluster-login grant add --person alice --account other'
cast_device carol client authority
must_quietly root@core-1-1 'printf "carol ALL=(ALL:ALL) ALL\n" >/etc/sudoers.d/demo; chmod 440 /etc/sudoers.d/demo'
cast_hops master-1-1 core-1-1 task-1-1 master-1-1
must_quietly carol@client 'cluster-login get && cluster-login ssh-config'

# hop PERSON ACCOUNT COMMAND: what the person runs in a session on master-1-1.
hop() {
	on "$1@client" "cluster-login ssh $2@master-1-1 -- '$3'"
}

# member NAME: of the one session on core-1-1 that the authority knows.
member() {
	host_run authority cluster-login sessions --node core-1-1 --json | /usr/bin/python3 -c 'import json, sys; s = json.load(sys.stdin)["sessions"]; print(s[0][sys.argv[1]] if len(s) == 1 else "")' "$1"
}

# The authority has heard of the session that is there, and of no other.
hop_known() {
	local id
	id=$(host_run core-1-1 ls /run/cluster-login/sessions)
	[[ -n $id && $(member id) == "$id" && $(member kind) == hop ]]
}

# ---- who gets there ----
hop alice emr-user "$HOP core-1-1 id -un"
expect_text '^emr-user$' 'to another node, by its name'
expect_log core-1-1 'pam_cluster\(sshd:session\).*result=accepted reason=ok person=alice account=emr-user .* via=master-1-1 from=10\.77\.0\.20 parent=[^ ]{22} sid=[^ ]{22} n=1 serial=0 ' 'the target names the person, the source and where the person sat'
expect_log master-1-1 'event=hop result=vouched person=alice account=emr-user target=core-1-1 ' 'the source says for whom it vouched'
hop alice emr-user "$HOP 10.77.0.12 id -un"
expect_text '^emr-user$' 'by its address'
hop alice emr-user "head -c 100000 /dev/urandom >data; scp -q -o BatchMode=yes data core-1-1: && $HOP core-1-1 cat data | cmp - data && echo equal"
expect_text '^equal$' 'scp'
hop alice emr-user "$HOP core-1-1 $HOP task-1-1 id -un"
expect_text '^emr-user$' 'and on from there'
expect_log task-1-1 'event=session_open result=accepted .* via=core-1-1 from=10\.77\.0\.11 .* n=2 ' 'the second hop in a row is counted'
hop carol carol "$HOP core-1-1 sudo id -u"
expect_status 1 'sudo by a personal account asks for the person, whom only the other node has seen'
expect_log core-1-1 'pam_cluster\(sudo:auth\).*result=refused reason=no_answer ' 'and says so'
expect 'nothing is left of them' within 10000 node_records core-1-1 0

# ---- who does not ----
hop bob emr-user "$HOP core-1-1 id -un"
expect_status 255 'whose grant does not allow hops'
hop alice emr-user "$HOP other@core-1-1 id -un"
expect_status 255 'to an account that may not be reached by a hop'
hop alice emr-user "$HOP root@core-1-1 id -un"
expect_status 255 'to root'
hop alice emr-user "$HOP rescue@core-1-1 id -un"
expect_status 255 'to a local account'
hop alice emr-user "$HOP carol@core-1-1 id -un"
expect_status 255 'to the personal account of another'
on root@master-1-1 "$HOP emr-user@core-1-1 id -un"
expect_status 255 'root of the source, without a session'
on root@master-1-1 "setpriv --reuid=emr-user --regid=emr-user --clear-groups $HOP core-1-1 id -un"
expect_status 255 'the account on the source, without a session'
must_quietly alice@client 'cluster-login get --on master-1-1,core-1-1'
hop alice emr-user "$HOP core-1-1 id -un"
expect_status 255 'from a session whose credential was narrowed to nodes'
must_quietly alice@client 'cluster-login get'

# ---- what ends it ----
# live: a session on core-1-1 by a hop of alice's.
live() {
	must_quietly root@master-1-1 'pkill -u emr-user || true'
	session_open live alice emr-user@master-1-1 "$HOP core-1-1 \"echo up; sleep 86441\""
	expect_quietly 20000 session_up live
	expect_quietly 20000 hop_known
}

# ended REASON SENTENCE: by the target's own agent, which says why.
ended() {
	expect_log core-1-1 "cluster-agentd.* of person .* from node .* ends: $1 " "$2"
	expect "$2: its process is gone" within 10000 node_runs_not core-1-1 '^sleep 86441'
	expect_quietly 20000 session_ended live
}

live
on root@authority 'cluster-login sessions --node core-1-1'
expect_text 'alice +emr-user +core-1-1 +hop via master-1-1 ' 'the list of sessions says from where it came'
PARENT=$(member hop | grep -o "'parent': '[^']*'" | cut -d"'" -f4)
on root@authority "cluster-login sessions --end $PARENT --wait"
ended revoked_session 'the session that it came from is ended'
live
on root@authority 'cluster-login revoke person alice --wait'
ended revoked_person 'the person is revoked'
must_quietly root@authority 'cluster-login unrevoke person alice'
cast_settled
live
on root@authority 'cluster-login revoke node master-1-1'
ended revoked_node 'the source is revoked'
must_quietly root@authority 'cluster-login unrevoke node master-1-1'
cast_hops master-1-1 core-1-1 task-1-1 master-1-1
hop alice emr-user "$HOP core-1-1 id -un"
expect_text '^emr-user$' 'when nothing is revoked, it works again'

# ---- an old known_hosts of the account does not stand in the way ----
must_quietly root@master-1-1 'install -d -m 700 -o emr-user -g emr-user /home/emr-user/.ssh; { printf "core-1-1,10.77.0.12,core "; cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub; } >/home/emr-user/.ssh/known_hosts; chown emr-user: /home/emr-user/.ssh/known_hosts'
hop alice emr-user "$HOP core-1-1 id -un"
expect_text '^emr-user$' 'a known_hosts of the account that has another key'
hop alice emr-user "$HOP core id -un"
expect_text '^emr-user$' 'by a role'

# ---- with nobody behind it ----
must_quietly root@master-1-1 'pkill -u emr-user || true'
must_quietly root@authority 'cluster-login grant hop --account emr-user --from role=master --to role=core'
cast_settled
AS="setpriv --reuid=emr-user --regid=emr-user --clear-groups env HOME=/home/emr-user $HOP"
on root@master-1-1 "$AS core-1-1 id -un"
expect_text '^emr-user$' 'the account of the source, as a start script runs it'
expect_log core-1-1 'event=session_open result=accepted reason=ok person=- account=emr-user .* via=master-1-1 from=- parent=- sid=- n=0 ' 'the target says that nobody is behind it'
on root@master-1-1 "$AS task-1-1 id -un"
expect_status 255 'not to nodes that the grant does not name'
on root@core-1-1 "$AS master-1-1 id -un"
expect_status 255 'nor the other way'
on root@master-1-1 "$HOP emr-user@core-1-1 id -un"
expect_status 255 'and not root'
