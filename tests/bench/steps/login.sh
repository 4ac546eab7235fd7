# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Step file of tests/bench/login.sh.
PAIRS=${PAIRS:-20}
LIMIT_MS=60
cast_all
node=master-1-1

# The account takes a static key as well: while migrating, that is only reported.
must_quietly root@$node 'mkdir -p /etc/cluster-login/node.conf.d && printf "[node]\nstatic_keys = report\n" >/etc/cluster-login/node.conf.d/70-bench.conf'
must_quietly alice@client "cluster-login ssh emr-user@$node -- true && ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/bench"
cp "$(host_path client /home/alice/.ssh/bench.pub)" "$TOP/bench.pub"
host_write $node /home/emr-user/.ssh/authorized_keys <"$TOP/bench.pub"
must_quietly root@$node 'chown -R emr-user: /home/emr-user/.ssh; chmod 700 /home/emr-user/.ssh; chmod 600 /home/emr-user/.ssh/authorized_keys'

# The cluster's own ssh configuration, so with its host key check, but by key.
BY_KEY="ssh -o PubkeyAuthentication=yes -o PreferredAuthentications=publickey -o IdentitiesOnly=yes -i ~/.ssh/bench emr-user@$node true"
BY_CREDENTIAL="cluster-login ssh emr-user@$node -- true"

# shellcheck disable=SC2034
cat >"$TOP/bench.py" <<'PYTHON'
import json, os, statistics, subprocess, sys, time
pairs, by_key, by_credential = int(sys.argv[1]), sys.argv[2], sys.argv[3]
times = {"key": [], "credential": []}
def once(name, command):
    start = time.monotonic()
    subprocess.run(["bash", "-c", "exec " + command], check=True, stdin=subprocess.DEVNULL)
    times[name].append((time.monotonic() - start) * 1000)
for i in range(pairs + 2):
    order = [("key", by_key), ("credential", by_credential)]
    for name, command in order if i % 2 else order[::-1]:
        once(name, command)
    if i == 1:  # the first two warm the caches
        times = {"key": [], "credential": []}
key, credential = (statistics.median(times[n]) for n in ("key", "credential"))
difference = statistics.median(c - k for k, c in zip(times["key"], times["credential"]))
print(json.dumps({"pairs": pairs, "key_ms": round(key, 1), "credential_ms": round(credential, 1), "difference_ms": round(credential - key, 1),
                  "paired_difference_ms": round(difference, 1), "ratio": round(credential / key, 3),
                  "key": [round(t, 1) for t in times["key"]], "credential": [round(t, 1) for t in times["credential"]]}))
PYTHON
host_write client /usr/local/lib/cluster-demo/bench.py <"$TOP/bench.py"
must_quietly alice@client "/usr/bin/python3 /usr/local/lib/cluster-demo/bench.py $PAIRS '$BY_KEY' '$BY_CREDENTIAL'"
mkdir -p "$DEMO_REPO/build/bench"
said '{' >"$DEMO_REPO/build/bench/login.json"
/usr/bin/python3 - "$DEMO_REPO/build/bench/login.json" <<'PYTHON'
import json, sys
with open(sys.argv[1]) as f:
    r = json.load(f)
print(f"login by ssh key            median {r['key_ms']:7.1f} ms")
print(f"login by cluster-login ssh  median {r['credential_ms']:7.1f} ms")
print(f"difference {r['difference_ms']:.1f} ms, ratio {r['ratio']:.2f}, {r['pairs']} interleaved pairs")
PYTHON
DIFFERENCE=$(/usr/bin/python3 -c 'import json, sys; print(int(json.load(open(sys.argv[1]))["difference_ms"] + 0.999))' "$DEMO_REPO/build/bench/login.json")
expect "a login through cluster-login ssh costs at most $LIMIT_MS ms more: $DIFFERENCE" test "$DIFFERENCE" -le "$LIMIT_MS"
