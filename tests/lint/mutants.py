#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each mutant's line stands in its file exactly once, and its test exists: a line that has moved is seen here, not at the end of a long `make mutants`."""
import os
from runpy import run_path

from lib_source import finish, read

LIST = "tests/mutants/list"


def main():
    runner = run_path("tests/mutants/run")
    problems = []
    for m in runner["read_list"](LIST):
        if not os.path.isfile(m["file"]):
            problems.append(f"{LIST}: [{m['name']}]: there is no {m['file']}")
        elif why := runner["mutate"](read(m["file"]), m)[1]:
            problems.append(f"{LIST}: [{m['name']}]: {why}")
        if not os.path.isfile(f"tests/{m['test']}.c"):
            problems.append(f"{LIST}: [{m['name']}]: there is no tests/{m['test']}.c")
    finish("mutants", problems)


main()
