# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# What belongs to a session and ends with it, also long after the person has logged off, and what does not; sessions that end with their credential (DESIGN.md 3.6; THREATS.md H8).
cast_all
node=master-1-1
SELF_CTL=/run/cluster-login/sessions

# What the authority has heard of the node's sessions.
known() {
	[[ $(host_run authority cluster-login node list --json | /usr/bin/python3 -c 'import json, sys; print([n["sessions"] for n in json.load(sys.stdin)["nodes"] if n["name"] == sys.argv[1]])' "$1") == "[$2]" ]]
}

revoke_device_of() {
	must_quietly root@authority "cluster-login revoke device \"\$(cluster-login device list --person $1 --json | grep -o '\"id\": *\"[^\"]*\"' | head -n 1 | cut -d'\"' -f4)\" --wait"
}

# session_up for a session with a terminal.
session_up_tty() {
	grep -q $'^up\r*$' "$TOP/sessions/$1.out"
}

# The id of erin's session, in ERIN.
erin_known() {
	ERIN=$(host_run authority cluster-login sessions --person erin --json | /usr/bin/python3 -c 'import json, sys; print(*(s["id"] for s in json.load(sys.stdin)["sessions"]))')
	[[ -n $ERIN ]]
}

# On another node, meanwhile: two people whose sessions end with their credential, in two minutes; one of them goes on in time.
must_quietly root@core-1-1 'mkdir -p /etc/cluster-login/node.conf.d; printf "[agent]\nexpiry_notice = 118s\n" >/etc/cluster-login/node.conf.d/60-notice.conf'
agent_kill core-1-1
agent_start core-1-1
must_quietly root@client 'useradd -m -d /home/dave -s /bin/bash dave'
for person in carol dave; do
	must_quietly root@authority "cluster-login user add $person && cluster-login grant add --person $person --account emr-user --on-expiry end"
	cast_device $person client authority
done
cast_settled
for person in carol dave; do
	must_quietly $person@client 'cluster-login get --ttl 120s && cluster-login ssh-config'
	session_open $person $person -tt emr-user@core-1-1 'echo up; sleep 86499'
done
expect_quietly 20000 session_up_tty carol
expect_quietly 20000 session_up_tty dave
expect 'the authority knows of both sessions' within 5000 known core-1-1 2
expect 'who is about to lose the credential is told' within 20000 grep -q 'run cluster-login get on your own machine' "$TOP/sessions/carol.out"
must_quietly carol@client 'cluster-login get'
# Last words stay readable for a moment only: sshd has to have its turn in it, however many want to run.
must_quietly root@core-1-1 'renice -n -20 -p $(pgrep "^sshd$") || true'

# A hundred logins, one after the other: nothing is left of them.
on bob@client "for i in \$(seq 100); do cluster-login ssh emr-user@$node -- true || exit 1; done"
expect_ok 'a hundred logins'
expect 'and no record of them' within 10000 node_records $node 0
expect 'nor a process' within 10000 node_runs_not $node '^sshd: emr-user'

# Whoever is not in the session lives on: another person, a job that was started for the same uid.
must_quietly root@$node 'setsid setpriv --reuid=emr-user --regid=emr-user --clear-groups sleep 86420 </dev/null >/dev/null 2>&1 &'
must_quietly root@$node 'echo "emr-user ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/emr && chmod 440 /etc/sudoers.d/emr'
must_quietly root@authority 'cluster-login grant add --person alice --account emr-user --sudo'
cast_settled
session_open bob bob emr-user@$node 'echo up; sleep 86421'
expect_quietly 20000 session_up bob

