# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# A host: network, mount, PID, UTS and IPC namespace, root of its own, address on the bridge.

declare -A HOST_PID HOST_ADDRESS
HOSTS=()

# `make install` once, into a layer that every host has between / and its own.
install_once() {
	if ! make -C "$DEMO_REPO" --no-print-directory BUILD="$BUILD" DESTDIR="$TOP/installed" install >"$TOP/install.log" 2>&1; then
		cat "$TOP/install.log" >&2
		return 1
	fi
	mkdir -p "$TOP/installed/usr/local/lib/cluster-demo"
	cp "$DEMO_DIR"/tools/* "$DEMO_DIR/init.py" "$TOP/installed/usr/local/lib/cluster-demo/"
	chmod -R a+rX,go-w "$TOP/installed"
}

# What a package does after unpacking: the files are there by the layer, the service users not yet.
host_install() {
	host_run "$1" bash -c 'systemd-sysusers 2>/dev/null || sed -n "s/^u \([^ ]*\) .*/\1/p" /usr/lib/sysusers.d/cluster-login.conf | xargs -n 1 useradd --system --shell /usr/sbin/nologin'
}

# hosts_start NAME=ADDRESS...: all at once; each knows the others' names.
hosts_start() {
	local pair
	for pair; do
		HOST_ADDRESS[${pair%=*}]=${pair#*=}
		HOSTS+=("${pair%=*}")
		echo "${pair#*=} ${pair%=*}" >>"$TOP/hosts.table"
	done
	for pair; do
		host_begin "${pair%=*}"
	done
	for pair; do
		host_ready "${pair%=*}"
	done
}

host_begin() {
	local dir=$TOP/hosts/$1
	mkdir -p "$dir/root"
	unshare --mount --pid --fork --kill-child --net --uts --ipc \
		bash "$DEMO_DIR/lib/host-root.sh" "$1" "$dir" >"$dir/start.log" 2>&1 </dev/null &
}

host_ready() {
	local dir=$TOP/hosts/$1 pid tries=0
	until [[ -s $dir/pid ]]; do
		((++tries < 3000)) || { cat "$dir/start.log" >&2; return 1; }
		sleep 0.01
	done
	pid=$(<"$dir/pid")
	HOST_PID[$1]=$pid
	host_link "$pid" "${HOST_ADDRESS[$1]}"
	until [[ -f /proc/$pid/root/run/cluster-demo.ready ]]; do
		((++tries < 3000)) || { cat "$dir/start.log" >&2; return 1; }
		sleep 0.01
	done
}

host_link() {
	local pid=$1 address=$2 port=v${2##*.}
	ip link add "$port" type veth peer name eth0 netns "$pid"
	ip link set "$port" master cluster0 up
	nsenter --target "$pid" --net bash -c "ip link set lo up && ip addr add $address/24 dev eth0 && ip link set eth0 up"
}

# Everything of the host ends with its first process.
host_stop() {
	kill -KILL "${HOST_PID[$1]}"
}

# host_run HOST COMMAND ARG...: as root, clean environment, nothing printed by us.
host_run() {
	local pid=${HOST_PID[$1]}
	shift
	nsenter --target "$pid" --mount --uts --ipc --net --pid --wdns=/ -- \
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}

# host_run_as USER HOST COMMAND ARG...: as an ordinary user, in the user's home.
host_run_as() {
	local user=$1 pid=${HOST_PID[$2]}
	shift 2
	nsenter --target "$pid" --mount --uts --ipc --net --pid --wdns="/home/$user" -- \
		env -i LANG=C.UTF-8 setpriv --reuid="$user" --regid="$user" --init-groups --reset-env "$@"
}

# A path of the host, as seen from out here.
host_path() {
	echo "/proc/${HOST_PID[$1]}/root$2"
}

# A pid of the host as the host itself counts, from the pid out here.
host_pid() {
	awk '/^NSpid:/ {print $NF}' "/proc/$1/status"
}

host_write() {
	local path
	path=$(host_path "$1" "$2")
	mkdir -p "${path%/*}"
	cat >"$path"
}

host_logs() {
	local name file
	for name in "${HOSTS[@]}"; do
		for file in "$(host_path "$name" /var/log)"/cluster*.log; do
			[[ -s $file ]] || continue
			echo "--- the last lines of $name:/var/log/${file##*/}"
			tail -n "${1:-12}" "$file"
		done
	done
}
