#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Writes the seeds of fuzz_json, fuzz_jwk, fuzz_jws, fuzz_document, fuzz_directory and fuzz_revoke into tests/fuzz/corpus (PROTOCOL.md 1 to 3).
import json
import os

BASE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")

# The public half of the key in fuzz_sign.h, its kid, and a token that it signed.
X = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
KID = "1IG2tMH7J2wbJZnOf8LJzQ"
TOKEN = ("eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiMUlHMnRNSDdKMndiSlpuT2Y4TEp6USIsInR5cCI6ImNsdXN0ZXItaGVhZCtqd3QifQ.eyJhIjoxfQ."
         "M-4f33DFan_K_FgJCtAyPwi84kYxTSUulFqdXnNYNQeIb1VksrayzQhuuS_1sITs08PaUbRQGUWCMgMuHzY_Bg")
NOW = 1790000000
ZERO = "A" * 22
ID = [c * 21 + "A" for c in "BCDEFG"]
HASH = "A" * 43
BARE = {"crv": "Ed25519", "kty": "OKP", "x": X}
NAMED = dict(BARE, alg="Ed25519", kid=KID)
EC = {"crv": "P-256", "kty": "EC", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
EC_NAMED = dict(EC, alg="ES256", kid="oKIywvGUpTVTyxMQ3bwIIQ")
HOSTKEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEii7YviGxaLq5iKOXZSLTUqZg3voNbbXSw7m3xZKUYQ"


def seed(target, name, data, first=None):
    os.makedirs(os.path.join(BASE, target), exist_ok=True)
    if not isinstance(data, bytes):
        data = (data if isinstance(data, str) else json.dumps(data, separators=(",", ":"), sort_keys=True)).encode()
    with open(os.path.join(BASE, target, name), "wb") as f:
        f.write((b"" if first is None else bytes([first])) + data)


seed("json", "fields", {"a": "x", "b": -5, "c": [1, True, None], "d": "\u20ac\n"})
seed("json", "deep", "[[[[[[[[]]]]]]]]")
seed("json", "real", "[1.5e3]")
seed("json", "escapes", '["\\u0001\\ud83d\\ude00\\\\\\"\\/"]')
seed("json", "twice", '{"a":1,"\\u0061":2}')

seed("jwk", "ed25519", BARE)
seed("jwk", "ed25519_named", NAMED)
seed("jwk", "p256", EC)
seed("jwk", "p256_named", EC_NAMED)
seed("jwk", "identity", dict(BARE, x="AQ" + "A" * 41))

seed("jws", "head", TOKEN, 2)
seed("jws", "head_as_root", TOKEN, 0)
seed("jws", "dpop", "eyJhbGciOiJFZDI1NTE5IiwiandrIjp7ImNydiI6IkVkMjU1MTkiLCJrdHkiOiJPS1AiLCJ4IjoiQTZFSHZfUE9FTDRkY04wWTUwdkFtV2ZrMWpDYnBRMWZIZHlHWkJKVk1iZyJ9LCJ0"
     "eXAiOiJkcG9wK2p3dCJ9.eyJhIjoxfQ." + "A" * 86, 11)
seed("jws", "dots", "a.b.c", 5)

root = {"exp": NOW + 9, "iat": NOW, "keys": [NAMED, EC_NAMED], "name": "prod", "threshold": 1, "version": 1}
keyset = {"cluster": ZERO, "iat": NOW, "keys": [{"exp": NOW + 9, "jwk": NAMED, "nbf": NOW, "use": "head"}, {"exp": NOW + 9, "jwk": EC_NAMED, "nbf": NOW, "use": "issuer"}],
          "tls": [HASH], "version": 1}
ref = {"sha256": HASH, "size": 9, "version": 3}
head = {"cluster": ZERO, "directory": ref, "exp": NOW + 900, "iat": NOW, "keyset": ref, "revocations": ref, "root": ref, "version": 7}
seed("document", "raw", TOKEN + "\n" + TOKEN + "\n\n", 0)
seed("document", "pin", "sha256:" + HASH, 0)
seed("document", "root", root, 1)
seed("document", "keyset", keyset, 2)
seed("document", "head", head, 3)

seed("directory", "accounts", [{"gecos": "", "gid": 1000, "home": "/home/a", "name": "a", "shell": "/bin/sh", "uid": 1000},
                               {"gecos": "B", "gid": 1000, "home": "/home/b", "name": "b", "person": ID[0], "shell": "/bin/sh", "uid": 1001}], 0)
seed("directory", "groups", [{"gid": 1000, "members": ["a", "b"], "name": "g"}, {"gid": 1000, "members": [], "name": "h"}], 1)
seed("directory", "people", [{"admin": True, "devices": [{"id": ID[1], "jkt": HASH}], "disabled": True, "id": ID[0], "name": "a@b", "roles": ["r", "s"]}], 2)
seed("directory", "nodes", [{"addresses": ["10.0.0.1", "fd00::1"], "hop": EC, "hostkeys": [HOSTKEY], "id": ID[2], "instance": "i-1", "jump": "b", "key": BARE, "leader": True,
                             "name": "master-1-1", "port": 2222, "roles": ["master"]}], 3)
seed("directory", "grants", [{"accounts": ["a"], "id": ID[3], "nodes": ["any", "role:master", "node:x"], "on_revoke": "keep", "person": ID[0], "sudo": True, "ttl": 60},
                             {"accounts": ["a"], "hop": True, "id": ID[4], "nodes": ["any"], "onetime": True, "role": "ops"},
                             {"accounts": ["a"], "from": ["role:master", "node:x"], "hop": True, "id": ID[5], "nodes": ["role:core"]}], 4)
seed("directory", "index", {"cluster": ZERO, "iat": NOW, "policy": {"max_stale": 900, "skew": 30, "sudo_fresh": 900},
                            "shards": [{"kind": "accounts", "sha256": HASH, "size": 2}], "version": 1}, 9)


def entry(seq, kind, value, **more):
    return dict({"iat": NOW, "kind": kind, "seq": seq, "until": NOW + 9, "value": value}, **more)


fingerprint = "SHA256:uUiTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8"
kinds = [("credential", ID[0]), ("device", ID[0]), ("person", ID[0]), ("account", "a"), ("node", ID[0]), ("role", "r"), ("issuer", KID), ("cert_serial", "1"), ("cert_id", "x y"),
         ("cert_key", fingerprint), ("cert_ca", fingerprint), ("lockdown", ID[0] + " " + ID[1]), ("session", ID[0])]
entries = [entry(i + 1, kind, value) for i, (kind, value) in enumerate(kinds)]
entries.append(entry(20, "before", "", before=NOW, reason="why"))
seed("revoke", "all", {"cluster": ZERO, "entries": entries, "iat": NOW, "version": 1})
seed("revoke", "none", {"cluster": ZERO, "entries": [], "iat": NOW, "version": 1})
seed("revoke", "order", {"cluster": ZERO, "entries": [entries[1], entries[0]], "iat": NOW, "version": 1})

session = {"account": "emr-user", "auth_time": NOW, "device": ID[0], "exp": NOW + 9, "iat": NOW, "id": ID[1], "issuer": KID, "jti": ID[2], "kind": "credential", "opened": NOW, "person": ID[3],
           "rhost": "10.0.0.1", "role": "", "service": "sshd", "tty": "pts/0"}
seed("report", "full", {"closed": [], "full": True, "opened": [session]})
seed("report", "more", {"closed": [ID[0]], "full": False, "opened": [dict(session, kind="certificate", closed=True, end_at_expiry=True, role="ops",
                                                                        cert={"ca": fingerprint, "id": "x y", "key": fingerprint, "serial": "7"})]})
seed("report", "hop", {"closed": [], "full": False, "opened": [dict(session, kind="hop", hop={"n": 2, "parent": ID[0], "source": ID[1], "way": [ID[2] + "." + ID[3]]}),
                                                                dict(session, kind="hop", person=ZERO, device=ZERO, hop={"n": 0, "parent": ZERO, "source": ID[1], "way": []})]})
seed("report", "none", {"closed": [], "full": True, "opened": []})
refusal = {"account": "emr-user", "detail": "no grant of 3", "facts": "serial=7", "id": "Xk3_9aZq", "jti": ID[0], "person": "alice", "reason": "no_grant", "rhost": "192.0.2.7", "service": "sshd",
           "stage": "auth", "time": 1700000000}
seed("refusal", "one", {"refusals": [refusal]})
seed("refusal", "stranger", {"refusals": [refusal, dict(refusal, id="--------", jti="", person="", facts="", detail="", rhost="2001:db8::7")]})
