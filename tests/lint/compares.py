#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nonces, hashes, proofs and ids are compared by crypto_equal or id_equal (THREATS B12): neither how long a comparison takes nor where a text ends says anything."""
import re

from lib_source import c_files, code, finish, read, unit_of

UNITS = "trust pam agent authority"
COMPARE = re.compile(r"(?<![\w.>])(memcmp|bcmp|strcmp|strncmp|strcasecmp|strncasecmp)\s*\(")
# An argument is one of these if its last name, or the last word of it, is here.
WORDS = set("challenge code digest hash hmac jkt jti mac nonce pin proof secret sha256 sha512 sig signature thumbprint ticket token".split())
ID = re.compile(r"\b(id|ids|account|cluster|device|jti|node|person|self|session)(\[[^\]]*\])?(\.|->)b$")
# file: what stands on the line, and why it may
EXCEPTIONS = {
    "lib/trust/trust_snap_build.c": ["->id.b, (*(const struct directory_person"],  # order of public ids in an index
    "lib/trust/trust_snap_grants_build.c": ["->grant->id.b"],  # the same
    "lib/trust/trust_snap_nodes_build.c": ["->id.b, (*(const struct directory_node", "memcmp(x->hash, y->hash, sizeof x->hash)"],  # the same, and of hashes of public keys
    "authority/nodes.c": ["n->one[mid]->id.b, id->b, sizeof id->b) < 0"],  # binary search by a public id
    "agent/sessions_records.c": ["memcmp(x->s.id.b, y->s.id.b, ID_SIZE)"],  # order of the ids of sessions
    "agent/reporter.c": ["memcmp(a->id.b, b->id.b, ID_SIZE)"],  # the same
    "authority/live.c": ["l->one[mid]->id.b, id->b, sizeof id->b) < 0"],  # the same, by the id of a session
}


def arguments(text, at):
    """The arguments of the call whose parenthesis opens at text[at], without casts of their result and white space around them."""
    depth, found, now = 0, [], ""
    for c in text[at:]:
        depth += (c in "([{") - (c in ")]}")
        if depth == 0:
            break
        if c == "," and depth == 1:
            found.append(now)
            now = ""
        else:
            now += c
    found.append(now)
    return [re.sub(r"\s+", " ", a).strip() for a in (found[0][1:], *found[1:])]


def delicate(argument):
    if ID.search(argument):
        return True
    names = re.findall(r"[A-Za-z_]\w*", re.sub(r"\[[^\]]*\]|\(.*\)", "", argument))
    return bool(names) and names[-1].lower().split("_")[-1] in WORDS


def main():
    problems, used = [], set()
    for path in c_files():
        if unit_of(path) not in UNITS.split():
            continue
        text = code(read(path))
        lines = text.split("\n")
        for m in COMPARE.finditer(text):
            if not any(delicate(a) for a in arguments(text, m.end() - 1)[:2]):
                continue
            number = text.count("\n", 0, m.start()) + 1
            excused = [e for e in EXCEPTIONS.get(path, ()) if e in lines[number - 1]]
            used.update((path, e) for e in excused)
            if not excused:
                problems.append(f"{path}:{number}: {m.group(1)}() where crypto_equal or id_equal belongs: {lines[number - 1].strip()}")
    problems += [f"{path}: no comparison needs the exception \"{e}\"" for path, es in EXCEPTIONS.items() for e in es if (path, e) not in used]
    finish("compares", problems)


main()
