#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged stays, in order, whatever happens: killed before each step towards disk or network of a revocation, and a power cut there that loses what was not synced (THREATS.md H8, test goals: kill, power loss)."""
import os
import random
import shutil
import struct
import sys
import tempfile

from lib_daemon import Cases, Daemon

LIBRARY = os.path.join(os.path.abspath(os.environ.get("BUILD", "build/release")), "tests/authority/lib_steps.so")
MOST = 400  # steps; two revocations need far fewer
COUNTS = {}


def copy(origin, to):
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(origin, to, symlinks=True)


def entries(d):
    return [(e["seq"], e["value"]) for e in d.admin_ok("revoke/list")["entries"]]


class Run:
    """A daemon on a copy of the state, killed before step `kill`; what it acknowledged, and what it did to files."""

    def __init__(self, d, base, kill):
        self.log, self.acknowledged, self.d = os.path.join(d.work, "steps"), [], d
        arm = os.path.join(d.work, "arm")
        for name in (self.log, arm):
            if os.path.exists(name):
                os.unlink(name)
        copy(base, d.dir)
        environment = {"LD_PRELOAD": LIBRARY, "STEPS_LOG": self.log, "STEPS_ARM": arm, "STEPS_KILL": str(kill)}
        os.environ.update(environment)
        try:
            d.start()
        finally:
            for name in environment:
                del os.environ[name]
        with open(arm, "w", encoding="ascii"):
            pass
        self.killed = False
        for i in range(2):
            try:
                answer = d.admin("revoke/add", kind="account", value=f"step-{i}", reason="steps")
            except OSError:
                answer = None
            if answer is None:
                self.killed = True
                break
            assert answer.status == 200, answer
            self.acknowledged.append((answer.json["seq"], f"step-{i}", answer.json["version"]))
        if self.killed:
            assert d.process.wait(60) == -9
            d.process = None
        else:
            d.stop(9)

    def records(self):
        with open(self.log, "rb") as f:
            data = f.read()
        at = 0
        while at < len(data):
            kind, offset, size, length = struct.unpack_from("=cQQI", data, at)
            at += 21
            path, at = data[at:at + length].decode(), at + length
            yield kind.decode(), path, offset, data[at:at + size]
            at += size


def check(d, run, before, what):
    """What was acknowledged is there, in order, once; at most one more is; and numbers go on rising."""
    d.start()
    try:
        there = entries(d)
        seqs = [seq for seq, _ in there]
        assert seqs == sorted(set(seqs)), (what, there)
        assert there[:len(before)] == before, (what, there, before)
        new = there[len(before):]
        assert new[:len(run.acknowledged)] == [(seq, value) for seq, value, _ in run.acknowledged], (what, new, run.acknowledged)
        assert len(new) <= len(run.acknowledged) + 1 and all(value == f"step-{i}" for i, (_, value) in enumerate(new)), (what, new)
        head = d.admin_ok("status")["head"]
        assert all(head > version for _, _, version in run.acknowledged), what
        seq = d.admin_ok("revoke/add", kind="account", value="after")["seq"]
        assert seq > max(seqs + [0]), (what, seq, seqs)
        records = d.admin_ok("audit/list", after=0, limit=1000)["records"]  # the chain holds
        said = [r["object"] for r in records if r["action"] == "revoke/add"]
        assert [o.split()[2].rstrip(":") for o in said if " step-" in o] == [value for _, value in new], (what, said)
    finally:
        d.stop(9)


def power_cut(run, base, to, keep):
    """The files as the disk has them if of what was not synced only that is left for which keep() says so."""
    copy(base, to)
    root, pending = run.d.dir + "/", {}

    def apply(path, record):
        kind, offset, data = record
        name = os.path.join(to, path)
        if kind == "u":
            if os.path.exists(name):
                os.unlink(name)
            return
        with open(name, "r+b" if os.path.exists(name) else "w+b") as f:
            if kind == "t":
                f.truncate(offset)
            else:
                f.seek(offset)
                f.write(data)

    for kind, path, offset, data in run.records():
        if not path.startswith(root) or path.endswith("-shm"):
            continue
        path = path[len(root):]
        if kind == "s":
            for record in pending.pop(path, []):
                apply(path, record)
        else:
            pending.setdefault(path, []).append((kind, offset, data))
    for path, records in pending.items():
        for record in records:
            if keep():
                apply(path, record)


def state(d):
    """Some history, then a clean stop."""
    d.start()
    for i in range(3):
        d.admin_ok("revoke/add", kind="account", value=f"old-{i}")
    before = entries(d)
    d.stop()
    base = os.path.join(d.work, "base")
    copy(d.dir, base)
    return base, before


def killed(d, base, before):
    for step in range(1, MOST):
        run = Run(d, base, step)
        if not run.killed:
            COUNTS["steps"] = step - 1
            break
        check(d, run, before, f"killed before step {step}")
    assert 4 < COUNTS["steps"] < MOST and len(run.acknowledged) == 2, COUNTS
    print(f"# {COUNTS['steps']} steps")


def lost_power(d, base, before):
    states = 0
    for step in range(1, COUNTS["steps"] + 2):
        run = Run(d, base, step)
        for name, keep in (("nothing unsynced is left", lambda: False), ("some of it is left", lambda: random.Random(states).random() < 0.5)):
            power_cut(run, base, d.dir, keep)
            check(d, run, before, f"power cut before step {step}: {name}")
            states += 1
    print(f"# {states} states")


def synced(d, base, before):
    """The write-ahead log's name is on the disk before anything in it is acknowledged, and each acknowledgement follows a sync."""
    del before
    run = Run(d, base, 0)
    kinds = [(kind, os.path.basename(path)) for kind, path, _, _ in run.records() if path.startswith(d.dir)]
    assert ("s", os.path.basename(d.dir)) in kinds and ("s", "store.db-wal") in kinds, kinds[:50]
    last = len(kinds) - 1 - kinds[::-1].index(("w", "store.db-wal"))
    assert ("s", "store.db-wal") in kinds[last:]


def main():
    cases = Cases()
    with tempfile.TemporaryDirectory() as work:
        d = Daemon(work)
        try:
            base, before = state(d)
            for name, function in (("synced before it is acknowledged", synced), ("kill -9 before each step", killed), ("a power cut before each step", lost_power)):
                cases.run(name, function, d, base, before)
        finally:
            d.stop(9)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
