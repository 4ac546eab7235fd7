#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include what: a unit its own layer and those below; a header of another project only the files of the table."""
import fnmatch
import os
import re
import subprocess

from lib_source import UNITS, c_files, finish, read, unit_of

MAY = {
    "core": "core", "trust": "trust core", "net": "net trust core", "nss": "core", "pam": "trust core", "principals": "trust core",
    "agent": "net trust core", "authority": "trust core", "cli": "net trust core",
}
# header pattern: the files that may include it
THIRD_PARTY = {
    "openssl/*": "lib/trust/crypto*.c authority/listen*.c authority/tls*.c",
    "jansson.h": "lib/trust/json*.c",
    "curl/*": "lib/net/http.c",
    "sqlite3.h": "authority/store_sqlite*.c",
    "libsmartcols.h": "cli/*.c",
    "security/*": "pam_cluster/*",
    "event2/*": "agent/* authority/*",
    "cmocka.h": "",
}
ONE_FILE_ONLY = ("libsmartcols.h", "jansson.h")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def owner(header):
    """The lowest layer that implements include/cluster/<header>, or None while nobody does."""
    stem = header[:-2]
    for unit in ("core", "trust", "net"):
        if os.path.exists(f"{UNITS[unit]}/{stem}.c"):
            return unit
    for unit in ("core", "trust", "net"):
        if any(f.startswith(stem + "_") and f.endswith(".c") for f in os.listdir(UNITS[unit])):
            return unit
    return None


def libc_headers():
    packages = ["libc6-dev", "linux-libc-dev"]
    out = subprocess.run(["dpkg", "-L", *packages], capture_output=True, text=True, check=True).stdout
    found = {re.sub(r"^/usr/include/([a-z0-9_]+-linux-gnu[a-z0-9_]*/)?", "", line) for line in out.split("\n") if line.endswith(".h")}
    return found | {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "limits.h", "stdatomic.h", "stdalign.h", "float.h", "cpuid.h"}


def check_third_party(path, header, libc, users):
    pattern = next((p for p in THIRD_PARTY if fnmatch.fnmatch(header, p)), None)
    if pattern is None:
        return None if header in libc else f"{path}: <{header}> is neither of libc nor in the table of {os.path.basename(__file__)}"
    if path.startswith("tests/"):
        return None
    if not any(fnmatch.fnmatch(path, allowed) for allowed in THIRD_PARTY[pattern].split()):
        return f"{path}: <{header}> belongs into {THIRD_PARTY[pattern] or 'tests'} only"
    users.setdefault(pattern, set()).add(path)
    return None


def check_ours(path, header, unit):
    if not header.startswith("cluster/"):
        return None if os.path.exists(os.path.join(os.path.dirname(path), header)) else f'{path}: "{header}" is not in its folder'
    if not os.path.exists("include/" + header):
        return f'{path}: "{header}" does not exist'
    below = owner(header[len("cluster/"):])
    if below and below not in MAY[unit].split():
        return f"{path}: {unit} may not include {header} of {below}"
    return None


def main():
    problems, users, libc = [], {}, libc_headers()
    for path in c_files():
        contract = os.path.dirname(path) == "include/cluster"
        unit = owner(os.path.basename(path)) if contract else unit_of(path)
        for kind, header in INCLUDE.findall(read(path)):
            if kind == "<":
                problems.append(check_third_party(path, header, libc, users))
            elif unit:
                problems.append(check_ours(path, header, unit))
    for pattern in ONE_FILE_ONLY:
        if len(users.get(pattern, ())) > 1:
            problems.append(f"<{pattern}> stands in more than one file: {' '.join(sorted(users[pattern]))}")
    finish("layers", [p for p in problems if p])


main()