# Left running at log-off, in four ways.
on alice@client "cluster-login ssh emr-user@$node -- 'nohup sleep 86430 >/dev/null 2>&1 & setsid -f sleep 86431 >/dev/null 2>&1; sudo -n setsid -f sleep 86432 >/dev/null 2>&1; (trap \"\" HUP TERM; setsid bash -c \"trap : HUP TERM; while :; do sleep 86433; done\" >/dev/null 2>&1 &) ; true'"
expect_ok 'a person logs off and leaves processes behind'
expect 'they run' within 5000 node_runs $node '^sleep 86430'
expect_quietly 5000 node_runs $node '^sleep 86431'
expect_quietly 5000 node_runs $node '^sleep 86433'
expect 'one of them as root' within 5000 node_runs $node '^sleep 86432'
expect 'and the record of the session stays' within 5000 node_records $node 2
expect 'which the authority hears of' within 5000 known $node 2

# Connections without a shell: forwarding, a forwarded connection, a master in the background.
session_open forward alice -N -L 18040:127.0.0.1:22 emr-user@$node
session_open relay alice -W 127.0.0.1:22 emr-user@$node
must_quietly alice@client "eval \"\$(cluster-login env)\"; ssh -f -N -M -S ~/mux emr-user@$node && ssh -S ~/mux emr-user@$node true"
expect 'a forwarded port answers' within 10000 forward_works 18040
must_quietly alice@client "ssh -S ~/mux emr-user@$node 'setsid -f sleep 86434 >/dev/null 2>&1'"

revoke_device_of alice
expect 'a revocation ends what was left behind' within 10000 node_runs_not $node '^sleep 8643[014]'
expect 'also what sudo started' within 10000 node_runs_not $node '^sleep 86432'
expect 'and what does not listen to signals' within 10000 node_runs_not $node '8643[3]'
expect 'the forwarding' within 10000 session_ended forward
expect 'and its port' within 5000 forward_dead 18040
expect 'the forwarded connection' within 10000 session_ended relay
on alice@client "ssh -S ~/mux emr-user@$node true"
expect_status 255 'nothing goes through the master any more'
expect 'another person under the same account lives on' within 5000 node_runs $node '^sleep 86421'
expect 'a job of the same uid lives on' node_runs $node '^sleep 86420'
expect 'no record of the ended ones is left' within 10000 node_records $node 1

# Warned, and left alive.
must_quietly root@authority 'cluster-login user add erin && cluster-login grant add --person erin --account emr-user --on-revoke warn'
must_quietly root@client 'useradd -m -d /home/erin -s /bin/bash erin'
cast_device erin client authority
cast_settled
must_quietly erin@client 'cluster-login get && cluster-login ssh-config'
session_open erin erin -tt emr-user@$node 'echo up; sleep 86450'
expect_quietly 20000 session_up_tty erin
revoke_device_of erin
expect 'whose grant says warn is warned' within 10000 grep -q 'Please end this session' "$TOP/sessions/erin.out"
expect 'and lives on' within 5000 node_runs $node '^sleep 86450'
expect 'warned once' test "$(grep -c 'Please end' "$TOP/sessions/erin.out")" = 1
expect_quietly 20000 erin_known
must_quietly root@authority "cluster-login revoke session $ERIN --wait"
expect 'until an administrator ends that session' within 10000 session_ended erin

# A node that cannot read its sessions has not applied a revocation.
must_quietly root@$node "mv $SELF_CTL $SELF_CTL.away && touch $SELF_CTL"
on root@authority 'cluster-login revoke credential AAAAAAAAAAAAAAAAAAAAAA --wait --timeout 3s'
expect_status 1 'a node that cannot read its sessions has not proved a revocation'
must_quietly root@$node "rm $SELF_CTL && mv $SELF_CTL.away $SELF_CTL"
on root@authority 'cluster-login revoke credential BAAAAAAAAAAAAAAAAAAAAA --wait --timeout 60s'
expect_ok 'when it can again, it has'

# The end of the credential.
expect 'who has got a newer one goes on' within 60000 grep -q 'your session goes on' "$TOP/sessions/carol.out"
expect 'who has not is logged off' within 180000 session_ended dave
expect 'with the reason' grep -q 'this session ends now' "$TOP/sessions/dave.out"
expect 'the other session lives' within 5000 node_runs core-1-1 '^sleep 86499'
