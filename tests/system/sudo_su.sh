# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# sudo and su on a node: a personal account's own fresh session passes, a shared account answers a challenge, and a revoked person is stopped also where sudoers says NOPASSWD.
cast_all
must_quietly root@authority 'cluster-login grant list --json >/dev/null; cluster-login account list | grep -q ^alice || cluster-login account add alice --person alice'
must_quietly root@authority 'cluster-login grant add --person alice --account alice --sudo; cluster-login grant add --person alice --account emr-user --node role:core --sudo'
must_quietly root@core-1-1 'printf "%s\n" "alice ALL=(ALL:ALL) ALL" "emr-user ALL=(ALL:ALL) ALL" "emr-user ALL=(ALL:ALL) NOPASSWD: /usr/bin/true" >/etc/sudoers.d/demo; chmod 440 /etc/sudoers.d/demo'
cast_settled
on alice@client 'cluster-login ssh alice@core-1-1 -- true'
expect_ok 'the grants have arrived'

# What a person does at the terminal: runs a command over there, copies the challenge to cluster-login answer over here, and pastes the answer.
must_quietly alice@client 'cat >stepper <<"PY"
import os, pty, re, select, subprocess, sys, time
answer, argv = sys.argv[1], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
seen, end, asked = b"", time.monotonic() + 120, 0
while time.monotonic() < end:
    if select.select([fd], [], [], 0.2)[0]:
        try:
            more = os.read(fd, 4096)
        except OSError:
            break
        if not more:
            break
        seen += more
    if seen.count(b"Cluster answer (password): ") > asked:
        asked += 1
        challenge = re.findall(rb"CL1:[A-Za-z0-9_-]{226}", seen)[-1].decode()
        made = subprocess.run(["cluster-login", "answer", "--yes", challenge], capture_output=True, text=True) if answer == "sign" else None
        os.write(fd, ((made.stdout.strip() if made else answer) + "\n").encode())
        if made:
            print(made.stderr)
    elif re.search(rb"assword for|Password: $", seen):
        os.write(fd, b"\x03")
print(re.sub(r"CL1:\S+", "CL1:...", seen.decode(errors="replace")))
print("challenges", asked)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY'
on alice@client 'python3 stepper sign cluster-login ssh -tt alice@core-1-1 -- sudo id -u'
expect_text '^0' 'a personal account, fresh: sudo works'
expect_text '^challenges 0' 'without a word'
on alice@client 'python3 stepper sign cluster-login ssh -tt emr-user@core-1-1 -- sudo id -u'
expect_text '^0' 'a shared account: sudo works'
expect_text '^challenges 1' 'after an answer'
expect_text 'sudo as emr-user on core-1-1' 'the person saw what was signed'
expect_log core-1-1 'sudo.*pam_cluster\(sudo:auth\).*result=accepted.*person=alice account=emr-user' 'the log of sudo names the person'
on alice@client 'python3 stepper nonsense cluster-login ssh -tt emr-user@core-1-1 -- sudo id -u'
expect_no_text '^0' 'not without'
on alice@client 'python3 stepper sign cluster-login ssh -tt alice@core-1-1 -- su -c "id\ -un" emr-user'
expect_text '^emr-user' 'su from a fresh personal account'
on alice@client 'python3 stepper sign cluster-login ssh -tt emr-user@core-1-1 -- su -c "id\ -un" alice'
expect_text '^alice' 'su from a shared one'
expect_text '^challenges 1' 'after an answer'
on alice@client 'python3 stepper sign cluster-login ssh -tt alice@core-1-1 -- su -c "su\ -c\ whoami\ alice" emr-user'
expect_text '^alice' 'and back again from there'
expect_text '^challenges 1' 'after an answer: whoever else is emr-user could have asked'
on alice@client 'cluster-login ssh emr-user@core-1-1 -- sudo -n true && echo passed'
expect_text '^passed' 'NOPASSWD asks nothing'

