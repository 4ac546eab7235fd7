#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Writes the seeds of fuzz_request, fuzz_request_ssh, fuzz_sshsig and fuzz_authority_head into tests/fuzz/corpus (PROTOCOL.md 6). The ssh signatures are made by ssh-keygen, anew each time.
import base64
import json
import os
import subprocess
import tempfile

BASE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")

# The public half of the key in fuzz_sign.h.
X = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
OWN = {"crv": "Ed25519", "kty": "OKP", "x": X}
EC = {"crv": "P-256", "kty": "EC", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
NOW = 1790000000
ID = "AAAAAAAAAAAAAAAAAAAAAQ"
AUD = "cluster:" + ID
HOSTKEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEii7YviGxaLq5iKOXZSLTUqZg3voNbbXSw7m3xZKUYQ"


def seed(target, name, data, first=None):
    os.makedirs(os.path.join(BASE, target), exist_ok=True)
    if not isinstance(data, bytes):
        data = (data if isinstance(data, str) else json.dumps(data, separators=(",", ":"), sort_keys=True)).encode()
    with open(os.path.join(BASE, target, name), "wb") as f:
        f.write((b"" if first is None else bytes([first])) + data)


def common(method, path, **more):
    return dict({"htm": method, "htu": path, "iat": NOW, "jti": ID}, **more)


seed("request", "node", common("GET", "/v1/head?after=1&wait=60", aud=AUD, sub=ID, applied=3, ended=0), 0)
seed("request", "join", common("POST", "/v1/join", aud=AUD, name="core-1-1", token="t", key=OWN, hop=EC, addresses=["10.0.0.1", "fd00::1"], hostkeys=[HOSTKEY], instance="i-1"), 1)
seed("request", "enroll", common("POST", "/v1/enroll", aud=AUD, code="abcd-efgh", label="a laptop", key=OWN), 2)
seed("request", "credential", common("POST", "/v1/credential", aud=AUD, sub=ID, cnf={"jwk": EC}, acc=["emr-user"], nod=["role:core", "node:a"], src=["10.0.0.0/8", "::1"], ttl=600), 3)
seed("request", "dpop", common("GET", "/v1/me", ath="0" * 43), 4)

OWN_SSH = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + base64.urlsafe_b64decode(X + "=")).decode()
seed("request_ssh", "enroll", common("POST", "/v1/enroll", aud=AUD, code="abcd-efgh", label="a laptop", sshkey=OWN_SSH), 0)
seed("request_ssh", "credential", common("POST", "/v1/credential", aud=AUD, sub=ID, cnf={"jwk": EC}, acc=["emr-user"], nod=["role:core"], src=["::1"], ttl=600), 1)
seed("request_ssh", "ed25519", OWN_SSH + " a comment", 2)

seed("authority_head", "get", "GET /v1/head?after=3&wait=60 HTTP/1.1\r\nHost: a\r\nAuthorization: Cluster-Node x.y.z\r\n\r\n")
seed("authority_head", "post", "POST /v1/admin/status HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\nDPoP: x\r\n\r\n")
seed("authority_head", "twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\n")
seed("authority_head", "chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nUpgrade: x\r\nExpect: 100-continue\r\n\r\n")
seed("authority_head", "folded", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n")
seed("authority_head", "bare", "GET / HTTP/1.1\nHost: a\n\n")

with tempfile.TemporaryDirectory() as work:
    with open(os.path.join(work, "message"), "w", encoding="ascii") as f:
        f.write("message")
    for kind, bits in (("ed25519", "256"), ("ecdsa", "256"), ("rsa", "2048")):
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "", "-t", kind, "-b", bits, "-f", kind], cwd=work, check=True)
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", kind, "-n", "cluster-login-join", "message"], cwd=work, check=True, stderr=subprocess.DEVNULL)
        with open(os.path.join(work, kind + ".pub"), encoding="ascii") as f:
            line = f.read().strip()
        with open(os.path.join(work, "message.sig"), encoding="ascii") as f:
            seed("sshsig", kind, line + "\n" + f.read())
        os.unlink(os.path.join(work, "message.sig"))
