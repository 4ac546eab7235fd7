# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What is measured, for the table at the end.

MEASURED=() WORST=0

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

# One round: opens a session, revokes, waits for the end of everything; leaves the milliseconds from acknowledgement to the last of them in MS.
measure_revocation() {
	local acknowledged node jobs=() number last=0 t
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
	for t in "$(<"$TOP/sessions/round.ended")" "$(<"$TOP/refused.master-1-1")" "$(<"$TOP/refused.core-1-1")" "$(<"$TOP/refused.task-1-1")"; do
		t=$(((${t/./} - ${acknowledged/./}) / 1000))
		((t <= last)) || last=$t
	done
	number=$(grep -o '"seq": *[0-9]*' "$TOP/revoked.json" | grep -o '[0-9]*$')
	host_run authority cluster-login unrevoke "$number" >/dev/null 2>&1
	cast_settled
	MS=$last
}

# Sets WORST and adds a line to the table.
measure_revocations() {
	local n=$1 i all=()
	for ((i = 0; i < n; i++)); do
		measure_revocation
		all+=("$MS")
		((MS <= WORST)) || WORST=$MS
	done
	[[ -n $DEMO_QUIET ]] || printf '    %s ms\n' "${all[*]}"
	MEASURED+=("$(printf '%-60s worst of %d: %d ms, median %d ms' 'acknowledged -> refused on 3 nodes and session ended' "$n" "$WORST" \
		"$(printf '%s\n' "${all[@]}" | sort -n | sed -n "$((n / 2 + 1))p")")")
}
