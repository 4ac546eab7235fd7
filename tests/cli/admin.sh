#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The administrator's commands against an authority on loopback.
# shellcheck source=tests/cli/lib.sh disable=SC2016,SC2317
. tests/cli/lib.sh

expect 69 'no authority' login user list --socket "$work/none.sock"
says err '--remote' 'names the way from elsewhere'
authority_new prod
authority_start prod

# ---- people ----
expect 0 'user add' admin user add alice --role data --role ops --account --uid 5000
says err 'uid 5000' 'with the uid asked for'
expect 0 'user add --admin' admin user add root-of-all --admin
expect 0 'user add --json' admin user add bob --json
holds 'gives an id' [ "$(member person | wc -c)" -eq 23 ]
expect 64 'a name that is none' admin user add 'Alice Smith'
expect 64 'a person that cannot be an account' admin user add a.b@example --account
expect 64 'uid without account' admin user add carl --uid 5001
run admin user add alice
holds 'a name twice' [ "$status" -ne 0 ]
expect 0 'user list' admin user list
says out '^alice +data ops +active +0 ' 'alice with her roles'
expect 0 'user list --json' admin user list --json
holds 'three people' [ "$(member people | grep -o "'id'" | wc -l)" = 3 ]
expect 0 'user show' admin user show alice
says out '^grant +alice on any' 'her grant'
expect 0 'user show --json' admin user show alice --json
expect 1 'user show of nobody' admin user show zoe
says err 'try: cluster-login user list' 'where people are listed'
expect 64 'a role that is none' admin user add dora --role 'bad role'
expect 0 'user disable' admin user disable bob
expect 0 'user list' admin user list
says out '^bob .*disabled' 'bob is disabled'
expect 0 'user enable' admin user enable bob
expect 0 'user invite' admin user invite bob --ttl 2m
says out "^cluster-login setup $url --pin $pin --code " 'prints the whole command'
expect 1 'invite nobody' admin user invite zoe
expect 0 'user remove' admin user remove bob

# ---- accounts and groups ----
expect 0 'account add' admin account add emr-user --shell /bin/sh --home /home/emr --gecos 'EMR user'
expect 0 'account add with uid' admin account add hadoop --uid 5002 --gid 5002 --json
holds 'the uid' [ "$(member uid)" = 5002 ]
expect 64 'a name that is none' admin account add Emr-User
run admin account add root
holds 'a reserved name' [ "$status" -ne 0 ]
expect 64 'a home that is none' admin account add spare --home relative
expect 64 'a shell that is none' admin account add spare --shell sh
expect 64 'a full name that is none' admin account add spare --gecos a:b
expect 0 'account list' admin account list
says out '^emr-user +18[0-9]{8} .*/home/emr +/bin/sh +EMR user' 'what was given'
expect 0 'group add' admin group add hadoop-users --gid 5003
expect 0 'group member-add' admin group member-add hadoop-users emr-user hadoop
expect 0 'group list' admin group list
says out '^hadoop-users +5003 +emr-user hadoop|^hadoop-users +5003 +hadoop emr-user' 'both members'
expect 0 'group member-remove' admin group member-remove hadoop-users hadoop
expect 0 'group list --json' admin group list --json
expect 0 'group remove' admin group remove hadoop-users
expect 0 'account remove' admin account remove hadoop

