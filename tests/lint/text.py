#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Licence line, white space, line length, file endings of what is written by hand."""
import os

from lib_source import files, finish, read

COLUMNS = 220  # the hard limit, where a tab counts 8; 140 is the aim
SOURCE = (".c", ".h", ".sh", ".py", ".map")
SPDX = "SPDX-License-Identifier: Apache-2.0"


def is_script(path, text):
    return os.access(path, os.X_OK) and text.startswith("#!")


def check(path, text):
    script = is_script(path, text)
    if (path.endswith((".c", ".h", ".sh", ".py", ".1", ".8")) or script) and SPDX not in "\n".join(text.split("\n")[:3]):
        yield f"{path}:1: no SPDX line"
    if text and not text.endswith("\n"):
        yield f"{path}: no newline at the end"
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield f"{path}:{number}: white space at the end of the line"
        if path.endswith((".c", ".h")) and len(line.expandtabs(8)) > COLUMNS:
            yield f"{path}:{number}: {len(line.expandtabs(8))} columns"
        if path.endswith((".c", ".h")) and line.startswith(" " * 8):
            yield f"{path}:{number}: indented with spaces"
        if "\r" in line and path.endswith(SOURCE):
            yield f"{path}:{number}: a carriage return"


def main():
    problems = []
    for path in files():
        if os.path.islink(path) or path.startswith(("tests/fuzz/corpus/", "tests/vectors/")):
            continue
        with open(path, "rb") as f:
            if b"\0" in f.read():
                continue
        problems += check(path, read(path))
    finish("text", problems)


main()
