# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the demo needs of this machine, said exactly when it is missing.

# name of the namespace | option of unshare | kernel option
DEMO_NAMESPACES='mount|--mount|CONFIG_NAMESPACES
pid|--pid --fork|CONFIG_PID_NS
network|--net|CONFIG_NET_NS
uts|--uts|CONFIG_UTS_NS
ipc|--ipc|CONFIG_IPC_NS'

preflight_commands() {
	local c missing=()
	for c in unshare nsenter setpriv mount pivot_root ip ssh ssh-keygen ssh-keyscan rsync scp sftp sshpass openssl python3 pam-auth-update; do
		command -v "$c" >/dev/null || missing+=("$c")
	done
	[[ -x /usr/sbin/sshd ]] || missing+=(sshd)
	((${#missing[@]} == 0)) && return
	echo "demo: these programs are missing: ${missing[*]} (make deps installs them)" >&2
	return 1
}

preflight_namespaces() {
	local name options kernel bad=0
	while IFS='|' read -r name options kernel; do
		# shellcheck disable=SC2086
		unshare $options true 2>/dev/null && continue
		echo "demo: this machine refuses a new $name namespace (unshare $options); needed: root with CAP_SYS_ADMIN, $kernel, and no sandbox that forbids it" >&2
		bad=1
	done <<<"$DEMO_NAMESPACES"
	return "$bad"
}

# Inside a throw-away namespace: overlay on tmpfs, a veth pair, a bridge, a proc mount.
preflight_kernel() {
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --net bash -c '
		bad=0
		no() { echo "demo: this machine refuses $1; needed: $2" >&2; bad=1; }
		mount -t proc proc /proc 2>/dev/null || no "a proc mount in a new pid namespace" "an unmasked /proc (not a container with parts of it hidden)"
		if mount -t tmpfs demo /mnt 2>/dev/null; then
			mkdir /mnt/u /mnt/w /mnt/m
			mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w overlay /mnt/m 2>/dev/null ||
				no "an overlay of / with its upper layer on tmpfs" "CONFIG_OVERLAY_FS, and / not an overlay of overlays already"
		else
			no "a tmpfs mount" "CAP_SYS_ADMIN and CONFIG_TMPFS"
		fi
		ip link add demo0 type veth peer name demo1 2>/dev/null || no "a veth pair" "CAP_NET_ADMIN and CONFIG_VETH"
		ip link add demo2 type bridge 2>/dev/null || no "a bridge" "CAP_NET_ADMIN and CONFIG_BRIDGE"
		exit "$bad"
	'
}

preflight() {
	if [[ $(id -u) -ne 0 ]]; then
		echo 'demo: run this as root (it makes namespaces, mounts and network interfaces; nothing of this machine is changed)' >&2
		return 1
	fi
	preflight_commands && preflight_namespaces && preflight_kernel
}
