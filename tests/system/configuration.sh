# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Malformed configuration of a node: said with file and line, cluster people refused, local people not touched (THREATS.md H9).
cast_all
node=core-1-1
must root@$node 'cp /etc/cluster-login/node.conf /root/sound.conf'

# wrong SENTENCE LINE TEXT
wrong() {
	must root@$node "cp /root/sound.conf /etc/cluster-login/node.conf && printf '%b' '$2' >>/etc/cluster-login/node.conf"
	on root@$node 'cluster-agentd --check'
	expect_status 78 "$1: cluster-agentd --check says so"
	expect_text "$3" "$1: and what"
	on bob@client "cluster-login ssh emr-user@$node -- id -un"
	expect_refused $node configuration
	cast_rescue "$1: the break-glass account works" $node
}

wrong 'an unknown key' '\n[node]\nadobt = ecs-user\n' 'node\.conf:[0-9]+.*adopt'
wrong 'a bad unit' '\n[node]\nmax_stale = 5 parsecs\n' 'node\.conf:[0-9]+'
wrong 'out of range' '\n[node]\nmax_stale = 400d\n' 'node\.conf:[0-9]+'
wrong 'no key at all' '\nhello world\n' 'node\.conf:[0-9]+'
wrong 'an unknown section' '\n[nodes]\nmax_stale = 5s\n' 'node\.conf:[0-9]+'
must root@$node 'cp /root/sound.conf /etc/cluster-login/node.conf; chown rescue /etc/cluster-login/node.conf'
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_refused $node configuration
must root@$node 'chown root /etc/cluster-login/node.conf'
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_ok 'repaired: people log on again, and nothing had to be restarted'

must root@authority 'cp /etc/cluster-login/authority.conf /root/ 2>/dev/null; mkdir -p /etc/cluster-login; printf "[authority]\nlisten = nowhere\n" >/etc/cluster-login/authority.conf'
on root@authority 'cluster-authorityd serve'
expect_status 78 'the authority does not start with a wrong configuration'
expect_text 'authority\.conf:2' 'and names file and line'
