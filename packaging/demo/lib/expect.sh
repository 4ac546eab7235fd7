# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Commands on hosts, and assertions about the last one.

STATUS=0 OUT='' MS=0 SHOWN='' LOG_LINES=''
declare -A LOG_MARK

# on USER@HOST COMMAND: shows and runs a command line; leaves STATUS, OUT (both streams) and MS.
on() {
	local who=${1%@*} host=${1#*@} sign='$'
	[[ $who != root ]] || sign='#'
	narrate_command "$1" "$sign" "$2"
	off "$1" "$2"
	[[ -z $OUT ]] || narrate_output <<<"$OUT"
}

# The same without showing it.
off() {
	local who=${1%@*} host=${1#*@} started
	SHOWN=$2
	log_marks
	STATUS=0 started=$EPOCHREALTIME
	if [[ $who == root ]]; then
		host_run "$host" bash -c "$2" >"$TOP/out" 2>&1 </dev/null || STATUS=$?
	else
		host_run_as "$who" "$host" bash -c "$2" >"$TOP/out" 2>&1 </dev/null || STATUS=$?
	fi
	MS=$(ms_since "$started")
	OUT=$(tr -d '\0\r' <"$TOP/out")
}

# Preparation that has to succeed, or the demo cannot go on.
must() {
	on "$@"
	must_have_worked
}

must_quietly() {
	off "$@"
	must_have_worked
}

must_have_worked() {
	((STATUS == 0)) && return
	printf '%s\n' "$SHOWN" "$OUT" >&2
	return 1
}

log_marks() {
	local name
	for name in "${HOSTS[@]}"; do
		LOG_MARK[$name]=$(stat -c %s "$(host_path "$name" /var/log/cluster.log)" 2>/dev/null || echo 0)
	done
}

# What the host logged since the last command began.
log_since() {
	tail -c "+$((LOG_MARK[$1] + 1))" "$(host_path "$1" /var/log/cluster.log)"
}

failed_because() {
	narrate_fail "$1"
	{
		[[ -z $DEMO_QUIET ]] || printf '%s\n' "$SHOWN" "$OUT"
		host_logs 6
	} | sed 's/^/#     /'
}

expect_ok() {
	if ((STATUS == 0)); then
		narrate_pass "${1:-exit status 0} (${MS} ms)"
	else
		failed_because "${1:-exit status 0}: it was $STATUS"
	fi
}

expect_status() {
	if ((STATUS == $1)); then
		narrate_pass "${2:-exit status $1}"
	else
		failed_because "${2:-exit status $1}: it was $STATUS"
	fi
}

# expect_text REGEX [SENTENCE]
expect_text() {
	if grep -Eq -- "$1" <<<"$OUT"; then
		narrate_pass "${2:-says \"$1\"}"
	else
		failed_because "${2:-says \"$1\"}: it did not"
	fi
}

expect_no_text() {
	if grep -Eq -- "$1" <<<"$OUT"; then
		failed_because "${2:-does not say \"$1\"}: it did"
	else
		narrate_pass "${2:-does not say \"$1\"}"
	fi
}

# expect_log HOST REGEX [SENTENCE]: soon, since the last command began.
expect_log() {
	if within 10000 log_has "$1" "$2"; then
		narrate_pass "${3:-$1 logged it}"
		[[ -n $DEMO_QUIET ]] || printf '      %s%s%s\n' "$DIM" "${LOG_LINES%%$'\n'*}" "$PLAIN"
	else
		failed_because "${3:-$1 logged $2}: not found after $MS ms"
	fi
}

log_has() {
	LOG_LINES=$(log_since "$1" | grep -E -- "$2")
}

# expect_refused NODE REASON: the command failed, and that node's log says why.
expect_refused() {
	if ((STATUS == 0)); then
		failed_because "refused on $1 ($2): it was let in"
		return
	fi
	expect_log "$1" "pam_cluster.*\b$2\b" "refused on $1: $2"
}

# expect SENTENCE COMMAND ARG...: the command, out here, succeeds.
expect() {
	local sentence=$1
	shift
	if "$@"; then
		narrate_pass "$sentence"
	else
		failed_because "$sentence: no"
	fi
}

# within MILLISECONDS COMMAND ARG...: polls until the command succeeds; leaves the time in MS. The limit is what a machine needs that is not in a hurry; a slow one gets PATIENCE
# times as long, which costs nothing where the command succeeds. The command is no pipe into grep -q: that may end the one before it too early to have succeeded.
PATIENCE=${PATIENCE:-4}
within() {
	local limit=$(($1 * PATIENCE)) started=$EPOCHREALTIME
	shift
	until "$@"; do
		MS=$(ms_since "$started")
		((MS < limit)) || return 1
		sleep 0.01
	done
	MS=$(ms_since "$started")
}
