# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# What a person does with the command line, against real sshds: what is in hand and is it revoked, narrowing, DC/OS habits, one's own devices, renewal before the end.
cast_all
must_quietly root@authority 'cluster-login account add ecs-user --uid 1000 && cluster-login grant add --person alice --account ecs-user --node role:core --node role:task --onetime && cluster-login node set master-1-1 --leader'
cast_settled

# field NAME: a member of the JSON in OUT
field() { /usr/bin/python3 -c 'import json, sys; v = json.loads(sys.stdin.read()); print(json.dumps(v[sys.argv[1]]))' "$1" <<<"$OUT"; }
# field_is SENTENCE NAME VALUE
field_is() { expect "$1" test "$(field "$2")" = "$3"; }

# ---- get, show, whoami, drop ----
on alice@client 'cluster-login get'
expect_text '^person +alice$' 'get: who'
expect_text '^valid until 20.*left\)$' 'until when'
expect_text '^emr-user +any' 'as whom and where'
expect_text 'cluster-login ssh (emr-user|ecs-user)@' 'and what to do next'
on alice@client "$(sed -n 's/^Log on: *//p' <<<"$OUT") -- id -un"
expect_text '^(emr-user|ecs-user)$' 'which works as it stands'
on alice@client 'cluster-login show'
expect_ok 'show'
expect_text '^revoked +no$' 'not revoked, says the authority'
expect_text '^ecs-user +role:core role:task' 'which accounts where'
on alice@client 'for list in show get whoami nodes "device list" "token ecs-user@core-1-1"; do cluster-login $list --json 2>/dev/null | python3 -m json.tool >/dev/null || echo "$list: no JSON"; done'
expect_no_text 'show|get|whoami|nodes|device|token' '--json with everything that lists'
on alice@client 'token=$(cat ~/.config/cluster-login/credential.jwt); { cluster-login show; cluster-login show --json; cluster-login get --renew --json; } | grep -Fc -e "$token" -e "${token##*.}" -e "$(sed -n 2p ~/.config/cluster-login/credential.key)"'
expect_text '^0$' 'neither token nor key is ever shown'
on alice@client 'cluster-login show --json'
field_is 'in JSON: not revoked' revoked false
JTI=$(field jti)
must_quietly root@authority "cluster-login revoke credential $JTI"
on alice@client 'cluster-login show'
expect_status 1 'a revoked credential: show says no'
expect_text '^revoked +yes' 'and why'
expect_text 'try: cluster-login get' 'and what to try'
on alice@client 'cluster-login show --json 2>/dev/null'
field_is 'in JSON: revoked' revoked true
on alice@client 'cluster-login whoami && cluster-login drop && ls ~/.config/cluster-login; cluster-login show'
expect_text '^alice$' 'whoami'
expect_no_text '^credential\.(jwt|key)$' 'drop forgets credential and key'
expect_status 1 'show: none'
on alice@client 'cluster-login ssh emr-user@core-1-1 -- id -un && cluster-login show >/dev/null && echo again'
expect_text '^again$' 'ssh gets one by itself'

# ---- narrowed: --for, --on, --ttl ----
on alice@client 'cluster-login get --for emr-user --on core-1-1 --ttl 5m --json'
expect 'five minutes at most' test "$(field left)" -le 300
on alice@client 'cluster-login get --for emr-user --on core-1-1 --ttl 5m'
expect_text '^only on +node:core-1-1$' 'narrowed to a node'
expect_no_text '^ecs-user' 'the other account is not offered'
on alice@client 'cluster-login ssh emr-user@core-1-1 -- id -un'
expect_text '^emr-user$' 'there'
on alice@client 'cluster-login ssh emr-user@master-1-1 -- id -un'
expect_refused master-1-1 narrowed_node
on alice@client 'cluster-login ssh ecs-user@core-1-1 -- id -un'
expect_refused core-1-1 narrowed_account
on alice@client 'cluster-login get --on role:core >/dev/null 2>&1; cluster-login ssh emr-user@core-1-1 -- id -un && cluster-login ssh emr-user@task-1-1 -- id -un'
expect_refused task-1-1 narrowed_node
must_quietly alice@client 'cluster-login get'

