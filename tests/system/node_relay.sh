# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
# A node without a way to the authority lives through other nodes: it joins, hears of revocations as fast, changes over when a relay dies; a relay that lies can only delay, and then the
# age of the head refuses people while the break-glass account works (PROTOCOL.md 6.6; THREATS.md H1, H3, H6, H8, I5).
ROUNDS=${ROUNDS:-10}
leaf=task-1-1
cast_hosts
must_quietly root@authority 'mkdir -p /etc/cluster-login; printf "[authority]\nhead_interval = 1s\nmax_stale = 30s\n" >/etc/cluster-login/authority.conf'
cast_authority authority demo

relay_conf() {
	must_quietly "root@$1" "mkdir -p /etc/cluster-login/node.conf.d; printf '[relay]\nlisten = 0.0.0.0:7444\nmax_per_address = 3\n' >/etc/cluster-login/node.conf.d/50-relay.conf"
}
leaf_conf() {
	must_quietly root@$leaf "mkdir -p /etc/cluster-login/node.conf.d; printf '[agent]\nretry_max = 1s\nrelay = $1\n' >/etc/cluster-login/node.conf.d/50-relay.conf"
}
leaf_log() {
	host_run $leaf grep -Ehq -- "$1" /var/log/cluster-agentd.log /var/log/cluster.log
}
log_forget() {
	must_quietly root@$leaf ': >/var/log/cluster-agentd.log; : >/var/log/cluster.log'
}
metric() {
	host_run "$1" sed -n "s/^$2 //p" /run/cluster-login/metrics.prom
}
metric_is() {
	[[ $(metric "$1" "$2") -ge $3 ]]
}

leaf_refuses_once() {
	[[ $(host_run $leaf grep -c 'lets no cluster people in: ' /var/log/cluster.log) == 1 ]]
}
fresh_is() {
	[[ $(metric $leaf cluster_login_fresh) == "$1" ]]
}

for node in master-1-1 core-1-1; do
	relay_conf $node
	cast_token "${node%%-*}" $node
	must "root@$node" "$JOIN"
	agent_start $node
done
must_quietly root@$leaf 'ip route add unreachable 10.77.0.10'
cast_token task $leaf
on root@$leaf "$JOIN"
expect_status 69 'the leaf has no way to the authority'
on root@$leaf "$JOIN --relay master-1-1:7444"
expect_ok 'through a relay it joins, with the same pin and token'
on root@$leaf 'grep relay /var/lib/cluster-login/enrolled'
expect_text '^relay = master-1-1:7444$' 'and the marker remembers the way'
agent_start $leaf
must root@authority 'cluster-login account add emr-user'
for person in alice bob; do
	must root@authority "cluster-login user add $person && cluster-login grant add --person $person --account emr-user"
	cast_device $person client authority
	must "$person@client" 'cluster-login get && cluster-login ssh-config'
done
cast_settled
on bob@client "cluster-login ssh emr-user@$leaf -- id -un"
expect_ok 'people log on to it'
on root@$leaf 'ss -Htn state established | grep -c 10.77.0.10:'
expect_text '^0$' 'and it has no connection to the authority itself'
expect 'the relay counts its connection' within 60000 metric_is master-1-1 cluster_login_relay_connections 1
on root@master-1-1 'for p in $(pgrep -P "$(pgrep -o -x cluster-agentd)"); do echo "$(cat /proc/$p/comm) $(awk "/^Uid/ {print \$2}" /proc/$p/status) $(awk "/^CapEff/ {print \$2}" /proc/$p/status) $(awk "/^Seccomp:/ {print \$2}" /proc/$p/status)"; done'
expect_text '^agentd-relay [1-9][0-9]* 0000000000000000 2$' 'the relay is not root, has no capability and stands behind its filter'

