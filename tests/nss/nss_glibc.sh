#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The module as glibc, getent and id use it, in a mount namespace with its own /var/lib and nsswitch.conf; and what the file itself must look like.
# Requirements D3, D4 (groups of the system), E6 (no constructors, no TLS), E9 and E10 (libc only, nothing that recurses).
set -u
# The first run starts the second in a mount namespace of its own. The second believes only that it differs from its parent's.
if [ $# -eq 0 ]; then
	exec unshare -m --propagation private "$0" inside
fi
ours=$(readlink /proc/self/ns/mnt)
parents=$(readlink "/proc/$PPID/ns/mnt")
if [ -z "$ours" ] || [ -z "$parents" ] || [ "$ours" = "$parents" ]; then
	echo 'refused: this is not a mount namespace of its own; start it without arguments' >&2
	exit 1
fi

BUILD=$(realpath -e "${BUILD:-build/release}") || exit 1
module=$BUILD/libnss_cluster.so.2
tool=$BUILD/tests/nss/tool_world
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
export BUILD LC_ALL=C
failed=0

# is WHAT WANT GOT
is() {
	if [ "$2" != "$3" ]; then
		printf 'not ok: %s\n  wanted: %s\n  got:    %s\n' "$1" "$2" "$3"
		failed=1
	fi
}

mount -t tmpfs -o mode=0755 tmpfs /var/lib && mkdir -p /var/lib/cluster-login/gen && touch /var/lib/this-is-a-test || exit 1
# A person without privilege may not reach the build: it is in root's home, say.
mkdir /var/lib/readable && cp "$module" /var/lib/readable/ || exit 1
switch() {
	printf '%s\n' 'passwd: files cluster' "$1" 'shadow: files' "${2:-hosts: files cluster}" >"$scratch/nsswitch.conf"
	mountpoint -q /etc/nsswitch.conf || mount --bind "$scratch/nsswitch.conf" /etc/nsswitch.conf || exit 1
}
switch 'group: files cluster'

# getent and id are not built with the sanitizer that the module may want.
preload=$(ldd "$module" | awk '/lib[at]san/ { print $3 }')
with() {
	LD_PRELOAD=$preload ASAN_OPTIONS=detect_leaks=0 LD_LIBRARY_PATH=/var/lib/readable "$@"
}

# --- answers ---

with getent passwd user0005 >/dev/null
is 'not enrolled: not found' 2 $?
touch /var/lib/cluster-login/enrolled
with getent passwd user0005 >/dev/null
is 'enrolled and empty: not answered' 2 $?
is 'local accounts are there' root "$(with getent passwd root | cut -d: -f1)"

"$tool" publish 1 50
is 'by name' 'user0005:*:1880000005:1880000005:A Person:/home/user0005:/bin/bash' "$(with getent passwd user0005)"
is 'by uid' 'user0005:*:1880000005:1880000005:A Person:/home/user0005:/bin/bash' "$(with getent passwd 1880000005)"
is 'group by name' 'group0005:*:1880500005:user0005,user0006' "$(with getent group group0005)"
is 'group by gid' 'group0005:*:1880500005:user0005,user0006' "$(with getent group 1880500005)"
is 'id' 'uid=1880000005(user0005) gid=1880000005 groups=1880000005,1880500004(group0004),1880500005(group0005)' "$(with id user0005)"
with getent passwd nosuchuser >/dev/null
is 'unknown name' 2 $?
with getent passwd 1880000999 >/dev/null
is 'unknown uid' 2 $?
with getent group sudo2 >/dev/null
is 'unknown group' 2 $?
is 'enumeration names everybody once' "$(($(wc -l </etc/passwd) + 50))" "$(with getent passwd | sort -u | wc -l)"
is 'enumeration of groups' "$(($(wc -l </etc/group) + 50))" "$(with getent group | sort -u | wc -l)"
is 'no shadow entry' '' "$(with getent shadow user0005)"
is 'a person without privilege sees the same' "$(with getent passwd user0005)" "$(with setpriv --reuid 65534 --regid 65534 --clear-groups getent passwd user0005)"
is 'a long name' 2 "$(with getent passwd "$(printf 'a%.0s' {1..100000})" >/dev/null; echo $?)"

# --- hosts ---

hosts() {
	with getent "$@" | sort -u | sed 's/  */ /g' | xargs
}
hosts_of_nobody() {
	with setpriv --reuid 65534 --regid 65534 --clear-groups getent "$@" | sort -u | sed 's/  */ /g' | xargs
}
is 'node by name' '10.77.0.22 core-1-2' "$(hosts hosts core-1-2)"
is 'getent prefers IPv6' 'fd00:77::11 master-1-1' "$(hosts hosts master-1-1)"
is 'IPv4 of it' '10.77.0.11 STREAM master-1-1 10.77.0.11 DGRAM 10.77.0.11 RAW' "$(with getent ahostsv4 master-1-1 | xargs)"
is 'IPv6 of it' 'fd00:77::11 STREAM master-1-1 fd00:77::11 DGRAM fd00:77::11 RAW' "$(with getent ahostsv6 master-1-1 | xargs)"
is 'all addresses of a node' '10.77.0.11 fd00:77::11' "$(with getent ahosts master-1-1 | awk '{ print $1 }' | sort -u | xargs)"
is 'capitals' '10.77.0.22 STREAM core-1-2' "$(with getent ahosts CORE-1-2 | head -n 1 | xargs)"
is 'IPv4 alone, asked for IPv6: no data' -5 "$(with python3 -c 'import socket
try: print(socket.getaddrinfo("core-1-2", 22, socket.AF_INET6))
except socket.gaierror as e: print(e.errno)')"
is 'all nodes of a role' '10.77.0.11 10.77.0.12 fd00:77::11 fd00:77::12' "$(with getent ahosts master | awk '{ print $1 }' | sort -u | xargs)"
is 'a role in order of names' 'fd00:77::11 master fd00:77::12 master' "$(with getent hosts master | xargs)"
is 'a role in order of names, IPv4' '10.77.0.21 192.168.77.21 10.77.0.22' "$(with python3 -c 'import socket; print(*socket.gethostbyname_ex("worker")[2])')"
is 'the leader' 'fd00:77::12 leader' "$(hosts hosts leader)"
is 'name of an address' '10.77.0.21 core-1-1' "$(hosts hosts 10.77.0.21)"
is 'name of an address of IPv6' 'fd00:77::31 task-1-1' "$(hosts hosts fd00:77::31)"
is 'getnameinfo' core-1-1 "$(with python3 -c 'import socket; print(socket.getnameinfo(("10.77.0.21", 22), socket.NI_NAMEREQD | socket.NI_NUMERICSERV)[0])')"
is 'canonical name' core-1-2 "$(with python3 -c 'import socket; print(socket.getaddrinfo("Core-1-2", 22, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)[0][3])')"
is 'localhost is the local one' "$(getent -s files hosts localhost)" "$(with getent hosts localhost)"
for name in core-1-1.example.org core-1-1. nosuchnode _gateway metadata "$(printf 'a%.0s' {1..64})" "$(printf 'a%.0s' {1..100000})"; do
	is "unknown: ${name:0:40}" 2 "$(with getent ahosts "$name" >/dev/null; echo $?)"
done
is 'unknown address' 2 "$(with getent hosts 10.77.0.99 >/dev/null; echo $?)"
is 'enumeration of hosts' 8 "$(with getent -s 'hosts:cluster' hosts | grep -c -- -1-)"
is 'a person without privilege sees the same hosts' "$(hosts ahosts master)" "$(hosts_of_nobody ahosts master)"
switch 'group: files cluster' 'hosts: files'
is 'the control: without the module' 2 "$(with getent hosts core-1-1 >/dev/null; echo $?)"
switch 'group: files cluster'

# --- D3, D4: a sealed snapshot that claims the system's groups ---

powerful='(root|adm|sudo|disk|shadow)'
generation=2
for line in 'group: files cluster' 'group: files [SUCCESS=merge] cluster' 'group: cluster files'; do
	switch "$line"
	for gids in 0 4 27 998 '0 4 27 998' '27 70000'; do
		# shellcheck disable=SC2086 # a list of words
		"$tool" craft $((generation++)) $gids
		is "$line: mallory is there" 1880000666 "$(with id -u mallory)"
		is "$line: no group of the system by $gids" 'uid=1880000666(mallory) gid=1880000666 groups=1880000666' "$(with id mallory)"
		for gid in $gids; do
			is "$line: gid $gid answers locally" "$(getent -s files group "$gid")" "$(with getent group "$gid" | grep -v '^evil70000:')"
		done
		is "$line: sudo is the local one" "$(getent -s files group sudo)" "$(with getent group sudo)"
		is "$line: enumeration" 0 "$(with getent group | grep -E "^$powerful:" | grep -c mallory)"
	done
done
switch 'group: files cluster'

# --- a warm lookup makes no system call ---

"$tool" publish $((generation++)) 50
ASAN_OPTIONS=detect_leaks=0 strace -f -o "$scratch/trace" "$tool" warm || is 'strace' 0 $?
is 'two markers' 2 "$(grep -c getppid "$scratch/trace")"
is 'no system call in 12000 warm lookups' '' "$(sed -n '/getppid/,/getppid/p' "$scratch/trace" | grep -v getppid)"

# --- each system call of a first lookup fails once, in each way: found (not needed), unavailable or try again, never "no such user" ---

if [ -z "$preload" ]; then
	strace -o "$scratch/trace" "$tool" ask >/dev/null
	points=0
	for call in openat newfstatat pread64 mmap close munmap; do
		first=$(sed '/getppid/q' "$scratch/trace" | grep -c "^$call(")
		last=$(sed '/getppid/,/getppid/!d' "$scratch/trace" | grep -c "^$call(")
		for ((i = first + 1; i <= first + last; i++)); do
			for error in EIO EACCES EMFILE ENFILE ENOMEM EINTR ENOSYS; do
				got=$(strace -o /dev/null -e "inject=$call:error=$error:when=$i" "$tool" ask)
				points=$((points + 1))
				case $error:$got in
				*:found | *:unavail | EMFILE:tryagain | ENFILE:tryagain | ENOMEM:tryagain) ;;
				*) is "$call number $((i - first)) fails with $error" 'found or unavail' "$got" ;;
				esac
			done
		done
	done
	[ "$points" -ge 60 ] || is 'points of failure' 'at least 60' "$points"
