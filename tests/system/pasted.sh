# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# One-time credentials where only a password can be pasted: sshpass, PuTTY's plink and pscp, paramiko, a console. Each works once, there, and while the agent lives.
cast_all
must_quietly root@authority 'cluster-login grant add --person alice --account emr-user --node node:core-1-1 --onetime'
cast_settled
cast_pasting core-1-1
PASTE="sshpass -f token $BARE_SSH -o PreferredAuthentications=keyboard-interactive -o NumberOfPasswordPrompts=1"

on alice@client "cluster-login token emr-user@core-1-1 >token; wc -c <token; $PASTE emr-user@core-1-1 id -un"
expect_ok 'sshpass'
expect_text '^emr-user$' 'as emr-user'
on alice@client "$PASTE emr-user@core-1-1 id -un"
expect_no_text '^emr-user$' 'not a second time'
expect_log core-1-1 'reason=used' 'the log says why'
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
import os, pty, re, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv('/bin/login', ['login', 'emr-user'])
seen, end, sent = b'', time.monotonic() + 120, 0
while time.monotonic() < end and not re.search(rb'person-on-console \S+\s', seen):
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
on alice@client "cluster-login token emr-user@core-1-1 >token; { $PASTE -n emr-user@core-1-1 'sleep 300; echo lived' >out 2>&1 & }"
expect_quietly 20000 node_runs core-1-1 '^sleep 300'
must_quietly alice@client 'cluster-login token emr-user@core-1-1 >late'
onetime_sleeps() {
	host_run authority cluster-login sessions --json >"$TOP/sessions.json" && /usr/bin/python3 -c 'import json, sys; s = json.load(open(sys.argv[1]))["sessions"]; sys.exit([(x["kind"], x["person_name"]) for x in s if x["node"] == "core-1-1"] != [("onetime", "alice")])' "$TOP/sessions.json"
}
expect 'the kind of the session' within 20000 onetime_sleeps
on root@authority 'cluster-login revoke person alice --wait'
expect_text 'core-1-1' 'revoked'
expect 'its session ends' within 20000 node_runs_not core-1-1 '^sleep 300'
on root@authority 'cluster-login unrevoke person alice'
expect_ok 'taken back'
cast_settled
on alice@client "sshpass -f late $BARE_SSH -o PreferredAuthentications=keyboard-interactive emr-user@core-1-1 id -un"
expect_text '^emr-user$' 'what was not used serves once more after all'

# An agent that has started anew has forgotten the uses, and takes nothing from before.
on alice@client 'cluster-login token emr-user@core-1-1 >token'
agent_kill core-1-1
on alice@client "$PASTE emr-user@core-1-1 id -un"
expect_no_text '^emr-user$' 'no agent, no bearer'
agent_start core-1-1
on alice@client "$PASTE emr-user@core-1-1 id -un"
expect_no_text '^emr-user$' 'not after a restart of the agent'
on alice@client "cluster-login token emr-user@core-1-1 >token; $PASTE emr-user@core-1-1 id -un"
expect_no_text '^emr-user$' 'nor what a clock ahead of the node may have issued before'
cast_pasting core-1-1
on alice@client "cluster-login token emr-user@core-1-1 >token; $PASTE emr-user@core-1-1 id -un"
expect_text '^emr-user$' 'a new one is good'
