# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What is measured, for the table at the end.

MEASURED=() WORST=0 ENDED=0

# Logs on to node $1 as alice until that is refused; the time goes to the file $2.
measure_refusal() {
	local try
	for try in {1..50}; do
		if ! host_run_as alice client cluster-login ssh "emr-user@$1" -- true >/dev/null 2>&1 </dev/null; then
			echo "$EPOCHREALTIME" >"$2"
			return
		fi
	done
	echo "never refused in $try tries" >"$2"
}

# Milliseconds between two times.
ms_between() {
	echo $(((${2/./} - ${1/./}) / 1000))
}

# One round: opens a session, revokes, waits for the end of everything. Milliseconds from the acknowledgement to the end of the session in ENDED, to the last refusal in REFUSED.
measure_revocation() {
	local acknowledged node jobs=() number ms
	session_open round alice emr-user@master-1-1 'echo up; sleep 86400'
	expect_quietly 5000 session_up round
	host_run authority cluster-login revoke person alice --json >"$TOP/revoked.json"
	acknowledged=$EPOCHREALTIME
	for node in "${NODES[@]}"; do
		measure_refusal "$node" "$TOP/refused.$node" &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	expect_quietly 5000 session_ended round
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

# Sets WORST and adds lines to the table.
measure_revocations() {
	local n=$1 i ended=() refused=()
	for ((i = 0; i < n; i++)); do
		measure_revocation
		ended+=("$ENDED")
		refused+=("$REFUSED")
	done
	if [[ -z $DEMO_QUIET ]]; then
		printf '    the session had ended after    %s ms\n' "${ended[*]}"
		printf '    a login begun at the acknowledgement was refused on all nodes after    %s ms\n' "${refused[*]}"
	fi
	WORST=$(worst "${ended[@]}" "${refused[@]}")
	MEASURED+=("$(printf '%-76s worst of %d: %4d ms, median %4d ms' 'revocation acknowledged -> open session ended' "$n" "$(worst "${ended[@]}")" "$(median "${ended[@]}")")")
	MEASURED+=("$(printf '%-76s worst of %d: %4d ms, median %4d ms' 'revocation acknowledged -> login refused on 3 nodes, the login itself included' "$n" \
		"$(worst "${refused[@]}")" "$(median "${refused[@]}")")")
}
