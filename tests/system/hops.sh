# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Hops as Hadoop's scripts and administrators use them: loops, many at once, by role, with what is old in a home; for scripts that nobody is behind; without the authority (DESIGN.md 3.3; PROTOCOL.md 4.9).
cast_all
must_quietly root@authority 'cluster-login user add carol && cluster-login grant add --person carol --account emr-user --node role:master'
cast_device carol client authority
must_quietly root@authority 'cluster-login grant add --person alice --account emr-user --node role:core --node role:master --hop'
cast_hops master-1-1 core-1-1 master-1-1
must_quietly carol@client 'cluster-login get'
HOP='ssh -o BatchMode=yes'

# in_session PERSON COMMAND: on master-1-1 as emr-user.
in_session() {
	on "$1@client" "cluster-login ssh emr-user@master-1-1 -- ${2@Q}"
}

# outside NODE COMMAND: there, as the same user, but in no session.
outside() {
	on "root@$1" "setsid -w setpriv --reuid=emr-user --regid=emr-user --init-groups --reset-env bash -c ${2@Q}"
}

# Nobody is connected to the node's hop socket.
hop_unused() {
	! host_run "$1" ss -Hx src /run/cluster-login/hop.sock | grep -q ESTAB
}

# ---- what people type ----
in_session alice 'echo data >data && scp -q -B data core-1-1:copied && ssh core-1-1 cat copied && printf "get copied back\n" | sftp -q -b - core-1-1 >/dev/null && cmp data back && echo same'
expect_text '^same$' 'scp and sftp'
in_session alice "for h in core-1-1 master-1-1; do $HOP \$h hostname; done"
expect_text '^core-1-1$' 'a loop over hosts'
expect_text '^master-1-1$' 'the node itself among them'
in_session alice "$HOP core hostname"
expect_text '^core-1-1$' 'by role'
in_session alice "$HOP core-1-1 $HOP master-1-1 $HOP core-1-1 hostname"
expect_text '^core-1-1$' 'on from there, and on'
expect_log core-1-1 'pam_cluster.*event=session_open result=accepted.*via=master-1-1.* n=3' 'counted'
in_session alice "$HOP core-1-1 $HOP master-1-1 $HOP core-1-1 $HOP master-1-1 $HOP core-1-1 hostname"
expect_no_text '^core-1-1$' 'not for ever'
in_session alice 'mkdir -p ~/.ssh; echo "core-1-1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" >~/.ssh/known_hosts; '"$HOP core-1-1 hostname"
expect_text '^core-1-1$' 'a stale known_hosts of old does no harm'
in_session alice 'grep -rlE "PRIVATE KEY" ~ /tmp /run 2>/dev/null; ls -A ~/.ssh | grep -v known_hosts; echo done'
expect_no_text 'PRIVATE|id_' 'no private key anywhere'
in_session alice "ssh -G elsewhere | grep -i identityagent; echo done"
expect_no_text 'hop.sock' 'nothing of it is for other hosts'

# ---- many ----
in_session alice "for i in \$(seq 100); do $HOP core-1-1 true || exit 1; done"
expect_ok 'a hundred hops, one after the other'
in_session alice "for i in \$(seq 20); do $HOP \$( ((i % 2)) && echo core-1-1 || echo master-1-1) true & jobs[i]=\$!; done; for j in \"\${jobs[@]}\"; do wait \$j || exit 1; done"
expect_ok 'twenty at once'
expect 'no record of them is left on the one side' within 10000 node_records core-1-1 0
expect 'nor on the other' within 10000 node_records master-1-1 0
expect 'nor a process' within 10000 node_runs_not core-1-1 '^sshd: emr-user'
expect 'nor a connection' within 10000 hop_unused master-1-1
on root@master-1-1 'find /tmp /var/tmp /home -newer /var/lib/cluster-login/enrolled -type s 2>/dev/null'
expect_no_text '/' 'nor a socket'

# ---- who may not ----
in_session alice "$HOP task-1-1 id -un"
expect_no_text '^emr-user$' 'to a node that the grant does not name: no'
in_session carol "$HOP core-1-1 id -un"
expect_log master-1-1 'event=hop result=refused reason=no_hop_grant .*target=core-1-1' 'for whom no grant says so, nobody vouches'
expect_no_text '^emr-user$' 'and nobody gets there'

# ---- the credential behind it ----
# The jti of alice's session on master-1-1, in JTI; what the authority has heard of others may be old.
credential_known() {
	JTI=$(host_run authority cluster-login sessions --node master-1-1 --json | /usr/bin/python3 -c 'import json, sys; print(*{s["jti"] for s in json.load(sys.stdin)["sessions"] if s["person_name"] == "alice"})')
	[[ -n $JTI ]]
}

session_open credential alice emr-user@master-1-1 "$HOP core-1-1 'echo up; sleep 86402'"
expect_quietly 20000 session_up credential
expect_quietly 20000 credential_known
must_quietly root@authority "cluster-login revoke credential $JTI --wait"
expect 'the credential that it began with is revoked: over' within 10000 node_runs_not core-1-1 '^sleep 86402'
must_quietly alice@client 'cluster-login get'

# ---- scripts: the account, from certain nodes to certain nodes ----
on root@authority 'cluster-login grant hop --account emr-user --from role=master --to role=core'
expect_ok 'a grant for machines'
cast_settled
outside master-1-1 "$HOP core-1-1 id -un"
expect_text '^emr-user$' 'a script on master-1-1 that nobody is behind'
expect_log core-1-1 'pam_cluster.*event=session_open result=accepted.*person=- account=emr-user .*via=master-1-1 ' 'the log says so'
outside master-1-1 "$HOP task-1-1 id -un"
expect_no_text '^emr-user$' 'not to a role that the grant does not name'
outside core-1-1 "$HOP master-1-1 id -un"
expect_no_text '^emr-user$' 'not from one'
in_session carol "$HOP core-1-1 id -un"
expect_no_text '^emr-user$' 'and nobody borrows it in a session'
must_quietly root@authority 'cluster-login revoke lockdown --except bob --wait'
outside master-1-1 "$HOP core-1-1 id -un"
expect_no_text '^emr-user$' 'not in a lockdown'
must_quietly root@authority 'cluster-login unrevoke lockdown; cluster-login grant remove "$(cluster-login grant list --json | /usr/bin/python3 -c "import json, sys; print(next(g[\"id\"] for g in json.load(sys.stdin)[\"grants\"] if g.get(\"from\")))")"'
cast_settled
outside master-1-1 "$HOP core-1-1 id -un"
expect_no_text '^emr-user$' 'over with the grant'

# ---- without the authority ----
authority_kill authority
in_session alice "$HOP core-1-1 id -un"
expect_text '^emr-user$' 'no authority is needed'
