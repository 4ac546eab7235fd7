# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the reader sees: numbered steps, commands as they were typed, their output, assertions, timings.

STEP=0 PASSED=0 FAILED=0
STEP_STARTED=0 STEP_TITLE='' DEMO_STARTED=$EPOCHREALTIME
TIMINGS=()

if [[ -t 1 && -z ${NO_COLOR-} ]]; then
	BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' BLUE=$'\e[34m' PLAIN=$'\e[0m'
else
	BOLD='' DIM='' GREEN='' RED='' BLUE='' PLAIN=''
fi

# Milliseconds since the epoch value $1.
ms_since() {
	local now=$EPOCHREALTIME
	echo $(((${now/./} - ${1/./}) / 1000))
}

step() {
	step_done
	STEP=$((STEP + 1)) STEP_TITLE=$1 STEP_STARTED=$EPOCHREALTIME
	[[ -n $DEMO_QUIET ]] || printf '\n%s%2d  %s%s\n' "$BOLD" "$STEP" "$1" "$PLAIN"
}

step_done() {
	((STEP == 0)) || TIMINGS+=("$(printf '%2d  %-108s %7d ms' "$STEP" "$STEP_TITLE" "$(ms_since "$STEP_STARTED")")")
}

say() {
	[[ -n $DEMO_QUIET ]] || printf '    %s%s%s\n' "$DIM" "$1" "$PLAIN"
}

# A command line as it was typed; lines after the first are indented.
narrate_command() {
	[[ -n $DEMO_QUIET ]] || printf '    %s%s%s%s %s\n' "$BLUE" "$1" "$2" "$PLAIN" "${3//$'\n'/$'\n'      }"
}

narrate_output() {
	[[ -n $DEMO_QUIET ]] || sed 's/^/    /'
}

# With --quiet the assertions are all there is, in TAP.
narrate_pass() {
	PASSED=$((PASSED + 1))
	if [[ -n $DEMO_QUIET ]]; then
		printf 'ok %d - %s\n' "$((PASSED + FAILED))" "$1"
	else
		printf '    %s✓%s %s\n' "$GREEN" "$PLAIN" "$1"
	fi
}

narrate_fail() {
	FAILED=$((FAILED + 1))
	if [[ -n $DEMO_QUIET ]]; then
		printf 'not ok %d - %s\n' "$((PASSED + FAILED))" "$1"
	else
		printf '    %s✗ %s%s\n' "$RED" "$1" "$PLAIN"
	fi
}

# narrate_skip WHAT WHY: neither passed nor failed, and named.
narrate_skip() {
	printf '# skip: %s: %s\n' "$1" "$2"
}

# The demo itself could not go on.
demo_failed() {
	trap - ERR
	((BASH_SUBSHELL == 0)) || exit 1
	printf '\n%sdemo: step %d "%s" stopped at line %s: %s%s\n' "$RED" "$STEP" "$STEP_TITLE" "$1" "$2" "$PLAIN" >&2
	host_logs >&2
	exit 1
}

narrate_end() {
	step_done
	if [[ -n $DEMO_QUIET ]]; then
		((${#MEASURED[@]} == 0)) || printf '# %s\n' "${MEASURED[@]}"
		printf '1..%d\n' "$((PASSED + FAILED))"
		return
	fi
	printf '\n%sTimings%s\n' "$BOLD" "$PLAIN"
	printf '    %s\n' "${TIMINGS[@]}"
	printf '    %-112s %7d ms\n' '    all' "$(ms_since "$DEMO_STARTED")"
	if ((${#MEASURED[@]})); then
		printf '\n%sMeasured%s\n' "$BOLD" "$PLAIN"
		printf '    %s\n' "${MEASURED[@]}"
	fi
	printf '\n%sVersions%s\n' "$BOLD" "$PLAIN"
	narrate_versions | sed 's/^/    /'
	printf '\n%d assertions held, %d failed\n' "$PASSED" "$FAILED"
}

narrate_versions() {
	printf '%-14s %s\n' system "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), Linux $(uname -r)"
	printf '%-14s %s\n' ssh "$(ssh -V 2>&1)"
	printf '%-14s %s\n' libpam "$(dpkg-query -W -f='${Version}' libpam0g 2>/dev/null)"
	printf '%-14s %s\n' glibc "$(dpkg-query -W -f='${Version}' libc6 2>/dev/null)"
	printf '%-14s %s\n' cluster-login "$("$TOP/installed/usr/bin/cluster-login" --version 2>/dev/null | head -n 1)"
}
