#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A person's way from the invitation to ssh, and what goes wrong on it.
# shellcheck source=tests/cli/lib.sh disable=SC2016,SC2317
. tests/cli/lib.sh

authority_new prod
authority_start prod
admin user add alice --role data >/dev/null 2>&1
admin account add emr-user >/dev/null 2>&1
admin grant add --person alice --account emr-user --node any >/dev/null
code() {
	admin user invite alice --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["code"])'
}

# ---- before setup ----
for command in get show nodes whoami drop 'ssh emr-user@master-1-1' env ssh-config 'device list --mine'; do
	# shellcheck disable=SC2086
	expect 78 "$command before setup" login $command
done
says err 'cluster-login setup' 'names the command to try'

# ---- setup ----
expect 64 'setup without a pin' login setup "$url" --code x
wrong=sha256:$(printf 'A%.0s' {1..43})
expect 77 'setup with another pin' login setup "$url" --pin "$wrong" --code "$(code)"
holds 'nothing is set up by it' [ ! -e "$CLUSTER_LOGIN_HOME/profile.conf" ]
expect 78 'a pin that is none' login setup "$url" --pin sha256:x --code y
expect 78 'plain http' login setup "http://127.0.0.1:1" --pin "$pin" --code y
expect 69 'nobody there' login setup https://127.0.0.1:1 --pin "$pin" --code y
expect 77 'a wrong code' login setup "$url" --pin "$pin" --code 0000-0000-0000
ssh-keygen -q -t ed25519 -N '' -f "$work/ssh_host_ed25519_key"
# every user of a machine reads the command lines of all others; this server never answers, so that there is time to look
cat >"$work/cmdline.py" <<'PY'
import os, resource, signal, socket, subprocess, sys
server = socket.create_server(("127.0.0.1", 0))
server.settimeout(60)
word, command = sys.argv[1], [w.replace("PORT", str(server.getsockname()[1])) for w in sys.argv[2:]]
core = lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
process = subprocess.Popen([os.environ["BUILD"] + "/cluster-login", *command], stderr=subprocess.DEVNULL, cwd=os.path.dirname(sys.argv[0]), preexec_fn=core)
server.accept()
with open(f"/proc/{process.pid}/cmdline", encoding="utf-8") as f:
    text = f.read()
process.send_signal(signal.SIGABRT)
dumped = os.WCOREDUMP(os.waitpid(process.pid, 0)[1])
print(text.replace("\0", " "), "core dumped" if dumped else "")
sys.exit(word in text or dumped)
PY
expect 0 'the code is not left where ps shows it, nor in a core' python3 "$work/cmdline.py" 7f3k-92qx-11bc setup https://127.0.0.1:PORT --pin "$wrong" --code 7f3k-92qx-11bc
expect 0 'nor behind =' python3 "$work/cmdline.py" 7f3k-92qx-11bc setup https://127.0.0.1:PORT --pin "$wrong" --code=7f3k-92qx-11bc
for token in AbCdEfGhIjKlMnOpQrStUw -bCdEfGhIjKlMnOpQrStUw; do
	expect 0 "nor a join token ($token)" python3 "$work/cmdline.py" "$token" join https://127.0.0.1:PORT --pin "$wrong" --token "$token" --name a --address 192.0.2.1 \
		--hostkey "$work/ssh_host_ed25519_key.pub" --conf "$work/none.conf" --state-dir "$work/x"
done
expect 64 'a code that is to come by standard input' login setup "$url" --pin "$pin" --code -
from() { "${@:2}" <"$1"; }
invitation=$(code)
printf '%s\nnone\n' "$invitation" >"$work/code"
expect 0 'setup' from "$work/code" login setup "$url" --pin "$pin" --code - --label laptop
says err 'enrolled for alice' 'says for whom'
holds 'the directory is private' [ "$(stat -c %a "$CLUSTER_LOGIN_HOME")" = 700 ]
holds 'the device key is private' [ "$(stat -c %a "$CLUSTER_LOGIN_HOME/device.key")" = 600 ]
expect 77 'setup again' login setup "$url" --pin "$pin" --code "$(code)"
says err -- '--force' 'names --force'
CLUSTER_LOGIN_HOME=$work/second expect 77 'a code twice' login setup "$url" --pin "$pin" --code "$invitation"
expect 0 'whoami' login whoami
says out '^alice$' 'whoami says alice'
expect 1 'show without a credential' login show
says err 'cluster-login get' 'names get'

