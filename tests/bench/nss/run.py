#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py ROOT MISSING: measures all systems in turn, for each number of accounts, and reports. Environment: BUILD PEERS SIZES ROUNDS, see nss.sh."""
import json
import os
import statistics
import sys
import time

import report
from systems import KEYS, NOTES, OPERATIONS, OURS, SPREAD, SYSTEMS, Place, Worker

ROUNDS = max(7, int(os.environ["ROUNDS"]))
CHUNK_NS = 300_000
TURN_NS = 12_000_000
PROBE_NS = 3_000_000
SLOW_NS = 300_000_000  # who takes longer than that for a turn has only SLOW_ROUNDS of them
SLOW_ROUNDS = 3
COLD = 10  # processes in a round
THREADED = {"null", "map", "cluster", "nscd"}
THREADED_OPERATIONS = ["getpwnam", "getpwuid", "getpwnam_miss", "getgrouplist"]


class Bench:
    def __init__(self, root, missing):
        self.place = Place(root, os.environ["BUILD"])
        self.peers = os.environ["PEERS"].split()
        self.result = {"rows": [], "memory": [], "large_group": [], "snapshot": [], "spread": [], "notes": dict(NOTES), "missing": missing,
                       "keys": KEYS, "rounds": ROUNDS, "load": [os.getloadavg()[0]]}

    def miss(self, text):
        print("nss:", text, flush=True)
        if text not in self.result["missing"]:
            self.result["missing"].append(text)

    def workers(self, accounts):
        """One for each system and path; what cannot take part is named."""
        found = []
        for system, about in SYSTEMS.items():
            if system not in OURS + self.peers:
                continue
            if system not in OURS and system != "files" and not self.place.in_tree:
                self.miss(f"{system}: no tree of packages")
            elif not self.place.has(system):
                self.miss(f"{system}: not installed")
            elif accounts > about.get("most", accounts):
                self.miss(f"{system}: not with {accounts} accounts ({about['why']})")
            elif about.get("daemon") and not self.place.start(about["daemon"]):
                self.miss(f"{system}: {about['daemon']} does not start, see build/bench/{about['daemon']}.log")
            else:
                found += [Worker(self.place, system, path) for path in about.get("paths", ["pinned", "conf"])]
        return found

    def pace(self, worker, operation, threads, accounts):
        """(warm, chunk, chunks) so that a turn takes about TURN_NS, and ns of a turn; None: it does not have the operation, or answers wrongly."""
        if operation == "getpwent":
            whole = min(accounts, 5000) if worker.system == "systemd" else accounts
            _, total, wrong = worker.ask("time", operation, 1, 0, min(accounts, 1000), 1)
            if not wrong:
                return (0, whole, max(1, min(50, 100_000 // whole))), total * whole / 1000
        wrong, some, total = 0, 1, 0
        if SYSTEMS[worker.system].get("daemon"):  # all keys once, which fills its caches
            wrong = worker.ask("time", operation, threads, 0, worker.keys, 1)[2]
        while total < PROBE_NS and not wrong:  # the first ones bring the pages in
            ps, total, wrong = worker.ask("time", operation, threads, 0, some, 1)
            some *= 8
        if wrong:
            self.miss(f"{worker.system}: {operation} through {worker.path}, {accounts} accounts: wrong answers")
            return None
        ns = max(1, ps * threads / 1000)
        chunk = max(1, int(CHUNK_NS / ns))
        chunks = max(1, min(1000, int(TURN_NS / (ns * chunk))))
        return (KEYS if ns < 5000 else 0, chunk, chunks), ns * chunk * chunks

    def operation(self, workers, operation, threads, accounts):
        """Rounds of all workers in turn."""
        paces, times, wrongs = {}, {}, {}
        for w in workers:
            if operation in SYSTEMS[w.system].get("without", {}):
                self.miss(f"{w.system}: no {operation} ({SYSTEMS[w.system]['without'][operation]})")
                continue
            pace = self.pace(w, operation, threads, accounts)
            if pace:
                paces[w], times[w], wrongs[w] = pace, [], 0
        for n in range(ROUNDS):
            for w, (pace, turn) in paces.items():
                if turn > SLOW_NS and n >= SLOW_ROUNDS:
                    continue
                ps, _, wrong = w.ask("time", operation, threads, *pace)
                times[w].append(ps / 1000)
                wrongs[w] += wrong
        for w, ns in times.items():
            row = {"system": w.system, "operation": operation, "accounts": accounts, "threads": threads, "path": w.path,
                   "ns": round(statistics.median(ns), 1), "min": round(min(ns), 1), "rounds": len(ns)}
            if wrongs[w]:
                row["wrong"] = wrongs[w]
                self.miss(f"{w.system}: {operation} through {w.path}, {threads} threads, {accounts} accounts: {wrongs[w]} wrong answers")
            self.result["rows"].append(row)

    def cold(self, workers, accounts):
        times = {w: [] for w in workers if w.path == "conf"}
        for _ in range(ROUNDS):
            for w, ns in times.items():
                ns += w.ask("cold", COLD if not ns or statistics.median(ns) < 20_000_000 else 1)
        for w, ns in times.items():
            self.result["rows"].append({"system": w.system, "operation": "cold_getent", "accounts": accounts, "threads": 1, "path": "conf",
                                        "ns": round(statistics.median(ns)), "min": min(ns), "rounds": ROUNDS})

    def once(self, workers, accounts):
        """Memory; and the large group for those that map."""
        for w in workers:
            dirty, libraries = w.ask("memory")
            self.result["memory"].append({"system": w.system, "path": w.path, "accounts": accounts, "private_dirty_kb": dirty, "libraries": libraries})
        large = {w: ([], []) for w in workers if w.system in ("map", "cluster") and w.path == "pinned"}
        for _ in range(ROUNDS):
            for w, (found, copied) in large.items():
                ns, copy, wrong = w.ask("large", 20)
                if not wrong:
                    found.append(ns)
                    copied.append(copy)
        for w, (found, copied) in large.items():
            if found:
                self.result["large_group"].append({"system": w.system, "accounts": accounts, "members": accounts // 10,
                                                   "ns": round(statistics.median(found)), "copy_ns": round(statistics.median(copied))})

    def spread(self, accounts):
        """All accounts in a random order instead of some over and over: memory is slower than any code."""
        workers = [Worker(self.place, s, "pinned", keys=0) for s in OURS]
        times = {w: [] for w in workers}
        keys = min(accounts, SPREAD)
        for _ in range(ROUNDS):
            for w, ns in times.items():
                ns.append(w.ask("time", "getpwnam", 1, keys, 500, max(1, keys // 500))[0] / 1000)
        for w, ns in times.items():
            self.result["spread"].append({"system": w.system, "accounts": accounts, "keys": keys, "ns": round(statistics.median(ns), 1)})
            w.close()

    def size(self, accounts):
        started = time.monotonic()
        built = json.loads(self.place.populate(accounts, self.peers))
        self.result["snapshot"].append(dict(built, accounts=accounts))
        workers = self.workers(accounts)
        for operation in OPERATIONS:
            self.operation(workers, operation, 1, accounts)
        pairs = [w for w in workers if w.system in THREADED and (w.path == "pinned" or w.system == "nscd")]
        for operation in THREADED_OPERATIONS:
            self.operation(pairs, operation, 2, accounts)
        self.cold(workers, accounts)
        self.once(workers, accounts)
        self.spread(accounts)
        for w in workers:
            w.close()
        self.place.clear()
        self.result["load"].append(os.getloadavg()[0])
        print(f"nss: {accounts} accounts, {len(workers)} workers, {time.monotonic() - started:.0f} s", flush=True)


def main():
    with open(sys.argv[2], encoding="utf-8") as f:
        bench = Bench(sys.argv[1], f.read().splitlines())
    for accounts in os.environ["SIZES"].split():
        bench.size(int(accounts))
    with open("build/bench/nss.json", "w", encoding="utf-8") as f:
        json.dump(bench.result, f, indent=1)
    report.main("build/bench/nss.json")


main()