# ---- names, and the options of DC/OS ----
for name in leader master i-master-1-1 10.77.0.11; do
	on alice@client "cluster-login ssh emr-user@$name -- hostname"
	expect_text '^master-1-1$' "by $name"
done
on alice@client 'cluster-login ssh --leader --user=emr-user -- "hostname; id -un"'
expect_text '^master-1-1$' '--leader'
expect_text '^emr-user$' '--user'
on alice@client 'cluster-login ssh --mesos-id=i-core-1-1 --user=ecs-user "hostname; id -un; exit 7"'
expect_text '^core-1-1$' '--mesos-id'
expect_text '^ecs-user$' 'another user'
expect_status 7 'the exit status'
on alice@client 'cluster-login ssh --private-ip=10.77.0.13 --user=emr-user hostname'
expect_text '^task-1-1$' '--private-ip'
on alice@client 'cluster-login ssh --leader --proxy-ip=core-1-1 --user=emr-user '"'"'echo "$(hostname) from $SSH_CONNECTION"'"'"
expect_text '^master-1-1 from 10\.77\.0\.12 ' '--proxy-ip, by name'
on alice@client 'cluster-login ssh --leader --proxy-ip=10.77.0.12 --user=emr-user '"'"'echo "$(hostname) from $SSH_CONNECTION"'"'"
expect_text '^master-1-1 from 10\.77\.0\.12 ' 'and by address'
on alice@client 'cluster-login ssh --leader --user=emr-user --option RequestTTY=force --option LogLevel=QUIET tty'
expect_text '^/dev/pts/' '--option, given twice'
on alice@client 'eval "$(ssh-agent)" >/dev/null; ssh-keygen -q -t ed25519 -N "" -f k; ssh-add -q k; cluster-login ssh --leader --user=emr-user "echo agent \${SSH_AUTH_SOCK-none}"; cluster-login ssh -A --leader --user=emr-user true; status=$?; kill "$SSH_AGENT_PID"; exit $status'
expect_text '^agent none$' 'no agent is forwarded'
expect_status 64 '-A is refused'
expect_text 'an agent is never forwarded' 'with the reason'

# ---- on a terminal, and not ----
on alice@client 'TERM=xterm script -qec "cluster-login get" /dev/null | grep -c "Fetching"; NO_COLOR=1 TERM=xterm script -qec "cluster-login get; cluster-login get --ttl nonsense; cluster-login nodes" /dev/null | grep -c "$(printf "\033")"'
expect_text '^[1-9]' 'progress on a terminal'
expect_text '^0$' 'with NO_COLOR no escape sequence at all'
on alice@client 'cluster-login get --ttl nonsense 2>&1 | cat -v; cluster-login get 2>&1 | cat -v'
expect_no_text '\^\[' 'nor where there is no terminal'