# ---- get, show, drop ----
expect 0 'get' login get
says out 'person +alice' 'get says who'
says out 'emr-user +any|emr-user' 'get says what accounts'
says out 'valid until 20' 'get says until when'
for file in credential.jwt credential.key head.jws; do
	holds "$file is private" [ "$(stat -c %a "$CLUSTER_LOGIN_HOME/$file")" = 600 ]
done
expect 0 'show --json' login show --json
holds 'it is valid' [ "$(member valid)" = True ]
first=$(member jti)
holds 'and not revoked' [ "$(member revoked)-$(member standing)" = False-good ]
expect 0 'show --offline' login show --offline --json
holds 'not asked' [ "$(member revoked)-$(member standing)-$(member standing_detail)" = 'None-unknown-not asked' ]
expect 0 'get --renew before its time' login get --renew --json
holds 'the same credential' [ "$(member jti)" = "$first" ]
for words in '--ttl 5m' '--for emr-user' '--on master-1-1' --ssh-cert; do
	# shellcheck disable=SC2086
	expect 64 "get --renew $words" login get --renew $words
done
admin user disable alice >/dev/null 2>&1
expect 1 'show of a disabled person' login show
says out '^refused +.*disabled' 'refused, and why'
admin user enable alice >/dev/null 2>&1
admin revoke credential "$first" >/dev/null 2>&1
expect 1 'show of a revoked credential' login show --json
holds 'revoked' [ "$(member revoked)-$(member standing)" = True-revoked ]
expect 0 'get --ttl --for --on' login get --ttl 15m --for emr-user --on master-1-1,role:core --json
holds 'life as asked for' [ "$(member left)" -le 900 ]
holds 'narrowed to the account' [ "$(member accounts_only.0)" = emr-user ]
holds 'narrowed to a node and a role' [ "$(member nodes_only)" = "['node:master-1-1', 'role:core']" ]
holds 'another credential each time' [ "$(member jti)" != "$first" ]
expect 64 'get --on any' login get --on any
expect 64 'get --for nonsense' login get --for 'No Name'
expect 64 'get --ttl too long' login get --ttl 2d
# A variable of a script that is not set makes nothing wider.
for words in '--for=' '--on=' '--on=,' '--for=,,'; do
	expect 64 "get $words" login get "$words"
done
expect 0 'get --on a node that is none yet' login get --on no-such-node
says err 'No node is called no-such-node' 'says so'
expect 0 'get --ttl longer than granted' login get --ttl 13h
says err 'Not longer than 1h' 'says so'
expect 65 'answer to what is no challenge' login answer "CL1:$(printf 'A%.0s' {1..226})"
says err 'try: cluster-login answer' 'what to try'
expect 0 'drop' login drop
holds 'the credential is gone' [ ! -e "$CLUSTER_LOGIN_HOME/credential.jwt" ]
holds 'its key too' [ ! -e "$CLUSTER_LOGIN_HOME/credential.key" ]
expect 0 'drop again' login drop

expect 1 'status, where there is neither node nor authority, is show' login status --conf "$work/none.conf" --state-dir "$work/no-node"
says err 'there is no credential' 'and there is none'

# ---- devices ----
expect 0 'device list' login device list --mine
says out ' laptop .* this one$' 'this one'
id=$(awk '/this one/ { print $1 }' "$work/out")
expect 0 'rename by label' login device rename --mine laptop 'my laptop'
expect 0 'rename by id' login device rename --mine "$id" laptop
expect 1 'a label that is none' login device rename --mine phone x
says err 'no device "phone"' 'says so'
expect 64 'no label' login device rename --mine laptop ''
expect 77 'remove the device in use' login device remove --mine laptop
says err -- '--force' 'names --force'
expect 1 'the device of nobody' login device remove --mine AAAAAAAAAAAAAAAAAAAAAA
expect 0 'list as JSON' login device list --mine --json
holds 'still there' [ "$(member devices.0.label)" = laptop ]

