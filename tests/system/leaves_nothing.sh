#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo leaves nothing behind: no process of those that ran, no mount, interface or file; after an end, a failure half-way, ^C, TERM and KILL. As root.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

cat >"$work/sleeps.sh" <<'STEP'
step 'a host that would stay'
hosts_start node=10.77.0.11
sshd_start node
: >"$READY"
sleep 300
STEP
cat >"$work/fails.sh" <<'STEP'
step 'a failure half-way'
hosts_start node=10.77.0.11
: >"$READY"
until [[ -e $SEEN ]]; do sleep 0.05; done
false
STEP
cat >"$work/ends.sh" <<'STEP'
step 'an assertion that does not hold'
hosts_start node=10.77.0.11
: >"$READY"
until [[ -e $SEEN ]]; do sleep 0.05; done
on root@node 'exit 3'
expect_ok
STEP
# The host is up; all its processes have been seen: it may end.
export READY=$work/ready SEEN=$work/seen
failed=0

# What of ours could be left in files, mounts and interfaces.
state() {
	grep -E 'cluster-demo|/hosts/' /proc/self/mounts
	find /sys/class/net -name 'cluster*' -o -name 'v[0-9]*' -o -name 'demo*'
	find "$work/tmp" /mnt /media /srv /run/netns -mindepth 1 -maxdepth 1 2>/dev/null
	sha256sum /etc/passwd /etc/shadow /etc/group /etc/nsswitch.conf /etc/pam.d/* /etc/ssh/* 2>/dev/null
}

# "pid start-time" of a process and of all that descend from it, in all namespaces.
family() {
	local pid child
	for pid; do
		printf '%s %s\n' "$pid" "$(started "$pid")"
		# shellcheck disable=SC2013
		for child in $(cat "/proc/$pid/task"/*/children 2>/dev/null); do
			family "$child"
		done
	done
}

started() {
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

nobody_left() {
	local pid start
	while read -r pid start; do
		[[ -z $start || $(started "$pid") != "$start" ]] || return 1
	done <"$work/family"
}

# Polls: the kernel takes a moment to take namespaces apart.
same_as_before() {
	local try
	for try in {1..600}; do
		state >"$work/after"
		cmp -s "$work/before" "$work/after" && nobody_left && return 0
		sleep 0.05
	done
	echo "# after $try looks:"
	diff "$work/before" "$work/after" | sed 's/^/# /'
	nobody_left || echo '# processes are left'
	return 1
}

# NAME STEP-FILE EXPECTED-STATUS [SIGNAL]
try() {
	local name=$1 file=$2 expected=$3 signal=${4-} pid status=0
	rm -f "$READY" "$SEEN"
	: >"$work/family"
	# a shell's job in the background ignores SIGINT: give it back, as a terminal would
	TMPDIR=$work/tmp env --default-signal=INT packaging/demo/run --quiet "$work/$file" >"$work/out" 2>&1 &
	pid=$!
	until [[ -e $READY ]]; do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.02
	done
	family "$pid" >"$work/family" 2>/dev/null
	: >"$SEEN"
	[[ -z $signal ]] || kill "-$signal" "$pid"
	wait "$pid" 2>/dev/null || status=$?
	if [[ $status -ne $expected || ! -e $READY || $(wc -l <"$work/family") -lt 4 ]]; then
		echo "not ok - $name: exit status $status, expected was $expected after the host is up"
		sed 's/^/# /' "$work/out"
		failed=1
	elif same_as_before; then
		echo "ok - $name"
	else
		echo "not ok - $name: something is left"
		failed=1
	fi
}

mkdir "$work/tmp"
state >"$work/before"
echo 1..6
try 'a failed assertion' ends.sh 1
try 'a failure half-way' fails.sh 1
try 'interrupted' sleeps.sh 130 INT
try 'terminated' sleeps.sh 143 TERM
try 'hung up' sleeps.sh 129 HUP
try 'killed' sleeps.sh 137 KILL
exit "$failed"
