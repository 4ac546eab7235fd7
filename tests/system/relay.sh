# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# A live relay (THREATS.md C2): master-1-1 is hostile; whoever logs on there is shown core-1-1's challenge. Whoever signs what is shown opens core-1-1; our helper does not.
cast_all
ROUNDS=${ROUNDS:-10}
must_quietly alice@client 'cluster-login ssh emr-user@core-1-1 -- true'
cp "$BUILD/tests/system/lib_relay.so" "$(host_path master-1-1 /usr/local/lib/relay.so)"
host_write master-1-1 /root/relay/askpass <<'ASKPASS'
#!/bin/sh
printf '%s' "$1" >/root/relay/prompt
cat /root/relay/answer
ASKPASS
must root@master-1-1 'chmod 755 /root/relay/askpass; mkfifo /root/relay/prompt /root/relay/answer; printf "auth required /usr/local/lib/relay.so 10.77.0.12 /root/relay\naccount required pam_permit.so\nsession required pam_permit.so\n" >/etc/pam.d/sshd'

on alice@client "$ENV"'
export FORGE_CREDENTIAL=~/.config/cluster-login/credential.jwt FORGE_KEY=~/.config/cluster-login/credential.key SSH_ASKPASS='"$TOOLS"'/askpass-forge
timeout 120 ssh -o NumberOfPasswordPrompts=1 emr-user@master-1-1 true'
on root@master-1-1 'cat /root/relay/result'
expect_text '^we-are-in$' 'the attack works against somebody who signs whatever is shown'

must_quietly root@master-1-1 'rm /root/relay/result'
for ((i = 0; i < ROUNDS; i++)); do
	off alice@client 'timeout 120 cluster-login ssh emr-user@master-1-1 -- true'
	[[ $OUT == *'another node'* ]] || break
done
expect "our helper refused $ROUNDS times of $ROUNDS and said why" test "$i" -eq "$ROUNDS"
on root@master-1-1 'cat /root/relay/result'
expect_no_text 'we-are-in' 'nobody came in'
unanswered() {
	[[ $(grep -c 'event=auth result=refused reason=no_answer' "$(host_path core-1-1 /var/log/cluster.log)") == "$1" ]]
}
expect 'core-1-1 saw a prompt without an answer each time' within 10000 unanswered "$ROUNDS"
