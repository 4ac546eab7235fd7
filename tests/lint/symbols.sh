#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What x.c defines for others begins with the first word of its name: rd.c rd_, snap_read.c and snap_write.c snap_.
set -u
problems=0
for source in lib/*/*.c nss_cluster/*.c pam_cluster/*.c; do
	object=$BUILD/${source%.c}.o
	[ -f "$source" ] || continue
	word=${source##*/}
	word=${word%.c}
	word=${word%%_*}
	[ -f "$object" ] || { echo "$object is not built"; problems=$((problems + 1)); continue; }
	while read -r name; do
		case $source:$name in
		*:"$word"_* | pam_cluster/*:pam_sm_* | nss_cluster/*:_nss_cluster_* | nss_cluster/*:nss_*) ;;
		*) echo "$source: $name does not begin with ${word}_"; problems=$((problems + 1)) ;;
		esac
	done < <(nm --defined-only --extern-only --format=posix "$object" | awk '{ print $1 }')
done
echo "symbols: $problems problem(s)"
[ "$problems" -eq 0 ]