# ---- accounts from files ----
cat >"$work/passwd" <<'EOF'
# of the old cluster
root:x:0:0:root:/root:/bin/bash
ann:x:5101:5101:Ann Example,room 1,,:/home/ann:/bin/bash
ben:x:5102:5100::/srv/ben:/usr/bin/zsh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
EOF
cat >"$work/group" <<'EOF'
sudo:x:27:ann
crew:x:5100:ann,ben,zed
empty:x:5110:
EOF
expect 0 'a dry run' admin account import "$work/passwd" --group "$work/group" --dry-run
says err '2 accounts and 2 groups. Left out: 3' 'says what it would do'
expect 0 'account import' admin account import "$work/passwd" --group "$work/group"
says err 'line 2: root is left out' 'names what is the system'"'"'s own'
says err 'zed is left out of its group' 'and who has no account'
says err '2 accounts added, 0 were there; 2 groups and 2 members added' 'says what it did'
expect 0 'account list' admin account list
says out '^ann +5101 +5101 +/home/ann +/bin/bash +Ann Example *$' 'a full name without what follows'
says out '^ben +5102 +5100 +/srv/ben +/usr/bin/zsh' 'whose group is another'
expect 0 'group list' admin group list
says out '^crew +5100 +ann ben$' 'the members'
says out '^ann +5101' 'a group of her own'
from_stdin() { admin account import - --group "$work/group" --json < <(cat "$work/passwd"); }
expect 0 'once more, from a pipe' from_stdin
holds 'changes nothing' [ "$(member accounts_added) $(member accounts_present) $(member groups_added) $(member members_added)" = '0 2 0 0' ]
sed -i 's,/srv/ben,/home/ben,' "$work/passwd"
echo 'cyd:x:5103:5103::/home/cyd:/bin/bash' >>"$work/passwd"
expect 65 'an account that is another one' admin account import "$work/passwd"
says err 'there is an account "ben" already, with uid 5102' 'is named'
expect 0 'account list' admin account list
holds 'and nothing of that request is done' sh -c "! grep -q '^cyd ' '$work/out'"
printf 'dan:x:5104:100::/home/dan:/bin/bash\n' >"$work/passwd"
expect 65 'a primary group of the system' admin account import "$work/passwd"
says err 'passwd:1: "dan": gid 100 ' 'is named, with the line'
expect 0 'account import --own-groups' admin account import "$work/passwd" --own-groups
expect 0 'account list' admin account list
says out '^dan +5104 +5104 ' 'gives it one of its own'
printf 'eve:x:5105:5105::/home/eve\n' >"$work/passwd"
expect 65 'a line that is cut' admin account import "$work/passwd"
says err 'passwd:1: 7 fields .*, these are 6' 'is named'
expect 74 'no such file' admin account import "$work/none"
for i in $(seq 6000 9499); do echo "p$i:x:$i:5100:Person $i:/home/p$i:/bin/bash"; done >"$work/passwd"
{ printf 'crew:x:5100:'; seq -f 'p%g' -s , 6000 9499; } >"$work/group"
expect 0 'thousands' admin account import "$work/passwd" --group "$work/group" --json
holds 'all of them' [ "$(member accounts_added) $(member members_added) $(member members_unknown)" = '3500 3500 0' ]

# ---- grants ----
expect 0 'grant add' admin grant add --role data --account emr-user --node role:core --node master-1-1 --sudo --ttl 1h
grant=$(cat "$work/out")
expect 0 'grant list' admin grant list
says out "^role:data +emr-user +role:core node:master-1-1 +sudo +3600s +$grant" 'the grant as given'
expect 0 'grant list --json' admin grant list --json
expect 64 'to nobody' admin grant add --account emr-user
expect 64 'no such word' admin grant add --person alice --account emr-user --on-revoke maybe
says err 'end, warn or keep' 'says which'
expect 64 'to both' admin grant add --person alice --role data --account emr-user
expect 64 'as nothing' admin grant add --person alice
expect 64 'on nonsense' admin grant add --person alice --account emr-user --node 'a b'
run admin grant add --person zoe --account emr-user
holds 'to a stranger' [ "$status" -ne 0 ]
expect 0 'grant remove' admin grant remove "$grant"
expect 0 'grant add --hop' admin grant add --role data --account emr-user --hop
grant=$(cat "$work/out")
expect 0 'grant hop' admin grant hop --account emr-user --from role=master --from core-1-1 --to role:core,role=task --on-revoke keep
machine=$(cat "$work/out")
expect 0 'grant list' admin grant list
says out "^role:data +emr-user +any +hop +$grant" 'a hop of people'
says out "^from role:master node:core-1-1 +emr-user +role:core role:task +hop +$machine" 'a hop of machines'
expect 64 'from nowhere' admin grant hop --account emr-user --to role:core
expect 64 'to nowhere' admin grant hop --account emr-user --from role:master
expect 64 'as nothing' admin grant hop --from role:master --to role:core
expect 64 'from anywhere' admin grant hop --account emr-user --from any --to role:core
expect 64 'from nonsense' admin grant hop --account emr-user --from 'a b' --to role:core
expect 64 'to nonsense' admin grant hop --account emr-user --from role:master --to rule=core
admin account add own --person alice >/dev/null
run admin grant hop --account own --from role:master --to role:core
holds 'a personal account' [ "$status" -ne 0 ]
admin account remove own >/dev/null
expect 0 'grant remove' admin grant remove "$machine"
expect 0 'grant remove' admin grant remove "$grant"

