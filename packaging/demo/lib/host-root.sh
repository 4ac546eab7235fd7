#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs in a host's new namespaces: makes its root, moves into it and becomes its init. $1 name, $2 its directory.
set -euo pipefail

name=$1 dir=$2 root=$2/root

# /proc is still the outer one: our pid as seen from there.
read -r pid _ </proc/self/stat

mount --make-rprivate /

# The machine's file systems in order: /, and /usr or /var if they are mounts.
root_overlay() {
	local part=$1 lower=$2 layer=$dir/layers${1//\//-}
	mkdir -p "$layer/upper" "$layer/work"
	mount -t overlay -o "lowerdir=$lower,upperdir=$layer/upper,workdir=$layer/work" overlay "$root$part"
}

root_filesystems() {
	local part
	root_overlay '' "$TOP/installed:/"
	for part in /usr /var; do
		mountpoint -q "$part" || continue
		if [[ -d $TOP/installed$part ]]; then
			root_overlay "$part" "$TOP/installed$part:$part"
		else
			root_overlay "$part" "$part"
		fi
	done
	for part in /dev /run /tmp /root /home /mnt /media /srv /var/tmp /var/log /boot; do
		[[ -d $root$part ]] || continue
		mount -t tmpfs -o mode=0755 "$name" "$root$part"
	done
	chmod 1777 "$root/tmp" "$root/var/tmp"
	chmod 0700 "$root/root"
	mkdir -p "$root/run/sshd" "$root/run/lock"
}

root_devices() {
	local d
	for d in null zero full random urandom tty; do
		touch "$root/dev/$d"
		mount --bind "/dev/$d" "$root/dev/$d"
	done
	mkdir "$root/dev/pts" "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	ln -s fd/0 "$root/dev/stdin"
	ln -s fd/1 "$root/dev/stdout"
	ln -s fd/2 "$root/dev/stderr"
}

# As a fresh installation would be: this machine's people, keys and changes are not in it.
root_image() {
	local f
	rm -rf "$root"/etc/ssh/ssh_host_* "$root"/etc/ssh/sshd_config.d/* "$root"/etc/ssh/ssh_config.d/* "$root"/etc/cluster-login \
		"$root"/var/lib/cluster-login "$root"/var/lib/cluster-authority "$root"/etc/sudoers.d/* "$root"/etc/ssh/ssh_known_hosts
	cp /usr/share/openssh/sshd_config "$root/etc/ssh/sshd_config"
	cp /usr/share/libc-bin/nsswitch.conf "$root/etc/nsswitch.conf"
	awk -F: '$3 < 1000 || $3 == 65534' /etc/passwd >"$root/etc/passwd"
	awk -F: '$3 < 1000 || $3 == 65534' /etc/group >"$root/etc/group"
	for f in shadow gshadow; do
		awk -F: -v names="$root/etc/$([[ $f == shadow ]] && echo passwd || echo group)" \
			'BEGIN { while ((getline line <names) > 0) { split(line, a, ":"); have[a[1]] = 1 } } have[$1]' "/etc/$f" >"$root/etc/$f.new"
		chmod 0640 "$root/etc/$f.new"
		chgrp shadow "$root/etc/$f.new"
		mv "$root/etc/$f.new" "$root/etc/$f"
	done
	: >"$root/etc/motd"
	echo "$name" >"$root/etc/hostname"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
	[[ ! -f $TOP/hosts.table ]] || cat "$TOP/hosts.table" >>"$root/etc/hosts"
	rm -f "$root/etc/resolv.conf"
	: >"$root/etc/resolv.conf"
}

root_filesystems
root_devices
root_image
hostname "$name"
echo "$pid" >"$dir/pid.new"
mv "$dir/pid.new" "$dir/pid"
mkdir "$root/mnt/old"
cd "$root"
pivot_root . mnt/old
mount -t proc proc /proc
umount -l /mnt/old
rmdir /mnt/old
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 /usr/bin/python3 /usr/local/lib/cluster-demo/init.py
