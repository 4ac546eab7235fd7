# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Other people's clients, as they come: ansible, paramiko, npm ssh2, OpenSSH's multiplexing, jump hosts and pipes; and cron on a node.
cast_all
must_quietly root@authority 'cluster-login grant add --person alice --account emr-user --node node:core-1-1 --onetime; cluster-login account list | grep -q "^alice" || cluster-login account add alice --person alice; cluster-login grant add --person alice --account alice'
cast_settled
AGENT='export SSH_AUTH_SOCK=~/agent.sock'
must_quietly alice@client 'mkdir -p ~/play && cd ~/play && printf "[cluster]\n%s\n" "$(printf "%s ansible_user=emr-user\n" master-1-1 core-1-1 task-1-1)" >hosts &&
printf "[defaults]\ninventory = hosts\nforks = 3\ntimeout = 60\n[ssh_connection]\nssh_args = -o KbdInteractiveAuthentication=yes -o PreferredAuthentications=keyboard-interactive -o ControlMaster=auto -o ControlPersist=60s\npipelining = True\n" >asked.cfg &&
printf "[defaults]\ninventory = hosts\nforks = 3\ntimeout = 60\n[ssh_connection]\nssh_args = -o BatchMode=yes -o ControlMaster=auto -o ControlPersist=60s\npipelining = True\n" >batch.cfg &&
printf -- "- hosts: cluster\n  gather_facts: false\n  tasks:\n    - copy: {content: \"{{ inventory_hostname }} {{ how }}\\\\n\", dest: by-ansible}\n    - command: cat by-ansible\n      register: seen\n    - assert: {that: \"seen.stdout == inventory_hostname + chr + how\"}\n      vars: {chr: \" \"}\n" >play.yml'
ANSIBLE='cd ~/play; export LC_ALL=C.UTF-8 ANSIBLE_LOCALHOST_WARNING=false NO_COLOR=1'

# ---- ansible, asked: the helper answers for each node ----
on alice@client "$ENV; $ANSIBLE; export ANSIBLE_CONFIG=asked.cfg; ansible cluster -o -m ping"
expect_ok 'ansible -m ping, the challenge answered'
expect 'on all three nodes' test "$(grep -c 'SUCCESS' <<<"$OUT")" = 3
on alice@client "$ENV; $ANSIBLE; export ANSIBLE_CONFIG=asked.cfg; ansible-playbook -e how=asked play.yml && cluster-login ssh emr-user@task-1-1 -- cat by-ansible"
expect_text '^task-1-1 asked$' 'a playbook'
on alice@client "$ANSIBLE; rm -rf ~/.ansible/cp; ANSIBLE_CONFIG=batch.cfg ansible cluster -o -m ping"
expect_no_text 'SUCCESS' 'in BatchMode without a certificate: nobody'

# ---- ansible, nobody asked: a certificate in the agent ----
must_quietly alice@client "$AGENT; ssh-agent -a ~/agent.sock >/dev/null; cluster-login get --ssh-cert"
on alice@client "$AGENT; $ANSIBLE; rm -rf ~/.ansible/cp; export ANSIBLE_CONFIG=batch.cfg; ansible cluster -o -m ping"
expect 'ansible -m ping with a certificate, in BatchMode' test "$(grep -c 'SUCCESS' <<<"$OUT")" = 3
on alice@client "$AGENT; $ANSIBLE; export ANSIBLE_CONFIG=batch.cfg; ansible-playbook -e how=certificate play.yml && cluster-login ssh emr-user@task-1-1 -- cat by-ansible"
expect_text '^task-1-1 certificate$' 'a playbook'

# ---- libraries ----
# What is pasted once: by the prompt of the node alone.
cast_pasting core-1-1
must_quietly alice@client 'cluster-login token emr-user@core-1-1 >~/token; cat >~/by_paramiko.py <<"PY"
import sys, paramiko
how, host = sys.argv[1:]
if how == "agent":
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(host, username="emr-user", allow_agent=True, look_for_keys=False)
    print(client.exec_command("id -un; exit 3")[1].read().decode())
else:
    t = paramiko.Transport((host, 22))
    t.start_client()
    seen = []
    def answer(title, instructions, prompts):
        seen.extend(prompts)
        return [open("token").read().strip()] * len(prompts)
    t.auth_interactive("emr-user", answer)
    c = t.open_session()
    c.exec_command("id -un")
    print(c.makefile().read().decode(), len(seen), "prompt, echo", [e for _, e in seen])
PY'
on alice@client "python3 by_paramiko.py onetime core-1-1"
expect_text '^emr-user$' 'paramiko, keyboard-interactive, a one-time credential'
expect_text '1 prompt, echo \[False\]' 'one prompt, hidden'
on alice@client "python3 by_paramiko.py onetime core-1-1"
expect_refused core-1-1 used
on alice@client "$AGENT; python3 by_paramiko.py agent master-1-1"
expect_text '^emr-user$' 'paramiko with the certificate in the agent'
on alice@client "python3 by_paramiko.py agent master-1-1"
expect_no_text '^emr-user$' 'not without it'

if [[ -d $BUILD/npm/node_modules/ssh2 ]] && command -v node >/dev/null; then
	mkdir -p "$(host_path client /usr/local/lib/node_modules)"
	cp -r "$BUILD/npm/node_modules/." "$(host_path client /usr/local/lib/node_modules)/"
	must_quietly alice@client 'cluster-login token emr-user@core-1-1 >~/token; cat >~/by_ssh2.js <<"JS"