# ---- the signed directory, ssh ----
expect 0 'nodes of an empty cluster' login nodes --json
token=$(admin node token --role master --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
login join "$url" --pin "$pin" --token "$token" --name master-1-1 --address 127.0.0.1 --instance i-0abc --hostkey "$work/ssh_host_ed25519_key.pub" \
	--state-dir "$work/node" --conf "$work/none.conf" >/dev/null 2>"$work/join" || cat "$work/join"
admin node set master-1-1 --leader >/dev/null
expect 0 'get sees the node' login get
expect 0 'nodes' login nodes
says out 'master-1-1 +master leader +127.0.0.1 +22 +i-0abc +emr-user' 'name, roles, address, port, instance, accounts'
expect 0 'nodes as JSON' login nodes --json
holds 'with the accounts' [ "$(member nodes.0.accounts)" = "['emr-user']" ]
for pair in master-1-1=node:master-1-1 leader=node:master-1-1 master=role:master i-0abc=node:master-1-1 127.0.0.1=node:master-1-1 role:core=role:core new-1-1=node:new-1-1; do
	expect 0 "get --on ${pair%=*}" login get --on "${pair%=*}" --json
	holds "is ${pair#*=}" [ "$(member nodes_only.0)" = "${pair#*=}" ]
done
expect 64 'get --on nonsense' login get --on 'No Node'
login get >/dev/null 2>&1
for name in master-1-1 leader master i-0abc 127.0.0.1; do
	expect 0 "ssh $name" login ssh --print "emr-user@$name" uptime
	says out '-o HostKeyAlias=master-1-1 .*-l emr-user -- master-1-1 uptime$' "$name is master-1-1"
done
for option in StrictHostKeyChecking=yes PubkeyAuthentication=yes PubkeyAcceptedAlgorithms=ssh-ed25519-cert-v01@openssh.com IdentityFile=none PreferredAuthentications=publickey,keyboard-interactive NumberOfPasswordPrompts=1 ForwardAgent=no ForwardX11=no UserKnownHostsFile=none; do
	says out "-o $option" "ssh is told $option"
done
expect 0 'the only account is chosen' login ssh --print master-1-1
says out '-l emr-user -- master-1-1$' 'emr-user is chosen'
expect 0 'options of ssh pass' login ssh --print -v -L 8088:localhost:8088 -p 22 --option Compression=yes --user core --leader
says out '-o Compression=yes -v -L 8088:localhost:8088 -p 22 -l core -- master-1-1$' 'in their place'
expect 0 'options after the node' login ssh --print emr-user@master-1-1 -N -- ls -l
says out '-N -l emr-user -- master-1-1 ls -l$' 'and then the command'
expect 0 'DC/OS habits' login ssh --print --mesos-id=i-0abc --user=core --proxy-ip=bastion.example df
says out 'ProxyJump=bastion.example .*-l core -- master-1-1 df$' 'mesos id, user, proxy'
expect 64 'through and straight at once' login ssh --print --direct --proxy-ip master-1-1 emr-user@master-1-1
says err 'contradict' 'says so'
expect 64 'no agent is forwarded' login ssh -A emr-user@master-1-1
expect 64 'unknown option of ssh' login ssh -Z emr-user@master-1-1
expect 64 'an option without its value' login ssh emr-user@master-1-1 -L
expect 64 'no node' login ssh -v
expect 64 'a node without a name' login ssh emr-user@
expect 64 'an account without a name' login ssh @master-1-1
says err 'which account' 'says so'
expect 64 'two nodes' login ssh --leader --mesos-id i-0abc --user emr-user
expect 1 'unknown node' login ssh emr-user@mastr-1-1
says err 'did you mean master-1-1' 'names the nearest'
expect 64 'a jump host that is none' login ssh --print --proxy-ip='-oProxyCommand=x'
admin account add hadoop >/dev/null 2>&1
admin grant add --person alice --account hadoop >/dev/null
login get >/dev/null 2>&1
expect 64 'two accounts and none named' login ssh --print master-1-1
says err 'which account' 'asks which'
cp "$CLUSTER_LOGIN_HOME/accounts.json" "$work/accounts.json"
# what the authority lists is not signed: of names that are no account's nothing is printed, offered or given to ssh
python3 - "$CLUSTER_LOGIN_HOME/accounts.json" <<'PY'
import json, sys
me = json.load(open(sys.argv[1], encoding="utf-8"))
row = me["accounts"][0]
me["accounts"] = [dict(row, account=name) for name in ("x;id>&2", "-oProxyCommand=id", "a\nProxyCommand id", "$(id)", "A")]
json.dump(me, open(sys.argv[1], "w", encoding="utf-8"))
PY
expect 0 'names that are no account'"'"'s' login ssh --print master-1-1
says out '-o UpdateHostKeys=no -- master-1-1$' 'none is chosen'
expect 0 'show them' login show --offline
says_not out 'ProxyCommand|x;id|\$\(id' 'nor listed'
expect 0 'complete them' login complete -- 'cluster-login ssh '
says_not out 'ProxyCommand|x;id|\$\(id' 'nor offered'
cp "$work/accounts.json" "$CLUSTER_LOGIN_HOME/accounts.json"
expect 0 'ssh --print is for a shell' login ssh --print emr-user@master-1-1 -- "echo 'a b'; id >\$HOME" ''
holds 'which makes of it what was given' python3 -c 'import shlex, sys; sys.exit(shlex.split(open(sys.argv[1]).read())[-3:] != ["master-1-1", sys.argv[2], ""])' "$work/out" "echo 'a b'; id >\$HOME"

expect 0 'known-hosts' login known-hosts master-1-1
holds 'the host key is the one' [ "$(cat "$work/out")" = "master-1-1 $(cut -d' ' -f1,2 "$work/ssh_host_ed25519_key.pub")" ]
holds 'a reader that has gone is an error, not a signal' python3 -c 'import os, subprocess, sys
r, w = os.pipe()
os.close(r)
sys.exit(subprocess.run(sys.argv[1:], stdout=w).returncode != 74)' "$BUILD/cluster-login-askpass" known-hosts master-1-1
expect 0 'known-hosts, told the key' login known-hosts master-1-1 "$(cut -d' ' -f2 "$work/ssh_host_ed25519_key.pub")"
says_not err . 'which is the right one'
expect 0 'known-hosts, told another key' login known-hosts master-1-1 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
says err 'another host answers in place of master-1-1' 'says so'
says err 'try: cluster-login get' 'and what to try'
expect 1 'known-hosts of a stranger' login known-hosts stranger
holds 'says nothing' [ ! -s "$work/out" ]

# ---- ssh-config, env ----
mkdir -p "$work/ssh"
printf 'Host *\n    Compression no\n' >"$work/ssh/config"
cp "$work/ssh/config" "$work/ssh/before"
expect 78 'env before ssh-config' login env --file "$work/ssh/config"
says err 'cluster-login ssh-config' 'names ssh-config'
expect 0 'ssh-config' login ssh-config --file "$work/ssh/config"
expect 0 'ssh-config again' login ssh-config --file "$work/ssh/config"
holds 'one line' [ "$(grep -c '^Include ' "$work/ssh/config")" = 1 ]
expect 0 'ssh reads it' ssh -F "$work/ssh/config" -G master-1-1
says out '^hostname 127.0.0.1$' 'the address'
says out '^stricthostkeychecking (true|yes)$' 'the host key is checked'
says out '^pubkeyacceptedalgorithms ssh-ed25519-cert-v01@openssh.com$' 'of the keys certificates only'
expect 0 'another host' ssh -F "$work/ssh/config" -G elsewhere.example
says out '^pubkeyauthentication (true|yes)$' 'is not touched'
expect 0 'the instance id' ssh -F "$work/ssh/config" -G i-0abc
says out '^hostkeyalias master-1-1$' 'is the node'
for shell in '' --fish --csh; do
	# shellcheck disable=SC2086
	expect 0 "env $shell" login env --file "$work/ssh/config" $shell
	says out 'SSH_ASKPASS_REQUIRE[ =]force' "env $shell names the rule"
done
expect 64 'env for two shells' login env --file "$work/ssh/config" --fish --csh
expect 64 'ssh-config --print --remove' login ssh-config --print --remove --file "$work/ssh/config"
expect 0 'ssh-config --print' login ssh-config --print
holds 'prints the block file' cmp -s "$work/out" "$CLUSTER_LOGIN_HOME/ssh_config"
rm "$CLUSTER_LOGIN_HOME/objects"/*
expect 1 'no host key from half a directory' login known-hosts master-1-1
holds 'not one' [ ! -s "$work/out" ]
expect 0 'nodes mends it' login nodes
holds 'get writes the block file anew' grep -q 'Host master-1-1 i-0abc' "$CLUSTER_LOGIN_HOME/ssh_config"
expect 0 'ssh-config --remove' login ssh-config --remove --file "$work/ssh/config"
holds 'byte for byte' cmp -s "$work/ssh/config" "$work/ssh/before"
expect 0 'remove twice' login ssh-config --remove --file "$work/ssh/config"
expect 0 'no file before' login ssh-config --file "$work/ssh/new/config"
holds 'made private' [ "$(stat -c %a "$work/ssh/new/config")" = 600 ]
expect 0 'and removed' login ssh-config --remove --file "$work/ssh/new/config"
holds 'no file after' [ ! -e "$work/ssh/new/config" ]
ln -s real "$work/ssh/link"
printf 'Host x\n' >"$work/ssh/real"
expect 0 'through a link' login ssh-config --file "$work/ssh/link"
holds 'the link stays' [ -L "$work/ssh/link" ]
login ssh-config --remove --file "$work/ssh/link" 2>/dev/null
holds 'the file behind it too' [ "$(cat "$work/ssh/real")" = 'Host x' ]

# ---- the authority goes and comes ----
authority_stop
expect 69 'get without the authority' login get
expect 0 'show without the authority' login show
says out '^revoked +unknown: ' 'revoked or not, nobody says'
expect 0 'the credential in hand serves' login ssh --print emr-user@master-1-1
expect 0 'nodes need no network' login nodes
json_or_nothing() { case $command in *--json) [ ! -s "$1" ] || python3 -m json.tool "$1" >/dev/null ;; esac; }
for command in 'get --json' 'get --renew --json' 'get --ttl soon --json' 'show --json' 'nodes --json' 'whoami --json' 'token emr-user@master-1-1 --json' 'device list --mine --json' 'device remove --mine phone' 'ssh --print emr-user@mastr-1-1'; do
	# shellcheck disable=SC2086
	run login $command
	holds "$command: JSON, or nothing, where the answer goes" json_or_nothing "$work/out"
	holds 'nothing is said twice' [ -z "$(sort "$work/err" | uniq -d)" ]
	[ "$status" -eq 0 ] || says err '^  try: ' 'and what to try is said'
done
authority_start prod
expect 0 'and it is back' login get

# ---- many at once: nobody sees a credential without its key ----
storm() {
	local i jobs=() bad=0
	for ((i = 0; i < 12; i++)); do
		login get >/dev/null 2>&1 &
		jobs+=($!)
	done
	for ((i = 0; i < 80; i++)); do
		login show --offline >/dev/null 2>>"$work/storm" || bad=1
	done
	for i in "${jobs[@]}"; do
		wait "$i" || bad=1
	done
	return "$bad"
}
expect 0 'a dozen ask while others read' storm

# ---- another authority on the same address ----
authority_stop
mv "$work/prod.d" "$work/prod.kept"
saved=$pin
port=${url##*:}
"$BUILD/cluster-authorityd" init --name evil --url "$url" --dir "$work/evil.d" >"$work/init" 2>&1
authority_start evil
expect 77 'another authority on the same address is refused' login get
CLUSTER_LOGIN_HOME=$work/second expect 77 'setup too' login setup "https://127.0.0.1:$port" --pin "$saved" --code x
authority_stop
mv "$work/prod.kept" "$work/prod.d"
authority_start prod
expect 0 'the right one is taken again' login get

# ---- bad files ----
cp -a "$CLUSTER_LOGIN_HOME" "$work/spoilt"
echo 'x = y' >>"$work/spoilt/profile.conf"
CLUSTER_LOGIN_HOME=$work/spoilt expect 78 'a profile with a key that is none' login get
says err 'try: .*--force' 'setup is to be done again'
CLUSTER_LOGIN_HOME=spoilt expect 78 'a directory without a whole path' login get
says err 'try: export CLUSTER_LOGIN_HOME=/' 'what to try'
cp "$CLUSTER_LOGIN_HOME/profile.conf" "$work/spoilt/profile.conf"
chmod 666 "$work/spoilt/profile.conf"
CLUSTER_LOGIN_HOME=$work/spoilt expect 77 'a profile that others may write' login get
says_not err 'cluster-login setup' 'which setup does not mend'
chmod 600 "$work/spoilt/profile.conf"
mv "$work/spoilt/device.key" "$work/spoilt/gone"
CLUSTER_LOGIN_HOME=$work/spoilt expect 1 'the key of the device is gone' login get
says err 'try: cluster-login setup .*--force' 'what to try'
mv "$work/spoilt/gone" "$work/spoilt/device.key"
echo x >"$work/spoilt/root.jws"
CLUSTER_LOGIN_HOME=$work/spoilt expect 65 'a damaged root' login get
cp "$CLUSTER_LOGIN_HOME/root.jws" "$work/spoilt/root.jws"
chmod 644 "$work/spoilt/device.key"
CLUSTER_LOGIN_HOME=$work/spoilt expect 77 'a device key that others can read' login get
says err 'try: chmod 600' 'what to try'
chmod 600 "$work/spoilt/device.key"
echo nonsense >"$work/spoilt/credential.jwt"
CLUSTER_LOGIN_HOME=$work/spoilt expect 65 'a damaged credential' login show
CLUSTER_LOGIN_HOME=$work/spoilt expect 0 'is replaced' login ssh --print emr-user@master-1-1
finish
