# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Daemons of a host, started as its service manager would start them.

# Fresh host keys and Debian's sshd on port 22, on all the hosts named.
sshd_start() {
	local host jobs=()
	for host; do
		host_run "$host" bash -c 'ssh-keygen -q -A >/dev/null && exec /usr/sbin/sshd' &
		jobs+=($!)
	done
	for host in "${jobs[@]}"; do
		wait "$host"
	done
	for host; do
		expect_quietly 20000 sshd_listens "$host"
	done
}

# It goes into the background first, and writes its pid when it listens.
sshd_listens() {
	host_run "$1" test -s /run/sshd.pid
}

# unit_start HOST UNIT: runs ExecStart of the installed unit with the unit's capabilities and no way to more, as a service manager would.
unit_start() {
	local file caps=-all c
	file=$(host_path "$1" "/usr/lib/systemd/system/$2.service")
	# shellcheck disable=SC2013
	for c in $(sed -n 's/^CapabilityBoundingSet=//p' "$file"); do
		c=${c#CAP_}
		caps+=,+${c,,}
	done
	{
		host_run "$1" bash -c 'exec >>"/var/log/$0.log" 2>&1 </dev/null && exec setsid setpriv --no-new-privs --inh-caps=-all --bounding-set="$1" --groups="$2" $3' \
			"$2" "$caps" "$(sed -n 's/^SupplementaryGroups=//p' "$file" | grep . || echo root)" "$(sed -n 's/^ExecStart=//p' "$file")"
	} 2>/dev/null &
}

agent_start() {
	unit_start "$1" cluster-agentd
	expect_quietly 60000 agent_listens "$1"
}

authority_start() {
	unit_start "$1" cluster-authorityd
	expect_quietly 60000 authority_answers "$1"
}

# The socket's name is no sign: it outlives a daemon that was killed.
agent_listens() {
	host_run "$1" bash -c '[[ -n $(ss -Hlx src "$0") ]]' /run/cluster-login/agent.sock
}

authority_answers() {
	host_run "$1" cluster-login status >/dev/null 2>&1
}

authority_kill() {
	host_run "$1" pkill -KILL -x cluster-authori
	expect_quietly 60000 no_process "$1" cluster-authori
}

explains_yes() {
	host_run "$1" cluster-login explain --person "$2" --account "$3" >/dev/null 2>&1
}

explains_no() {
	! explains_yes "$@"
}

# Its helpers go a moment after it, and have its lock and its ports until then.
agent_kill() {
	host_run "$1" pkill -KILL -x cluster-agentd || true
	expect_quietly 60000 no_process "$1" agentd
}

# no_process HOST NAME: none has this in its name.
no_process() {
	! host_run "$1" pgrep -- "$2" >/dev/null
}
