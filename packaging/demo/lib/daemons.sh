# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Daemons of a host, started as its service manager would start them.

sshd_start() {
	host_run "$1" ssh-keygen -q -A >/dev/null
	host_run "$1" /usr/sbin/sshd
}

sshd_reload() {
	# shellcheck disable=SC2016
	host_run "$1" bash -c 'kill -HUP "$(</run/sshd.pid)"'
}