# ---- nodes ----
expect 0 'node token' admin node token --role core --name core-1-1 --ttl 1h
says out "^cluster-login join $url --pin $pin --token [^ ]+ --configure$" 'prints the whole command'
token=$(sed 's/.*--token \([^ ]*\) .*/\1/' "$work/out")
ssh-keygen -q -t ed25519 -N '' -f "$work/hk"
login join "$url" --pin "$pin" --token "$token" --name core-1-1 --address 192.0.2.7 --hostkey "$work/hk.pub" --state-dir "$work/node" --conf "$work/none.conf" >/dev/null 2>&1
expect 0 'node list' admin node list
says out '^core-1-1 +core +192.0.2.7 +0 +20[0-9-]+T[0-9:]+Z ' 'a node that was seen when it joined'
expect 0 'node list --json' admin node list --json
expect 0 'node set' admin node set core-1-1 --role core --role task --leader --jump bastion.example
expect 0 'node list' admin node list
says out '^core-1-1 +core task leader' 'its roles'
expect 64 'nothing to set' admin node set core-1-1
expect 64 'no role' admin node set core-1-1 --role ''
expect 64 'a node that cannot be called so' admin node token --name localhost
expect 64 'leader or not' admin node set core-1-1 --leader --no-leader
expect 1 'set of a stranger' admin node set zoe --leader

