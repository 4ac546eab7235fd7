# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'Nobody there to answer a prompt: an ssh certificate in the agent, for BatchMode, Ansible, cron'
AGENT='export SSH_AUTH_SOCK=~/agent.sock'
must_quietly alice@client 'ssh-agent -a ~/agent.sock'
on alice@client "$AGENT"'; cluster-login get --ssh-cert --ttl 15m | head -n 1; ssh-add -L | grep cert-v01 >~/seen.pub; ssh-keygen -L -f ~/seen.pub | sed -n "/Serial/p; /Valid/p; /Principals/,/Critical/p"'
expect_text 'Serial: [0-9]+' 'a certificate for fifteen minutes; it names no account'
SERIAL=$(sed -n 's/^ *Serial: //p' <<<"$OUT")
on alice@client "$AGENT"'; ssh -o BatchMode=yes emr-user@core-1-1 "hostname; id -un"'
expect_text '^emr-user$' 'logged on without a question'
expect_log core-1-1 "pam_cluster.*accepted.*person=alice account=emr-user .*serial=$SERIAL " 'the log names the person and the certificate'
on alice@client "$AGENT"'; scp -q -B ~/data emr-user@task-1-1:data && ssh -o BatchMode=yes emr-user@task-1-1 sha256sum data'
expect_ok 'scp -B'
on alice@client "$AGENT; $BARE_SSH -o BatchMode=yes root@10.77.0.12 id -un"
expect_log core-1-1 'cluster-login-principals.*refused.*uid_zero' 'not root: sshd asks first, and is told nothing'
on alice@client "$AGENT; $BARE_SSH -o BatchMode=yes rescue@10.77.0.12 id -un"
expect_log core-1-1 'cluster-login-principals.*refused.*shadowed' 'nor a local account'
on root@authority "cluster-login revoke cert_serial $SERIAL --wait"
expect_ok 'revoked by its serial number, on every node'
on alice@client "$AGENT; $BARE_SSH -o BatchMode=yes emr-user@10.77.0.12 id -un"
expect_log core-1-1 'cluster-login-principals.*refused.*revoked_certificate' 'refused, and why'
on root@core-1-1 'cluster-login explain revoked_certificate'
expect_ok 'what to do about it'
must_quietly alice@client 'kill $(pgrep -u alice -x ssh-agent); rm -f ~/agent.sock'
