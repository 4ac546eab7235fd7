#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A machine becomes a node and leaves again, without the system side (configure.sh has that).
# shellcheck source=tests/cli/lib.sh disable=SC2016,SC2317
. tests/cli/lib.sh

authority_new prod
authority_start prod
for i in 1 2 3; do
	ssh-keygen -q -t ed25519 -N '' -f "$work/hk$i"
done
ssh-keygen -q -t ecdsa -b 256 -N '' -f "$work/hk_ecdsa"
ssh-keygen -q -t rsa -b 2048 -N '' -f "$work/hk_rsa"
ssh-keygen -q -t ecdsa -b 521 -N '' -f "$work/hk_521"

new_token() {
	admin node token "$@" --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])'
}

# join NAME TOKEN HOSTKEY ADDRESS [OPTION...]
join() {
	local name=$1 token=$2 key=$3 address=$4
	shift 4
	login join "$url" --pin "$pin" --token "$token" --name "$name" --hostkey "$work/$key.pub" --address "$address" --state-dir "$work/$name" --conf "$work/none.conf" "$@"
}

expect 64 'join without words' login join
expect 64 'join without a token' login join "$url" --pin "$pin"
expect 64 'adopt without configure' login join "$url" --pin "$pin" --token x --adopt ecs-user --conf "$work/none.conf"
expect 78 'a pin that is none' login join "$url" --pin sha256:x --token x --conf "$work/none.conf" --state-dir "$work/x"
expect 78 'an address that is none' login join "$url" --pin "$pin" --token x --address 1.2.3 --conf "$work/none.conf" --state-dir "$work/x"
expect 78 'a name that is none' login join "$url" --pin "$pin" --token x --name Not_A_Node --conf "$work/none.conf" --state-dir "$work/x"
expect 78 'no authority address' login join ftp://x --pin "$pin" --token x --conf "$work/none.conf" --state-dir "$work/x"
expect 69 'nobody there' login join https://127.0.0.1:1 --pin "$pin" --token x --name a --hostkey "$work/hk1.pub" --conf "$work/none.conf" --state-dir "$work/x"
expect 78 'a private key is no public one' login join "$url" --pin "$pin" --token x --name a --hostkey "$work/hk1" --conf "$work/none.conf" --state-dir "$work/x"
expect 77 'a curve that cannot be used' login join "$url" --pin "$pin" --token x --name a --hostkey "$work/hk_521.pub" --address 192.0.2.1 --conf "$work/none.conf" --state-dir "$work/x"
holds 'nothing is left of all that' [ ! -e "$work/x" ]

token=$(new_token --role master)
good=$pin
pin=sha256:$(printf 'A%.0s' {1..43})
expect 77 'a wrong pin' join master-1-1 "$token" hk1 192.0.2.1
says err 'node token' 'names what to copy'
pin=$good
holds 'nothing is left' [ ! -e "$work/master-1-1" ]
expect 77 'a wrong token' join master-1-1 0000-0000-0000 hk1 192.0.2.1
holds 'nothing is left' [ ! -e "$work/master-1-1" ]
expect 0 'join' join master-1-1 "$token" hk1 192.0.2.1
says err 'node master-1-1 of the cluster prod' 'says which node'
for file in node.key hop.key; do
	holds "$file is private" [ "$(stat -c %a "$work/master-1-1/$file")" = 600 ]
done
holds 'the marker is for everybody' [ "$(stat -c %a "$work/master-1-1/enrolled")" = 644 ]
holds 'the marker names the authority' grep -q "^authority = $url" "$work/master-1-1/enrolled"
expect 77 'join twice' join master-1-1 "$(new_token --role master)" hk1 192.0.2.1
says err 'already' 'says so'
expect 77 'the token twice' join core-1-1 "$token" hk2 192.0.2.2
holds 'nothing is left' [ ! -e "$work/core-1-1" ]

