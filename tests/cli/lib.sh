# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by the tests of this folder: an authority on loopback, and cases in TAP.
set -u
: "${BUILD:=$PWD/build/release}"
work=$(mktemp -d /tmp/cluster-cli-XXXXXX)
authority_pid=
n_cases=0
n_failed=0
export BUILD CLUSTER_LOGIN_HOME=$work/home
unset SSH_ASKPASS_PROMPT SSH_AUTH_SOCK NO_COLOR

cleanup() {
	if [ -n "$authority_pid" ]; then
		kill "$authority_pid" 2>/dev/null
		wait "$authority_pid" 2>/dev/null
	fi
	rm -rf "$work"
}
trap cleanup EXIT

login() {
	"$BUILD/cluster-login" "$@"
}

# The administrator's side.
admin() {
	login "$@" --socket "$work/admin.sock"
}

# pass|fail TEXT
case_is() {
	n_cases=$((n_cases + 1))
	if [ "$1" = pass ]; then
		echo "ok $n_cases - $2"
		return
	fi
	n_failed=$((n_failed + 1))
	echo "not ok $n_cases - $2"
	sed 's/^/# /' "$work/out" "$work/err" 2>/dev/null
}

# run COMMAND...: sets status, $work/out, $work/err
run() {
	"$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
}

# expect STATUS TEXT COMMAND...
expect() {
	local want=$1 text=$2
	shift 2
	run "$@"
	if [ "$status" -eq "$want" ]; then case_is pass "$text"; else case_is fail "$text: exit status $status, not $want"; fi
}

# says FILE REGEX TEXT: out or err of the last run
says() {
	if grep -Eq -- "$2" "$work/$1"; then case_is pass "$3"; else case_is fail "$3: $1 has no \"$2\""; fi
}

says_not() {
	if grep -Eq -- "$2" "$work/$1"; then case_is fail "$3: $1 has \"$2\""; else case_is pass "$3"; fi
}

# holds TEXT COMMAND...
holds() {
	local text=$1
	shift
	if "$@"; then case_is pass "$text"; else case_is fail "$text"; fi
}

# until_true COMMAND...: polls, at most a minute
until_true() {
	local end=$((SECONDS + 60))
	while ((SECONDS < end)); do
		if "$@" 2>/dev/null; then return 0; fi
		read -rt 0.05 <> <(:)
	done
	return 1
}

# A port that nobody has, and that nobody gets by chance, as the near end of a connection, while a daemon is away from it.
free_port() {
	python3 -c 'import random, socket
low = int(open("/proc/sys/net/ipv4/ip_local_port_range").read().split()[0])
while True:
    try:
        s = socket.socket()
        s.bind(("127.0.0.1", random.randrange(max(low // 2, 1024), low) if low > 2048 else 0))
        break
    except OSError:
        pass
print(s.getsockname()[1])'
}

# listens SOCKET: a socket of the file system has its name a moment earlier
listens() {
	[ -n "$(ss -Hlx src "$1")" ]
}

# authority_new NAME: $work/NAME.d, $url, $pin
authority_new() {
	url=https://127.0.0.1:$(free_port)
	"$BUILD/cluster-authorityd" init --name "$1" --url "$url" --dir "$work/$1.d" >"$work/init" 2>&1 || { cat "$work/init"; echo "Bail out! no authority"; exit 1; }
	pin=$(sed -n 's/^pin //p' "$work/init")
}

answers() {
	admin status >/dev/null 2>&1
}

authority_start() {
	rm -f "$work/admin.sock"
	"$BUILD/cluster-authorityd" serve --dir "$work/$1.d" --listen "${url#https://}" --socket "$work/admin.sock" >>"$work/authority.log" 2>&1 &
	authority_pid=$!
	until_true answers || { cat "$work/authority.log"; echo "Bail out! the authority does not start"; exit 1; }
}

authority_stop() {
	kill "$authority_pid"
	wait "$authority_pid" 2>/dev/null
	authority_pid=
}

# A member of the last run's JSON.
member() {
	python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."):
    v = v[int(k)] if k.isdigit() else v[k]
print(v)' "$work/out" "$1"
}

finish() {
	echo "1..$n_cases"
	[ "$n_failed" -eq 0 ]
	exit
}
