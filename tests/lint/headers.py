#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each header compiles by itself, has a guard, and names no header of another project if it is a contract."""
import os
import re
import subprocess

from lib_source import c_files, finish, read, unit_of

CC = os.environ.get("CC", "gcc").split()
FLAGS = ["-fsyntax-only", "-x", "c", "-std=c11", "-D_GNU_SOURCE", "-Iinclude", "-Wall", "-Wextra", "-Wstrict-prototypes", "-Werror"]


def check(path):
    text = read(path)
    if not re.search(r"^#ifndef (\w+)\n#define \1\n", text, re.M):
        return f"{path}: no include guard"
    folder = "-I" + os.path.dirname(path)
    run = subprocess.run([*CC, *FLAGS, folder, "-"], input=f'#include "{os.path.abspath(path)}"\n', capture_output=True, text=True, check=False)
    return None if run.returncode == 0 else f"{path}:\n{run.stderr.strip()}"


def main():
    ours = [f for f in c_files((".h",)) if unit_of(f) or f.startswith(("include/", "tests/harness/"))]
    print(f"{len(ours)} headers")
    finish("headers", [p for p in map(check, ours) if p])


main()
