#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first process of the outer namespaces: builds the hosts, runs the steps, ends. Everything dies with it.
set -Eeuo pipefail

for part in narrate host expect daemons session cast measure; do
	# shellcheck source=/dev/null
	. "$DEMO_DIR/lib/$part.sh"
done

trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'demo_failed "$LINENO" "$BASH_COMMAND"' ERR

mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=0755 cluster-demo "$TOP"
ip link set lo up
ip link add name cluster0 type bridge
ip link set cluster0 up

install_once

steps=("$@")
((${#steps[@]})) || steps=("$DEMO_DIR"/steps/*.sh)
for step in "${steps[@]}"; do
	# shellcheck disable=SC1090
	. "$step"
done

narrate_end
[[ -z $DEMO_SHELL ]] || cast_shell
exit "$((FAILED > 0))"
