#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a lookup costs: our NSS module beside a null module, the floor of a mapped hash, and what Debian has (PEERS), all on the same accounts and in one
# run. As root. The peers live in a tree of packages that is made for it and thrown away: their daemons run there, in namespaces of their own, and nothing
# of this machine is touched. Prints tables, writes build/bench/nss.json and build/bench/nss.svg.
#
#   PEERS    which of: files extrausers cache sssd nscd systemd oslogin-cache; empty: no tree
#   SIZES    numbers of accounts
#   ROUNDS   of all systems in turn, 7 or more
#   NSS_TREE a directory to keep the tree in, or one where it was kept
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD="${BUILD:-build/release}" PEERS="${PEERS-files extrausers cache sssd nscd systemd oslogin-cache}" SIZES="${SIZES:-1000 100000 1000000}" ROUNDS="${ROUNDS:-9}"

declare -A PACKAGES=([extrausers]=libnss-extrausers [cache]=libnss-cache [sssd]="libnss-sss sssd-common sssd-proxy" [nscd]=nscd [systemd]=libnss-systemd
	["oslogin-cache"]=google-compute-engine-oslogin)

[ "$(id -u)" -eq 0 ] || { echo "nss: namespaces and bind mounts need root" >&2; exit 1; }
mkdir -p build/bench
top=$(mktemp -d) || exit 1
tree=
trap 'rm -rf --one-file-system "$top"' EXIT
: >"$top/missing"

# The packages of all peers that this system's archive has; the others are named.
packages() {
	local peer package known
	for peer in $PEERS; do
		known=yes
		for package in ${PACKAGES[$peer]-}; do
			[ -n "$(apt-cache --no-all-versions show "$package" 2>/dev/null)" ] || known=
		done
		[ -n "$known" ] || { echo "$peer: no package ${PACKAGES[$peer]}" >>"$top/missing"; continue; }
		echo "${PACKAGES[$peer]-}"
	done
}

make_tree() {
	local wanted suite sources=() file
	wanted=$(packages | xargs)
	[ -n "$wanted" ] || return 1
	if [ -n "${NSS_TREE-}" ] && [ -d "$NSS_TREE/usr" ]; then
		tree=$NSS_TREE
		return 0
	fi
	command -v mmdebstrap >/dev/null || { echo "the tree: no mmdebstrap" >>"$top/missing"; return 1; }
	suite=$(sed -n "s/^VERSION_CODENAME=//p" /etc/os-release)
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
		[ -s "$file" ] && sources+=("$file")
	done
	tree=${NSS_TREE:-$top/tree}
	echo "nss: a tree with $wanted"
	mmdebstrap --quiet --variant=apt --aptopt='Apt::Install-Recommends "false"' --include="libc-bin,${wanted// /,}" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" "$tree" "${sources[@]}" >"$top/log" 2>&1 && return 0
	tail -n 3 "$top/log" >&2
	echo "the tree: mmdebstrap failed" >>"$top/missing"
	tree=
	return 1
}

make_tree || true
unshare --mount --pid --fork --mount-proc python3 tests/bench/nss/run.py "${tree:-/}" "$top/missing"
