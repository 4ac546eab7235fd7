# SPDX-License-Identifier: Apache-2.0
"""The project's files, and C source without what a checker must not look at."""
import os
import re
import subprocess
import sys

UNITS = {
    "core": "lib/core", "trust": "lib/trust", "net": "lib/net", "nss": "nss_cluster", "pam": "pam_cluster",
    "principals": "sshd_principals", "agent": "agent", "authority": "authority", "cli": "cli",
}


def files():
    """Every file of the tree that git does not ignore, also without git."""
    try:
        out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True).stdout
        names = [n for n in out.decode().split("\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = [os.path.join(d, f)[2:] for d, _, fs in os.walk(".") for f in fs if not d.startswith(("./.git", "./build"))]
    return sorted(n for n in set(names) if os.path.isfile(n))


def unit_of(path):
    """The unit whose folder holds this file, or None."""
    folder = os.path.dirname(path)
    return next((unit for unit, where in UNITS.items() if where == folder), None)


def c_files(suffixes=(".c", ".h")):
    return [f for f in files() if f.endswith(suffixes)]


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.M)


def code(text):
    """Text with comments, literals and preprocessor lines blanked; line numbers stay."""
    def blank(m):
        return '""' + "\n" * m.group().count("\n") if m.group()[0] == '"' else " " + "\n" * m.group().count("\n")
    text = TOKEN.sub(blank, text)
    return DIRECTIVE.sub(lambda m: "\n" * m.group().count("\n"), text)


def finish(what, problems):
    """Prints the problems, and ends the program with the verdict."""
    for problem in problems:
        print(problem)
    print(f"{what}: {len(problems)} problem(s)")
    sys.exit(1 if problems else 0)
