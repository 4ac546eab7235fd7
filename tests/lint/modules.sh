#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the built modules and programs show to the linker: exports as in the map files, needed libraries, imports, hardening.
set -u
problems=0

problem() {
	problems=$((problems + 1))
	echo "$*"
}

exports() {
	nm -D --defined-only --format=posix "$1" | awk '$2 != "A" { sub(/@.*/, "", $1); print $1 }' | sort
}

# The names of the global part of a version script.
mapped() {
	sed 's,/\*.*\*/,,; s/#.*//' "$1" | tr -d '\n' | sed 's/.*global:\(.*\)local:.*/\1/' | tr -s '; \t' '\n' | sed '/^$/d' | sort
}

needed() {
	readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

check_exports() {
	local difference
	[ -f "$2" ] || { problem "$2: there is no map"; return; }
	difference=$(diff <(mapped "$2") <(exports "$1")) || problem "$1: exports are not those of $2 (< map, > module): $difference"
}

# $1 module, $2 extended regular expression of functions that it must not import
check_imports() {
	local found
	found=$(nm -D -u --format=posix "$1" | awk '{ sub(/@.*/, "", $1); print $1 }' | grep -Ex "$2" | tr '\n' ' ')
	[ -z "$found" ] || problem "$1: imports $found"
}

# Position independent, immediate binding, relocations read-only, no executable stack, no search path.
check_hardening() {
	readelf -hW "$1" | grep -q 'Type: *DYN' || problem "$1: not position independent"
	readelf -dW "$1" | grep -qE 'BIND_NOW|NOW' || problem "$1: lazy binding"
	readelf -lW "$1" | grep -q GNU_RELRO || problem "$1: no RELRO"
	readelf -lW "$1" | grep -E 'GNU_STACK' | grep -q 'RWE' && problem "$1: executable stack"
	readelf -dW "$1" | grep -qE 'RPATH|RUNPATH' && problem "$1: has a run path"
	readelf -dW "$1" | grep -q TEXTREL && problem "$1: text relocations"
}

nss=$BUILD/libnss_cluster.so.2
pam=$BUILD/pam_cluster.so
never='system|popen|fork|vfork|exec[a-z]*|posix_spawnp?|getenv|secure_getenv|setlocale|openlog|abort|exit|__assert_fail|pthread_atfork'
if [ -f "$nss" ]; then
	check_exports "$nss" nss_cluster/nss_cluster.map
	libraries=$(needed "$nss" | grep -v '^ld-linux' | tr '\n' ' ')
	[ "$libraries" = 'libc.so.6 ' ] || problem "$nss: needs $libraries"
	check_imports "$nss" "$never|malloc|calloc|realloc|getpw[a-z_]*|getgr[a-z_]*|v?syslog|__v?syslog_chk|socket|connect|getaddrinfo|pthread_.*"
	readelf -dW "$nss" | grep -q 'SONAME.*\[libnss_cluster.so.2\]' || problem "$nss: wrong soname"
else
	problem "$nss is not built"
fi
if [ -f "$pam" ]; then
	check_exports "$pam" pam_cluster/pam_cluster.map
	needed "$pam" | grep -E 'curl|event|sqlite|smartcols' && problem "$pam: needs a library that must not be inside every login"
	check_imports "$pam" "$never|pam_set_item|getaddrinfo|umask|sigaction|signal"
else
	problem "$pam is not built"
fi
needed "$BUILD/cluster-login-askpass" | grep -E 'curl|smartcols|event' && problem 'cluster-login-askpass: needs a library that takes time at each login'
for binary in "$nss" "$pam" "$BUILD"/cluster-*; do
	[ ! -f "$binary" ] || check_hardening "$binary"
done
echo "modules: $problems problem(s)"
[ "$problems" -eq 0 ]
