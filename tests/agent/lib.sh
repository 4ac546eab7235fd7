# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317
# A real authority and a real agent of this build on 127.0.0.1, in a directory and namespaces of their own. Needs root: the agent's helpers become nobody.

if [ "$(id -u)" -ne 0 ]; then
	echo 'this test needs root: the agent gives up its privileges, and what is mounted for it stays its own' >&2
	exit 1
fi
if [ "${AGENT_TEST_INSIDE-}" != 1 ]; then
	AGENT_TEST_INSIDE=1 exec unshare -m -n --propagation private "$0"
fi

: "${BUILD:?is set by tests/run}"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/agent-test.XXXXXX") || exit 1
chmod 755 "$WORK"
PORT=7443 # nobody else's: in a network namespace of its own
URL=https://127.0.0.1:$PORT
ip link set lo up || exit 1
PIN=
STATE=$WORK/state/node
RUN=$WORK/run
CONF=$WORK/node.conf
AGENT_LOG=$WORK/agent.log
AGENT_PID=
AUTHORITY_PID=
CASES=0
FAILED=0

cleanup() {
	trap '' EXIT
	agent_stop
	authority_stop
	umount "$WORK/state" 2>/dev/null
	rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ok NAME COMMAND...: one case.
ok() {
	local name=$1
	shift
	CASES=$((CASES + 1))
	if "$@" >"$WORK/out" 2>&1; then
		echo "ok $CASES - $name"
		return
	fi
	FAILED=$((FAILED + 1))
	echo "not ok $CASES - $name"
	tail -n 12 "$WORK/out" | sed 's/^/# /'
	tail -n 12 "$AGENT_LOG" 2>/dev/null | sed 's/^/# agent: /'
}

finish() {
	echo "1..$CASES"
	[ "$FAILED" -eq 0 ]
	exit
}

# eventually COMMAND...: until it succeeds, a minute at most.
eventually() {
	local end=$((SECONDS + 60))
	while ((SECONDS < end)); do
		"$@" >/dev/null 2>&1 && return
		read -r -t 0.02 <>"$WORK/never"
	done
	echo "never: $*"
	return 1
}
mkfifo "$WORK/never"

status_is() {
	local want=$1 status
	shift
	"$@" >"$WORK/said" 2>&1
	status=$?
	cat "$WORK/said"
	[ "$status" -eq "$want" ] || { echo "status $status and not $want: $*"; return 1; }
}

AUTHORITY=(--dir "$WORK/authority" --listen "127.0.0.1:$PORT" --socket "$WORK/authority.sock")
AGENT=("$BUILD/cluster-agentd" --config "$CONF")

authority_start() {
	"$BUILD/cluster-authorityd" serve "${AUTHORITY[@]}" >>"$WORK/authority.log" 2>&1 &
	AUTHORITY_PID=$!
	eventually admin status
}

stop_one() {
	[ -n "$1" ] && kill "$1" 2>/dev/null && wait "$1" 2>/dev/null
	return 0
}

authority_stop() {
	stop_one "$AUTHORITY_PID"
	AUTHORITY_PID=
	rm -f "$WORK/authority.sock"
}

# admin WORDS...: an administrator's command.
admin() {
	"$BUILD/cluster-login" "$@" --socket "$WORK/authority.sock"
}

agent() {
	"${AGENT[@]}" "$@"
}

agent_start() {
	: >"$AGENT_LOG"
	"${AGENT[@]}" --foreground >>"$AGENT_LOG" 2>&1 &
	AGENT_PID=$!
}

# Stops it in good order; its exit status.
agent_stop() {
	local status
	[ -n "$AGENT_PID" ] || return 0
	kill "$AGENT_PID" 2>/dev/null
	wait "$AGENT_PID"
	status=$?
	AGENT_PID=
	return "$status"
}

logged() {
	grep -Eq -- "$1" "$AGENT_LOG"
}

# Numbers of `fresh` (PROTOCOL.md 5.4), as root published them.
fresh_at() {
	printf '%d' "0x$(od -An -tx1 -j "$1" -N 8 "$STATE/fresh" | tr -d ' \n')"
}
generation() {
	fresh_at 32
}
head_version() {
	fresh_at 40
}

cluster_make() {
	mkdir -p "$WORK/authority" "$STATE" "$RUN"
	cp /etc/passwd "$WORK/passwd"
	cp /etc/group "$WORK/group"
	cat >"$CONF" <<-END
		[agent]
		state = $STATE
		run = $RUN
		user = nobody
		retry_max = 1s
		passwd = $WORK/passwd
		group = $WORK/group
		log_level = debug
	END
	"$BUILD/cluster-authorityd" init --name test --url "$URL" "${AUTHORITY[@]}" >"$WORK/init.log" 2>&1 || { cat "$WORK/init.log"; return 1; }
	PIN=$(grep -o 'sha256:[A-Za-z0-9_-]*' "$WORK/init.log" | head -n 1)
	authority_start
}

# join STATE_DIR NAME ADDRESS
join() {
	local token
	mkdir -p "$1"
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/hostkey-$2" || return 1
	token=$(admin node token --role core --json | grep -o '"token": *"[^"]*"' | cut -d'"' -f4)
	"$BUILD/cluster-login" join "$URL" --pin "$PIN" --token "$token" --name "$2" --address "$3" --hostkey "$WORK/hostkey-$2.pub" --conf "$CONF" --state-dir "$1"
}
