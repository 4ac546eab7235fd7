# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'Refused: no grant, somebody else'"'"'s account, a revoked credential'
on carol@client 'cluster-login ssh emr-user@master-1-1 -- id'
expect_refused master-1-1 no_grant
ID=$(sed -n 's/.*Access refused (id \([A-Za-z0-9_-]*\)).*/\1/p' <<<"$OUT" | tail -n 1)
say 'She sees one sentence and an id. Root on that node, or an administrator anywhere, asks what it was:'
on root@master-1-1 "cluster-login explain $ID"
expect_text '^why +no grant lets this person' 'which check, and what to do'
on bob@client 'cluster-login ssh emr-user@task-1-1 -- id'
expect_refused task-1-1 no_grant
say 'Even a grant given by mistake does not open the account of another person:'
must root@authority 'cluster-login grant add --person bob --account alice'
cast_settled
on bob@client 'cluster-login ssh alice@master-1-1 -- id'
expect_refused master-1-1 account_owner
on carol@client 'cluster-login show --json'
JTI=$(sed -n 's/.*"jti": *"\([A-Za-z0-9_-]*\)".*/\1/p' <<<"$OUT")
must root@authority 'cluster-login grant add --person carol --account emr-user'
cast_settled
on carol@client 'cluster-login ssh emr-user@master-1-1 -- id -un'
expect_ok 'carol is let in once there is a grant'
on root@authority "cluster-login revoke credential $JTI --wait"
expect_ok 'every node has it'
on carol@client 'cluster-login ssh emr-user@master-1-1 -- id -un'
expect_refused master-1-1 revoked_credential
on carol@client 'cluster-login get >/dev/null; cluster-login ssh emr-user@master-1-1 -- id -un'
expect_ok 'only that credential: another one works'

step 'Refused: an answer replayed'
on alice@client "$ENV"'
export CAPTURE_HELPER=$SSH_ASKPASS CAPTURE=~/seen SSH_ASKPASS='"$TOOLS"'/askpass-capture
ssh emr-user@core-1-1 id -un; wc -c <~/seen.answer'
expect_ok 'somebody has overheard a good answer'
on alice@client "$ENV"'
REPLAY=~/seen.answer SSH_ASKPASS='"$TOOLS"'/askpass-replay ssh emr-user@core-1-1 id -un'
expect_refused core-1-1 bad_proof

port_taken() {
	host_run master-1-1 bash -c '[[ -n $(ss -Hltn "sport = 22") ]]'
}

port_free() {
	! port_taken
}

step 'Refused: a hostile node in between'
say 'root on master-1-1 dials core-1-1 as emr-user and keeps the challenge ...'
on root@master-1-1 "CAPTURE_ONLY=1 CAPTURE=/tmp/core SSH_ASKPASS=$TOOLS/askpass-capture SSH_ASKPASS_REQUIRE=force $BARE_SSH emr-user@10.77.0.12 id; cat /tmp/core.prompt"
sed 's/^(emr-user@10.77.0.12)/(emr-user@master-1-1)/' "$(host_path master-1-1 /tmp/core.prompt)" | host_write client /home/alice/relayed
say '... and shows it to alice, who has dialled master-1-1: her ssh puts (emr-user@master-1-1) before it.'
on alice@client "$ASKPASS \"\$(cat ~/relayed)\""
expect_status 1 'her helper does not sign'
expect_text 'another node' 'and says why'
say 'Or it passes the whole connection on: port 22 of master-1-1 is now port 22 of core-1-1.'
must_quietly root@master-1-1 'kill "$(cat /run/sshd.pid)"'
expect_quietly 20000 port_free
must_quietly root@master-1-1 'python3 '"$TOOLS"'/relay.py 22 10.77.0.12 22 >/dev/null 2>&1 & echo $! >/run/relay.pid'
expect_quietly 20000 port_taken
on alice@client 'cluster-login ssh emr-user@master-1-1 -- hostname'
expect_text 'Host key verification failed' 'ssh knows every node'"'"'s host key from the directory'
must_quietly root@master-1-1 'kill "$(cat /run/relay.pid)"; rm -f /run/sshd.pid'
expect_quietly 20000 port_free
must_quietly root@master-1-1 /usr/sbin/sshd
expect_quietly 20000 sshd_listens master-1-1

step 'Refused: a credential of another cluster, by the helper and by the node'
DEMO_QUIET=1 cast_elsewhere
on alice@client "CLUSTER_LOGIN_HOME=~/other $ASKPASS \"\$(cat ~/seen.prompt)\""
expect_text 'another cluster' 'the helper does not sign'
say 'An attacker signs anyway, with the other cluster'"'"'s credential and its key:'
on alice@client "$ENV"'
export FORGE_CREDENTIAL=~/other/credential.jwt FORGE_KEY=~/other/credential.key SSH_ASKPASS='"$TOOLS"'/askpass-forge
ssh emr-user@core-1-1 id -un'
expect_refused core-1-1 'issuer_unknown|other_cluster'
on alice@client "$ENV"'
export FORGE_CREDENTIAL=~/.config/cluster-login/credential.jwt FORGE_KEY=~/.config/cluster-login/credential.key SSH_ASKPASS='"$TOOLS"'/askpass-forge
ssh emr-user@core-1-1 id -un'
expect_ok 'the same attacker with alice'"'"'s own credential and key is alice: the tool works'

step 'Refused: a forgotten authorized_keys'
must_quietly alice@client 'ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/old'
cp "$(host_path client /home/alice/.ssh/old.pub)" "$TOP/old.pub"
host_write core-1-1 /home/emr-user/.ssh/authorized_keys <"$TOP/old.pub"
must_quietly root@core-1-1 'chown -R emr-user: /home/emr-user/.ssh; chmod 700 /home/emr-user/.ssh; chmod 600 /home/emr-user/.ssh/authorized_keys'
on alice@client "$BARE_SSH -i ~/.ssh/old emr-user@10.77.0.12 id -un"
expect_refused core-1-1 no_credential_login
expect_log core-1-1 'Accepted publickey for emr-user' 'sshd itself had accepted the key'
cast_rescue 'the break-glass account works'