const { Client } = require("ssh2");
const token = require("fs").readFileSync("token", "utf8").trim();
const c = new Client();
c.on("keyboard-interactive", (name, text, lang, prompts, finish) => finish(prompts.map(() => token)));
c.on("error", (e) => { console.log("error: " + e.level); process.exit(1); });
c.on("ready", () => c.exec("id -un", (e, s) => s.on("data", (d) => console.log(String(d))).on("close", () => c.end())));
c.connect({ host: "core-1-1", username: "emr-user", tryKeyboard: true, authHandler: ["keyboard-interactive"] });
JS'
	on alice@client 'NODE_PATH=/usr/local/lib/node_modules node by_ssh2.js'
	expect_text '^emr-user$' 'npm ssh2, keyboard-interactive, a one-time credential'
	on alice@client 'NODE_PATH=/usr/local/lib/node_modules node by_ssh2.js'
	expect_text '^error: client-authentication' 'the same again: refused'
else
	narrate_skip 'npm ssh2' 'no node, or make deps-npm has not been able to fetch it'
fi

# ---- OpenSSH: one connection for many, jump hosts, ports, pipes ----
on alice@client "$ENV; ssh -M -S ~/mux -f -N emr-user@core-1-1 && unset SSH_ASKPASS SSH_ASKPASS_REQUIRE && ssh -o BatchMode=yes -S ~/mux emr-user@core-1-1 id -un; ssh -S ~/mux -O check emr-user@core-1-1; scp -q -o BatchMode=yes -o ControlPath=~/mux ~/token emr-user@core-1-1:muxed && echo copied; ssh -S ~/mux -O exit emr-user@core-1-1"
expect_text '^emr-user$' 'ControlMaster: a second session over the first, unasked'
expect_text '^copied$' 'scp over it'
on alice@client 'cluster-login ssh -o ControlMaster=auto -o ControlPath=~/mux2 -o ControlPersist=300 emr-user@core-1-1 -- true && cluster-login drop >/dev/null && ssh -F none -o BatchMode=yes -S ~/mux2 emr-user@core-1-1 id -un; ssh -S ~/mux2 -O exit emr-user@core-1-1; cluster-login get'
expect_text '^emr-user$' 'the same with cluster-login ssh'
on alice@client "$ENV; ssh -J emr-user@master-1-1 emr-user@core-1-1 'echo from \$SSH_CONNECTION'"
expect_text '^from 10\.77\.0\.11 ' 'ProxyJump through the master'
on alice@client 'cluster-login ssh -J emr-user@master-1-1 emr-user@core-1-1 -- '"'"'echo from $SSH_CONNECTION'"'"
expect_text '^from 10\.77\.0\.11 ' 'cluster-login ssh -J'
on alice@client 'cluster-login ssh --proxy-ip master-1-1 emr-user@core-1-1 -- '"'"'echo from $SSH_CONNECTION'"'"
expect_text '^from 10\.77\.0\.11 ' 'cluster-login ssh --proxy-ip'
on alice@client "cluster-login ssh -f -N -M -S ~/mux3 -o ExitOnForwardFailure=yes -L 18022:127.0.0.1:22 emr-user@core-1-1 && timeout 30 bash -c 'exec 3<>/dev/tcp/127.0.0.1/18022; head -c 7 <&3'; ssh -S ~/mux3 -O exit emr-user@core-1-1"
expect_text 'SSH-2.0' 'a forwarded port'
on alice@client 'cluster-login ssh emr-user@core-1-1 -- exit 42'
expect_status 42 'the exit status of the command'
on alice@client 'script -qec "cluster-login ssh emr-user@core-1-1 -- tty" /dev/null'
expect_text '^not a tty' 'no terminal for a command, though there is one here'
on alice@client 'head -c 10485760 /dev/urandom >big; cluster-login ssh emr-user@core-1-1 -- "cat >big; sha256sum <big" <big >there; cluster-login ssh emr-user@core-1-1 -- cat big | sha256sum >back; sha256sum <big | cmp - there && cmp there back && echo equal'
expect_text '^equal$' '10 MB through a pipe, there and back'

# ---- cron: jobs run for accounts; a revoked person's own account has none ----
# A job has run: its output is there, not only the file for it.
ran() {
	host_run core-1-1 test -s "/tmp/ran.$1"
}

cron_tells() {
	host_run core-1-1 grep -Eq "$1" /var/log/cluster.log
}

# What cron does at a boot it does when started, without the wait for a full minute.
cron_boots() {
	must_quietly root@core-1-1 'pkill -x cron; rm -f /run/crond.pid /run/crond.reboot /tmp/ran.*; cron'
	expect_quietly 30000 ran emr-user
}
for account in emr-user alice; do
	must_quietly root@core-1-1 "echo '@reboot id -un >/tmp/ran.$account' | crontab -u $account -"
done
cron_boots
expect_quietly 30000 ran alice
on root@core-1-1 'cat /tmp/ran.*'
expect_text '^emr-user$' 'cron: a job of a shared account'
expect_text '^alice$' 'cron: a job of a personal account'
must_quietly root@authority 'cluster-login revoke person alice --wait'
cron_boots
expect 'cron was told that the person is revoked' within 30000 cron_tells 'pam_cluster\(cron:account\).*result=refused reason=revoked_person .*account=alice'
on root@core-1-1 'ls /tmp/ran.*'
expect_no_text '^/tmp/ran.alice' 'the revoked person'"'"'s own job does not run'
expect_text '^/tmp/ran.emr-user' 'the shared account'"'"'s does'
