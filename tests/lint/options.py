#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual page against the program's own table of commands and options, both ways, and each command's --help."""
import os
import re
import subprocess

from lib_source import finish, read

PAGE = "cli/cluster-login.1"
PROGRAM = os.path.join(os.environ.get("BUILD", "build/release"), "cluster-login")
EVERYWHERE = {"help", "json", "socket", "remote", "conf", "state-dir"}  # explained once, before the lists


def offered(line):
    """What the shells are offered after this line."""
    done = subprocess.run([PROGRAM, "complete", "--", line], stdout=subprocess.PIPE, text=True, check=True, env={"CLUSTER_LOGIN_HOME": "/nonexistent"})
    return [row.split("\t")[0] for row in done.stdout.splitlines()]


def commands():
    """{words: options} of the program."""
    table = {}
    for name in offered("cluster-login "):
        options = offered(f"cluster-login {name} --")
        if options:
            table[name] = {o[2:] for o in options}
        else:
            for verb in offered(f"cluster-login {name} "):
                table[f"{name} {verb}"] = {o[2:] for o in offered(f"cluster-login {name} {verb} --")}
    return table


def described(page, table):
    """{words: options} of the page: what stands in an item, and in the text below it."""
    found, here = {}, []
    for line in page.split("\n"):
        words = line.replace('"', "").split()
        if line.startswith(".It Ic "):
            here = []
            for part in re.split(r"\bIc ", line[len(".It "):])[1:]:
                names = part.split()
                name = next((n for n in (" ".join(names[:2]), names[0]) if n in table), None)
                if name is None:
                    found.setdefault(" ".join(names[:2]), set())
                    continue
                if not (here and name in here):
                    here.append(name)
                found.setdefault(name, set()).update(re.findall(r"Fl -([a-z][a-z-]*)", part))
        elif line.startswith((".El", ".Sh", ".Ss")):
            here = []
        elif words[:1] == [".Fl"] or " Fl -" in line:
            for name in here:
                found[name].update(o for o in re.findall(r"Fl -([a-z][a-z-]*)", line) if o in table[name])
    return found


def main():
    problems = []
    table = commands()
    page = read(PAGE)
    found = described(page, table)
    everything = set().union(*table.values()) | {"version"}
    for name, options in sorted(table.items()):
        if name not in found:
            problems.append(f"{PAGE}: {name} is missing")
            continue
        problems += [f"{PAGE}: {name}: --{o} is missing" for o in sorted(options - found[name] - EVERYWHERE)]
        problems += [f"{PAGE}: {name}: has no --{o}" for o in sorted(found[name] - options)]
        text = subprocess.run([PROGRAM, *name.split(), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        problems += [f"{name} --help: --{o} is missing" for o in sorted(options) if f"--{o}" not in text and o != "help"]
    problems += [f"{PAGE}: there is no command \"{name}\"" for name in sorted(set(found) - set(table))]
    problems += [f"{PAGE}: no command has --{o}" for o in sorted(set(re.findall(r"Fl -([a-z][a-z-]*)", page)) - everything)]
    finish("options", problems)


main()
