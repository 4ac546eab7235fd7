#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Writes the seeds of fuzz_hop, fuzz_sshagent_msg, fuzz_userauth and fuzz_agent_hop into tests/fuzz/corpus: claims, and what OpenSSH 9.2 sent (tests/vectors).
import base64
import glob
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
ZERO = "A" * 22
KEY = {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
CLAIMS = {"acc": "emr-user", "aud": "cluster:" + ZERO, "auth_time": 1789990000, "cnf": {"jwk": KEY}, "dev": ZERO, "end": 1790003600, "exp": 1790000100, "iat": 1790000000, "isk": ZERO, "iss": ZERO,
          "jti": ZERO, "nod": ZERO, "par": ZERO, "sid": ZERO, "sub": ZERO, "way": []}


def seed(target, name, data):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def text(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


seed("hop", "claims", b"c" + text(CLAIMS))
seed("hop", "from", b"c" + text(dict(CLAIMS, psr="2001:db8::7", way=[ZERO + "." + ZERO] * 3)))
seed("hop", "machine", b"c" + text({name: CLAIMS[name] for name in ("acc", "aud", "cnf", "exp", "iat", "iss", "jti", "nod")}))
seed("hop", "token", b"t" + b".".join([b64(text({"alg": "Ed25519", "kid": "1IG2tMH7J2wbJZnOf8LJzQ", "typ": "cluster-hop+jwt"})), b64(text(CLAIMS)), b"A" * 86]))
seed("hop", "addresses", b"s192.0.2.1,2001:db8::/32")
seed("sshagent_msg", "list", b"\x0b")
for path in glob.glob(os.path.join(HERE, "..", "vectors", "ssh-agent-*.hex")):
    with open(path, encoding="ascii") as f:
        message = bytes.fromhex(f.read())
    name = os.path.basename(path)[len("ssh-agent-"):-len(".hex")]
    seed("sshagent_msg", name, message)
    if name.startswith("sign_"):
        key = int.from_bytes(message[1:5], "big")
        seed("userauth", name[len("sign_"):], message[5 + key + 4:-4])


def request(data):
    return b"r" + len(data).to_bytes(2, "big") + data


seed("agent_hop", "login", b"b\0ls\0\0s\x80\0s\0\0")
seed("agent_hop", "wrong", b"b\0l" + b"".join(b"s\0" + bytes([what]) for what in range(7)))
seed("agent_hop", "spoilt", b"b\0lb\0ls\0\0")
seed("agent_hop", "forwarded", b"b\1lb\0l")
seed("agent_hop", "callers", b"b\0" + b"".join(b"c" + bytes([1 << i]) + b"l" for i in range(8)) + b"c\0ls\0\0")
seed("agent_hop", "later", b"b\0lt\x77s\0\0t\x01s\0\0ls\0\0c\x40s\0\0lt\xff" + b"t\xff" * 3 + b"l")
seed("agent_hop", "raw", request(b"\x0b") + request(b"") + request(b"\x0d\0\0\0\0\0\0\0\0\0\0\0\0") + request(b"\xff" * 40) + b"b\0l")
seed("agent_hop", "many", b"l" * 20)
