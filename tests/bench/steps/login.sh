# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Step file of tests/bench/login.sh.
LOGINS=${LOGINS:-30}
LIMIT=1.25
cast_all
node=core-1-1

# Who can log on in every way: the account takes a static key as well, which is only reported while migrating.
must_quietly root@authority 'cluster-login grant add --person alice --account emr-user --onetime --hop'
must_quietly root@$node 'mkdir -p /etc/cluster-login/node.conf.d && printf "[node]\nstatic_keys = report\n" >/etc/cluster-login/node.conf.d/70-bench.conf'
cast_settled
cast_pasting $node
must_quietly alice@client "cluster-login get && cluster-login ssh emr-user@$node -- true && ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/bench && ssh-agent -a ~/agent.sock"
must_quietly alice@client "SSH_AUTH_SOCK=~/agent.sock cluster-login get --ssh-cert && ssh-keyscan -t ed25519 ${HOST_ADDRESS[$node]} >~/.ssh/bench_known 2>/dev/null"
cp "$(host_path client /home/alice/.ssh/bench.pub)" "$TOP/bench.pub"
host_write $node /home/emr-user/.ssh/authorized_keys <"$TOP/bench.pub"
must_quietly root@$node 'chown -R emr-user: /home/emr-user/.ssh; chmod 700 /home/emr-user/.ssh; chmod 600 /home/emr-user/.ssh/authorized_keys'

# A machine of the same image on which nothing was installed, for what a local user sees.
host_run elsewhere bash -c "useradd -m -u 1001 -s /bin/bash rescue && echo rescue:$RESCUE_PASSWORD | chpasswd" 2>/dev/null
sshd_start elsewhere
must_quietly alice@client "ssh-keyscan -t ed25519 ${HOST_ADDRESS[elsewhere]} >>~/.ssh/bench_known 2>/dev/null"

host_write client /usr/local/lib/cluster-demo/login.py <"$DEMO_REPO/tests/bench/steps/login.py"
must_quietly alice@client "/usr/bin/python3 /usr/local/lib/cluster-demo/login.py $LOGINS ${HOST_ADDRESS[$node]} ${HOST_ADDRESS[elsewhere]}"
mkdir -p "$DEMO_REPO/build/bench"
tail -n 1 <<<"$OUT" >"$TOP/login.json"
/usr/bin/python3 - "$TOP/login.json" "$DEMO_REPO/build/bench/login.json" <<'PYTHON'
import json, sys
with open(sys.argv[1], encoding="ascii") as f:
    rows = json.load(f)
with open(sys.argv[2], "w", encoding="ascii") as f:
    f.write("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]\n")
for r in rows:
    if "missing" in r:
        print(f"{r['how']:24} missing: {r['missing']}")
    else:
        print(f"{r['how']:24} median {r['median_ms']:7.1f} ms  p90 {r['p90_ms']:7.1f} ms  {r['ratio']:5.2f} of {r['against']}, {r['n']} times")
PYTHON
within_limit() {
	/usr/bin/python3 -c 'import json, sys; sys.exit(0 if any(r["how"] == sys.argv[2] and r.get("ratio", 9) <= float(sys.argv[3]) for r in json.load(open(sys.argv[1]))) else 1)' \
		"$DEMO_REPO/build/bench/login.json" "$1" "$LIMIT"
}
expect "a login by credential costs at most $LIMIT of one by key" within_limit credential
expect "a hop costs at most $LIMIT of a login by key" within_limit hop