# A person without a way out enrols and asks through a relay too.
must root@authority 'cluster-login user add carol && cluster-login grant add --person carol --account emr-user && cluster-login user invite carol'
SETUP="$(said 'cluster-login setup')"
must_quietly root@client 'ip route add unreachable 10.77.0.10'
on carol@client "$SETUP"
expect_status 69 'carol has no way to the authority'
on carol@client "$SETUP --relay core-1-1:7444 && cluster-login get"
expect_ok 'through a relay carol is enrolled and gets a credential'
cast_settled
on carol@client "cluster-login ssh emr-user@$leaf -- id -un"
expect_text '^emr-user$' 'and logs on'
must_quietly root@client 'ip route del unreachable 10.77.0.10'

# As fast as directly.
declare -A MS_OF=([master-1-1]='' [$leaf]='')
held=0
for ((i = 0; i < ROUNDS; i++)); do
	must_quietly root@authority "cluster-login revoke person alice --wait --json >/root/wait.json"
	for node in master-1-1 $leaf; do
		ms=$(/usr/bin/python3 -c '
import json, sys
def nodes(answer):
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from value if key == "nodes" else nodes(value)
print([n["ms"] for n in nodes(json.load(open(sys.argv[1]))) if n["name"] == sys.argv[2] and n["ok"]][0])' "$(host_path authority /root/wait.json)" "$node")
		MS_OF[$node]+=" $ms"
	done
	held=$((held + 1))
done
expect "of $ROUNDS revocations the leaf proved all" test "$held" -eq "$ROUNDS"
say "milliseconds from a revocation to the node's proof: directly${MS_OF[master-1-1]}; through a relay${MS_OF[$leaf]}"
[[ -z $DEMO_QUIET ]] || echo "# ms directly${MS_OF[master-1-1]}; through a relay${MS_OF[$leaf]}"
on alice@client "cluster-login ssh emr-user@$leaf -- true"
expect_refused $leaf revoked_person

# Failover and return.
leaf_conf 'master-1-1:7444, core-1-1:7444'
agent_kill $leaf
log_forget
agent_start $leaf
expect_quietly 20000 leaf_log 'in contact with https://authority:7443 via master-1-1:7444'
agent_kill master-1-1
started=$EPOCHREALTIME
expect 'the first relay dies: the leaf goes through the second' within 20000 leaf_log 'in contact with https://authority:7443 via core-1-1:7444'
say "after $(ms_since "$started") ms"
[[ -z $DEMO_QUIET ]] || echo "# failover after $(ms_since "$started") ms"
must_quietly root@authority 'cluster-login user disable bob'
expect 'and hears of what is new' within 20000 explains_no $leaf bob emr-user
must_quietly root@authority 'cluster-login user enable bob'
expect_quietly 20000 explains_yes $leaf bob emr-user

# A relay that crashes is started again; its agent stays.
agent=$(host_run core-1-1 pgrep -o -x cluster-agentd)
log_forget
must_quietly root@core-1-1 'kill -SEGV "$(pgrep -x agentd-relay)"'
expect_quietly 20000 leaf_log 'via core-1-1:7444: '
expect 'a relay that crashed is started again' within 30000 leaf_log 'in contact with https://authority:7443 via core-1-1:7444'
expect 'and its agent was not touched' test "$(host_run core-1-1 pgrep -o -x cluster-agentd)" = "$agent"

# One address gets three connections and no more, and the leaf's is not touched.
on root@client 'exec 3<>/dev/tcp/10.77.0.12/7444 4<>/dev/tcp/10.77.0.12/7444 5<>/dev/tcp/10.77.0.12/7444 6<>/dev/tcp/10.77.0.12/7444; timeout 60 cat <&6; echo "four $?"; timeout 0.3 cat <&3; echo "one $?"'
expect_text '^four 0$' 'the fourth connection of one address is closed'
expect_text '^one 124$' 'the first stays'
expect 'and is counted' within 60000 metric_is core-1-1 cluster_login_relay_refused_total 1
expect 'the leaf is served all the while' explains_yes $leaf bob emr-user

# Relays that lie.
host_write elsewhere /root/liar.py <<'PYTHON'
import os, socket, sys, threading, time
mode, record = sys.argv[1], "/root/recorded"
def pump(near, far, back):
    total = 0
    try:
        while data := near.recv(65536):
            if back and mode == "pass":
                with open(record, "ab") as f: f.write(data)
            if back and mode == "delay": time.sleep(0.2)
            total += len(data)
            if back and mode == "flip" and total > 6000: data = data[:-1] + bytes([data[-1] ^ 1])
            far.sendall(data)
    except OSError: pass
    for s in (near, far):
        try: s.shutdown(socket.SHUT_RDWR)
        except OSError: pass
def serve(near):
    with open("/root/served", "a") as f: f.write(".")
    try:
        if mode == "drop":
            while near.recv(65536): pass
        elif mode == "garbage": near.sendall(os.urandom(200000)); near.recv(65536); near.close()
        elif mode == "replay": near.recv(65536); near.sendall(open(record, "rb").read()); time.sleep(1); near.close()
        else:
            far = socket.create_connection(("10.77.0.10" if mode != "other" else "127.0.0.1", 7443))
            threading.Thread(target=pump, args=(near, far, False), daemon=True).start()
            pump(far, near, True)
    except OSError: pass
listener = socket.create_server(("", 7444), reuse_port=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
PYTHON
liar() {
	host_run elsewhere bash -c '[[ ! -s /root/pid ]] || kill -KILL "$(</root/pid)"; rm -f /root/served; /usr/bin/python3 /root/liar.py "$0" >/root/liar.log 2>&1 </dev/null & echo $! >/root/pid' "$1"
	log_forget
}
generation_of() {
	host_run $leaf sed -n 's/^cluster_login_generation //p' /run/cluster-login/metrics.prom
}
cast_authority elsewhere other
leaf_conf 'elsewhere:7444'
liar pass
agent_kill $leaf
agent_start $leaf
expect 'a relay that is no node of ours, and honest' within 20000 leaf_log 'in contact with https://authority:7443 via elsewhere:7444'
expect_quietly 20000 explains_yes $leaf bob emr-user

liar drop
expect 'one that swallows everything: at half of the bound the log says so' within 60000 leaf_log 'old: at 30s this node lets no cluster people in'
on root@$leaf 'cluster-login status'
expect_text '^warning: the head is .* more than half of 30s' 'status warns'
expect_ok 'while people still log on'
must_quietly root@authority 'cluster-login revoke account emr-user'
before=$(generation_of)
expect 'then nobody is let in any more' within 60000 explains_no $leaf bob emr-user
on bob@client "cluster-login ssh emr-user@$leaf -- id -un"
expect_refused $leaf 'stale|stale_boot'
cast_rescue 'the break-glass account works' $leaf
on root@$leaf 'cluster-login status'
expect_status 1 'status: unhealthy'
expect 'the metrics say so' within 60000 fresh_is 0
expect 'and the log says it once' within 20000 leaf_refuses_once

# Tried at least three times.
liar_tried() {
	[[ $(host_run elsewhere cat /root/served 2>/dev/null | wc -c) -ge 3 ]]
}
lie() {
	liar "$1"
	expect_quietly 60000 liar_tried
	on root@$leaf 'cluster-login status'
	expect_text "last error: https://authority:7443 via elsewhere:7444: $3" "$2"
}
unchanged() {
	expect 'it changes nothing on the node' test "$(generation_of)" = "$before"
}
lie garbage 'one that sends garbage is not understood' 'cannot reach'
unchanged
lie replay 'one that replays what it has recorded is not believed' 'cannot reach'
unchanged
lie other 'one that leads to another server: its TLS key is not the cluster'"'"'s' '.*(TLS key|pin|root)'
unchanged

liar flip
expect_quietly 60000 liar_tried
expect 'one that changes bits breaks the connection, no more: the node hears of the authority before' within 60000 fresh_is 1
liar delay
expect_quietly 60000 fresh_is 1
on bob@client "cluster-login ssh emr-user@$leaf -- id -un"
expect_refused $leaf revoked_account
on root@$leaf 'cat /run/cluster-login/metrics.prom'
expect_text '^cluster_login_fetch_failures_total\{reason="unavailable"\} [1-9]' 'failures are counted by reason'
if command -v promtool >/dev/null; then
	expect 'promtool takes the metrics' bash -c 'promtool check metrics <"$0"' "$(host_path $leaf /run/cluster-login/metrics.prom)"
fi