# ---- revocation ----
expect 0 'revoke' admin revoke person alice --reason 'left us'
says err 'number [0-9]+' 'says its number'
expect 0 'revoke --list' admin revoke --list
says out '^ *[0-9]+ person +alice .* root +stays +1 +left us' 'with name, administrator, end, nodes that miss it, and reason'
number=$(awk '/alice/ { print $1 }' "$work/out")
expect 0 'revoke again' admin revoke person alice --json
holds 'is the same number' [ "$(member already) $(member seq)" = "True $number" ]
expect 0 'unrevoke' admin unrevoke "$number"
says err 'stay ended' 'says what does not come back'
expect 1 'unrevoke twice' admin unrevoke "$number"
expect 64 'unrevoke nonsense' admin unrevoke x
expect 1 'revoke --wait with a silent node' admin revoke account emr-user --wait --timeout 1s
says out '^core-1-1 +no ' 'names it'
says err '1 of 1 nodes have not proved' 'counts it'
expect 1 'revoke --wait --json' admin revoke role data --wait --timeout 1s --json
holds 'done is false' [ "$(member wait.done)" = False ]
expect 0 'revoke before now' admin revoke before now
expect 0 'revoke before a time' admin revoke before 2026-01-01T00:00:00Z
expect 0 'lockdown' admin revoke lockdown --except root-of-all
expect 1 'lockdown but a stranger' admin revoke lockdown --except zoe
expect 1 'revoke nobody' admin revoke person zoe
expect 64 'revoke nothing' admin revoke
expect 64 'revoke nonsense' admin revoke persn alice
expect 64 'revoke whom' admin revoke person
expect 64 'no such time' admin revoke before yesterday
expect 64 'except belongs to lockdown' admin revoke person alice --except root-of-all
expect 65 'a credential that is none' admin revoke credential x
expect 0 'unrevoke by what it is' admin unrevoke before
says err '^2 taken back' 'all of them'
expect 0 'unrevoke lockdown' admin unrevoke lockdown
expect 1 'unrevoke what is not revoked' admin unrevoke person alice
expect 64 'unrevoke whom' admin unrevoke person
id=$(head -c 16 /dev/urandom | basenc --base64url | tr -d =)
for what in "credential $id" "device $id" "person alice" "account emr-user" "node core-1-1" "role ops" "issuer $id" "session $id" 'cert-serial 7' 'cert-id alice@x' \
	'cert_key SHA256:uUiTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8' 'cert-ca SHA256:uUiTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8' 'before now' lockdown; do
	read -r -a words <<<"$what"
	expect 0 "dry run: $what" admin revoke "${words[@]}" --dry-run
	says out '^sessions +0' 'no session'
	expect 0 "revoke $what" admin revoke "${words[@]}" --json
	holds 'has a number' [ "$(member seq)" -gt 0 ]
	seq=$(member seq)
	if [ "${words[0]}" = session ]; then expect 65 'a session does not come back' admin unrevoke "$seq"; else expect 0 "unrevoke $what" admin unrevoke "$seq"; fi
done
expect 0 'dry run of a person' admin revoke person alice --dry-run
says out '^people +1: alice$' 'whom'
says out '^accounts +[12]: ' 'as what'
expect 0 'dry run --json' admin revoke lockdown --except alice --dry-run --json
holds 'everybody else' [ "$(member people)" = "['root-of-all']" ]
expect 64 'dry run and wait' admin revoke person alice --dry-run --wait
expect 0 'nothing was revoked by that' admin revoke --list --json
holds 'but the others' [ "$(grep -c '"seq"' "$work/out")" = 2 ]
ssh-keygen -q -t ed25519 -N '' -C 'a b' -f "$work/user"
expect 0 'revoke the key of a file' admin revoke cert-key "$work/user.pub"
expect 0 'revoke --list' admin revoke --list
fingerprint=$(ssh-keygen -lf "$work/user.pub" | awk '{ print $2 }')
holds 'has its fingerprint' grep -Fq "$fingerprint" "$work/out"
ssh-keygen -q -s "$work/user" -I 'alice x' -z 4711 -n x "$work/user.pub"
expect 0 'revoke the serial number of a file' admin revoke cert-serial "$work/user-cert.pub" --json
expect 0 'revoke the key id of a file' admin revoke cert-id "$work/user-cert.pub"
expect 0 'revoke the CA of a file' admin revoke cert-ca "$work/user-cert.pub"
expect 0 'revoke --list' admin revoke --list
says out 'cert_serial +4711 ' 'serial number'
says out 'cert_id +alice x ' 'key id'
holds 'CA' grep -Eq "cert_ca +${fingerprint//+/\\+} " "$work/out"
expect 0 'unrevoke the CA of a file' admin unrevoke cert-ca "$work/user-cert.pub"
expect 65 'a file that is none' admin revoke cert-key /dev/null
expect 0 'sessions' admin sessions
says err '1 nodes have not told' 'who has said nothing'
expect 0 'sessions --json' admin sessions --person alice --node core-1-1 --account emr-user --json
holds 'none' [ "$(member sessions) $(member total)" = '[] 0' ]
expect 1 'sessions of nobody' admin sessions --person zoe
expect 64 'end of what' admin sessions --end x
expect 64 'wait for what' admin sessions --wait
expect 64 'one or many' admin sessions --end "$id" --person alice
expect 0 'sessions --end' admin sessions --end "$id" --reason 'left open'
says err 'revoked already' 'as it was'
expect 0 'status --metrics' admin status --metrics
says out '^cluster_authority_nodes 1$' 'counts nodes'
says out '^cluster_authority_requests_total.code="200". [1-9]' 'counts requests'
expect 0 'node remove' admin node remove core-1-1
expect 0 'revoke --wait without nodes' admin revoke device "$(head -c 16 /dev/urandom | basenc --base64url | tr -d =)" --wait