# A device whose key an ssh-agent holds answers all the same; one of a kind that signs no answers says so.
must_quietly root@authority 'cluster-login user add carol && cluster-login grant add --person carol --account emr-user --node role:core --sudo'
must_quietly carol@client 'ssh-agent -a ~/agent.sock >/dev/null && export SSH_AUTH_SOCK=~/agent.sock && for t in ed25519 ecdsa; do ssh-keygen -q -t $t $([ $t = ecdsa ] && echo -b 384) -N "" -f ~/$t && ssh-add -q ~/$t; done; rm ~/ed25519 ~/ecdsa'
must_quietly root@authority 'cluster-login user invite carol'
must_quietly carol@client "SSH_AUTH_SOCK=~/agent.sock $(said 'cluster-login setup') --ssh-agent ~/ed25519.pub"
cp "$(host_path client /home/alice/stepper)" "$TOP/stepper"
host_write client /home/carol/stepper <"$TOP/stepper"
cast_settled
must_quietly carol@client 'SSH_AUTH_SOCK=~/agent.sock cluster-login get'
on carol@client 'ls ~/.config/cluster-login/device.key'
expect_status 2 'no private key of the device on disk'
on carol@client 'export SSH_AUTH_SOCK=~/agent.sock; python3 ~/stepper sign cluster-login ssh -tt emr-user@core-1-1 -- sudo id -u'
expect_text '^0' 'sudo, answered by a key in the ssh-agent'
expect_text '^challenges 1' 'one challenge, one answer'
expect_log core-1-1 'sudo.*pam_cluster\(sudo:auth\).*result=accepted.*person=carol account=emr-user' 'the log of sudo names the person'
on carol@client 'python3 ~/stepper sign cluster-login ssh -tt emr-user@core-1-1 -- sudo id -u'
expect_no_text '^0' 'without the agent nobody signs'
must_quietly root@authority 'cluster-login user invite carol'
must_quietly carol@client "SSH_AUTH_SOCK=~/agent.sock CLUSTER_LOGIN_HOME=~/second $(said 'cluster-login setup') --ssh-agent ~/ecdsa.pub --label tablet"
cast_settled
on carol@client 'export SSH_AUTH_SOCK=~/agent.sock CLUSTER_LOGIN_HOME=~/second; cluster-login get >/dev/null && python3 ~/stepper sign cluster-login ssh -tt emr-user@core-1-1 -- sudo id -u'
expect_text 'answer from another device' 'a P-384 key logs on, but answers no challenge, and says so'
expect_no_text '^0' 'and sudo goes on asking'

# Challenges that are not to be signed.
on alice@client 'cluster-login answer --yes CL1:xyz'
expect_status 65 'no challenge'
on alice@client 'ssh -F none -o StrictHostKeyChecking=no -o NumberOfPasswordPrompts=1 -o PreferredAuthentications=keyboard-interactive emr-user@core-1-1 </dev/null 2>&1 | cat; true'
on alice@client 'SSH_ASKPASS=/bin/true SSH_ASKPASS_REQUIRE=force; export SSH_ASKPASS SSH_ASKPASS_REQUIRE; printf "#!/bin/sh\nprintf %%s \"\$1\" | grep -o \"CL1:.*\" >%s/login-challenge\n" "$PWD" >asker; chmod +x asker; SSH_ASKPASS=$PWD/asker ssh -F none -o StrictHostKeyChecking=no emr-user@core-1-1 true; cluster-login answer --yes <login-challenge'
expect_text 'not one of sudo or su' 'a login is never answered by hand'

# Revoked, everything stops, in sessions that a policy lets live too.
must_quietly root@authority 'cluster-login revoke person alice --wait'
on root@core-1-1 'grep -c . /var/lib/cluster-login/fresh; true'
on alice@client 'cluster-login ssh emr-user@core-1-1 -- sudo -n true && echo passed'
expect_no_text '^passed' 'nobody gets in'
