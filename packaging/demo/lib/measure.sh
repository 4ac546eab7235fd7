# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2016
# What is measured, for the table at the end.

MEASURED=() WORST=0 HELD=0 ENDED=0 REFUSED=0

# Milliseconds between two times.
ms_between() {
	echo $(((${2/./} - ${1/./}) / 1000))
}

# A login as alice to node $1 that waits at the prompt; once released it is refused or, if the node has not heard yet, tried again. The time of the refusal goes to $TOP/refused.$1.
measure_refusal() {
	local try
	host_run_as alice client bash -c "$ENV"'
export WAIT_HELPER=$SSH_ASKPASS SSH_ASKPASS="$1" WAIT="$2"
exec ssh "$3" true' ssh "$TOOLS/askpass-wait" "/home/alice/wait/$1" "emr-user@$1" >/dev/null 2>&1 </dev/null || {
		echo "$EPOCHREALTIME" >"$TOP/refused.$1"
		return
	}
	for try in {1..50}; do
		host_run_as alice client cluster-login ssh "emr-user@$1" -- true >/dev/null 2>&1 </dev/null && continue
		echo "$EPOCHREALTIME" >"$TOP/refused.$1"
		return
	done
	echo "demo: never refused in $try tries" >&2
	return 1
}

measure_waiting() {
	local node
	for node in "${NODES[@]}"; do
		[[ -e $(host_path client "/home/alice/wait/$node.ready") ]] || return 1
	done
}

# Every node refused, for this reason, since the round began.
refused_everywhere() {
	local node
	for node in "${NODES[@]}"; do
		[[ -s $TOP/refused.$node ]] && log_since "$node" | grep -E 'event=(auth|account|session_open) result=refused reason=revoked_person' >/dev/null || return 1
	done
}

# One round: a session is open, and on each node a login stands at the prompt. Milliseconds from the acknowledgement of the revocation to the end of the session in
# ENDED, to the last refusal in REFUSED. Fails unless the session ended and every node refused.
measure_revocation() {
	local acknowledged node jobs=() number ms
	rm -f "$TOP"/refused.*
	log_marks
	host_run_as alice client bash -c 'rm -rf ~/wait; mkdir ~/wait; cd ~/wait; mkfifo "$@"' mkfifo "${NODES[@]}"
	session_open round alice emr-user@master-1-1 'echo up; sleep 86400'
	for node in "${NODES[@]}"; do
		measure_refusal "$node" &
		jobs+=($!)
	done
	expect_quietly 20000 session_up round
	expect_quietly 20000 measure_waiting
	host_run authority cluster-login revoke person alice --json >"$TOP/revoked.json"
	acknowledged=$EPOCHREALTIME
	for node in "${NODES[@]}"; do
		echo go >"$(host_path client "/home/alice/wait/$node")"
	done
	for node in "${jobs[@]}"; do
		wait "$node" || return 1
	done
	expect_quietly 20000 refused_everywhere
	expect_quietly 20000 session_ended round
	ENDED=$(session_ended_after round "$acknowledged") REFUSED=0
	for node in "${NODES[@]}"; do
		ms=$(ms_between "$acknowledged" "$(<"$TOP/refused.$node")")
		((ms <= REFUSED)) || REFUSED=$ms
	done
	number=$(grep -o '"seq": *[0-9]*' "$TOP/revoked.json" | grep -o '[0-9]*$')
	host_run authority cluster-login unrevoke "$number" >/dev/null 2>&1
	cast_settled
}

median() {
	printf '%s\n' "$@" | sort -n | sed -n "$(($# / 2 + 1))p"
}

worst() {
	printf '%s\n' "$@" | sort -n | tail -n 1
}

# Sets WORST, counts in HELD the rounds in which everything was refused and ended, and adds lines to the table.
measure_revocations() {
	local n=$1 i ended=() refused=()
	for ((i = 0; i < n; i++)); do
		measure_revocation
		HELD=$((HELD + 1))
		ended+=("$ENDED")
		refused+=("$REFUSED")
	done
	if [[ -z $DEMO_QUIET ]]; then
		printf '    the session had ended after    %s ms\n' "${ended[*]}"
		printf '    logins that stood at the prompt were refused on all nodes after    %s ms\n' "${refused[*]}"
	fi
	WORST=$(worst "${ended[@]}" "${refused[@]}")
	MEASURED+=("$(printf '%-76s worst of %d: %4d ms, median %4d ms' 'revocation acknowledged -> open session ended' "$n" "$(worst "${ended[@]}")" "$(median "${ended[@]}")")")
	MEASURED+=("$(printf '%-76s worst of %d: %4d ms, median %4d ms' 'revocation acknowledged -> logins at the prompt refused on 3 nodes' "$n" \
		"$(worst "${refused[@]}")" "$(median "${refused[@]}")")")
}
