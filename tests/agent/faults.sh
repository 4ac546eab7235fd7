#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The agent against a real authority, and against what goes wrong: a lost authority, kill -9, a full disk, restored copies, damage, wrong pins
# (THREATS.md H1, H2, H8, D3, I1).
# shellcheck disable=SC2317
set -u
# shellcheck source=tests/agent/lib.sh
. "$(dirname "$0")/lib.sh"

at_head() {
	[ "$(head_version)" -ge "$1" ]
}
newest() {
	admin status --json | grep -o '"head": *[0-9]*' | grep -o '[0-9]*$'
}
is_current() {
	at_head "$(newest)"
}
contact() {
	eventually logged 'in contact'
}
children() {
	pgrep -P "$AGENT_PID"
}
# Or nothing of it but its entry: who has taken it in may not look after it.
no_process() {
	! grep -q '^State:[[:space:]]*[^Z]' "/proc/$1/status"
}
account() {
	admin account add "$1" >/dev/null
}

mkdir "$WORK/state"
mount -t tmpfs -o size=1m,mode=755 tmpfs "$WORK/state" || exit 1

# --- before anything ---
ok 'not joined: 78 and what to do' status_is 78 agent --foreground
ok 'the sentence names the command' grep -q 'cluster-login join' "$WORK/said"
ok 'a cluster' cluster_make
ok 'joined' join "$STATE" core-1-1 10.9.0.1
ok '--check' status_is 0 agent --check

wrong_user() {
	sed 's/^user = .*/user = no-such-user/' "$CONF" >"$WORK/wrong.conf"
	status_is 78 "$BUILD/cluster-agentd" --config "$WORK/wrong.conf" --foreground && grep -q 'no-such-user' "$WORK/said"
}
ok 'a missing user: 78, named' wrong_user

# --- once ---
ok '--once puts the first set in place' status_is 0 agent --once
ok 'generation 1' test "$(generation)" -eq 1
once_offline() {
	authority_stop
	status_is 69 agent --once && grep -q 127.0.0.1 "$WORK/said" && authority_start
}
ok '--once without an authority: 69, its address named' once_offline

wrong_pin() {
	cp -r "$STATE" "$WORK/wrong" && rm -rf "$WORK/wrong"/{gen,docs,fresh,generation}
	sed -i "s/^pin = .*/pin = sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/" "$WORK/wrong/enrolled"
	sed "s|^state = .*|state = $WORK/wrong|; s|^run = .*|run = $WORK/run2|" "$CONF" >"$WORK/wrong.conf"
	"$BUILD/cluster-agentd" --config "$WORK/wrong.conf" --once && return 1
	[ ! -e "$WORK/wrong/fresh" ]
}
ok 'a wrong pin: nothing is put in place' wrong_pin

# --- running ---
agent_start
ok 'contact' contact
second_agent() {
	status_is 75 agent --foreground && grep -q 'another cluster-agentd' "$WORK/said"
}
ok 'a second agent for the same state: 75' second_agent
ok 'the first is still there' kill -0 "$AGENT_PID"
unprivileged() {
	local pid
	[ "$(children | wc -l)" -eq 4 ] || return 1
	for pid in $(children); do
		[ "$(stat -c %U "/proc/$pid")" != root ] || [ "$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")" -ne 0 ] || return 1
		grep -q 'NoNewPrivs:.*1' "/proc/$pid/status" || return 1
		grep -q 'CapEff:.*0000000000000000' "/proc/$pid/status" || return 1
	done
	[ "$(cat /proc/[0-9]*/status 2>/dev/null | awk '/^Name:/ { n = $2 } /^PPid:/ { p = $2 } /^Seccomp:/ && $2 == 2 && (n == "agentd-trust" || n == "agentd-hop") && p == '"$AGENT_PID"' { print }' | wc -l)" -eq 2 ]
}
ok 'four helpers, not root, without capabilities; trust and hop behind their filters' eventually unprivileged

follow() {
	admin user add alice --role ops >/dev/null && account emr-user && admin grant add --role ops --account emr-user >/dev/null && eventually is_current
}
ok 'changes arrive' follow
ok 'revoke --wait: the node proves it' status_is 0 admin revoke person alice --wait
ok 'and has it' eventually is_current