# ---- status, audit, devices ----
expect 0 'status' admin status
says out '^cluster +prod ' 'names the cluster'
says out '^nodes +0, 0 can be reached' 'counts nodes'
expect 0 'status --json' admin status --json
holds 'the pin' [ "$(member pin)" = "$pin" ]
expect 0 'audit' admin audit --limit 500
says out 'alice' 'has alice'
expect 64 'more records than there are in an answer' admin audit --limit 1001
expect 0 'audit --json' admin audit --after 1 --limit 2 --json
holds 'two records' [ "$(member records | grep -o "'hash'" | wc -l)" = 2 ]
expect 0 'device list' admin device list

# ---- from elsewhere ----
while read -r seq; do admin unrevoke "$seq" >/dev/null 2>&1; done < <(admin revoke --list --json | python3 -c 'import json, sys; [print(e["seq"]) for e in json.load(sys.stdin)["entries"]]')
for person in alice root-of-all; do
	code=$(admin user invite "$person" --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["code"])')
	CLUSTER_LOGIN_HOME=$work/$person login setup "$url" --pin "$pin" --code "$code" 2>/dev/null
done
CLUSTER_LOGIN_HOME=$work/root-of-all expect 0 'an administrator over the network' login user list --remote
says out '^alice ' 'sees alice'
CLUSTER_LOGIN_HOME=$work/alice expect 77 'alice is none' login user list --remote
says err 'try: as an administrator' 'who may'
expect 0 'devices' admin device list --person alice
device=$(awk '/alice/ { print $1 }' "$work/out")
CLUSTER_LOGIN_HOME=$work/alice expect 0 'get' login get
expect 0 'device remove' admin device remove "$device"
CLUSTER_LOGIN_HOME=$work/alice expect 77 'no credential without the device' login get

# ---- refusals ----
expect 1 'explain an id that nobody told' admin explain Xk3_9aZq
says err 'the authority knows of no refusal with the id Xk3_9aZq' 'says so'
says err "grep 'id=Xk3_9aZq '" 'and where it may stand'
expect 64 'what is neither reason nor id' admin explain Xk3/9aZq

# ---- words ----
expect 64 'no command' login
expect 64 'unknown command' login usr list
says err 'did you mean "user"' 'names the nearest'
expect 64 'unknown verb' admin user lst
says err 'did you mean "list"' 'names the nearest'
expect 64 'unknown option' admin user add x --rolle y
says err 'did you mean --role' 'names the nearest'
for command in setup get show drop whoami nodes ssh ssh-config env 'user add' 'user list' 'user show' 'user disable' 'user enable' 'user remove' 'user invite' 'account add' 'account list' \
	'account remove' 'group add' 'group list' 'group remove' 'group member-add' 'group member-remove' 'device list' 'device remove' 'node token' 'node list' 'node set' 'node remove' \
	'grant add' 'grant hop' 'grant list' 'grant remove' revoke unrevoke sessions status audit join leave explain doctor 'jws sign' 'jws verify'; do
	# shellcheck disable=SC2086
	expect 0 "$command --help" login $command --help
	holds "$command --help teaches" grep -q "^Example" "$work/out"
done
expect 74 'a full disk behind stdout' bash -c '"$BUILD/cluster-login" user list --socket "$0" >/dev/full' "$work/admin.sock"
finish
