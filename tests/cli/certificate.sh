#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# OpenSSH certificates on a person's machine: into a real ssh-agent and out again, into files, and what a real sshd makes of them.
# shellcheck source=tests/cli/lib.sh disable=SC2016,SC2317
if [ -z "${CERTIFICATE_INSIDE-}" ]; then
	# sshd wants /run/sshd and a port: in a mount and network namespace of its own
	CERTIFICATE_INSIDE=1 exec unshare -m -n --propagation private -- "$0" "$@"
fi
[ "$(readlink /proc/self/ns/mnt)" != "$(readlink "/proc/$PPID/ns/mnt")" ] || { echo 'Bail out! not in a namespace of its own'; exit 1; }
ip link set lo up && mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/sshd || exit 1
. tests/cli/lib.sh
unset SSH_AUTH_SOCK SSH_AGENT_PID
pids=()
stop_all() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
	cleanup
}
trap stop_all EXIT

authority_new prod
authority_start prod
admin user add alice --role data >/dev/null 2>&1
admin account add emr-user >/dev/null 2>&1
admin grant add --person alice --account emr-user --node any >/dev/null
login setup "$url" --pin "$pin" --code "$(admin user invite alice --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["code"])')" >/dev/null 2>&1

# agent_start NAME WORDS...: in /run/NAME, under these words
agent_start() {
	SSH_AUTH_SOCK=/run/$1/agent.sock
	"${@:2}" ssh-agent -D -a "$SSH_AUTH_SOCK" >/dev/null 2>&1 &
	pids+=($!)
	until_true listens "$SSH_AUTH_SOCK"
	export SSH_AUTH_SOCK
}

# ---- no agent, wrong agents ----
expect 69 'no agent' login get --ssh-cert
says err 'SSH_AUTH_SOCK is not set' 'says what is missing'
says err 'eval "\$\(ssh-agent -s\)"; cluster-login get --ssh-cert .*--output FILE' 'names what to try'
SSH_AUTH_SOCK=$work/nowhere expect 69 'an agent that is gone' login get --ssh-cert
install -d -o nobody /run/stranger
agent_start stranger setpriv --reuid=65534 --clear-groups
expect 77 "another user's agent gets no key" login get --ssh-cert
says err 'another user' 'says why'
python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1)
while True:
    c = s.accept()[0]; c.recv(1); c.sendall(b"HTTP/1.1 400 no\r\n\r\n"); c.shutdown(socket.SHUT_WR)
    while c.recv(4096): pass' "$work/other.sock" &
pids+=($!)
until_true listens "$work/other.sock"
SSH_AUTH_SOCK=$work/other.sock expect 65 'something that is no agent' login get --ssh-cert
expect 64 '--output alone' login get --output "$work/key"

# ---- into the agent ----
mkdir /run/own
agent_start own
ssh-keygen -q -t ed25519 -N '' -C other -f "$work/other"
ssh-add -q "$work/other" 2>/dev/null
expect 0 'get --ssh-cert' login get --ssh-cert
says out 'certificate serial [0-9]+, in the ssh-agent' 'says where it is'
says out 'person +alice' 'and whose'
says out 'valid until 20' 'and until when'
ssh-add -L | grep cert-v01 >"$work/cert.pub"
holds 'one certificate in the agent' [ "$(wc -l <"$work/cert.pub")" = 1 ]
holds 'and nothing else beside what was there' [ "$(ssh-add -L | wc -l)" = 2 ]
run ssh-keygen -L -f "$work/cert.pub"
says out 'Type: ssh-ed25519-cert-v01@openssh.com user certificate' "ssh-keygen reads a user's certificate"
says out 'Key ID: "alice [A-Za-z0-9_-]{22}"' 'key id'
says out '^ +[A-Za-z0-9_-]{22}@[A-Za-z0-9_-]{22}$' 'one principal, no name of an account'
says out 'Critical Options: \(none\)' 'no critical options'
says_not out 'permit-agent-forwarding|permit-X11-forwarding|permit-user-rc' 'no more than is needed'
holds 'no key on disk' [ ! -e "$CLUSTER_LOGIN_HOME/credential.key" -a ! -e "$CLUSTER_LOGIN_HOME/credential.jwt" ]
expect 0 'show tells of it' login show
says out '^certificate serial [0-9]+, in the ssh-agent until 20' 'with its end'
expect 0 'get --ssh-cert again' login get --ssh-cert --ttl 10m --for emr-user --json
holds 'a new one takes the place of the old one' [ "$(ssh-add -L | grep -c cert-v01)" = 1 ]
serial=$(member certificate.serial)
holds 'it is the new one' grep -q "Serial: $serial\$" <(ssh-add -L | grep cert-v01 | ssh-keygen -L -f -)
holds 'and lives as long as was asked' [ "$(member left)" -le 600 ]
expect 0 'show --json' login show --json
holds 'lists it' [ "$(member certificates.0.serial)" = "$serial" ]

