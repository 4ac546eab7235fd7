# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# What ends with a revocation and what does not, and what a login without a credential is worth (DESIGN.md 3.5, 3.6; THREATS.md H8).
cast_all
node=master-1-1
must_quietly alice@client "cluster-login ssh emr-user@$node -- true"

# A static key: no shell, no file transfer, no forwarding.
must_quietly alice@client 'ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/old'
cp "$(host_path client /home/alice/.ssh/old.pub)" "$TOP/old.pub"
host_write $node /home/emr-user/.ssh/authorized_keys <"$TOP/old.pub"
must_quietly root@$node 'chown -R emr-user: /home/emr-user/.ssh; chmod 700 /home/emr-user/.ssh; chmod 600 /home/emr-user/.ssh/authorized_keys'
OLD="$BARE_SSH -i ~/.ssh/old"
on alice@client "$OLD emr-user@10.77.0.11 id"
expect_refused $node no_credential_login
on alice@client "echo ls | sftp -F none -i ~/.ssh/old -o StrictHostKeyChecking=accept-new -b - emr-user@10.77.0.11"
expect_refused $node no_credential_login
on bob@client "timeout 60 cluster-login ssh -W 127.0.0.1:22 emr-user@$node </dev/null | head -c 7"
expect_text 'SSH-2.0' 'forwarding with a credential'
on alice@client "timeout 60 $OLD -W 127.0.0.1:22 emr-user@10.77.0.11 </dev/null | head -c 7"
expect_no_text 'SSH-2.0' 'no forwarding with a static key'
on alice@client "($OLD -N -L 18030:127.0.0.1:22 emr-user@10.77.0.11 & for i in \$(seq 100); do kill -0 \$! 2>/dev/null || break; timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/18030; head -c 7 <&3' && break; sleep 0.1; done; kill %1)"
expect_no_text 'SSH-2.0' 'no forwarded port with a static key'
must_quietly root@$node 'mkdir -p /home/emr-user && printf "CLUSTER_LOGIN_HANDOVER DEFAULT=x\nSSH_AUTH_INFO_0 DEFAULT=x\n" >/home/emr-user/.pam_environment; chown emr-user: /home/emr-user/.pam_environment'
on alice@client "$OLD emr-user@10.77.0.11 id"
expect_refused $node no_credential_login
must_quietly root@$node 'rm /home/emr-user/.pam_environment'
on root@$node 'cluster-login doctor'
expect_text '^static keys +no +1 left over: emr-user: ' 'doctor names the account whose key was forgotten'
expect_text '^passwords +ok +local accounts that have one: rescue' 'and the local account that has a password'

# While migrating: old keys are let in, and each use is in the log, on the one node that says so.
must_quietly root@$node 'mkdir -p /etc/cluster-login/node.conf.d; printf "[node]\nstatic_keys = report\n" >/etc/cluster-login/node.conf.d/60-migrate.conf'
on alice@client "$OLD emr-user@10.77.0.11 id -un"
expect_text '^emr-user$' 'migrating: an old key is let in'
expect_log $node 'pam_cluster.*result=reported reason=no_credential_login .*account=emr-user' 'and its use is reported'
must_quietly root@$node 'rm /etc/cluster-login/node.conf.d/60-migrate.conf'
on alice@client "$OLD emr-user@10.77.0.11 id -un"
expect_refused $node no_credential_login
on alice@client "cluster-login ssh emr-user@$node -- env"
expect_no_text 'HANDOVER' 'what auth hands to session does not reach the environment'
on bob@client "cluster-login ssh emr-user@$node -- passwd"
expect_text 'cluster-login get' 'passwd says that there is no password, and what there is instead'
expect_no_text 'New password|Current password' 'and asks for none'

# Revocation of a credential ends that credential's sessions, not the same person's others.
must_quietly alice@client 'cp -a ~/.config/cluster-login ~/second; CLUSTER_LOGIN_HOME=~/second cluster-login get; CLUSTER_LOGIN_HOME=~/second cluster-login show --json'
JTI=$(sed -n 's/.*"jti": *"\([A-Za-z0-9_-]*\)".*/\1/p' <<<"$OUT")
session_open first alice emr-user@$node 'echo up; sleep 86411'
expect_quietly 20000 session_up first
ENV='export CLUSTER_LOGIN_HOME=~/second; cluster-login ssh-config >/dev/null 2>&1; eval "$(cluster-login env)"' session_open second alice emr-user@$node 'echo up; sleep 86412'
expect_quietly 20000 session_up second
must_quietly root@authority "cluster-login revoke credential $JTI --wait"
expect 'the session of the revoked credential has ended' within 10000 session_ended second
expect 'its process is gone' within 10000 node_runs_not $node '^sleep 86412'
expect 'the other session of the same person lives on' within 5000 node_runs $node '^sleep 86411'

# An agent that was down finds the sessions when it starts.
agent_kill $node
must_quietly root@authority 'cluster-login user disable alice'
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_ok 'without an agent logins go on'
expect 'nobody ends a session then' within 5000 node_runs $node '^sleep 86411'
agent_start $node
expect 'the agent, back, ends what was revoked meanwhile' within 10000 session_ended first
must_quietly root@authority 'cluster-login user enable alice'
cast_settled

# A session that was opened without an agent is known to the agent later.
agent_kill $node
session_open third alice emr-user@$node 'echo up; (setsid sleep 86413 &) ; sleep 86414'
expect_quietly 20000 session_up third
agent_start $node
must_quietly root@authority 'cluster-login revoke device "$(cluster-login device list --person alice --json | grep -o "\"id\": *\"[^\"]*\"" | cut -d\" -f4)" --wait'
expect 'a revoked device ends the session' within 10000 session_ended third
expect 'with what it detached' within 10000 node_runs_not $node '^sleep 8641[34]'

# A person's multiplexed connection: every channel ends.
session_open fourth bob -M -S /home/bob/.ssh/mux emr-user@$node 'echo up; sleep 86415'
expect_quietly 20000 session_up fourth
session_open fifth bob -S /home/bob/.ssh/mux emr-user@$node 'echo up; sleep 86416'
expect_quietly 20000 session_up fifth
must_quietly root@authority 'cluster-login revoke account emr-user --wait'
expect 'a revoked account ends everybody'"'"'s sessions under it' within 10000 session_ended fourth
expect 'the second channel too' within 10000 session_ended fifth
expect 'and their processes' within 10000 node_runs_not $node '^sleep 8641[56]'
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_refused $node revoked_account
expect 'no record of a session is left' within 10000 node_records $node 0
