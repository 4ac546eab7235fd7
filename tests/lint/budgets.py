#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines of functions and files, parameters. Above the hard limit is an error; what is above the soft one is counted and listed."""
import re

from lib_source import c_files, code, finish, read

SOFT = {"function": 50, "file": 400, "parameters": 5}
HARD = {"function": 100, "file": 600, "parameters": 7}
ENTRY_POINTS = {"pam_sm_": 40, "_nss_cluster_": 20}


def parameters(head, at):
    """How many parameters the list has that opens at head[at]."""
    depth, count, text = 0, 1, ""
    for c in head[at:]:
        depth += (c in "([") - (c in ")]")
        if depth == 0:
            break
        if c == "," and depth == 1:
            count += 1
        text += c
    return 0 if text[1:].strip() in ("", "void") else count


def functions(text):
    """(name, first line, lines, parameters) of each function that the code defines."""
    depth, head, start, first = 0, "", 0, 0
    line = 1
    found = None
    for c in text:
        if c == "{":
            if depth == 0:
                m = re.search(r"(?<![\w])(?!__attribute__|CLUSTER_)([A-Za-z_]\w*)\s*\(", head)
                if m and "=" not in head[:m.start()] and head.rstrip().endswith(")"):
                    first = start + head[:len(head) - len(head.lstrip())].count("\n")
                    found = (m.group(1), first, parameters(head, m.end() - 1))
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                if found:
                    yield found[0], found[1], line - found[1] + 1, found[2]
                found, head, start = None, "", line
        elif c == ";" and depth == 0:
            head, start = "", line
        elif depth == 0:
            if not head:
                start = line
            head += c
        if c == "\n":
            line += 1


def main():
    problems, soft, total = [], [], 0

    def judge(what, where, name, value):
        limit = HARD[what]
        if what == "function":
            limit = next((n for prefix, n in ENTRY_POINTS.items() if name.startswith(prefix)), limit)
        text = f"{where}: {what} {name}: {value}, limit {limit}"
        if value > limit:
            problems.append(text)
        elif value > SOFT[what]:
            soft.append(f"{where}: {what} {name}: {value}, better {SOFT[what]}")

    for path in c_files():
        text = read(path)
        if not path.startswith("tests/"):
            judge("file", path, "", text.count("\n"))
        for name, line, lines, params in functions(code(text)):
            total += 1
            judge("function", f"{path}:{line}", name, lines)
            if not name.startswith(tuple(ENTRY_POINTS)):  # PAM and glibc say how many those have
                judge("parameters", f"{path}:{line}", name, params)
    for text in soft:
        print("soft:", text)
    print(f"{total} functions, {len(soft)} above a soft limit")
    finish("budgets", problems)


main()
