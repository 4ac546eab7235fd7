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
}

# Starts a daemon in the background, with a log of its own for what it does not send to syslog.
daemon_start() {
	local host=$1 name=$2
	shift 2
	{ host_run "$host" bash -c 'exec setsid "$@" >>"/var/log/$0.log" 2>&1 </dev/null' "$name" "$@"; } 2>/dev/null &
}

agent_start() {
	daemon_start "$1" cluster-agentd cluster-agentd
	expect_quietly 5000 host_run "$1" test -S /run/cluster-login/agent.sock
}

authority_start() {
	daemon_start "$1" cluster-authorityd cluster-authorityd serve
	expect_quietly 5000 host_run "$1" test -S /run/cluster-login/authority.sock
}

authority_kill() {
	host_run "$1" pkill -KILL -x cluster-authori
}

explains_yes() {
	host_run "$1" cluster-login explain --person "$2" --account "$3" >/dev/null 2>&1
}

explains_no() {
	! explains_yes "$@"
}

agent_kill() {
	host_run "$1" pkill -KILL -x cluster-agentd || true
	expect_quietly 5000 no_process "$1" cluster-agentd
}

no_process() {
	! host_run "$1" pgrep -x "$2" >/dev/null
}
