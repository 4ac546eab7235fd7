# SPDX-License-Identifier: Apache-2.0
"""Tables, bars and a drawing from build/bench/nss.json. By itself: report.py nss.json"""
import json
import math
import sys

OPERATIONS = ["getpwnam", "getpwuid", "getpwnam_miss", "getgrnam", "getgrgid", "getgrouplist", "getpwent"]
POINT = ["getpwnam", "getpwuid", "getpwnam_miss", "getgrnam", "getgrouplist"]
COLOURS = {"null": "#999999", "map": "#444444", "cluster": "#d00000", "files": "#8c510a", "extrausers": "#bf812d", "cache": "#35978f", "sssd": "#2166ac",
           "nscd": "#7b3294", "systemd": "#4d9221", "oslogin-cache": "#c51b7d"}


class Rows:
    def __init__(self, result):
        self.result = result
        self.by_key = {(r["system"], r["operation"], r["accounts"], r["threads"], r["path"]): r for r in result["rows"]}
        self.sizes = sorted({r["accounts"] for r in result["rows"]})
        self.systems = [s for s in COLOURS if any(r["system"] == s for r in result["rows"])]

    def ns(self, system, operation, accounts, path="pinned", threads=1):
        row = self.by_key.get((system, operation, accounts, threads, path))
        return row["ns"] if row and not row.get("wrong") else None

    def ratio(self, a, b, *where, **more):
        """ns of a / ns of b; each is a system, or (system, path)."""
        x, y = (self.ns(s if isinstance(s, str) else s[0], *where, **(more if isinstance(s, str) else dict(more, path=s[1]))) for s in (a, b))
        return x / y if x and y else None

    def memory(self, system, accounts, path="pinned"):
        return next((m for m in self.result["memory"] if (m["system"], m["accounts"], m["path"]) == (system, accounts, path)), None)


def number(ns):
    if ns is None:
        return "-"
    return f"{ns:.0f}" if ns < 10000 else f"{ns / 1000:.0f}k" if ns < 1e7 else f"{ns / 1e6:.0f}M"


def table(rows, accounts, path, threads=1):
    floor = "map" if path == "pinned" else "null"
    lines = []
    for system in rows.systems:
        values = [rows.ns(system, o, accounts, path, threads) for o in OPERATIONS]
        if any(values):
            ratio = rows.ratio(system, floor, "getpwnam", accounts, path=path, threads=threads)
            lines.append(f"{system:<14}" + "".join(f"{number(v):>14}" for v in values) + (f"{ratio:>10.2f}" if ratio else f"{'-':>10}"))
    if not lines:
        return
    print(f"\n{accounts} accounts, {path}{', two threads' if threads == 2 else ''}: ns for a lookup (getpwent: for an entry)")
    print(f"{'':<14}" + "".join(f"{o:>14}" for o in OPERATIONS) + f"{'name/' + floor:>10}")
    print("\n".join(lines))


def table_process(rows, accounts):
    print(f"\n{accounts} accounts, a process: `getent passwd NAME`; after a first lookup more libraries, more private dirty memory (pinned, conf)")
    for system in rows.systems:
        cold = rows.ns(system, "cold_getent", accounts, "conf")
        pinned, conf = rows.memory(system, accounts), rows.memory(system, accounts, "conf")
        print(f"{system:<14}{number(cold and cold / 1000):>10} us{(pinned or conf or {}).get('libraries', '-'):>6}" +
              "".join(f"{(m['private_dirty_kb'] if m else '-'):>8} kB" for m in (pinned, conf)))


def bar(text, value, limit, at_most=True):
    if value is None:
        print(f"  not measured  {text}")
        return
    good = value <= limit if at_most else value >= limit
    print(f"  {'holds ' if good else 'MISSED'} {value:>10.2f} {'<=' if at_most else '>='} {limit:<8} {text}")


def bars_lookups(rows):
    for n in rows.sizes:
        for operation in POINT:
            bar(f"{operation} pinned, {n} accounts: cluster / map", rows.ratio("cluster", "map", operation, n), 1.25)
    for n in (n for n in rows.sizes if n == 100000):
        for operation in POINT:
            miss = operation == "getpwnam_miss"
            bar(f"{operation} pinned, {n} accounts: sssd / cluster", rows.ratio("sssd", "cluster", operation, n), 1000 if miss else 6, at_most=False)
    for n in rows.sizes:
        bar(f"getpwnam through nsswitch.conf, {n} accounts: cluster / null", rows.ratio("cluster", "null", "getpwnam", n, path="conf"), 1.08)
        bar(f"getpwnam through nsswitch.conf, {n} accounts: sssd / cluster", rows.ratio("sssd", "cluster", "getpwnam", n, path="conf"), 1.45, at_most=False)
    for n in rows.sizes:
        bar(f"getpwnam pinned, two threads, {n} accounts: throughput, cluster / map", rows.ratio("map", "cluster", "getpwnam", n, threads=2), 0.95, at_most=False)
        bar(f"getpwnam, two threads, {n} accounts: throughput, cluster / nscd", rows.ratio(("nscd", "conf"), "cluster", "getpwnam", n, threads=2), 2,
            at_most=False)


