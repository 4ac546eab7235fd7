# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Accounts in the cluster's group no-forwarding get a shell and files from sshd, and no tunnels: by credential, by certificate and after a hop, from the moment they are in it.
cast_all
must_quietly root@authority 'cluster-login account add open && cluster-login account add shut && cluster-login grant add --person alice --account open --hop && cluster-login grant add --person alice --account shut --hop &&
	cluster-login grant add --person alice --account ecs-user; cluster-login account list | grep -q "^ecs-user" || cluster-login account add ecs-user --uid 1000; cluster-login grant add --person alice --account ecs-user;
	cluster-login group add no-forwarding && cluster-login group member-add no-forwarding shut && cluster-login group member-add no-forwarding ecs-user'
cast_settled
must_quietly alice@client 'cluster-login get && cluster-login ssh-config'
on root@core-1-1 'id -nG shut; id -nG ecs-user; id -nG open'
expect 'the group is there for a cluster account and for an adopted one' test "$(grep -c 'no-forwarding' <<<"$OUT")" = 2

# What each kind of tunnel brings: the first bytes of an sshd behind the node, or of the socket there.
cat >"$TOP/tunnels" <<'TUNNELS'
# tunnels HOW...: HOW is the command that stands for ssh, the destination its last word
say() { [[ $2 == SSH- || $2 == here ]] && echo "$1 works" || echo "$1 refused"; }
greeting() { for _ in $(seq 50); do ss -Hltn "sport = :$1" | grep -q . && break; sleep 0.05; done; timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; head -c 4 <&3" 2>/dev/null; }
mux=$(mktemp -u /tmp/mux.XXXXXX)
opened() { "$@" -f -N -M -S "$mux" </dev/null >/dev/null 2>&1; }
closed() { ssh -F none -S "$mux" -O exit x 2>/dev/null; }
"${@:1:$#-1}" "${@: -1}" 'echo shell works' </dev/null 2>/dev/null
opened "${@:1:$#-1}" -L 18101:10.77.0.13:22 "${@: -1}"; say -L "$(greeting 18101)"; closed
opened "${@:1:$#-1}" -D 18102 "${@: -1}"; say -D "$(timeout 10 python3 -c '
import socket
s = socket.create_connection(("127.0.0.1", 18102))
for out, n in ((b"\5\1\0", 2), (b"\5\1\0\1" + socket.inet_aton("10.77.0.13") + (22).to_bytes(2, "big"), 10)):
    s.sendall(out)
    got = s.recv(n, socket.MSG_WAITALL)
print(s.recv(4, socket.MSG_WAITALL).decode() if got[1] == 0 else "")' 2>/dev/null)"; closed
say -W "$("${@:1:$#-1}" -W 10.77.0.13:22 "${@: -1}" 2>/dev/null < <(sleep 1) | head -c 4)"
opened "${@:1:$#-1}" -o ExitOnForwardFailure=yes -R 18103:10.77.0.13:22 "${@: -1}" && echo '-R works' || echo '-R refused'; closed
rm -f /tmp/forwarded.sock; opened "${@:1:$#-1}" -L /tmp/forwarded.sock:/run/here.sock "${@: -1}"
say 'a socket' "$(timeout 5 python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("/tmp/forwarded.sock"); print(s.recv(4).decode())' 2>/dev/null)"; closed; rm -f /tmp/forwarded.sock
TUNNELS
for host in client master-1-1; do
	host_write $host /usr/local/bin/tunnels <"$TOP/tunnels"
	must_quietly root@$host 'chmod 755 /usr/local/bin/tunnels'
done
must_quietly root@core-1-1 "python3 - <<'PYTHON'
import os, socket
s = socket.socket(socket.AF_UNIX)
s.bind('/run/here.sock')
os.chmod('/run/here.sock', 0o777)
s.listen(64)
if os.fork() == 0:
    os.setsid()
    for fd in (0, 1, 2):
        os.dup2(os.open('/dev/null', os.O_RDWR), fd)
    while True:
        c = s.accept()[0]
        c.sendall(b'here')
        c.close()
PYTHON"

# works WHO HOW; refused WHO HOW: all of it, and a shell in any case
works() { expect "$1, $2: -L, -D, -W, -R and a socket" test "$(grep -c ' works$' <<<"$OUT")" = 6; }
refused() {
	expect_text '^shell works' "$1, $2: a shell"
	expect "and no -L, -D, -W, -R, no socket" test "$(grep -c ' refused$' <<<"$OUT")" = 5
}
by_credential() { on alice@client "bash /usr/local/bin/tunnels cluster-login ssh $1@core-1-1"; }
by_certificate() { on alice@client "export SSH_AUTH_SOCK=~/agent.sock; bash /usr/local/bin/tunnels $BARE_SSH -o BatchMode=yes $1@10.77.0.12"; }
by_hop() { on alice@client "cluster-login ssh open@master-1-1 -- bash /usr/local/bin/tunnels ssh -o BatchMode=yes $1@core-1-1"; }

by_credential open
works open 'by credential'
by_credential shut
refused shut 'by credential'
by_credential ecs-user
refused ecs-user 'adopted'
must_quietly alice@client 'ssh-agent -a ~/agent.sock >/dev/null; export SSH_AUTH_SOCK=~/agent.sock; cluster-login get --ssh-cert'
by_certificate open
works open 'by certificate'
by_certificate shut
refused shut 'by certificate'
by_hop open
works open 'after a hop'
by_hop shut
refused shut 'after a hop'
on alice@client "$ENV; ssh -J shut@core-1-1 open@task-1-1 id -un; ssh -J open@core-1-1 open@task-1-1 'echo \$(id -un) through another'"
expect_no_text '^open$' 'no jump through the node as shut'
expect_text '^open through another$' 'but as open'
on alice@client 'echo data >file; cluster-login scp -q file shut@core-1-1: && echo "get file back" | cluster-login sftp -q -b - shut@core-1-1 >/dev/null && cat back'
expect_text '^data$' 'scp and sftp are no tunnels'

# Who is in the group is decided anew with each connection.
must_quietly root@authority 'cluster-login group member-remove no-forwarding shut && cluster-login group member-add no-forwarding open'
cast_settled
by_credential shut
works shut 'no longer a member'
by_credential open
refused open 'a member now'
