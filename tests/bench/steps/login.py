# SPDX-License-Identifier: Apache-2.0
"""Logs on in every way, interleaved, as a person on the client; the last line of output is the table as JSON. login.py LOGINS NODE-ADDRESS BARE-ADDRESS"""
import json
import os
import statistics
import subprocess
import sys
import time

LOGINS, NODE, BARE = int(sys.argv[1]), sys.argv[2], sys.argv[3]
HOME = os.path.expanduser("~")
PLAIN = ["/usr/bin/ssh", "-F", "none", "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={HOME}/.ssh/bench_known", "-o", "GlobalKnownHostsFile=none", "-o", "IdentityAgent=none"]
HOP = "/usr/bin/ssh -F /var/lib/cluster-login/ssh_config core-1-1 true"

# What stands in for a person who pastes, and for one who looks at the clock when the prompt appears.
with open(f"{HOME}/paste", "w", encoding="ascii") as f:
    f.write("#!/bin/sh\nexec cat ~/pasted\n")
with open(f"{HOME}/look", "w", encoding="ascii") as f:
    f.write("#!/bin/bash\necho $EPOCHREALTIME >~/looked\nkill -9 $PPID\n")
for name in ("paste", "look"):
    os.chmod(f"{HOME}/{name}", 0o755)


def asked_by(helper):
    return dict(os.environ, SSH_ASKPASS=f"{HOME}/{helper}", SSH_ASKPASS_REQUIRE="force")


def run(argv, env=None):
    start = time.monotonic()
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, check=False)
    ms = (time.monotonic() - start) * 1000
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().replace("\n", "; ")[:300] or f"exit status {done.returncode}")
    return ms


def publickey():
    return run(PLAIN + ["-o", "PreferredAuthentications=publickey", "-i", f"{HOME}/.ssh/bench", f"emr-user@{NODE}", "true"])


def credential():
    return run(["cluster-login", "ssh", "emr-user@core-1-1", "--", "true"])


def certificate():
    return run(["ssh", "-o", "BatchMode=yes", "emr-user@core-1-1", "true"], dict(os.environ, SSH_AUTH_SOCK=f"{HOME}/agent.sock"))


def one_time():
    with open(f"{HOME}/pasted", "wb") as file:
        subprocess.run(["cluster-login", "token", "emr-user@core-1-1"], check=True, stdout=file, stderr=subprocess.DEVNULL)
    return run(PLAIN + ["-o", "PreferredAuthentications=keyboard-interactive", f"emr-user@{NODE}", "true"], asked_by("paste"))


class Session:
    """A session on master-1-1 that hops when told to."""

    LOOP = f"""
import subprocess, sys, time
for line in sys.stdin:
    start = time.monotonic()
    done = subprocess.run("{HOP}".split(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    ms = (time.monotonic() - start) * 1000
    print(ms if done.returncode == 0 else "failed: " + done.stderr.decode(errors="replace").strip().replace("\\n", "; ")[:300], flush=True)
"""

    def __init__(self):
        loop = "exec(bytes.fromhex('" + self.LOOP.encode().hex() + "'))"
        self.ssh = subprocess.Popen(["cluster-login", "ssh", "emr-user@master-1-1", "--", f'exec /usr/bin/python3 -c "{loop}"'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hop(self):
        self.ssh.stdin.write("hop\n")
        self.ssh.stdin.flush()
        answer = self.ssh.stdout.readline().strip()
        try:
            return float(answer)
        except ValueError:
            raise RuntimeError(answer or "the session ended") from None

    def end(self):
        self.ssh.stdin.close()
        self.ssh.wait()


def prompt(address):
    if os.path.exists(f"{HOME}/looked"):
        os.unlink(f"{HOME}/looked")
    start = time.time()
    subprocess.run(PLAIN + ["-o", "PreferredAuthentications=keyboard-interactive,password", f"rescue@{address}", "true"], env=asked_by("look"), stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    with open(f"{HOME}/looked", encoding="ascii") as file:
        return (float(file.read()) - start) * 1000


def quantile(times, q):
    return sorted(times)[min(len(times) - 1, int(len(times) * q))]


def main():
    session = Session()
    ways = {"publickey": publickey, "credential": credential, "certificate": certificate, "one_time": one_time, "hop": session.hop,
            "prompt_without_module": lambda: prompt(BARE), "prompt_with_module": lambda: prompt(NODE)}
    times, missing = {name: [] for name in ways}, {}
    for i in range(-2, LOGINS):  # the first two rounds warm the caches
        order = list(ways)[i % len(ways):] + list(ways)[: i % len(ways)]
        for name in order:
            if name in missing:
                continue
            try:
                ms = ways[name]()
            except RuntimeError as e:
                missing[name] = str(e)
                continue
            if i >= 0:
                times[name].append(ms)
    session.end()
    rows = []
    for name in ways:
        against = "prompt_without_module" if name.startswith("prompt") else "publickey"
        if name in missing:
            rows.append({"how": name, "missing": missing[name]})
            continue
        median = statistics.median(times[name])
        rows.append({"how": name, "median_ms": round(median, 1), "p90_ms": round(quantile(times[name], 0.9), 1), "ratio": round(median / statistics.median(times[against]), 3),
                     "against": against, "n": len(times[name])})
    print(json.dumps(rows))


main()
