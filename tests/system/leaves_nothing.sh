#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo leaves nothing behind: after an end, a failure half-way, ^C, TERM and KILL. As root.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

cat >"$work/sleeps.sh" <<'STEP'
step 'a host that would stay'
hosts_start node=10.77.0.11
sshd_start node
: >"$READY"
sleep 60
STEP
cat >"$work/fails.sh" <<'STEP'
step 'a failure half-way'
hosts_start node=10.77.0.11
: >"$READY"
false
STEP
cat >"$work/ends.sh" <<'STEP'
step 'an assertion that does not hold'
hosts_start node=10.77.0.11
: >"$READY"
on root@node 'exit 3'
expect_ok
STEP
export READY=$work/ready
failed=0

# What of ours could be left: mounts, interfaces, namespaces that are not our own, processes, files.
state() {
	sort /proc/self/mounts
	ls /sys/class/net
	# shellcheck disable=SC2009
	ps -e -o args= | grep -E 'cluster-demo|cluster\.sh|host-root\.sh|sshd: /usr/sbin/sshd' | grep -v grep
	ls -d /tmp/cluster-demo* /mnt/* /media/* /srv/* /run/netns/* 2>/dev/null
	sha256sum /etc/passwd /etc/shadow /etc/group /etc/nsswitch.conf /etc/pam.d/* /etc/ssh/* 2>/dev/null
}

# Polls: the kernel takes a moment to take namespaces apart.
same_as_before() {
	local try
	for try in {1..100}; do
		state >"$work/after"
		cmp -s "$work/before" "$work/after" && return 0
		sleep 0.05
	done
	echo "after $try looks:"
	diff "$work/before" "$work/after"
	return 1
}

# NAME STEP-FILE EXPECTED-STATUS [SIGNAL]
try() {
	local name=$1 file=$2 expected=$3 signal=${4-} pid status=0
	rm -f "$READY"
	# a shell's job in the background ignores SIGINT: give it back, as a terminal would
	env --default-signal=INT packaging/demo/run --quiet "$work/$file" >"$work/out" 2>&1 &
	pid=$!
	if [[ -n $signal ]]; then
		until [[ -e $READY ]]; do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.05
		done
		kill "-$signal" "$pid"
	fi
	wait "$pid" 2>/dev/null || status=$?
	if [[ $status -ne $expected || ! -e $READY ]]; then
		echo "not ok: $name: exit status $status, expected was $expected after the host is up"
		cat "$work/out"
		failed=1
	elif same_as_before; then
		echo "ok: $name"
	else
		echo "not ok: $name: something is left"
		failed=1
	fi
}

state >"$work/before"
try 'a failed assertion' ends.sh 1
try 'a failure half-way' fails.sh 1
try 'interrupted' sleeps.sh 130 INT
try 'terminated' sleeps.sh 143 TERM
try 'hung up' sleeps.sh 129 HUP
try 'killed' sleeps.sh 137 KILL
exit "$failed"
