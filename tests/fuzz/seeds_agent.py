#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Writes the seeds of fuzz_session, fuzz_agent_msg and fuzz_trust_snap into tests/fuzz/corpus (PROTOCOL.md 5.3, 5.6, 5.7).
import hashlib
import os
import struct

BASE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def seed(target, name, data):
    os.makedirs(os.path.join(BASE, target), exist_ok=True)
    with open(os.path.join(BASE, target, name), "wb") as f:
        f.write(data)


def str8(s):
    return bytes([len(s)]) + s


def str16(s):
    return struct.pack(">H", len(s)) + s


def ident(n):
    return bytes([n]) * 16


def session(tty, role, on_revoke, kind=1, flags=0, closed=0, cert=(0, b"", b"", b""), hop=(0, 0, 0, 2, 3)):
    parent, source, count, person, device = hop
    way = b"".join(ident(8 + i) for i in range(2 * max(count - 1, 0)))
    return (b"CLSESS1\n" + struct.pack(">HH", 1, 3) + ident(1) + ident(person) + ident(device) + ident(4) +
            struct.pack(">4QB", 1700000000, 1700003600, 1700000000, 1700000001, on_revoke) +
            str8(b"emr-user") + str8(b"sshd") + str8(tty) + str8(b"10.0.0.1") +
            struct.pack(">IQI", 4711, 99, 17) + ident(5) + bytes([kind]) + str8(b"A" * 22) + str8(role) +
            struct.pack(">BQ", flags, closed) + ident(parent) + struct.pack(">Q", cert[0]) + str8(cert[1]) + str8(cert[2]) + str8(cert[3]) +
            ident(source) + bytes([count]) + way)


def of_key(serial, key_id):
    return (serial, key_id, b"SHA256:" + b"A" * 43, b"SHA256:" + b"B" * 43)


seed("session", "tty", session(b"pts/1", b"", 0))
seed("session", "role", session(b"", b"analysts", 2))
seed("session", "certificate", session(b"pts/1", b"", 0, 2, 1, 1700000100, of_key(7, b"alice x")))
seed("session", "hop", session(b"pts/1", b"ops", 0, 4, 6, 0, of_key(0, b"alice via master-1-1 x"), (6, 7, 2, 2, 3)))
seed("session", "machine", session(b"", b"", 1, 4, 0, 0, of_key(0, b"- via master-1-1 x"), (0, 7, 0, 0, 0)))
seed("session", "newer", b"CLSESS1\n\0\2\0\0" + ident(1))

seed("agent_msg", "status", b"\1\1")
seed("agent_msg", "opened", b"\1\2" + ident(1))
seed("agent_msg", "closed", b"\1\3" + ident(1))
seed("agent_msg", "answer", b"\1\1\0" + struct.pack(">4QIIB", 3, 70, 1700000000, 1700000001, 2, 1, 1) + str16(b"no route"))
seed("agent_msg", "refusal", b"\1\2\x0c")
REFUSED = struct.pack(">Q", 1700000000) + b"".join(str16(s) for s in (b"Xk3_9aZq", b"auth", b"no_grant", b"alice", b"emr-user", b"sshd", b"192.0.2.7", b"A" * 22, b"serial=7", b"no grant of 3"))
seed("agent_msg", "refused", b"\1\6" + REFUSED)
seed("agent_msg", "explain", b"\1\7" + str8(b"Xk3_9aZq"))
seed("agent_msg", "explained", b"\1\7\0" + REFUSED)


def section(kind, body):
    return bytes([kind]) + str16(body)


SELF = (ident(9) + bytes(32) + struct.pack(">3Q3I", 1, 2, 3, 900, 30, 900) + str8(b"master-1-1") + str8(b"emr") +
        b"\1" + str8(b"master"))
KEY = str8(b"A" * 22) + b"\1\1\x20" + bytes(range(32)) + struct.pack(">QQ", 1700000000, 1900000000)
PERSON = ident(2) + b"\2" + str8(b"alice") + b"\1" + str8(b"analysts") + struct.pack(">H", 1) + ident(3)
HOSTKEY = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 32) + bytes(32)
NODE = (ident(7) + b"\1\x20" + bytes(range(32)) + str8(b"core-1-1") + struct.pack(">HB", 2222, 1) + str8(b"i-1") + b"\1" + str8(b"core") +
        b"\1" + str16(HOSTKEY) + b"\2" + str8(b"10.0.0.2") + str8(b"fd00::2"))
GRANT = ident(6) + b"\1\0" + struct.pack(">I", 3600)


def snapshot(global_section, *records):
    return (section(1, SELF) + section(2, struct.pack(">H", 1) + KEY) +
            b"".join(section(kind, body) for kind, body in records) + section(12, global_section))


seed("trust_snap", "empty", snapshot(struct.pack(">QBH", 0, 0, 0)))
seed("trust_snap", "full", snapshot(
    struct.pack(">QBH", 1700000000, 1, 1) + ident(2),
    (3, PERSON),
    (6, str16(b"\1" + ident(2) + b"\0emr-user") + struct.pack(">H", 2) + GRANT + GRANT),
    (6, str16(b"\2analysts\0emr-user") + struct.pack(">H", 1) + GRANT),
    (8, str8(b"emr-user") + struct.pack(">IB", 1880000000, 0)),
    (8, str8(b"alice") + struct.pack(">IB", 1880000001, 1) + ident(2)),
    (10, str16(b"\3" + b"\1" + bytes(15)) + struct.pack(">4Q", 1, 1700000000, 0, 4102444800))))
seed("trust_snap", "hops", snapshot(
    struct.pack(">QBH", 0, 0, 0),
    (6, str16(b"\3" + ident(7) + b"\0emr-user") + struct.pack(">H", 1) + ident(6) + b"\2\1" + bytes(4)),
    (13, NODE),
    (16, hashlib.sha256(b"key").digest() + ident(7)),
    (18, str16(b"\3" + ident(7)) + b"\2" + str8(b"ecs-user") + str8(b"emr-user"))))
