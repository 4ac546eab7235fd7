# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# A node that has a jump host, from inside and outside of its network: its own address if an ssh server answers there, else the jump host, with one and the same command.
cast_all
must_quietly root@authority 'cluster-login node set core-1-1 --jump master-1-1'
cast_settled
must_quietly alice@client 'cluster-login get && echo data >file'
FROM="'echo from \$SSH_CONNECTION'"
DIRECT='^from 10\.77\.0\.20 '
AROUND='^from 10\.77\.0\.11 '

# leads WHERE REGEX: cluster-login ssh, plain ssh by name and address, scp, sftp, rsync
leads() {
	on alice@client "timeout 20 cluster-login ssh emr-user@core-1-1 -- $FROM"
	expect_text "$2" "$1: cluster-login ssh"
	on alice@client "$ENV; timeout 20 ssh emr-user@core-1-1 $FROM && timeout 20 ssh emr-user@10.77.0.12 $FROM | sed 's/^/by address /'"
	expect_text "$2" 'plain ssh'
	expect_text "^by address ${2#^}" 'plain ssh by address'
	on alice@client "rm -f back*; timeout 20 cluster-login scp -q file emr-user@core-1-1:sent && echo 'get sent back' | timeout 20 cluster-login sftp -q -b - emr-user@core-1-1 >/dev/null &&
		timeout 20 rsync -e 'cluster-login ssh' emr-user@core-1-1:sent back2 && cat back back2 | uniq -c"
	expect_text '^ *2 data$' 'scp, sftp and rsync'
}
none_left() { ! host_run client pgrep -f -- "-W .*10\.77\.0\.12" >/dev/null; }

leads 'inside' "$DIRECT"
on alice@client "cluster-login ssh --proxy-ip master-1-1 emr-user@core-1-1 -- $FROM; cluster-login ssh -J emr-user@master-1-1 emr-user@core-1-1 -- $FROM; $ENV; ssh -J emr-user@master-1-1 emr-user@core-1-1 $FROM"
expect "through the jump host by request: --proxy-ip, -J, and plain ssh's -J" test "$(grep -c "$AROUND" <<<"$OUT")" = 3
on alice@client "cluster-login ssh -o 'ProxyCommand=$ASKPASS reach %h %p false' -o ProxyUseFdpass=yes emr-user@core-1-1 -- $FROM; cluster-login ssh --option 'ProxyCommand=openssl s_client -quiet -connect nowhere:1' emr-user@core-1-1 -- $FROM"
expect_text "$DIRECT" 'a ProxyCommand of one'"'"'s own'
expect_no_text 'did not pass back' 'which hands over nothing, unless it is said to'
on alice@client "cluster-login ssh --direct emr-user@core-1-1 -- $FROM; cluster-login ssh -o ProxyCommand=none emr-user@core-1-1 -- $FROM; $ENV; ssh -o ProxyCommand=none emr-user@core-1-1 $FROM"
expect 'straight by request: --direct, -o ProxyCommand=none, and with plain ssh' test "$(grep -c "$DIRECT" <<<"$OUT")" = 3
on alice@client 'cluster-login ssh --direct --proxy-ip master-1-1 emr-user@core-1-1 true'
expect_status 64 'not both'
on alice@client 'head -c 10485760 /dev/urandom >big; cluster-login ssh emr-user@core-1-1 -- cat <big | cmp - big && cluster-login ssh emr-user@core-1-1 -- exit 42'
expect_status 42 '10 MB there and back, and the exit status of the command'

must_quietly root@client 'ip route add unreachable 10.77.0.12'
leads 'no route' "$AROUND"
on alice@client "timeout 20 cluster-login ssh --direct emr-user@core-1-1 -- $FROM"
expect_status 255 'but not with --direct'
must_quietly root@client 'ip route del unreachable 10.77.0.12'

# Sent to a hardware address that nobody has: never an answer.
must_quietly root@client 'ip neigh replace 10.77.0.12 lladdr 02:00:00:00:00:01 dev eth0 nud permanent'
leads 'silence' "$AROUND"
on alice@client 'head -c 10485760 /dev/urandom >big; cluster-login ssh emr-user@core-1-1 -- cat <big | cmp - big && cluster-login ssh emr-user@core-1-1 -- exit 42'
expect_status 42 '10 MB there and back, and the exit status of the command'
expect 'no process of the way around is left' within 20000 none_left
must_quietly root@client 'ip neigh del 10.77.0.12 dev eth0'

# Another network, with a host of the same address.
must_quietly root@client 'ip addr add 10.77.0.12/32 dev lo'
leads 'refused' "$AROUND"
must_quietly root@client "python3 - <<'PYTHON'
import os, socket
s = socket.create_server(('10.77.0.12', 22), backlog=64)
if os.fork() == 0:
    os.setsid()
    for fd in (0, 1, 2):
        os.dup2(os.open('/dev/null', os.O_RDWR), fd)
    open('/run/mute.pid', 'w').write(str(os.getpid()))
    kept = []
    while True:
        kept.append(s.accept())
PYTHON"
leads 'somebody takes connections and says nothing' "$AROUND"
must_quietly root@client 'kill "$(cat /run/mute.pid)"; ssh-keygen -q -A; mkdir -p /run/sshd; /usr/sbin/sshd -o ListenAddress=10.77.0.12 -o PidFile=/run/stranger.pid'
on alice@client 'timeout 20 cluster-login ssh emr-user@core-1-1 -- id -un'
expect_status 255 'an ssh server of somebody else: its host key is not taken'
expect_text "another host answers in place of core-1-1" 'says what happened'
expect 'once' test "$(grep -c 'another host answers' <<<"$OUT")" = 1
LINE=$(sed -n 's/^  try: \(cluster-login ssh --proxy-ip [^ ]* core-1-1\) .*/\1/p' <<<"$OUT")
on alice@client "timeout 20 ${LINE/core-1-1/emr-user@core-1-1} -- $FROM"
expect_text "$AROUND" 'and what helps'
on alice@client "$ENV; timeout 20 ssh emr-user@core-1-1 id -un"
expect_status 255 'nor by plain ssh'
expect_text "another host answers in place of core-1-1" 'which says so too'
must_quietly root@client 'kill "$(cat /run/stranger.pid)"; ip addr del 10.77.0.12/32 dev lo'
leads 'and inside again' "$DIRECT"

# A jump host that is no node: ssh's own affair, with the person's own configuration.
must_quietly root@authority 'cluster-login node set core-1-1 --jump bastion:22'
cast_settled
must_quietly root@client 'echo 10.77.0.13 bastion >>/etc/hosts; ip route add unreachable 10.77.0.12'
must_quietly alice@client 'cluster-login get; { printf "Host bastion\n    HostKeyAlias task-1-1\n    User emr-user\n"; sed "s/^Host task-1-1.*/Host bastion/" ~/.config/cluster-login/ssh_config; } >>~/.ssh/config'
on alice@client "cluster-login ssh emr-user@core-1-1 -- $FROM; $ENV; ssh emr-user@core-1-1 $FROM"
expect 'through a host that is no node: both ways' test "$(grep -c '^from 10\.77\.0\.13 ' <<<"$OUT")" = 2
