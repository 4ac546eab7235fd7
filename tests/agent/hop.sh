#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The hop socket of a real agent: OpenSSH's own client of agents, rubbish, a killed process, and a node that does not vouch (THREATS.md I1, I2).
# shellcheck disable=SC2317
set -u
# shellcheck source=tests/agent/lib.sh
. "$(dirname "$0")/lib.sh"

SOCK=$RUN/hop.sock
hop_pid() {
	pgrep -P "$AGENT_PID" agentd-hop
}
for_everybody() {
	[ "$(stat -c '%F %a' "$SOCK")" = 'socket 666' ]
}
# as USER: what ssh-add says; 1 and "no identities" is what an agent without any gives.
nothing_for() {
	local said status
	said=$(setpriv --reuid "$1" --regid "$1" --clear-groups env SSH_AUTH_SOCK="$SOCK" ssh-add -L 2>&1)
	status=$?
	echo "$said"
	[ "$status" -eq 1 ] && [ "$said" = 'The agent has no identities.' ]
}

ok 'a cluster' cluster_make
ok 'joined' join "$STATE" core-1-1 10.9.0.1
ok '--check' status_is 0 agent --check
ok 'it says that sessions may go on' grep -q 'may go on to other nodes' "$WORK/said"
agent_start
ok 'contact' eventually logged 'in contact'
ok 'the socket is there, for everybody' eventually for_everybody
ok 'ssh-add -L as root: nothing' eventually nothing_for 0
ok 'as somebody: nothing' nothing_for 4711
no_adding() {
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/key" && ! SSH_AUTH_SOCK=$SOCK ssh-add "$WORK/key" && ! SSH_AUTH_SOCK=$SOCK ssh-add -D && nothing_for 4711
}
ok 'a key cannot be added, nor all be removed' no_adding
sandboxed() {
	local pid
	pid=$(hop_pid)
	grep -q 'NoNewPrivs:.*1' "/proc/$pid/status" && grep -q 'Seccomp:.*2' "/proc/$pid/status" && grep -q 'CapEff:.*0000000000000000' "/proc/$pid/status" &&
		[ "$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")" -ne 0 ]
}
ok 'its process is in its sandbox' eventually sandboxed
rubbish() {
	python3 - "$SOCK" <<-'END'
		import socket, sys
		for bad in (b"\0\0\0\0", b"\xff" * 8, b"GET / HTTP/1.1\r\n\r\n", b"\0\1\0\0" + b"x" * 65536):
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(sys.argv[1])
		    try:
		        s.sendall(bad)
		        s.settimeout(60)
		        assert s.recv(1) == b""
		    except (BrokenPipeError, ConnectionResetError):
		        pass
	END
}
ok 'what is no request ends its connection' rubbish
ok 'and nothing else' nothing_for 4711
again() {
	local pid
	pid=$(hop_pid)
	kill -KILL "$pid"
	eventually logged 'the hop process has ended \(signal 9\): it is started again' && eventually hop_pid && [ "$(hop_pid)" != "$pid" ] && eventually nothing_for 4711 && kill -0 "$AGENT_PID"
}
ok 'killed, it is started again, and the rest stays' again
metrics() {
	grep -q '^cluster_login_hop_vouched_total 0$' "$RUN/metrics.prom" && grep -q '^cluster_login_hop_refused_total 0$' "$RUN/metrics.prom"
}
ok 'metrics' eventually metrics
ok 'SIGTERM: 0' status_is 0 agent_stop
ok 'the socket has gone' test ! -e "$SOCK"

missing() {
	mv "$STATE/hop.key" "$WORK/hop.key"
	status_is 78 agent --check && grep -q 'hop.key' "$WORK/said"
}
ok 'without its key --check says so: 78' missing
mv "$WORK/hop.key" "$STATE/hop.key"
echo 'hop = no' >>"$CONF"
agent_start
ok 'hop = no: contact' eventually logged 'in contact'
none() {
	[ ! -e "$SOCK" ] && ! hop_pid && ! grep -q hop "$RUN/metrics.prom"
}
ok 'no socket, no process, no metrics' eventually none
ok 'SIGTERM at the end: 0' status_is 0 agent_stop
finish
