#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Devices whose key a real ssh-agent holds: every kind that is taken, those that are not, and what a person does with them afterwards.
# shellcheck source=tests/cli/lib.sh disable=SC2016,SC2317
. tests/cli/lib.sh
unset SSH_AUTH_SOCK SSH_AGENT_PID
agent_pid=
stop_all() {
	[ -z "$agent_pid" ] || kill "$agent_pid" 2>/dev/null
	cleanup
}
trap stop_all EXIT

authority_new prod
authority_start prod
admin user add alice >/dev/null 2>&1
admin account add emr-user >/dev/null 2>&1
admin grant add --person alice --account emr-user --node any >/dev/null
code() {
	admin user invite alice --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["code"])'
}
# setup_with HOME CODE KEY
setup_with() {
	CLUSTER_LOGIN_HOME=$work/home.$1 login setup "$url" --pin "$pin" --code "$2" --label "$1" --ssh-agent "$3"
}
print_of() {
	ssh-keygen -lf "$work/$1.pub" | cut -d' ' -f2
}
make_key() {
	ssh-keygen -q -t "$2" ${3:+-b "$3"} -N '' -C "key of $1" -f "$work/$1"
}

spare=$(code)
expect 69 'no agent' setup_with none "$spare" anything
says err 'SSH_AUTH_SOCK is not set' 'says what is missing'
export SSH_AUTH_SOCK=$work/agent.sock
ssh-agent -D -a "$SSH_AUTH_SOCK" >/dev/null 2>&1 &
agent_pid=$!
until_true listens "$SSH_AUTH_SOCK"

make_key ed25519 ed25519
make_key p256 ecdsa 256
make_key p384 ecdsa 384
make_key p521 ecdsa 521
make_key rsa3072 rsa 3072
make_key rsa2048 rsa 2048
make_key dsa dsa
make_key absent ed25519
for k in ed25519 p256 p384 p521 rsa3072 rsa2048 dsa; do
	ssh-add -q "$work/$k" 2>/dev/null
done

# ---- refused, and the code is not spent by it ----
expect 77 'RSA of 2048 bits' setup_with none "$spare" "$work/rsa2048.pub"
says err '2048 bits cannot be.*3072' 'says why'
expect 77 'by its fingerprint too' setup_with none "$spare" "$(print_of rsa2048)"
expect 77 'DSA' setup_with none "$spare" "$work/dsa.pub"
says err 'DSA keys are too weak' 'says why'
run setup_with none "$spare" "$work/absent.pub"
holds 'a key that the agent has not' [ "$status" -ne 0 ]
says err 'does not hold the key of .*absent.pub: ssh-add' 'says what to do'
says err "$(print_of p384 | sed 's/[+]/[+]/g') ecdsa-sha2-nistp384 key of p384" 'lists what the agent has'
says err 'key of rsa2048 \(cannot be' 'and what of it cannot be used'
expect 64 '--ssh-agent alone' login setup "$url" --pin "$pin" --code "$spare" --ssh-agent
says err 'The ssh-agent holds:' 'lists what the agent has'
holds 'nothing was set up' [ ! -e "$work/home.none/profile.conf" ]

# ---- taken ----
expect 0 'by the path of the private key, with the code that no refusal has spent' setup_with ed25519 "$spare" "$work/ed25519"
expect 0 'by comment' setup_with p256 "$(code)" 'key of p256'
expect 0 'by fingerprint' setup_with p384 "$(code)" "$(print_of p384)"
expect 0 'by the path of the public key' setup_with p521 "$(code)" "$work/p521.pub"
expect 0 'RSA of 3072 bits' setup_with rsa3072 "$(code)" "$work/rsa3072.pub"
for k in ed25519 p256 p384 p521 rsa3072; do
	holds "$k: no private key on disk" [ ! -e "$work/home.$k/device.key" ]
	holds "$k: the profile names it" grep -Fqx "device_key = agent $(print_of "$k")" "$work/home.$k/profile.conf"
	CLUSTER_LOGIN_HOME=$work/home.$k expect 0 "$k: get" login get
	says out 'person +alice' "$k: as alice"
done
CLUSTER_LOGIN_HOME=$work/home.rsa3072 expect 0 'get --ssh-cert' login get --ssh-cert
run setup_with again "$(code)" "$work/p384.pub"
holds 'one key, one device' [ "$status" -ne 0 ]
export CLUSTER_LOGIN_HOME=$work/home.p384

# ---- the agent loses it ----
ssh-add -q -d "$work/p384.pub" 2>/dev/null
expect 69 'the agent has it no more' login get
says err "does not hold this device's key $(print_of p384 | sed 's/[+]/[+]/g'): ssh-add" 'names the key and what to do'
SSH_AUTH_SOCK='' expect 69 'no agent at all' login get
says err "this device's key SHA256:" 'names the key'
ssh-add -q "$work/p384" 2>/dev/null
expect 0 'it is back' login get

# ---- list, rename, remove; lost ----
expect 0 'device list' admin device list
says out "p384 +ecdsa-sha2-nistp384 $(print_of p384 | sed 's/[+]/[+]/g')" 'shows type and fingerprint'
id=$(awk '$3 == "p384" { print $1 }' "$work/out")
expect 0 'rename' admin device rename "$id" 'the blue one'
expect 0 'list' admin device list --json
says out '"label": "the blue one"' 'by its new name'
run admin device rename "$id" ''
holds 'not to nothing' [ "$status" -ne 0 ]
run admin device rename AAAAAAAAAAAAAAAAAAAAAA x
holds 'nor what is not there' [ "$status" -ne 0 ]
expect 0 'still the same device' login get
expect 0 'lost: revoke it' admin revoke device "$id"
expect 77 'it gets nothing' login get
ssh-add -q "$work/absent" 2>/dev/null
expect 0 'invite again' setup_with replaced "$(code)" "$work/absent.pub"
CLUSTER_LOGIN_HOME=$work/home.replaced expect 0 'the new one does what the lost one did' login get
CLUSTER_LOGIN_HOME=$work/home.p521 expect 0 'the others never noticed' login get
expect 0 'remove' admin device remove "$id"
finish
