# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Sessions that stay open in the background, and when they ended.

# What makes plain ssh answer the challenge, for the command lines that are shown.
# shellcheck disable=SC2016
ENV='eval "$(cluster-login env)"'

# session_open NAME PERSON SSH-ARGUMENT...: an ssh of that person on the client. Output in $TOP/sessions/NAME.out, the time of its end in NAME.ended.
session_open() {
	local person=$2 file=$TOP/sessions/$1
	shift 2
	mkdir -p "$TOP/sessions"
	rm -f "$file".*
	: >"$file.out"
	{
		host_run_as "$person" client bash -c "$ENV"$'\nexec ssh "$@"' ssh "$@" >"$file.out" 2>&1 </dev/null || true
		echo "$EPOCHREALTIME" >"$file.new"
		mv "$file.new" "$file.ended"
	} &
}

# Its command has printed "up".
session_up() {
	grep -q '^up$' "$TOP/sessions/$1.out"
}

session_ended() {
	[[ -s $TOP/sessions/$1.ended ]]
}

# Milliseconds from the time $2 to the end of session $1.
session_ended_after() {
	local ended
	ended=$(<"$TOP/sessions/$1.ended")
	echo $(((${ended/./} - ${2/./}) / 1000))
}

# A connection through the forwarded port of the client reaches an sshd.
forward_works() {
	host_run client timeout 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1 && read -r -t 10 line <&3 && [[ \$line == SSH-2.0* ]]" 2>/dev/null
}

forward_dead() {
	! forward_works "$1"
}

# node_records NODE COUNT: so many sessions have a record there.
node_records() {
	[[ $(host_run "$1" bash -c 'ls /run/cluster-login/sessions | wc -l') == "$2" ]]
}

# node_runs NODE PATTERN: a process with such a command line is there.
node_runs() {
	host_run "$1" pgrep -f -- "$2" >/dev/null
}

node_runs_not() {
	! node_runs "$1" "$2"
}