# --- the authority goes and comes ---
lost() {
	authority_stop
	eventually logged "$URL: .*(cannot reach|Connection|closed)" && kill -0 "$AGENT_PID" && [ -r "$STATE/gen/$(generation)/trust.snap" ]
}
ok 'without an authority it stays, and says so' lost
back() {
	: >"$AGENT_LOG"
	authority_start
	contact && account back-again && eventually is_current
}
ok 'it finds it again by itself' back

# --- restarts ---
ok 'SIGTERM: 0' status_is 0 agent_stop
nothing_left() {
	! pgrep -f -- "--config $CONF" && [ ! -e "$RUN/agent.sock" ]
}
ok 'no process and no socket is left' nothing_left
restart_offline() {
	local before
	before=$(generation)
	authority_stop
	agent_start
	eventually logged "$URL: " && [ "$(generation)" -eq "$before" ]
}
ok 'a restart without an authority keeps the generation' restart_offline
damage() {
	local before
	agent_stop
	before=$(generation)
	printf 'x' | dd of="$STATE/gen/$before/trust.snap" bs=1 seek=200 conv=notrunc 2>/dev/null
	rm "$STATE/gen/$before/accounts.snap"
	agent_start
	eventually logged 'generation [0-9]+: head' && [ "$(generation)" -gt "$before" ] && [ -s "$STATE/gen/$(generation)/accounts.snap" ]
}
ok 'damaged snapshots are made again from the documents on disk' damage
authority_start
ok 'contact again' contact

killed() {
	local pids pid
	pids=$(children)
	kill -KILL "$AGENT_PID"
	wait "$AGENT_PID" 2>/dev/null
	for pid in $pids; do
		eventually no_process "$pid" || return 1
	done
	agent_start
	contact && eventually is_current
}
ok 'kill -9: its helpers go with it, and it starts again' killed
helper_killed() {
	eventually pgrep -P "$AGENT_PID" -x agentd-trust || return 1
	kill -KILL "$(pgrep -P "$AGENT_PID" -x agentd-trust)"
	wait "$AGENT_PID"
	[ $? -eq 70 ] && logged 'process has ended \(signal 9\)' && AGENT_PID=
}
ok 'a helper dies: the agent says which and how, and ends with 70' helper_killed
agent_start
ok 'contact after that' contact

# --- local accounts ---
collision() {
	account carol && eventually is_current || return 1
	echo 'carol:x:4711:4711::/home/carol:/bin/sh' >>"$WORK/passwd"
	eventually logged 'account carol of the directory is left out'
}
ok 'a local account of the same name appears: the directory yields' collision

# --- a full disk ---
# Between two tries.
as_before() {
	[ "$(generation)" -eq "$1" ] && [ -s "$STATE/gen/$1/trust.snap" ] && [ ! -e "$STATE/gen/$(($1 + 1))" ] && [ -z "$(find "$STATE" -name '*.tmp')" ]
}
full() {
	local before
	before=$(generation)
	dd if=/dev/zero of="$WORK/state/ballast" bs=4096 2>/dev/null
	account no-room
	eventually logged 'cannot be put in place.*No space left' || return 1
	eventually as_before "$before"
}
ok 'a full disk: an error, the old set, no residue' full
room() {
	rm "$WORK/state/ballast"
	eventually is_current
}
ok 'room again: it goes on by itself' room

# --- restored copies ---
older_node() {
	agent_stop
	rm -rf "$WORK/copy"
	cp -a "$STATE" "$WORK/copy"
	agent_start
	contact && account later && eventually is_current && agent_stop || return 1
	# the documents of the day before under the `fresh` of today
	rm -rf "$STATE/docs" && cp -a "$WORK/copy/docs" "$STATE/docs"
	agent_start
	eventually logged 'not used: .*older than' && contact && eventually is_current
}
ok 'an older copy of the documents is refused, and the new ones fetched' older_node
older_authority() {
	local before
	admin status --json >"$WORK/status"
	authority_stop
	rm -rf "$WORK/authority.copy"
	cp -a "$WORK/authority" "$WORK/authority.copy"
	authority_start
	account one && account two && account three && eventually is_current || return 1
	authority_stop
	before=$(head_version)
	rm -rf "$WORK/authority" && cp -a "$WORK/authority.copy" "$WORK/authority"
	: >"$AGENT_LOG"
	authority_start
	eventually logged 'head is refused: .*went back' && at_head "$before"
}
ok 'an authority restored from an older copy is refused, and said to be' older_authority

ok 'SIGTERM at the end: 0' status_is 0 agent_stop
finish