fi

# --- the file ---

if [ -z "$preload" ]; then
	is 'NEEDED' 'libc.so.6' "$(readelf -d "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')"
	is 'no thread-local storage' '' "$(readelf -lW "$module" | grep ' TLS ')"
	is 'no constructor' '' "$(readelf -dW "$module" | awk '/_ARRAYSZ/ { printf "%s%s", s, $3; s = " " }')"
	allowed='__errno_location|__snprintf_chk|snprintf|__stack_chk_fail|clock_gettime|close|f?stat|lstat|bcmp|mem(chr|cmp|cpy|move|set)|__mem(cpy|set)_chk|mmap|munmap|open|pread|__pread_chk|reallocarray|str(chr|cmp|cspn|len|ncmp|nlen)|bsearch'
	is 'nothing that could ask NSS, log, lock or start something' '' "$(nm -D --undefined-only "$module" | awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' | grep -Evx "$allowed")"
fi
is 'soname' libnss_cluster.so.2 "$(readelf -d "$module" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')"
is 'exports' 'endgrent endhostent endpwent getgrent_r getgrgid_r getgrnam_r gethostbyaddr2_r gethostbyaddr_r gethostbyname2_r gethostbyname3_r gethostbyname4_r gethostbyname_r gethostent_r getpwent_r getpwnam_r getpwuid_r initgroups_dyn setgrent sethostent setpwent' \
	"$(nm -D --defined-only "$module" | awk '$2 == "T" { sub(/@.*/, "", $3); sub(/^_nss_cluster_/, "", $3); print $3 }' | sort | xargs)"

exit $failed