# ---- one's own devices ----
must_quietly root@authority 'cluster-login user invite alice'
must_quietly alice@client "CLUSTER_LOGIN_HOME=~/second $(said 'cluster-login setup') --label tablet && CLUSTER_LOGIN_HOME=~/second cluster-login get"
SECOND=second
on alice@client 'cluster-login device list'
expect_text ' tablet ' 'device list: the other one'
expect_text 'this one$' 'and which this is'
on alice@client 'cluster-login device rename tablet "the old tablet" && cluster-login device list --json'
expect_text '"the old tablet"' 'renamed'
on bob@client 'cluster-login device list'
expect_no_text 'tablet' 'bob sees his own only'
DEVICE=$(host_run_as alice client cluster-login device list | awk '/tablet/ {print $1}')
cast_settled
on bob@client "cluster-login device remove $DEVICE"
expect_status 1 'and removes nobody else'"'"'s'
on alice@client "cluster-login get --for emr-user >/dev/null 2>&1; cluster-login device remove $DEVICE; status=\$?; cluster-login get >/dev/null 2>&1; exit \$status"
expect_status 77 'a credential narrowed for a job removes none'
mkdir -p "$TOP/sessions"
{ host_run_as alice client bash -c 'CLUSTER_LOGIN_HOME=~/second exec cluster-login ssh emr-user@master-1-1 "echo up; exec sleep 86400"' >"$TOP/sessions/$SECOND.out" 2>&1 </dev/null || true; echo "$EPOCHREALTIME" >"$TOP/sessions/$SECOND.ended"; } &
expect_quietly 20000 session_up $SECOND
on alice@client 'cluster-login device remove "the old tablet"'
expect_ok 'removed, by its label'
expect 'the session that came from it ends' within 20000 session_ended $SECOND
cast_settled
on alice@client 'CLUSTER_LOGIN_HOME=~/second cluster-login ssh emr-user@core-1-1 -- id -un'
expect_refused core-1-1 device_unknown
on alice@client 'CLUSTER_LOGIN_HOME=~/second cluster-login get'
expect_status 77 'it gets no other'
on alice@client 'cluster-login device remove "$(cluster-login device list | awk "/this one/ {print \$1}")"'
expect_status 77 'the device in use stays'
expect_text '\-\-force' 'unless --force'
on alice@client 'cluster-login ssh emr-user@core-1-1 -- id -un'
expect_text '^emr-user$' 'nothing of it touched this device'

# ---- renewal before the end; the clocks of authority and client go on, and nobody waits ----
cp "$BUILD/tests/system/lib_clock.so" "$TOP/clock.so"
for host in authority client; do
	host_write $host /usr/local/lib/clock.so <"$TOP/clock.so"
	must_quietly root@$host 'chmod 755 /usr/local/lib/clock.so; printf "%-31s\n" 0 >/run/clock-offset; chmod 644 /run/clock-offset; echo /usr/local/lib/clock.so >/etc/ld.so.preload; chmod 644 /etc/ld.so.preload'
done
authority_kill authority
authority_start authority
# clocks SECONDS
clocks() {
	for host in authority client; do
		must_quietly root@$host "printf '%-31s\n' $1 | dd of=/run/clock-offset conv=notrunc status=none"
	done
}
issued() { host_run authority cluster-login audit --limit 1000 --json | grep -c '"action": "credential"'; }
off alice@client 'cluster-login get --ttl 20m --for emr-user --json'
JTI=$(field jti)
on alice@client 'cluster-login get --renew --json'
field_is 'get --renew leaves a new one as it is' jti "$JTI"
BEFORE=$(issued)
clocks 1100
on alice@client 'for i in $(seq 8); do cluster-login ssh --print emr-user@core-1-1 >/dev/null & done; wait; cluster-login show --json'
expect 'a hundred seconds before the end ssh has renewed it' test "$(field jti)" != "$JTI"
expect 'as narrow as it was' test "$(field accounts_only)" = '["emr-user"]'
expect 'and as long' test "$(field left)" -gt 1100
RENEWED=$(field jti)
expect 'eight at once have asked for one' test "$(issued)" -eq $((BEFORE + 1))
on alice@client 'cluster-login ssh --print emr-user@core-1-1 >/dev/null; cluster-login get --renew --json'
field_is 'and that was all' jti "$RENEWED"
clocks 2150
authority_kill authority
on alice@client 'cluster-login ssh --print emr-user@core-1-1 >/dev/null && cluster-login show'
expect_ok 'the authority is gone: the one in hand serves'
expect_text '^revoked +unknown: ' 'revoked or not, nobody can say'
on alice@client 'cluster-login show --json'
field_is 'null in JSON' revoked null
clocks 2242
on alice@client 'cluster-login ssh --print emr-user@core-1-1 >/dev/null'
expect_ok 'in its last minute, too'
expect_text 'could not renew' 'with a word of warning'
clocks 2400
on alice@client 'cluster-login ssh --print emr-user@core-1-1'
expect_status 69 'expired: nobody to ask'
on alice@client 'cluster-login show'
expect_status 1 'show says that it has expired'
