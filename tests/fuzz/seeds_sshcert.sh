#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the seeds of fuzz_sshcert into tests/fuzz/corpus: certificates by ssh-keygen, and what one of ours is made of.
set -eu
out=$(cd "$(dirname "$0")" && pwd)/corpus/sshcert
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
cd "$work"
key() { ssh-keygen -q -N '' -C '' -t "$1" -b "$2" -f "$3"; }
key ed25519 256 ca
key ecdsa 256 ca256
key ed25519 256 ed25519
key ecdsa 256 p256
key ecdsa 521 p521
key rsa 1024 rsa
# keys of security keys need no such thing to be certified: another type, and an application behind the fields
security() {
	{ printf '%b' "$3"; cut -d' ' -f2 "$1.pub" | base64 -d | tail -c "+$(($4 + 5))"; printf '\000\000\000\004ssh:'; } >blob
	printf '%s %s\n' "$5" "$(base64 -w0 blob)" >"$2.pub"
}
security ed25519 sk_ed25519 '\0000\0000\0000\0032sk-ssh-ed25519@openssh.com' 11 sk-ssh-ed25519@openssh.com
security p256 sk_p256 '\0000\0000\0000\0042sk-ecdsa-sha2-nistp256@openssh.com' 19 sk-ecdsa-sha2-nistp256@openssh.com
bytes() { { printf b; cut -d' ' -f2 "$1-cert.pub" | base64 -d; } >"$out/$2"; }
for name in ed25519 p256 p521 rsa sk_ed25519 sk_p256; do
	ssh-keygen -q -s ca -I "$name" -n alice -z 7 -V 20260101:20270101 "$name.pub"
	bytes "$name" "$name"
done
ssh-keygen -q -s ca256 -h -I host -n a,b -V always:forever ed25519.pub
bytes ed25519 host
ssh-keygen -q -s ca -I x -O clear -O permit-pty -O source-address=192.0.2.0/24 -O force-command=ls -O extension:credential@cluster-login=e30.e30.AA ed25519.pub
bytes ed25519 options
{ printf t; cut -d' ' -f1,2 ed25519-cert.pub; } >"$out/text"
printf 'm\0\0\0\0\0\0\0\7\2alice AAAAAAAAAAAAAAAAAAAAAA' >"$out/made"