def bars_process(rows):
    for n in rows.sizes:
        cold, null = (rows.ns(s, "cold_getent", n, "conf") for s in ("cluster", "null"))
        memory = rows.memory("cluster", n)
        bar(f"cold getent, {n} accounts: us more than null", (cold - null) / 1000 if cold and null else None, 40)
        bar(f"private dirty kB after a first lookup, {n} accounts", memory and memory["private_dirty_kb"], 16)
        bar(f"libraries that come with it, {n} accounts: the module", memory and memory["libraries"], 1)
        bar(f"getpwent, {n} accounts: ns for an entry", rows.ns("cluster", "getpwent", n), 150)
    for large in rows.result["large_group"]:
        if large["system"] == "cluster":
            bar(f"getgrnam of {large['members']} members: lookup / copy of the result", large["ns"] / large["copy_ns"], 2)
    for snapshot in rows.result["snapshot"]:
        if snapshot["accounts"] == 1000000:
            bar("accounts.snap of a million: MB", snapshot["bytes"] / 1e6, 250)
            bar("accounts.snap of a million: s to build", snapshot["ms"] / 1000, 4)
            bar("accounts.snap of a million: MB of memory at most", snapshot["peak_kb"] / 1000, 700)


def tick(ns):
    return f"{ns} ns" if ns < 1000 else f"{ns // 1000} us" if ns < 1000000 else f"{ns // 1000000} ms"


class Panel:
    """One operation: ns over accounts, both logarithmic."""
    WIDTH, HEIGHT, LEFT, TOP = 380, 420, 60, 50
    LOW, HIGH = 10, 100_000_000

    def __init__(self, rows, operation, title, at):
        self.rows, self.operation, self.title, self.at = rows, operation, title, at
        self.sizes = rows.sizes

    def x(self, accounts):
        low, high = math.log10(self.sizes[0]), math.log10(self.sizes[-1])
        return self.at + self.LEFT + (self.WIDTH - 40) * (math.log10(accounts) - low) / ((high - low) or 1) + 20

    def y(self, ns):
        low, high = math.log10(self.LOW), math.log10(self.HIGH)
        return self.TOP + self.HEIGHT * (1 - (math.log10(min(max(ns, self.LOW), self.HIGH)) - low) / (high - low))

    def draw(self):
        left, right = self.at + self.LEFT, self.at + self.LEFT + self.WIDTH
        yield f'<text x="{(left + right) / 2:.0f}" y="{self.TOP - 16}" text-anchor="middle" font-size="15">{self.title}</text>'
        for power in range(1, 9):
            y = self.y(10 ** power)
            yield f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>'
            yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick(10 ** power)}</text>'
        for n in self.sizes:
            yield f'<text x="{self.x(n):.1f}" y="{self.TOP + self.HEIGHT + 20}" text-anchor="middle">{n:,} accounts</text>'
        for system in self.rows.systems:
            points = [(n, self.rows.ns(system, self.operation, n, "conf" if system == "nscd" else "pinned")) for n in self.sizes]
            points = [(self.x(n), self.y(ns)) for n, ns in points if ns]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            wide = 3 if system == "cluster" else 1.5
            yield f'<polyline points="{line}" fill="none" stroke="{COLOURS[system]}" stroke-width="{wide}"/>'
            for x, y in points:
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{wide + 1}" fill="{COLOURS[system]}"/>'


def draw(rows, path):
    panels = [Panel(rows, "getpwnam", "getpwnam", 0), Panel(rows, "getpwnam_miss", "getpwnam, nobody of that name", 450), Panel(rows, "getgrouplist", "getgrouplist", 900)]
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1360 560" font-family="sans-serif" font-size="12">', '<rect width="1360" height="560" fill="white"/>']
    for panel in panels:
        out += panel.draw()
    for i, system in enumerate(rows.systems):
        x = 60 + 130 * i
        out.append(f'<line x1="{x}" y1="530" x2="{x + 24}" y2="530" stroke="{COLOURS[system]}" stroke-width="3"/><text x="{x + 30}" y="534">{system}</text>')
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(out + ["</svg>"]) + "\n")


def main(path):
    with open(path, encoding="utf-8") as f:
        rows = Rows(json.load(f))
    for n in rows.sizes:
        for where in (("pinned", 1), ("conf", 1), ("pinned", 2), ("conf", 2)):
            table(rows, n, *where)
        table_process(rows, n)
    print("\nThe large group by name, and a copy of the result")
    for r in rows.result["large_group"]:
        print(f"  {r['system']:<10}{r['members']:>8} members {r['ns'] / 1000:>10.1f} us, copy {r['copy_ns'] / 1000:.1f} us")
    print("\ngetpwnam, up to 131,072 accounts in a random order instead of 1,000 over and over")
    for r in rows.result["spread"]:
        print(f"  {r['system']:<10}{r['accounts']:>8} accounts {r['ns']:>10.0f} ns")
    print("\nNotes")
    for system, text in rows.result["notes"].items():
        if system in rows.systems:
            print(f"  {system}: {text}")
    for text in rows.result["missing"]:
        print("  missing:", text)
    print("\nBars")
    bars_lookups(rows)
    bars_process(rows)
    draw(rows, path.replace(".json", ".svg"))
    print(f"\nload average before and after each size: {', '.join(f'{x:.1f}' for x in rows.result['load'])}; {path}, {path.replace('.json', '.svg')}")


if __name__ == "__main__":
    main(sys.argv[1])
