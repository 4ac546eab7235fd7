# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'Six machines: an authority, three nodes, a client, and another cluster elsewhere'
say 'Each has network, mounts, processes and root directory of its own; the nodes run this system'"'"'s sshd on port 22.'
cast_hosts
on root@core-1-1 'hostname; ip -brief -4 address show eth0; ps -e -o pid,args --no-headers | head -n 2'
expect_text '^core-1-1$' 'a machine of its own'
on root@core-1-1 'tail -n 2 /etc/passwd'
say 'ecs-user came with the image; rescue is the local break-glass account.'