spare=$(new_token --role core)
mkdir "$work/clash"
run login join "$url" --pin "$pin" --token "$spare" --name master-1-1 --hostkey "$work/hk2.pub" --address 192.0.2.2 --state-dir "$work/clash" --conf "$work/none.conf"
holds 'a name that is taken' [ "$status" -ne 0 ]
run join core-1-1 "$(new_token --role core)" hk1 192.0.2.2
holds 'a host key that is taken (a cloned image)' [ "$status" -ne 0 ]
run join core-1-1 "$(new_token --role core)" hk2 192.0.2.1
holds 'an address that is taken' [ "$status" -ne 0 ]
run join core-1-1 "$(new_token --role core --name task-1-1)" hk2 192.0.2.2
holds 'a token for another name' [ "$status" -ne 0 ]
holds 'a directory that was there stays, empty' [ -z "$(ls -A "$work/clash")" ]
expect 0 'several kinds of host keys' join core-1-1 "$(new_token --role core)" hk2 2001:db8::2 --hostkey "$work/hk_ecdsa.pub" --hostkey "$work/hk_rsa.pub" --address 192.0.2.2 --instance i-1
admin node list --json >"$work/out"
holds 'both addresses' [ "$(python3 -c 'import json, sys; print([n["addresses"] for n in json.load(open(sys.argv[1]))["nodes"] if n["name"] == "core-1-1"][0])' "$work/out")" = "['2001:db8::2', '192.0.2.2']" ]

# A key that another machine has the private half of proves nothing.
cp "$work/hk3.pub" "$work/stolen.pub"
cp "$work/hk_ecdsa" "$work/stolen"
run join task-1-1 "$(new_token --role task)" stolen 192.0.2.3
holds 'a host key without its private half' [ "$status" -ne 0 ]
holds 'nothing is left' [ ! -e "$work/task-1-1" ]

# ---- what a node knows ----
cat >"$work/node.conf" <<END
[agent]
state = $work/master-1-1
run = $work/run
END
expect 1 'explain without a snapshot' login explain --person alice --account emr-user --conf "$work/node.conf"
says out 'no snapshot yet|snapshot_missing' 'says why'
expect 1 'explain --json' login explain --person alice --account emr-user --conf "$work/node.conf" --json
holds 'the reason' [ "$(member reason)" = snapshot_missing ]
expect 1 'status of a node without a snapshot' login status --conf "$work/node.conf"
says out '^agent +does not answer' 'and without an agent'
expect 1 'status --json' login status --conf "$work/node.conf" --json
expect 1 'doctor' login doctor --conf "$work/node.conf"
expect 1 'doctor --json' login doctor --conf "$work/node.conf" --json
expect 1 'explain on a machine that is none' login explain --person a --account b --conf "$work/none.conf" --state-dir "$work/nothing"
expect 64 'explain nobody' login explain --person alice --conf "$work/node.conf"
expect 0 'explain a word' login explain no_grant
says out 'grant' 'explains it'
expect 69 'explain an id where nobody can be asked' login explain Xk3_9aZq --conf "$work/node.conf"
says err 'as root on the node that refused' 'says whom to ask'
expect 64 'explain an unknown word' login explain no_grnt
says err 'no_grant' 'names the nearest'
printf '[node]\nadpot = x\n' >"$work/bad.conf"
expect 78 'a wrong configuration' login explain --person a --account b --conf "$work/bad.conf"
says err 'did you mean "adopt"' 'names file, line and the nearest key'

# ---- leave ----
expect 1 'leave a machine that is none' login leave --conf "$work/none.conf" --state-dir "$work/nothing"
expect 0 'leave' login leave --conf "$work/node.conf"
says err 'cluster-login node remove master-1-1' 'says what is left to do'
holds 'nothing is left' [ ! -e "$work/master-1-1" ]
expect 1 'leave twice' login leave --conf "$work/node.conf"
admin node remove master-1-1 >/dev/null
expect 0 'and join again' join master-1-1 "$(new_token --role master)" hk1 192.0.2.1
finish
