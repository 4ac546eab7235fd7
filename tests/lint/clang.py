#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every source once more through the other compiler, with the same warnings, as errors."""
import concurrent.futures
import json
import os
import shlex
import subprocess

from lib_source import finish

CLANG = os.environ.get("CLANG", "clang")


def check(entry):
    words = shlex.split(entry["command"])[1:]
    words = [w for w in words if w != "-c" and not w.startswith(("-fsanitize", "-fno-sanitize", "--coverage"))]
    run = subprocess.run([CLANG, "-fsyntax-only", "-Werror", *words], capture_output=True, text=True, check=False)
    return None if run.returncode == 0 else f"{entry['file']}:\n{run.stderr.strip()}"


def main():
    with open("compile_commands.json", encoding="utf-8") as f:
        entries = json.load(f)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(check, entries))
    print(f"{len(entries)} sources")
    finish("clang", [r for r in results if r])


main()