# ---- into files ----
expect 0 'get --output' login get --ssh-cert --output "$work/key"
says out "certificate serial [0-9]+, in $work/key" 'says where'
holds 'the key is private' [ "$(stat -c %a "$work/key")" = 600 ]
holds 'key and certificate belong together' [ "$(ssh-keygen -y -f "$work/key" | cut -d' ' -f2 | base64 -d | sha256sum)" = \
	"$(ssh-keygen -L -f "$work/key-cert.pub" >/dev/null; python3 -c 'import base64, struct, sys
b = base64.b64decode(open(sys.argv[1]).read().split()[1])
def s(at): n = struct.unpack(">I", b[at:at + 4])[0]; return b[at + 4:at + 4 + n], at + 4 + n
_, at = s(0); _, at = s(at); key, _ = s(at)
sys.stdout.buffer.write(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + key)' "$work/key-cert.pub" | sha256sum)" ]
before=$(cksum <"$work/key")
expect 0 'again into the same file' login get --ssh-cert --output "$work/key"
holds 'with another key' [ "$(cksum <"$work/key")" != "$before" ]
before=$(cksum <"$work/other")
expect 77 "somebody's own key is not overwritten" login get --ssh-cert --output "$work/other"
holds 'nor changed' [ "$(cksum <"$work/other")" = "$before" -a ! -e "$work/other-cert.pub" ]

# ---- a real sshd ----
ssh-keygen -q -t ed25519 -N '' -C '' -f "$work/host"
token=$(admin node token --role master --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
login join "$url" --pin "$pin" --token "$token" --name master-1-1 --address 127.0.0.1 --hostkey "$work/host.pub" --state-dir "$work/node" --conf "$work/none.conf" >/dev/null 2>"$work/join" || cat "$work/join"
python3 -c 'import base64, json, sys
key = next(k["jwk"] for k in json.loads(base64.urlsafe_b64decode(open(sys.argv[1]).read().split(".")[1] + "=="))["keys"] if k["use"] == "sshca")
print("ssh-ed25519", base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + base64.urlsafe_b64decode(key["x"] + "=")).decode())' "$CLUSTER_LOGIN_HOME/keyset.jws" >"$work/ca.pub"
# What a node without our principals command would have to list.
principals() {
	ssh-add -L | grep cert-v01 | ssh-keygen -L -f - | grep '@' | grep -v 'Type:\|credential@' | tr -d ' ' >"$work/principals"
}

# sshd_start NAME LINE...
sshd_start() {
	port=$(free_port)
	printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey ${hostkey-$work/host}" 'PidFile none' 'UsePAM no' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no' 'PermitRootLogin yes' \
		'AuthorizedKeysFile none' 'StrictModes no' 'LogLevel VERBOSE' "TrustedUserCAKeys $work/ca.pub" "${@:2}" >"$work/$1.conf"
	/usr/sbin/sshd -D -e -f "$work/$1.conf" 2>>"$work/$1.log" &
	pids+=($!)
	until_true grep -q 'Server listening' "$work/$1.log"
}
plain_ssh() {
	ssh -F none -p "$port" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@"
}

expect 0 'the agent has a certificate' login get --ssh-cert
principals
sshd_start bare
for account in root nobody daemon sync "$(cut -d@ -f1 "$work/principals")"; do
	expect 255 "a trusted CA without a rule for principals lets in nobody: $account" plain_ssh "$account@127.0.0.1" true
done
expect 255 'by its file neither' plain_ssh -i "$work/key" -o IdentityAgent=none root@127.0.0.1 true
holds 'sshd saw the certificate each time' [ "$(grep -c 'Certificate invalid: name is not a listed principal' "$work/bare.log")" -ge 5 ]
# the same with a rule: only the rule was missing
sshd_start rule "AuthorizedPrincipalsFile $work/principals"
expect 0 'with a rule it lets in' plain_ssh root@127.0.0.1 echo in
says out '^in$' 'and runs what is asked'

# ---- the cluster's host blocks, BatchMode ----
expect 0 'get learns of the node' login get --ssh-cert
principals
expect 0 'ssh-config' login ssh-config --file "$work/config"
: >"$work/rule.log"
expect 0 'plain ssh in BatchMode, no fingerprint to trust' ssh -F "$work/config" -p "$port" -o BatchMode=yes root@master-1-1 echo in
says out '^in$' 'by the certificate alone'
says_not err 'authenticity|Warning' 'nothing is asked'
holds 'by our certificate' grep -q 'Accepted publickey for root .* ED25519-CERT' "$work/rule.log"
holds "the person's other key was shown to nobody" bash -c "! grep -q '$(ssh-keygen -lf "$work/other.pub" | cut -d' ' -f2)' '$work/rule.log'"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$work/imposter"
hostkey=$work/imposter sshd_start imposter "AuthorizedPrincipalsFile $work/principals"
expect 255 'a host with another key gets no login' ssh -F "$work/config" -p "$port" -o BatchMode=yes root@master-1-1 echo in
says err 'HOST IDENTIFICATION HAS CHANGED|Host key verification failed' 'and is refused for its key'

# ---- out again ----
expect 0 'drop' login drop
holds 'takes the certificate out of the agent' [ "$(ssh-add -L | grep -c cert-v01)" = 0 ]
holds 'and leaves what is not ours' [ "$(ssh-add -L | cut -d' ' -f2)" = "$(cut -d' ' -f2 "$work/other.pub")" ]
expect 1 'show has nothing more to tell' login show
expect 0 'drop without an agent' env -u SSH_AUTH_SOCK "$BUILD/cluster-login" drop

finish
