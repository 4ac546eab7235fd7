# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# From a session on one node to another with plain ssh, in BatchMode and without a key: who gets there, what the target logs, what ends it (PROTOCOL.md 4.9; THREATS.md B9, C4, D2, H8).
cast_all
HOP='ssh -o BatchMode=yes'
must_quietly root@authority 'cluster-login grant add --person alice --account emr-user --hop && cluster-login user add carol --account && cluster-login grant add --person carol --account carol --hop --sudo'
must_quietly root@authority 'cluster-login account add other && cluster-login grant add --person alice --account other'
cast_device carol client authority
must_quietly root@client 'useradd -m -d /home/dave -s /bin/bash dave'
must_quietly root@authority 'cluster-login user add dave && cluster-login grant add --person dave --account emr-user --node role:master && cluster-login grant add --person dave --account emr-user --node role:task --hop --on-expiry end'
cast_device dave client authority
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

# dave stays on master-1-1 when his credential has expired, but not on task-1-1, and gets there no more: meanwhile, looked at below.
must_quietly dave@client 'cluster-login get --ttl 60s && cluster-login ssh-config'
session_open dave dave emr-user@master-1-1 "$HOP task-1-1 'echo up; sleep 86444'; $HOP task-1-1 true; echo again \$?; sleep 86445"
expect_quietly 20000 session_up dave

# ends_together: dave's two sessions, when their time is up.
ends_together() {
	host_run authority cluster-login sessions --json | /usr/bin/python3 -c 'import json, sys; s = [x for x in json.load(sys.stdin)["sessions"] if x["person_name"] == "dave"]; sys.exit(not (len(s) == 2 and len({x["exp"] for x in s}) == 1 and {x["kind"] for x in s} == {"credential", "hop"}))'
}

expect 'the time of a session that came by a hop is that of the credential behind it' within 10000 ends_together

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

# ---- its time ----
expect 'whose grant says so is logged off when the credential behind the hop expires' within 90000 grep -q '^again 255$' "$TOP/sessions/dave.out"
on root@task-1-1 'cat /var/log/cluster.log'
expect_text 'cluster-agentd.* from node .* ends: session_expired ' 'by the node that it led to'
expect_text 'event=principals result=refused reason=expired account=emr-user via=master-1-1 ' 'which takes no hop of it from then on'
expect 'the session that it came from goes on' node_runs master-1-1 '^sleep 86445'

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

# chain: alice goes through core-1-1 to task-1-1, and leaves something running there; of the sessions that led to it only the first is left.
chain() {
	must_quietly root@master-1-1 'pkill -u emr-user || true'
	session_open chain alice emr-user@master-1-1 "$HOP core-1-1 \"$HOP task-1-1 'setsid -f sleep 86442 >/dev/null 2>&1'\"; echo up; sleep 86441"
	expect_quietly 20000 session_up chain
	expect "$1: what it left at the third node runs" within 5000 node_runs task-1-1 '^sleep 86442'
	expect_quietly 10000 node_records core-1-1 0
	expect_quietly 10000 first_known
}

# The id of alice's session on master-1-1, in FIRST.
first_known() {
	FIRST=$(host_run authority cluster-login sessions --node master-1-1 --json | /usr/bin/python3 -c 'import json, sys; print(*{s["id"] for s in json.load(sys.stdin)["sessions"] if s["person_name"] == "alice"})')
	[[ $FIRST =~ ^[^\ ]{22}$ ]]
}

chain 'a chain of three'
must_quietly root@authority "cluster-login sessions --end $FIRST --wait"
expect 'its first session is ended: what it left at the third node is gone' within 10000 node_runs_not task-1-1 '^sleep 86442'
expect_log task-1-1 'cluster-agentd.* from node .* ends: revoked_session ' 'the third node says why'
expect_quietly 20000 session_ended chain
chain 'once more'
must_quietly root@authority 'cluster-login revoke node master-1-1'
expect 'its first node is revoked: gone, too' within 10000 node_runs_not task-1-1 '^sleep 86442'
must_quietly root@authority 'cluster-login unrevoke node master-1-1'
cast_settled
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
