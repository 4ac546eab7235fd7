# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# One-time credentials where only a password can be pasted: sshpass, PuTTY's plink and pscp, paramiko, a console. Each works once, there, and while the agent lives.
cast_all
must_quietly root@authority 'cluster-login grant add --person alice --account emr-user --node node:core-1-1 --onetime'
sleep_until() { for _ in $(seq 100); do "$@" && return; sleep 0.1; done; return 1; }
granted() { on alice@client 'cluster-login token emr-user@core-1-1 >token' && [[ $STATUS == 0 ]]; }
expect 'the grant arrives' sleep_until granted
cast_pasting core-1-1
PASTE="sshpass -f token $BARE_SSH -o PreferredAuthentications=keyboard-interactive -o NumberOfPasswordPrompts=1"

on alice@client "cluster-login token emr-user@core-1-1 >token; wc -c <token; $PASTE emr-user@core-1-1 id -un"
expect_ok 'sshpass'
expect_text '^emr-user$' 'as emr-user'
on alice@client "$PASTE emr-user@core-1-1 id -un"
expect_no_text '^emr-user$' 'not a second time'
on root@core-1-1 'grep -c "reason=used" /var/log/cluster.log'
expect_text '^[1-9]' 'the log says why'
on alice@client "cluster-login token emr-user@core-1-1 >token; $PASTE emr-user@master-1-1 id -un"
expect_no_text '^emr-user$' 'not on another node'
on alice@client "$PASTE ecs-user@core-1-1 id -un"
expect_no_text '^ecs-user$' 'not as another account'
on alice@client 'cluster-login token emr-user@master-1-1'
expect_status 77 'no grant, no token'
expect_text 'onetime' 'and what is missing'

on alice@client 'cluster-login token emr-user@core-1-1 >token; printf "y\n" | plink -ssh -pwfile token emr-user@core-1-1 id -un'
expect_text '^emr-user$' 'PuTTY plink'
on alice@client 'cluster-login token emr-user@core-1-1 >token; echo put >file; pscp -batch -pwfile token file emr-user@core-1-1:by-pscp && cluster-login ssh emr-user@core-1-1 cat by-pscp'
expect_text '^put$' 'PuTTY pscp'
on alice@client 'cluster-login token emr-user@core-1-1 >token; python3 - <<"PY"
import paramiko
t = paramiko.Transport(("core-1-1", 22))
t.start_client()
t.auth_interactive("emr-user", lambda title, instructions, prompts: [open("token").read().strip()] * len(prompts))
c = t.open_session()
c.exec_command("id -un")
print(c.makefile().read().decode())
PY'
expect_text '^emr-user$' 'paramiko'

# A console.
on alice@client 'cluster-login token emr-user@core-1-1'
TOKEN=$(grep -o '^ey[^ ]*' <<<"$OUT")
on root@core-1-1 "python3 - '$TOKEN' <<'PY'
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv('/bin/login', ['login', 'emr-user'])
seen, end, sent = b'', time.time() + 20, 0
while time.time() < end and b'person-on-console' not in seen:
    if select.select([fd], [], [], 0.2)[0]:
        try:
            seen += os.read(fd, 4096)
        except OSError:
            break
    if sent == 0 and seen.rstrip().endswith(b'(password):'):
        os.write(fd, sys.argv[1].encode() + b'\n')
        sent = 1
    elif sent == 1 and b'$' in seen.split(b'(password):')[-1]:
        os.write(fd, b'echo person-on-\$(echo console) \$(id -un)\n')
        sent = 2
print(seen.decode(errors='replace'))
os.write(fd, b'exit\n')
PY"
expect_text 'person-on-console emr-user' 'a console login'

# The session is one like any other: listed with its kind, and ended by the revocation of its person.
on alice@client "cluster-login token emr-user@core-1-1 >token; { $PASTE -n emr-user@core-1-1 'sleep 300; echo lived' >out 2>&1 & }; sleep 2; cluster-login token emr-user@core-1-1 >late"
on root@authority 'cluster-login sessions --json'
expect_text 'onetime' 'the kind of the session'
on root@authority 'cluster-login revoke person alice --wait'
expect_text 'core-1-1' 'revoked'
on root@core-1-1 'sleep 1; pgrep -f "^sleep 300" || echo gone'
expect_text '^gone$' 'its session ends'
on root@authority 'cluster-login unrevoke person alice'
expect_ok 'taken back'
on alice@client "sleep 1; sshpass -f late $BARE_SSH -o PreferredAuthentications=keyboard-interactive emr-user@core-1-1 id -un"
expect_text '^emr-user$' 'what was not used serves once more after all'

# An agent that has started anew has forgotten the uses, and takes nothing from before.
on alice@client 'cluster-login token emr-user@core-1-1 >token'
agent_kill core-1-1
on alice@client "$PASTE emr-user@core-1-1 id -un"
expect_no_text '^emr-user$' 'no agent, no bearer'
sleep 1
agent_start core-1-1
on alice@client "$PASTE emr-user@core-1-1 id -un"
expect_no_text '^emr-user$' 'not after a restart of the agent'
on alice@client "cluster-login token emr-user@core-1-1 >token; $PASTE emr-user@core-1-1 id -un"
expect_no_text '^emr-user$' 'nor what a clock ahead of the node may have issued before'
cast_pasting core-1-1
on alice@client "cluster-login token emr-user@core-1-1 >token; $PASTE emr-user@core-1-1 id -un"
expect_text '^emr-user$' 'a new one is good'
