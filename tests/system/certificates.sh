# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
# Logins by ssh certificate on real sshd, without a prompt: who is let in, who is not, and at which of the gates (DESIGN.md 3.3; THREATS.md B9, C4, D7, H8).
cast_all
node=master-1-1 address=10.77.0.11
STATE=/var/lib/cluster-login
must_quietly root@authority 'cluster-login user add carol --account && cluster-login grant add --person carol --account carol && cluster-login account add other && cluster-login account add ecs-user && cluster-login grant add --person alice --account ecs-user'
cast_device carol client authority
cast_settled

# AGENT: a shell line that finds the person's ssh-agent. BATCH: ssh as a cron job would call it, with nothing of ours in its configuration.
AGENT='export SSH_AUTH_SOCK=~/agent.sock'
OPTIONS='-F none -o BatchMode=yes -o StrictHostKeyChecking=accept-new'
BATCH="ssh $OPTIONS"
TOOLS=/usr/local/lib/cluster-demo

# certificate PERSON [OPTION...]: a fresh one in the person's agent; SERIAL, KEY_ID, KEY, CA and LINE of it.
certificate() {
	local person=$1
	shift
	must_quietly "$person@client" "$AGENT; [ -S ~/agent.sock ] || ssh-agent -a ~/agent.sock >/dev/null; ssh-add -q -D 2>/dev/null; cluster-login get --ssh-cert $* >/dev/null && ssh-add -L | grep -- -cert-v01 >~/seen.pub && ssh-keygen -L -f ~/seen.pub"
	SERIAL=$(sed -n 's/^ *Serial: //p' <<<"$OUT")
	KEY_ID=$(sed -n 's/^ *Key ID: "\(.*\)"$/\1/p' <<<"$OUT")
	KEY=$(sed -n 's/^ *Public key: .*\(SHA256:[^ ]*\).*/\1/p' <<<"$OUT")
	CA=$(sed -n 's/^ *Signing CA: .*\(SHA256:[^ ]*\) .*/\1/p' <<<"$OUT")
	PRINCIPAL=$(sed -n '/Principals:/{n;s/^ *//p}' <<<"$OUT")
	LINE=$(cut -d" " -f1,2 "$(host_path client "/home/$person/seen.pub")")
	JTI=${KEY_ID##* }
}

# login PERSON ACCOUNT [COMMAND]
login() {
	on "$1@client" "$AGENT; $BATCH $2@$address ${3-id -un}"
}

# What sshd was told: nothing, for this reason.
expect_gate() {
	if ((STATUS == 0)); then
		failed_because "${2-refused: $1}: it was let in"
		return
	fi
	expect_log "$node" "cluster-login-principals.* reason=$1 " "${2-no principal: $1}"
}

# ---- what works ----
certificate alice
on alice@client "ssh-keygen -L -f ~/seen.pub"
expect_no_text 'emr-user|root' 'the certificate names no account'
login alice emr-user
expect_text '^emr-user$' 'ssh in BatchMode as a shared account'
expect_log $node 'pam_cluster.*event=session_open result=accepted reason=ok person=alice account=emr-user .* serial='"$SERIAL"' ' 'the session names person, account and certificate'
login alice ecs-user
expect_text '^ecs-user$' 'as an adopted account'
on alice@client "$AGENT; head -c 100000 /dev/urandom >~/data; scp -q $OPTIONS ~/data emr-user@$address:data && echo 'get data back' | sftp -q $OPTIONS -b - emr-user@$address >/dev/null && cmp data back && echo equal"
expect_text '^equal$' 'scp and sftp'
on alice@client "$AGENT; $BATCH -f -N -o ExitOnForwardFailure=yes -L 18031:127.0.0.1:22 -M -S ~/mux emr-user@$address && timeout 30 bash -c 'exec 3<>/dev/tcp/127.0.0.1/18031; head -c 7 <&3'; ssh -F none -S ~/mux -O exit x 2>/dev/null"
expect_text 'SSH-2.0' 'a forwarded port'
on alice@client "$AGENT; $BATCH -tt emr-user@$address 'tty; cluster-login-x 2>/dev/null; env'"
expect_text '/dev/pts/' 'a terminal'
expect_no_text 'SSH_AUTH_INFO|HANDOVER' 'nothing of PAM reaches the environment'
certificate carol
login carol carol
expect_text '^carol$' 'as a personal account'

# ---- whom it does not open ----
certificate alice
login alice root
expect_gate uid_zero
login alice rescue
expect_gate shadowed 'no principal: a local account that is not adopted'
login alice other
expect_gate no_grant
login alice carol
expect_gate no_grant
login alice nobody-here
expect_status 255 'an unknown name'
must_quietly root@authority 'cluster-login grant add --person alice --account carol'
cast_settled
login alice carol
expect_gate account_owner 'no principal: somebody else'"'"'s account, even with a grant by mistake'
certificate alice --on core-1-1
login alice emr-user
expect_gate narrowed_node
on alice@client "$AGENT; $BATCH emr-user@10.77.0.12 id -un"
expect_text '^emr-user$' 'on the node that it is narrowed to it works'
certificate alice --for ecs-user
login alice emr-user
expect_gate narrowed_account

# ---- revoked: each by itself, then not any more ----
# revoked WHAT VALUE REASON
revoked() {
	local seq
	must_quietly root@authority "cluster-login revoke $1 $2 --wait --json"
	login alice emr-user
	expect_gate "$3" "no principal: $1 revoked"
	must_quietly root@authority "cluster-login revoke --list --json"
	seq=$(/usr/bin/python3 -c 'import json, sys; print(max(e["seq"] for e in json.load(sys.stdin)["entries"]))' <<<"$OUT")
	must_quietly root@authority "cluster-login unrevoke $seq"
	cast_settled
}
certificate alice
must_quietly alice@client 'cluster-login whoami --json'
DEVICE=$(sed -n 's/.*"device": *"\([^"]*\)".*/\1/p' <<<"$OUT")
revoked cert_serial "$SERIAL" revoked_certificate
revoked cert_id "'$KEY_ID'" revoked_certificate
revoked cert_key "$KEY" revoked_certificate
revoked cert_ca "$CA" revoked_certificate
revoked credential "$JTI" revoked_credential
revoked device "$DEVICE" revoked_device
revoked person alice revoked_person
revoked account emr-user revoked_account
revoked node $node revoked_node
login alice emr-user
expect_ok 'and when nothing is revoked, it works again'
must_quietly root@authority 'cluster-login user disable alice'
expect_quietly 30000 explains_no $node alice emr-user
login alice emr-user
expect_gate person_disabled
must_quietly root@authority 'cluster-login user enable alice'
expect_quietly 30000 explains_yes $node alice emr-user

# ---- a live session ends with its certificate ----
certificate alice
ENV=$AGENT session_open live alice -F none -o BatchMode=yes -o StrictHostKeyChecking=accept-new emr-user@$address 'echo up; sleep 86421'
expect_quietly 20000 session_up live
FIRST=$SERIAL
certificate alice
ENV=$AGENT session_open other alice -F none -o BatchMode=yes -o StrictHostKeyChecking=accept-new emr-user@$address 'echo up; sleep 86422'
expect_quietly 20000 session_up other
must_quietly root@authority "cluster-login revoke cert_serial $FIRST --wait"
expect 'a live session ends when its certificate is revoked by serial number' within 10000 session_ended live
expect 'its process is gone' within 10000 node_runs_not $node '^sleep 86421'
expect 'another certificate'"'"'s session lives on' node_runs $node '^sleep 86422'
must_quietly root@$node 'pkill -f "^sleep 86422"'

# ---- what is proved where ----
certificate alice
printf '%s\n' "$LINE" >"$TOP/seen.pub"
host_write client /home/bob/seen.pub <"$TOP/seen.pub"
on root@$node "runuser -u cluster-principals -- /usr/libexec/cluster-login/cluster-login-principals emr-user $LINE"
expect_text "^$PRINCIPAL\$" 'whoever shows a public certificate is told its principal'
host_write $node /tmp/seen.pub <"$TOP/seen.pub"
on root@$node "cluster-login explain --certificate /tmp/seen.pub --account emr-user"
expect_text "^serial $SERIAL, key id \"$KEY_ID\"" 'explain reads it'
expect_text '^yes: alice as emr-user' 'and says yes'
on root@$node "cluster-login explain --certificate - --account root </tmp/seen.pub"
expect_text 'uid_zero' 'and no, with the reason'
on bob@client "(python3 $TOOLS/agent-forge ~/forge.sock ~/seen.pub & echo \$! >~/forge.pid); until [ -S ~/forge.sock ]; do sleep 0.05; done; SSH_AUTH_SOCK=~/forge.sock $BATCH emr-user@$address id -un; s=\$?; kill \"\$(cat ~/forge.pid)\"; exit \$s"
expect_status 255 'and is not let in without its key'
on alice@client "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/plain; $BATCH -i ~/.ssh/plain emr-user@$address id -un"
expect_status 255 'a plain key'

# ---- certificates by hand ----
# forge NAME CA-FILE SSH-KEYGEN-OPTION...: over alice's credential key, as ~alice/NAME, with her credential in it.
forge() {
	local name=$1 ca=$2
	shift 2
	cp "$ca" "$ca.pub" "$(host_path client /home/alice)/"
	must_quietly root@client "chown alice /home/alice/${ca##*/}"
	must_quietly alice@client "$TOOLS/ssh-key-of-pem ~/.config/cluster-login/credential.key ~/$name && ssh-keygen -q -s ~/${ca##*/} -I forged -O extension:credential@cluster-login=\$(cat ~/.config/cluster-login/credential.jwt) $* ~/$name.pub"
}
forged() {
	on alice@client "$BATCH -i ~/$1 -o IdentitiesOnly=yes emr-user@$address id -un"
}
ssh-keygen -q -t ed25519 -N '' -f "$TOP/mallory"
host_run authority sh -c 'cat /var/lib/cluster-authority/keys/sshca.*.key' >"$TOP/sshca.pem"
"$DEMO_DIR/tools/ssh-key-of-pem" "$TOP/sshca.pem" "$TOP/sshca"
must_quietly alice@client 'cluster-login get >/dev/null; cluster-login show --json; chmod 700 ~'
JTI=$(sed -n 's/.*"jti": *"\([^"]*\)".*/\1/p' <<<"$OUT")
EXPIRES=$(sed -n 's/.*"expires": *\([0-9]*\).*/\1/p' <<<"$OUT")
ISSUED=$(sed -n 's/.*"issued": *\([0-9]*\).*/\1/p' <<<"$OUT")
OURS="$JTI@${PRINCIPAL#*@}"
window() {
	echo "-V $(TZ=UTC date -d "@$1" +%Y%m%d%H%M%SZ):$(TZ=UTC date -d "@$2" +%Y%m%d%H%M%SZ)"
}
WINDOW=$(window "$ISSUED" "$EXPIRES")
forge good "$TOP/sshca" "-n $OURS" "$WINDOW"
forged good
expect_ok 'by hand with the CA key, as the authority would make it: the tool works'
forge foreign "$TOP/mallory" "-n $OURS" "$WINDOW"
forged foreign
expect_status 255 'of another CA'
forge two "$TOP/sshca" "-n $OURS,emr-user" "$WINDOW"
forged two
expect_gate bad_certificate 'no principal: one principal too many'
forge named "$TOP/sshca" '-n emr-user,root' "$WINDOW"
forged named
expect_gate bad_certificate 'no principal: the account'"'"'s own name'
on alice@client "$BATCH -i ~/named -o IdentitiesOnly=yes root@$address id -un"
expect_gate uid_zero 'no principal: root, by its own name'
forge any "$TOP/sshca" "$WINDOW"
forged any
expect_gate bad_certificate 'no principal: a certificate for anybody'
forge forced "$TOP/sshca" "-n $OURS -O force-command=/bin/sh" "$WINDOW"
forged forced
expect_gate bad_certificate 'no principal: a forced command'
forge longer "$TOP/sshca" "-n $OURS" "$(window "$ISSUED" $((EXPIRES + 3600)))"
forged longer
expect_gate bad_certificate 'no principal: valid for longer than its credential'
must_quietly alice@client "ssh-keygen -q -s ~/sshca -I bare -n $OURS ~/two.pub && mv ~/two-cert.pub ~/bare-cert.pub && cp ~/two ~/bare && cp ~/two.pub ~/bare.pub"
forged bare
expect_gate bad_certificate 'no principal: no credential in it'

# One that will have expired when it is its turn.
must_quietly alice@client 'cluster-login get --ttl 60s >/dev/null; cluster-login show --json'
EXPIRES=$(sed -n 's/.*"expires": *\([0-9]*\).*/\1/p' <<<"$OUT") ISSUED=$(sed -n 's/.*"issued": *\([0-9]*\).*/\1/p' <<<"$OUT")
JTI=$(sed -n 's/.*"jti": *"\([^"]*\)".*/\1/p' <<<"$OUT")
forge short "$TOP/sshca" "-n $JTI@${OURS#*@}" "$(window "$ISSUED" "$EXPIRES")"
SHORT_EXPIRES=$EXPIRES

# ---- behind the first gate: somebody has taken it away ----
certificate alice
SIDE='/usr/sbin/sshd -f /run/side.conf'
# Until it has gone: it removes the file with its pid, be that its own or the next one's.
SIDE_STOP='side=$(cat /run/side.pid); kill "$side"; while [ -e "/proc/$side" ]; do sleep 0.05; done'
printf '%s\n' 'Port 2222' 'PidFile /run/side.pid' 'UsePAM yes' 'PasswordAuthentication no' "TrustedUserCAKeys $STATE/user_ca" 'Subsystem sftp internal-sftp' | host_write $node /run/side.conf
must_quietly root@$node "$SIDE"
for account in emr-user alice root rescue; do
	on alice@client "$AGENT; $BATCH -p 2222 $account@$address id -un"
	expect_status 255 "without a principals rule: nobody as $account"
done
on alice@client "$BATCH -p 2222 -i ~/named -o IdentitiesOnly=yes emr-user@$address id -un"
expect_refused $node bad_certificate
on alice@client "$BATCH -p 2222 -i ~/named -o IdentitiesOnly=yes root@$address id -un"
expect_text '^root$' 'what such a rule is for: a certificate by hand that names root would open root'
must_quietly root@$node "$SIDE_STOP"
must_quietly root@$node "$SIDE -o AuthorizedPrincipalsFile=.ssh/principals; mkdir -p /home/emr-user/.ssh && echo $PRINCIPAL >/home/emr-user/.ssh/principals && chown -R emr-user: /home/emr-user/.ssh && chmod 700 /home/emr-user/.ssh"
on alice@client "$AGENT; $BATCH -p 2222 emr-user@$address id -un"
expect_ok 'a principals file of the account: PAM lets in whom it should'
must_quietly root@authority "cluster-login revoke cert_serial $SERIAL --wait"
on alice@client "$AGENT; $BATCH -p 2222 emr-user@$address id -un"
expect_refused $node revoked_certificate
on alice@client "$AGENT; echo ls | sftp $OPTIONS -P 2222 -b - emr-user@$address"
expect_refused $node revoked_certificate
on alice@client "$AGENT; timeout 5 $BATCH -p 2222 -W 127.0.0.1:22 emr-user@$address </dev/null | head -c 7"
expect_no_text 'SSH-2.0' 'nor is a port forwarded'
must_quietly root@$node 'printf "SSH_AUTH_INFO_0 DEFAULT=publickey x\nCLUSTER_LOGIN_HANDOVER DEFAULT=x\n" >/home/emr-user/.pam_environment; chown emr-user: /home/emr-user/.pam_environment'
on alice@client "$AGENT; $BATCH -p 2222 emr-user@$address id -un"
expect_refused $node revoked_certificate
must_quietly root@$node "rm /home/emr-user/.pam_environment; $SIDE_STOP"

# ---- expired, by now ----
expired() {
	((EPOCHSECONDS > SHORT_EXPIRES))
}
expect_quietly 70000 expired
forged short
expect_gate expired 'no principal: expired'

# ---- a key that leaves the keyset leaves sshd ----
on root@$node "cat $STATE/user_ca; stat -c '%U %a' $STATE/user_ca"
expect_text '^root 644$' 'the CA keys are root'"'"'s'
certificate alice
OLD_CA=$(cut -d' ' -f2 "$TOP/sshca.pub")
KID=$(host_run authority sh -c 'basename /var/lib/cluster-authority/keys/sshca.*.key .key'); KID=${KID#sshca.}
user_ca() {
	local n=$1
	[[ $(host_run $node grep -c ^ssh-ed25519 $STATE/user_ca) == "$n" ]]
}
without_old_ca() {
	! host_run $node grep -qF "$OLD_CA" $STATE/user_ca
}
must_quietly root@authority 'mv /var/lib/cluster-authority/root.key /root/root.key; chown root: /root/root.key; cluster-authorityd keyset --root-key /root/root.key --rotate sshca'
expect 'a new CA key reaches sshd beside the old one' within 60000 user_ca 2
login alice emr-user
expect_ok 'certificates of the old key still work'
must_quietly root@authority "cluster-authorityd keyset --root-key /root/root.key --remove $KID"
expect 'the old one is taken away' within 60000 without_old_ca
expect 'and only that' user_ca 1
login alice emr-user
expect_status 255 'its certificates do not work any more'
certificate alice
login alice emr-user
expect_ok 'those of the new key do'

cast_rescue 'the break-glass account works' $node
