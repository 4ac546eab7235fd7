#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the authority is for: joining, enrolling, credentials, revocations that survive, waiting for nodes, keys that change (PROTOCOL.md 6, THREATS.md B8, C4, D9, H8)."""
import base64
import datetime
import hashlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

from lib_daemon import PROGRAM, Daemon, Key, Node, Person, SshKey, b64, common, compact, expect, payload, run, run_cases, unb64, until

SMALL_ORDER = [  # B8: each verifies something that nobody signed
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "7P_______________________________________38", "7f_______________________________________38",
    "7v_______________________________________38", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
]


def init(d):
    before = {name: os.stat(os.path.join(d.dir, name)).st_mtime_ns for name in os.listdir(d.dir)}
    done = run("init", "--dir", d.dir, "--name", "again", "--url", "https://a:1")
    assert done.returncode == 77 and "overwritten" in done.stderr, done
    assert before == {name: os.stat(os.path.join(d.dir, name)).st_mtime_ns for name in os.listdir(d.dir)}
    for root, _, files in os.walk(d.dir):
        for name in files:
            assert os.stat(os.path.join(root, name)).st_mode & 0o077 == 0, name
    # a name that cannot be leaves nothing behind
    for words in (["--name", "a b"], ["--name", "a", "--root-key", "/nonexistent/root.key"]):
        bad = os.path.join(d.work, "bad")
        done = run("init", "--dir", bad, "--url", "https://a:1", *words)
        assert done.returncode not in (0, 64) and done.stderr and not os.path.exists(bad), done
    # a root key of its own, outside, that is there already
    stick = os.path.join(d.work, "stick.key")
    with open(stick, "w", encoding="ascii") as f:
        f.write("precious")
    done = run("init", "--dir", bad, "--url", "https://a:1", "--name", "a", "--root-key", stick)
    with open(stick, encoding="ascii") as f:
        assert done.returncode == 77 and f.read() == "precious" and not os.path.exists(bad), done


def joining(d):
    token = d.admin_ok("node/token", roles=["core", "data"], ttl=60)
    assert token["pin"] == d.pin and token["url"] == "https://127.0.0.1:7443"
    token = token["token"]
    node = Node(d, "core-1-1")
    expect(node.join(token, aud="cluster:" + "A" * 22), 403, text="another cluster")
    expect(node.join(token, signatures=[]), 400)
    expect(node.join(token, key=Key(d.work)), 401)
    expect(node.join(token, signatures=["-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"]), 401, text="has not signed")
    stranger = SshKey(d.work)
    expect(node.join(token, signatures=[stranger.sign("x")]), 401)
    # what is not signed by the host keys is not remembered as a request
    jti = b64(os.urandom(16))
    expect(node.join(token, signatures=[stranger.sign("x")], jti=jti), 401)
    node.ssh.append(SshKey(d.work, "ecdsa"))
    node.ssh.append(SshKey(d.work, "rsa"))
    answer = expect(node.join(token, jti=jti), 200).json
    assert answer["name"] == "core-1-1" and answer["roles"] == ["core", "data"]
    # single use, also for itself
    expect(node.join(token), 403, text="not valid")
    expect(Node(d, "core-1-2").join(token), 403, text="not valid")


def joining_twice(d):
    """What one node has, no other can have; a refusal does not use the token up."""
    first = Node(d, "task-1-1").joined("task")
    token = d.admin_ok("node/token", roles=["task"])["token"]
    clone = Node(d, "task-1-2")
    clone.ssh = first.ssh
    expect(clone.join(token), 409, text="host key")
    clone.ssh = [SshKey(d.work)]
    expect(clone.join(token, addresses=first.addresses), 409, text="address")
    expect(clone.join(token, name="task-1-1"), 409, text="name")
    clone.hop = first.hop
    expect(clone.join(token), 409, text="key")
    clone.hop = Key(d.work)
    expect(clone.join(token), 200)
    # a name that the token does not grant
    token = d.admin_ok("node/token", roles=[], name="task-1-3")["token"]
    expect(Node(d, "task-1-4").join(token), 403, text="task-1-3")
    expect(Node(d, "task-1-3").join(token), 200)
    # removed: everything but its id is free again
    d.admin_ok("node/remove", node="task-1-1")
    expect(first.get("/v1/head"), 401)
    old = first.id
    first.joined("task")
    assert first.id != old


def wrong_tries(d):
    """Five a minute from one address, tokens and codes together; then also a right one has to wait."""
    code = d.admin_ok("person/invite", person=Person(d, "guess").name)["code"]
    person = Person(d, "guess2")
    for i in range(5):
        expect(person.enroll("aaaa-bbbb-ccc%d" % i), 403, text="not valid")
    expect(person.enroll(code), 503, text="wait a minute")
    expect(Node(d, "guess-1").join("x"), 503)


def enrolling(d):
    alice, bob = Person(d, "alice"), Person(d, "bob")
    code = d.admin_ok("person/invite", person="alice")["code"]
    expect(alice.enroll(code, key=Key(d.work)), 401)
    answer = expect(alice.enroll(code.upper().replace("-", "")), 200).json
    assert answer["name"] == "alice" and answer["person"] == alice.id
    expect(bob.enroll(code), 403)
    # one key, one device
    code = d.admin_ok("person/invite", person="bob")["code"]
    bob.key = alice.key
    expect(bob.enroll(code), 409)
    bob.key = Key(d.work)
    expect(bob.enroll(code), 200)
    # an invitation from before lets nobody in who has been shut out since, and no later: what came in then would be there when the revocation is taken back
    karin = Person(d, "karin")
    code = d.admin_ok("person/invite", person="karin")["code"]
    for kind, value in (("person", "karin"), ("lockdown", alice.id)):
        seq = d.admin_ok("revoke/add", kind=kind, value=value)["seq"]
        expect(karin.enroll(code), 403)
        assert not d.admin_ok("device/list", person="karin")["devices"]
        d.admin_ok("revoke/remove", seq=seq)
    d.admin_ok("person/set", person="karin", disabled=True)
    expect(karin.enroll(code), 403)
    d.admin_ok("person/set", person="karin", disabled=False)
    expect(karin.enroll(code), 200)
    d.admin_ok("person/set", person="bob", disabled=True)
    expect(d.admin("person/invite", person="bob"), 409)
    listed = d.admin_ok("device/list", person="alice")["devices"]
    assert [x["id"] for x in listed] == [alice.device] and listed[0]["person_name"] == "alice" and listed[0]["label"] == "laptop"
    people = {p["name"]: p for p in d.admin_ok("person/list")["people"]}
    assert people["bob"]["disabled"] and not people["alice"]["disabled"] and people["alice"]["devices"][0]["id"] == alice.device


REQUESTS = "cluster-login-request"


def signed(key, claims, namespace=REQUESTS):
    """A request by a key of an ssh-agent: text, and an SSHSIG over it."""
    text = compact(claims)
    return {"request": text, "sshsig": key.sign(text, namespace)}


def ssh_devices(d):
    """Devices whose key is an ssh key (PROTOCOL.md 6.3): every kind, in its own form only; each of the three things that a device asks for."""
    d.admin_ok("account/add", name="svc-ssh")

    def enroll(ssh, line=None, namespace=REQUESTS, signer=None, **more):
        code = d.admin_ok("person/invite", person="sshy")["code"]
        claims = common(d, "POST", "/v1/enroll", code=code, label="laptop", sshkey=line or ssh.line, **more)
        return d.request("POST", "/v1/enroll", signed(signer or ssh, claims, namespace))

    person = Person(d, "sshy")
    node = Node(d, "ssh-1-1").joined("core")
    d.admin_ok("grant/add", person="sshy", accounts=["svc-ssh"], onetime=True)
    for kind, bits in (("ed25519", None), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 3072)):
        key = SshKey(d.work, kind, bits)
        expect(enroll(key, namespace="cluster-login-join"), 401)
        expect(enroll(key, signer=SshKey(d.work)), 401)
        expect(enroll(key, line=key.line + " comment"), 400)
        expect(enroll(key, key=person.key.jwk), 400)
        person.device = expect(enroll(key), 200).json["device"]
        expect(enroll(key), 409)
        for path, more in (("/v1/credential", {}), ("/v1/sshcert", {}), ("/v1/onetime", {"acc": ["svc-ssh"], "nod": ["node:" + node.name]})):
            claims = common(d, "POST", path, sub=person.device, cnf={"jwk": Key(d.work).jwk}, **more)
            expect(d.request("POST", path, signed(SshKey(d.work), claims)), 401)
            expect(d.request("POST", path, signed(key, claims, "file")), 401)
            expect(d.request("POST", path, {"request": compact(claims)}), 400)
            expect(d.request("POST", path, {"request": person.key.jws("cluster-request+jwt", claims)}), 401)
            body = signed(key, claims)
            expect(d.request("POST", path, dict(body, request=body["request"].replace('"sub"', ' "sub"'))), 401)
            assert "credential" in expect(d.request("POST", path, body), 200).json
            answer = d.request("POST", path, body)  # once
            assert answer.status in (401, 403), answer
    # a device of a JWK proves nothing by an ssh key
    other = Person(d, "jwky").enrolled()
    expect(d.request("POST", "/v1/credential", signed(SshKey(d.work), common(d, "POST", "/v1/credential", sub=other.device, cnf={"jwk": Key(d.work).jwk}))), 401)
    # refused, and everybody may read why
    expect(enroll(SshKey(d.work, "rsa", 2048)), 403, text="2048 bits cannot be.*3072")
    expect(enroll(SshKey(d.work, "dsa")), 403, text="DSA")
    listed = {x["type"]: x["fingerprint"] for x in d.admin_ok("device/list", person="sshy")["devices"]}
    assert set(listed) == {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"} and all(x.startswith("SHA256:") for x in listed.values()), listed
    # removed: its key is nobody's
    d.admin_ok("device/rename", device=person.device, label="old")
    assert [x["label"] for x in d.admin_ok("device/list", person="sshy")["devices"] if x["id"] == person.device] == ["old"]
    d.admin_ok("device/remove", device=person.device)
    expect(d.request("POST", "/v1/credential", signed(key, common(d, "POST", "/v1/credential", sub=person.device, cnf={"jwk": Key(d.work).jwk}))), 401)


def own_devices(d):
    """People manage their own devices, and nobody else's; not with a credential that was narrowed for a job."""
    d.admin_ok("account/add", name="svc-own")
    vera, walt = Person(d, "vera").enrolled(), Person(d, "walt").enrolled()
    for person in (vera, walt):
        d.admin_ok("grant/add", person=person.name, accounts=["svc-own"])
    first = vera.device
    vera.key = Key(d.work)
    vera.enrolled()
    expect(vera.ask(), 200)
    listed = expect(vera.call("POST", "/v1/device/list", {}), 200).json["devices"]
    assert {x["id"] for x in listed} == {first, vera.device} and all(x["person_name"] == "vera" for x in listed), listed
    expect(vera.call("POST", "/v1/device/list", {"person": "walt"}), 400)
    # it reads nobody else's: what a person asks for costs what that person has
    with sqlite3.connect(os.path.join(d.dir, "store.db"), timeout=60) as store:
        whole = store.execute("SELECT value FROM record WHERE kind = 12 AND key = ?", (walt.device,)).fetchone()[0]
        store.execute("UPDATE record SET value = ? WHERE kind = 12 AND key = ?", (b"{", walt.device))
    own, everybody = vera.call("POST", "/v1/device/list", {}), d.admin("device/list")
    with store:
        store.execute("UPDATE record SET value = ? WHERE kind = 12 AND key = ?", (whole, walt.device))
    store.close()
    assert everybody.status >= 400, everybody
    assert len(expect(own, 200).json["devices"]) == 2
    expect(vera.call("POST", "/v1/device/rename", {"device": first, "label": "the old one"}), 200)
    assert ["the old one"] == [x["label"] for x in d.admin_ok("device/list", person="vera")["devices"] if x["id"] == first]
    for call, more in (("rename", {"label": "mine"}), ("remove", {})):
        expect(vera.call("POST", "/v1/device/" + call, {"device": walt.device, **more}), 404, text="no device")
    expect(vera.ask(acc=["svc-own"]), 200)
    expect(vera.call("POST", "/v1/device/list", {}), 200)
    expect(vera.call("POST", "/v1/device/rename", {"device": first, "label": "x"}), 403, text="narrowed")
    expect(vera.call("POST", "/v1/device/remove", {"device": first}), 403, text="narrowed")
    expect(vera.ask(), 200)
    expect(vera.call("POST", "/v1/device/remove", {"device": first}), 200)
    assert [x["id"] for x in d.admin_ok("device/list", person="vera")["devices"]] == [vera.device]
    # sixty calls a minute, however many devices or addresses they come from; others go on
    for _ in range(240):
        done = vera.call("POST", "/v1/device/rename", {"device": vera.device, "label": "again"})
        if done.status != 200:
            break
    expect(done, 503, text="wait a minute")
    expect(vera.call("POST", "/v1/device/list", {}), 503)
    expect(vera.call("GET", "/v1/me"), 200)
    expect(walt.ask(), 200)
    expect(walt.call("POST", "/v1/device/list", {}), 200)
    assert len(d.admin_ok("device/list", person="walt")["devices"]) == 1
    audit = d.admin_ok("audit/list", limit=1000)["records"]
    assert ("person:vera", "device/remove", first) in {(r["actor"], r["action"], r["object"]) for r in audit}


def credentials(d):
    carol = Person(d, "carol", roles=["ops"]).enrolled()
    expect(carol.ask(), 403, "no_grant")
    d.admin_ok("account/add", name="svc-a")
    d.admin_ok("account/add", name="svc-b")
    d.admin_ok("grant/add", person="carol", accounts=["svc-a"])
    d.admin_ok("grant/add", role="ops", accounts=["svc-b"], nodes=["role:core"], sudo=True, ttl=300)
    before = int(time.time())
    expect(carol.ask(acc=["svc-a"], nod=["role:core"], src=["127.0.0.0/8"], ttl=600), 200)
    claims = payload(carol.credential)
    assert claims["iss"] == claims["aud"] == "cluster:" + d.cluster and claims["sub"] == carol.id and claims["dev"] == carol.device
    assert claims["exp"] - claims["iat"] == 600 and claims["nbf"] == claims["iat"] and before <= claims["iat"] <= time.time()
    assert claims["amr"] == ["swk"] and claims["acc"] == ["svc-a"] and claims["nod"] == ["role:core"] and claims["src"] == ["127.0.0.0/8"]
    assert claims["cnf"] == {"jwk": carol.cnf.jwk} and claims["auth_time"] <= claims["iat"] and len(carol.credential) <= 900
    # the shortest of what is asked for, what the grants allow, and what the cluster allows
    expect(carol.ask(), 200)
    assert payload(carol.credential)["exp"] - payload(carol.credential)["iat"] == 300
    expect(carol.ask(acc=["svc-a"]), 200)
    assert payload(carol.credential)["exp"] - payload(carol.credential)["iat"] == 3600
    expect(carol.ask(ttl=86400), 200)
    assert payload(carol.credential)["exp"] - payload(carol.credential)["iat"] == 300
    expect(carol.ask(acc=["root-of-all"]), 403, "no_grant")
    expect(carol.ask(nod=["any"]), 400)
    expect(carol.ask(ttl=86401), 400)
    # C4: asked of another cluster
    expect(carol.ask(aud="cluster:" + "A" * 22), 401)
    # the same request twice
    request = carol.request()
    expect(carol.ask(request), 200)
    expect(carol.ask(request), 403, text="before")
    expect(carol.ask(carol.request(key=Key(d.work))), 401)
    expect(carol.ask(carol.request(sub=b64(os.urandom(16)))), 401)
    me = carol.call("GET", "/v1/me")  # the proof is by the key of the last credential that was given
    assert me.status in (200, 401)
    expect(carol.ask(), 200)
    me = expect(carol.call("GET", "/v1/me"), 200).json
    assert me["name"] == "carol" and me["person"] == carol.id and me["device"] == carol.device
    assert {a["account"]: (a["nodes"], a["sudo"]) for a in me["accounts"]} == {"svc-a": (["any"], False), "svc-b": (["role:core"], True)}
    expect(carol.call("GET", "/v1/me", key=Key(d.work)), 401)
    expect(carol.call("GET", "/v1/me", ath="A" * 43), 401)
    expect(carol.call("GET", "/v1/me", iat=int(time.time()) - 100), 401)
    # narrowed to another network: not from here
    expect(carol.ask(src=["192.0.2.0/24"]), 200)
    expect(carol.call("GET", "/v1/me"), 403, "narrowed_source")


def shown(certificate):
    """A certificate as ssh-keygen reads it: {label: value}, with lists for what stands on lines of its own."""
    done = subprocess.run(["ssh-keygen", "-L", "-f", "-"], input=certificate + "\n", text=True, capture_output=True, env={**os.environ, "TZ": "UTC"})
    assert done.returncode == 0, done
    found, last = {}, None
    for line in done.stdout.splitlines()[1:]:
        if line.startswith(" " * 16):
            found[last].append(line.strip())
        else:
            last, _, value = line.strip().partition(":")
            found[last] = [value.strip()] if value else []
    return found


def ca_print(d, kid=None):
    """The fingerprint of the sshca key with that kid, or of the only one."""
    keys = [k["jwk"] for k in payload(d.request("GET", "/v1/keyset").body.decode())["keys"] if k["use"] == "sshca" and kid in (None, k["jwk"]["kid"])]
    assert len(keys) == 1, keys
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + unb64(keys[0]["x"])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def certificates(d):
    """What /v1/sshcert gives out is what PROTOCOL.md 4.6 says, in the eyes of ssh-keygen."""
    cara = Person(d, "cara").enrolled()
    expect(cara.certify(), 403, "no_grant")
    d.admin_ok("account/add", name="svc-cert")
    d.admin_ok("grant/add", person="cara", accounts=["svc-cert"], ttl=600)
    first = expect(cara.certify(src=["127.0.0.0/8", "2001:db8::/32"]), 200).json
    assert set(first) == {"certificate", "credential"}
    claims, seen = payload(first["credential"]), shown(first["certificate"])
    begin, end = (datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") for t in (claims["nbf"] - 30, claims["exp"]))
    assert claims["sub"] == cara.id and claims["cnf"] == {"jwk": cara.cnf.jwk} and claims["exp"] - claims["iat"] == 600
    assert seen["Type"] == ["ssh-ed25519-cert-v01@openssh.com user certificate"], seen
    assert seen["Signing CA"] == [f"ED25519 {ca_print(d)} (using ssh-ed25519)"], seen
    assert seen["Key ID"] == [f'"cara {claims["jti"]}"'] and seen["Principals"] == [f'{claims["jti"]}@{d.cluster}'], seen
    assert seen["Valid"] == [f"from {begin} to {end}"], seen
    assert seen["Critical Options"] == ["source-address 127.0.0.0/8,2001:db8::/32"], seen
    assert seen["Extensions"][1:] == ["permit-port-forwarding", "permit-pty"] and seen["Extensions"][0].startswith("credential@cluster-login UNKNOWN OPTION: "), seen
    assert bytes.fromhex(seen["Extensions"][0].split()[3])[4:].decode() == first["credential"], seen
    # serial numbers rise, and a request serves once and for what it was made
    again = shown(expect(cara.certify(), 200).json["certificate"])
    assert int(again["Serial"][0]) == int(seen["Serial"][0]) + 1 and again["Critical Options"] == ["(none)"], again
    request = cara.request(path="/v1/sshcert")
    expect(cara.certify(request), 200)
    expect(cara.certify(request), 403, text="before")
    expect(cara.certify(cara.request()), 403)
    expect(cara.ask(cara.request(path="/v1/sshcert")), 403)
    expect(cara.certify(src=["127.0.0.1/8"]), 400, text="sshd")
    expect(cara.certify(key=Key(d.work)), 401)
    # the credential in it is one like any other
    expect(cara.certify(), 200)
    expect(cara.call("GET", "/v1/me"), 200)
    objects = [(r["actor"], r["object"], r["reason"]) for r in d.admin_ok("audit/list", after=0, limit=1000)["records"] if r["action"] == "sshcert"]
    assert ("person:cara", f'{seen["Serial"][0]} cara {claims["jti"]}', "ok") in objects and ("person:cara", "", "no_grant") in objects, objects
    # a CA key that is revoked signs nothing more; another takes its place
    seq = d.admin_ok("revoke/add", kind="cert_ca", value=ca_print(d))["seq"]
    expect(cara.certify(), 503, text="--rotate sshca")
    expect(cara.ask(), 200)
    old = payload(d.request("GET", "/v1/keyset").body.decode())
    assert run("keyset", "--dir", d.dir, "--root-key", os.path.join(d.dir, "root.key"), "--rotate", "sshca").returncode == 0
    until(lambda: payload(d.request("GET", "/v1/keyset").body.decode())["version"] == old["version"] + 1)
    kid = next(k["jwk"]["kid"] for k in payload(d.request("GET", "/v1/keyset").body.decode())["keys"] if k["use"] == "sshca" and k not in old["keys"])
    assert ca_print(d, kid) in shown(expect(cara.certify(), 200).json["certificate"])["Signing CA"][0]
    d.admin_ok("revoke/remove", seq=seq)


def weak_keys(d):
    """B8: a cnf key that verifies anything is refused at issue."""
    dave = Person(d, "dave", admin=True).enrolled()
    for x in SMALL_ORDER:
        answer = dave.ask(cnf={"jwk": {"crv": "Ed25519", "kty": "OKP", "x": x}})
        assert answer.status in (400, 401), (x, answer)
    assert dave.ask(cnf={"jwk": {"crv": "P-256", "kty": "EC", "x": "A" * 43, "y": "A" * 43}}).status in (400, 401)
    expect(dave.ask(cnf={"jwk": dave.key.jwk}), 400, text="fresh")
    expect(dave.ask(), 200)


def revocations(d):
    """After an acknowledged revocation nothing is issued and nothing issued before is taken."""
    erin = Person(d, "erin", admin=True).enrolled()
    expect(erin.ask(), 200)
    expect(erin.call("POST", "/v1/admin/status", {}), 200)
    jti = payload(erin.credential)["jti"]
    exp = payload(erin.credential)["exp"]
    first = d.admin_ok("revoke/add", kind="credential", value=jti)
    expect(erin.call("POST", "/v1/admin/status", {}), 403, "revoked_credential")
    expect(erin.ask(), 200)
    second = d.admin_ok("revoke/add", kind="device", value=erin.device)
    expect(erin.call("POST", "/v1/admin/status", {}), 403, "revoked_device")
    expect(erin.ask(), 403, "revoked_device")
    d.admin_ok("revoke/remove", seq=second["seq"])
    expect(d.admin("revoke/remove", seq=second["seq"]), 404)
    third = d.admin_ok("revoke/add", kind="person", value="erin", reason="left the company")
    assert first["seq"] < second["seq"] < third["seq"] and first["version"] < second["version"] < third["version"]
    expect(erin.ask(), 403, "revoked_person")
    listed = {e["seq"]: e for e in d.admin_ok("revoke/list")["entries"]}
    assert listed[first["seq"]]["until"] == exp and listed[third["seq"]]["until"] == 4102444800
    assert listed[third["seq"]]["name"] == "erin" and listed[third["seq"]]["reason"] == "left the company" and listed[third["seq"]]["value"] == erin.id
    d.admin_ok("revoke/remove", seq=third["seq"])
    expect(erin.ask(), 200)
    d.admin_ok("person/set", person="erin", disabled=True)
    expect(erin.ask(), 403, "person_disabled")
    d.admin_ok("person/set", person="erin", disabled=False)
    now = int(time.time())
    entry = d.admin_ok("revoke/add", kind="person", value="erin", before=now - 5)
    expect(erin.ask(), 200)
    assert {e["seq"]: e for e in d.admin_ok("revoke/list")["entries"]}[entry["seq"]]["until"] == now - 5 + 86400 + 30
    entry = d.admin_ok("revoke/add", kind="lockdown", value="")
    expect(erin.ask(), 403, "lockdown")
    d.admin_ok("revoke/remove", seq=entry["seq"])
    entry = d.admin_ok("revoke/add", kind="lockdown", value=erin.id)
    expect(erin.ask(), 200)
    d.admin_ok("revoke/remove", seq=entry["seq"])
    d.admin_ok("device/remove", device=erin.device)
    expect(erin.ask(), 401)
    for body in ({"kind": "persn", "value": "x"}, {"kind": "person", "value": "nobody-there"}, {"kind": "before", "value": ""}, {"kind": "before", "value": "", "before": now + 1000},
                 {"kind": "credential", "value": "x"}, {"kind": "lockdown", "value": "erin"}, {"kind": "lockdown", "value": "", "before": now}, {"kind": "role", "value": "A"}):
        assert d.admin("revoke/add", **body).status in (400, 404), body


def numbers(d):
    """D9, D1: a uid is never given out twice; none that belongs to the system."""
    first = d.admin_ok("account/add", name="num-a")
    assert first["uid"] >= 1880000000 and first["gid"] == first["uid"]
    d.admin_ok("account/remove", name="num-a")
    second = d.admin_ok("account/add", name="num-a")
    assert second["uid"] > first["uid"]
    d.admin_ok("account/add", name="num-b", uid=second["uid"] + 1)
    third = d.admin_ok("account/add", name="num-c")
    assert third["uid"] > second["uid"] + 1
    expect(d.admin("account/add", name="num-d", uid=second["uid"] + 1), 409, text="given out")
    d.admin_ok("account/remove", name="num-b")
    expect(d.admin("account/add", name="num-d", uid=second["uid"] + 1), 409, text="given out")
    expect(d.admin("account/add", name="num-c"), 409, text="already")
    for uid in (0, 1, 999, 60001, 65534, 65535, 2**31, 4294967295, -1):
        expect(d.admin("account/add", name="num-e", uid=uid), 400)
    for name in ("root", "Root", "sshd", "systemd-network", "a b", "../x", "a\nb", "", "x" * 33, "-a"):
        expect(d.admin("account/add", name=name), 400)
    expect(d.admin("account/add", name="num-e", uid=60001), 400, text="may give")
    for field, value in (("home", "relative"), ("home", "/a/../b"), ("home", "/a:b"), ("gecos", "a:b"), ("gecos", "a\nb"), ("shell", "sh")):
        expect(d.admin("account/add", **{"name": "num-e", field: value}), 400, text=field)
    for name in ("wheel", "sudo", "docker", "adm"):
        expect(d.admin("group/add", name=name), 400, text="reserved")
    # a private group goes with its account; a shared one keeps its members right
    group = d.admin_ok("group/add", name="team")
    d.admin_ok("group/member", group="team", account="num-c", present=True)
    d.admin_ok("group/member", group="team", account="num-a", present=True)
    shared = d.admin_ok("account/add", name="num-f", gid=group["gid"])
    assert shared["gid"] == group["gid"]
    expect(d.admin("group/remove", name="team"), 409, text="num-f")
    d.admin_ok("account/remove", name="num-c")
    groups = {g["name"]: g for g in d.admin_ok("group/list")["groups"]}
    assert groups["team"]["members"] == ["num-a"] and "num-c" not in groups and "num-a" in groups
    d.admin_ok("account/remove", name="num-f")
    d.admin_ok("group/remove", name="team")
    expect(d.admin("group/add", name="team2", gid=group["gid"]), 409)
    assert d.admin_ok("group/add", name="team2")["gid"] != group["gid"]


def machine_grants(d, frank):
    """From nodes, with no person behind: never a personal account's, nor with what only credentials have."""
    d.admin_ok("account/add", name="svc-job")
    good = {"from": ["role:master"], "accounts": ["svc-job"], "nodes": ["role:core", "node:task-1-1"]}
    for more in ({"person": frank.id}, {"role": "ops"}, {"sudo": True}, {"onetime": True}, {"ttl": 300}, {"on_expiry": "end"}, {"from": ["any"]}, {"from": []}, {"from": ["master"]},
                 {"from": "role:master"}, {"from": ["role:master"] * 2}, {"nodes": ["everywhere"]}, {"accounts": []}, {"from": [f"role:r{i}" for i in range(17)]}):
        expect(d.admin("grant/add", **dict(good, **more)), 400)
    expect(d.admin("grant/add", **{k: v for k, v in good.items() if k != "nodes"}), 400)
    expect(d.admin("grant/add", **dict(good, accounts=["frank"])), 409, text="own account")
    expect(d.admin("grant/add", **dict(good, accounts=["no-such"])), 404, text="no-such")
    grant = d.admin_ok("grant/add", on_revoke="keep", **good)["grant"]
    assert {g["id"]: g for g in d.admin_ok("grant/list")["grants"]}[grant] == dict(good, id=grant, hop=True, on_revoke="keep")
    assert ("root", grant, "ok") in {(r["actor"], r["object"], r["reason"]) for r in d.admin_ok("audit/list", limit=1000)["records"] if r["action"] == "grant/add"}
    d.admin_ok("grant/remove", grant=grant)
    assert grant not in {g["id"] for g in d.admin_ok("grant/list")["grants"]}


def grants(d):
    frank = Person(d, "frank")
    d.admin_ok("account/add", name="frank", person="frank")
    for body in ({"person": "frank"}, {"person": "frank", "accounts": []}, {"accounts": ["frank"]}, {"person": "frank", "role": "x", "accounts": ["frank"]},
                 {"person": "frank", "accounts": ["frank"], "nodes": ["everywhere"]}, {"person": "frank", "accounts": ["frank"], "nodes": []}, {"person": "frank", "accounts": ["frank"], "ttl": 1},
                 {"person": "frank", "accounts": ["frank"], "on_revoke": "never"}):
        expect(d.admin("grant/add", **body), 400)
    expect(d.admin("grant/add", person="nobody-there", accounts=["frank"]), 404, text="nobody-there")
    expect(d.admin("grant/add", person="frank", accounts=["no-such"]), 404, text="no-such")
    grant = d.admin_ok("grant/add", person="frank", accounts=["frank"], hop=True, on_revoke="warn")
    listed = {g["id"]: g for g in d.admin_ok("grant/list")["grants"]}
    assert listed[grant["grant"]] == {"id": grant["grant"], "person": frank.id, "person_name": "frank", "accounts": ["frank"], "nodes": ["any"], "hop": True, "on_revoke": "warn"}
    machine_grants(d, frank)
    expect(d.admin("person/remove", person="frank"), 409, text="account")
    d.admin_ok("account/remove", name="frank")
    d.admin_ok("person/remove", person="frank")
    assert grant["grant"] not in {g["id"] for g in d.admin_ok("grant/list")["grants"]}
    expect(d.admin("grant/remove", grant=grant["grant"]), 404)
    frank = Person(d, "frank")  # the name is free again, the id is another
    d.admin_ok("person/remove", person=frank.id)


def leaders(d):
    a, b = Node(d, "lead-1").joined("x"), Node(d, "lead-2").joined("x")
    d.admin_ok("node/set", node="lead-1", leader=True, jump="gate", roles=["y", "z"])
    d.admin_ok("node/set", node=b.id, leader=True)
    listed = {n["name"]: n for n in d.admin_ok("node/list")["nodes"]}
    assert not listed["lead-1"]["leader"] and listed["lead-2"]["leader"] and listed["lead-1"]["roles"] == ["y", "z"] and listed["lead-1"]["id"] == a.id
    expect(d.admin("node/set", node="lead-1", roles=["Y"]), 400)


def polls_held(d):
    return int(re.search(r"^cluster_authority_polls_held (\d+)$", d.request("GET", "/metrics", tls=False).body.decode(), re.M).group(1))


def waiting(d):
    """A parked node is answered at once with what changed; `wait` ends when it has proved that it applied it."""
    for node in d.admin_ok("node/list")["nodes"]:
        d.admin_ok("node/remove", node=node["id"])
    node = Node(d, "wait-1").joined("core")
    bad = Person(d, "mallory")
    version = payload(node.get("/v1/head").json["head"])["version"]
    got, waited = {}, {}
    # who knows a later head than there is has known another store, and hears of it at once
    start = time.monotonic()
    assert payload(node.get(f"/v1/head?after={version + 1000}&wait=60").json["head"])["version"] >= version
    assert time.monotonic() - start < 30

    def poll():
        path = f"/v1/head?after={version}&wait=60"
        got["answer"], got["at"] = node.get(path, applied=version), time.monotonic()

    thread = threading.Thread(target=poll)
    thread.start()
    until(lambda: polls_held(d) == 1)
    start = time.monotonic()
    done = d.admin_ok("revoke/add", kind="person", value="mallory")
    thread.join(60)
    head = payload(got["answer"].json["head"])
    assert got["at"] - start < 30 and head["version"] == done["version"], (got["at"] - start, head, done)
    inline = got["answer"].json["objects"]
    assert list(inline) == [head["revocations"]["sha256"]] and bad.id in str(payload(inline[head["revocations"]["sha256"]]))

    def wait():
        waited["answer"], waited["at"] = d.admin_ok("wait", version=done["version"], timeout_ms=50000), time.monotonic()

    early = d.admin_ok("wait", version=done["version"], timeout_ms=0)
    assert not early["done"] and early["nodes"][0]["ms"] == -1 and not early["nodes"][0]["ok"]
    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    start = time.monotonic()
    node.get("/v1/head", applied=done["version"], ended=2)
    thread.join(60)
    assert waited["at"] - start < 30 and waited["answer"]["done"], waited
    one = waited["answer"]["nodes"][0]
    assert one["name"] == "wait-1" and one["ok"] and one["applied"] == done["version"] and one["ended"] == 2 and 0 < one["ms"] < 50000 and one["seen"] > 0
    expect(d.admin("wait", version=done["version"] + 1000, timeout_ms=0), 400)
    # whoever hangs up while waiting is forgotten
    sock = d.connect()
    path = f"/v1/head?after={d.admin_ok('status')['head']}&wait=60"
    sock.sendall((f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Cluster-Node {node.token(path)}\r\n\r\n").encode())
    until(lambda: polls_held(d) == 1)
    sock.close()
    d.admin_ok("revoke/add", kind="role", value="gone")
    # the wait's end
    start = time.monotonic()
    current = d.admin_ok("status")["head"]
    answer = node.get(f"/v1/head?after={current}&wait=1", applied=current)
    assert 0.9 < time.monotonic() - start < 30 and payload(answer.json["head"])["version"] == current


def killed(d):
    """An acknowledged revocation survives kill -9, again and again; sequence numbers and versions only rise."""
    last = {"seq": 0, "version": 0}
    for i in range(5):
        done = d.admin_ok("revoke/add", kind="account", value=f"kill-{i}")
        d.stop(signal.SIGKILL)
        assert done["seq"] > last["seq"] and done["version"] > last["version"]
        last = done
        d.start()
        assert f"kill-{i}" in [e["value"] for e in d.admin_ok("revoke/list")["entries"]]
        assert d.admin_ok("status")["head"] > done["version"]
    # killed at any moment: what was answered is there
    acknowledged = []

    def revoke():
        try:
            for i in range(1000):
                done = d.admin("revoke/add", kind="account", value=f"race-{i}")
                if done is None or done.status != 200:
                    return
                acknowledged.append(f"race-{i}")
        except (OSError, AssertionError):
            return

    thread = threading.Thread(target=revoke)
    thread.start()
    until(lambda: len(acknowledged) >= 3)
    d.stop(signal.SIGKILL)
    thread.join(60)
    d.start()
    there = {e["value"] for e in d.admin_ok("revoke/list")["entries"]}
    assert acknowledged and set(acknowledged) <= there, (len(acknowledged), set(acknowledged) - there)


def tallied(d):
    """A revoked device that asks on fills neither the audit trail nor the disk: it is counted."""
    gus = Person(d, "gus").enrolled()
    d.admin_ok("revoke/add", kind="device", value=gus.device)
    last = d.admin_ok("audit/list", after=0, limit=1000)["records"][-1]["seq"]

    def refused():
        return [(r["actor"], r["object"], r["reason"]) for r in d.admin_ok("audit/list", after=last, limit=1000)["records"] if r["actor"] == "person:gus"]

    for _ in range(25):
        expect(gus.ask(), 403, "revoked_device")
    assert refused() == [("person:gus", "", "revoked_device")] * 5
    d.stop()
    d.start()
    assert refused()[5:] == [("person:gus", f"{gus.device}: 20 more", "revoked_device")]
    # the same with a credential from before; and one who is refused keeps nobody else from being told of by name
    hugo, ida = Person(d, "hugo").enrolled(), Person(d, "ida").enrolled()
    for person in (hugo, ida):
        d.admin_ok("grant/add", person=person.name, accounts=["svc-own"])
        expect(person.ask(), 200)
        d.admin_ok("revoke/add", kind="device", value=person.device)
    for person, n in ((hugo, 8), (ida, 2)):
        for _ in range(n):
            expect(person.call("POST", "/v1/device/list", {}), 403, "revoked_device")
        rows = [(r["actor"], r["action"], r["reason"]) for r in d.admin_ok("audit/list", after=last, limit=1000)["records"] if r["action"] == "device/list"]
        assert [r for r in rows if r[0] == "person:" + person.name] == [("person:" + person.name, "device/list", "revoked_device")] * min(n, 5), rows


def audit(d):
    person = Person(d, "audited").enrolled()
    expect(person.ask(), 403)
    records, after = [], 0
    while True:
        page = d.admin_ok("audit/list", after=after, limit=50)["records"]
        records += page
        if not page:
            break
        after = page[-1]["seq"]
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1)) and len({r["hash"] for r in records}) == len(records)
    said = [(r["actor"], r["action"], r["reason"]) for r in records]
    for record in (("root", "init", "ok"), ("root", "person/add", "ok"), ("root", "person/invite", "ok"), ("person:audited", "enroll", "ok"), ("person:audited", "credential", "no_grant"),
                   ("person:carol", "credential", "ok"), ("node:core-1-1", "join", "ok")):
        assert record in said, (record, said[-20:])


def rotation(d):
    """Keys change under a running daemon; what the old key signed ends when it is taken out."""
    boss = Person(d, "rotator", admin=True).enrolled()
    expect(boss.ask(), 200)
    root, version = os.path.join(d.dir, "root.key"), payload(d.request("GET", "/v1/keyset").body.decode())["version"]
    other = Key(d.work).path
    os.chmod(other, 0o600)
    done = run("keyset", "--dir", d.dir, "--root-key", other, "--rotate", "issuer")
    assert done.returncode == 77 and "not the root key" in done.stderr, done
    issuers = [line.split()[1] for line in run("keyset", "--dir", d.dir).stdout.splitlines() if line.startswith("issuer")]
    assert len(issuers) == 1
    done = run("keyset", "--dir", d.dir, "--root-key", root, "--remove", issuers[0])
    assert done.returncode == 65 and "rotate first" in done.stderr, done
    head = d.admin_ok("status")["head"]
    assert run("keyset", "--dir", d.dir, "--root-key", root, "--rotate", "issuer").returncode == 0
    assert run("keyset", "--dir", d.dir, "--root-key", root, "--rotate", "head").returncode == 0
    until(lambda: payload(d.request("GET", "/v1/keyset").body.decode())["version"] == version + 2)
    assert d.admin_ok("status")["head"] > head
    expect(boss.call("POST", "/v1/admin/status", {}), 200)
    assert run("keyset", "--dir", d.dir, "--root-key", root, "--remove", issuers[0]).returncode == 0
    until(lambda: payload(d.request("GET", "/v1/keyset").body.decode())["version"] == version + 3)
    expect(boss.call("POST", "/v1/admin/status", {}), 401)
    expect(boss.ask(), 200)
    expect(boss.call("POST", "/v1/admin/status", {}), 200)
    assert d.admin_ok("revoke/add", kind="account", value="after-rotation")["version"] > head


def root_renewed(d):
    """The root goes on under the same key or another one, under the daemon's eyes and with the pin that everybody has."""
    boss = Person(d, "renewer", admin=True).enrolled()
    root, new = os.path.join(d.dir, "root.key"), os.path.join(d.work, "new-root.key")
    chain = lambda: [payload(one.splitlines()[0]) for one in d.request("GET", "/v1/root").body.decode().split("\n\n") if one]
    first = chain()
    other = Key(d.work).path
    os.chmod(other, 0o600)
    done = run("root", "--dir", d.dir, "--root-key", other)
    assert done.returncode == 77 and "not the root key" in done.stderr, done
    done = run("root", "--dir", d.dir, "--root-key", other, "--new-root-key", new)
    assert done.returncode == 77 and not os.path.exists(new), done
    assert run("root", "--dir", d.dir, "--new-root-key", new).returncode == 64
    assert run("root", "--dir", d.dir, "--root-key", root).stdout == "root %d\n" % (len(first) + 1)
    until(lambda: len(chain()) == len(first) + 1)
    assert chain()[:-1] == first and chain()[-1]["keys"] == first[-1]["keys"] and chain()[-1]["exp"] >= first[-1]["exp"]
    done = run("root", "--dir", d.dir, "--root-key", root, "--new-root-key", root)
    assert done.returncode == 77 and "nothing is overwritten" in done.stderr or "exists" in done.stderr, done
    keyset = payload(d.request("GET", "/v1/keyset").body.decode())["version"]
    kept = os.path.join(d.work, "kept-root.key")
    full = ["bash", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "full"] # room for a key, none for a page of the store
    done = subprocess.run([*full, PROGRAM, "root", "--dir", d.dir, "--root-key", root, "--new-root-key", kept], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode not in (0, 77) and os.path.exists(kept) and "keep " + kept in done.stderr, done
    assert run("root", "--dir", d.dir, "--root-key", root, "--new-root-key", new).stdout == "root %d\n" % (len(first) + 2)
    until(lambda: payload(d.request("GET", "/v1/keyset").body.decode())["version"] == keyset + 1)
    assert len(chain()) == len(first) + 2 and chain()[-1]["keys"] != first[-1]["keys"]
    assert run("keyset", "--dir", d.dir, "--root-key", root, "--rotate", "issuer").returncode == 77
    assert run("keyset", "--dir", d.dir, "--root-key", new, "--rotate", "issuer").returncode == 0
    assert run("root", "--dir", d.dir).stdout.startswith("version %d, until " % (len(first) + 2))
    expect(boss.ask(), 200)
    Person(d, "after-renewal").enrolled()
    os.replace(new, root)


def taken_over(d):
    """What another process commits reaches the nodes at once, whoever notices it first; what cannot be taken over is not written over."""
    node, dora = Node(d, "keyset-1").joined("core"), Person(d, "dora", admin=True).enrolled()
    root = os.path.join(d.dir, "root.key")
    for _ in range(3):
        request = dora.request()
        head = payload(node.get("/v1/head").json["head"])
        assert run("keyset", "--dir", d.dir, "--root-key", root, "--rotate", "issuer").returncode == 0
        expect(dora.ask(request), 200)
        assert payload(node.get("/v1/head?after=%d&wait=0" % head["version"]).json["head"])["keyset"]["version"] == head["keyset"]["version"] + 1
    # a key that others can read is none: the reload fails, and goes on failing
    issuer = next(line.split()[1] for line in run("keyset", "--dir", d.dir).stdout.splitlines() if line.startswith("issuer"))  # files of removed keys are not read
    key = os.path.join(d.dir, "keys", f"issuer.{issuer}.key")
    os.chmod(key, 0o644)
    with sqlite3.connect(os.path.join(d.dir, "store.db"), timeout=60) as store:
        store.execute("INSERT INTO counter(name, value) VALUES('elsewhere', 1)")
    store.close()
    for name in ("erin-1", "erin-2"):
        assert d.admin("person/add", name=name).status >= 400
    os.chmod(key, 0o600)
    d.admin_ok("person/add", name="erin-1")


def wrong_files(d):
    """A daemon that cannot be trusted does not start, and says why."""
    d.stop()

    def refuses(word):
        done = run("serve", "--dir", d.dir, "--listen", "127.0.0.1:0", "--socket", d.socket)
        assert done.returncode != 0 and word in done.stderr, done

    keys = os.path.join(d.dir, "keys")
    saved = os.path.join(d.work, "saved")
    shutil.copytree(keys, saved)
    foreign = Daemon(d.work, "foreign")
    for name in ("tls.key", "tls.crt"):
        shutil.copy(os.path.join(foreign.dir, "keys", name), os.path.join(keys, name))
    refuses("keyset does not list this TLS key")
    shutil.copy(os.path.join(saved, "tls.crt"), os.path.join(keys, "tls.crt"))
    refuses("TLS key")
    shutil.copy(os.path.join(saved, "tls.key"), os.path.join(keys, "tls.key"))
    os.chmod(os.path.join(keys, "tls.key"), 0o644)
    refuses("tls.key")
    os.chmod(os.path.join(keys, "tls.key"), 0o600)
    for name in os.listdir(keys):
        if name.startswith("head."):
            os.unlink(os.path.join(keys, name))
    refuses("no head key")
    for name in os.listdir(saved):
        shutil.copy(os.path.join(saved, name), os.path.join(keys, name))
    store = os.path.join(d.dir, "store.db")
    subprocess.run(["cp", "-a", store, store + ".good"], check=True)
    with open(store, "r+b") as f:
        f.write(b"\0" * 100)
    refuses("store")
    os.rename(store + ".good", store)
    d.start()
    assert d.admin_ok("status")["cluster"] == d.cluster


def full_disk(d):
    """Without room a change is refused and the old state stays; with room again it goes on."""
    limit = 'ulimit -f $(( $(stat -c %s "$0"/store.db) / 1024 + 40 )); trap "" XFSZ; exec "$@"'
    d.stop()
    with open(d.log, "a", encoding="utf-8") as log:
        d.process = subprocess.Popen(["bash", "-c", limit, d.dir, PROGRAM, "serve", "--dir", d.dir, "--listen", "127.0.0.1:0", "--socket", d.socket], stderr=log)
    until(lambda: os.path.exists(d.socket) and status_of(d))
    refused = None
    for i in range(200):
        answer = d.admin("account/add", name=f"full-{i}")
        if answer.status != 200:
            refused = f"full-{i}"
            break
    assert refused and answer.status in (500, 503) and answer.json["message"], answer
    assert refused not in [a["name"] for a in d.admin_ok("account/list")["accounts"]]
    d.stop()
    d.start()
    names = [a["name"] for a in d.admin_ok("account/list")["accounts"]]
    assert refused not in names
    d.admin_ok("account/add", name=refused)


def status_of(d):
    try:
        return d.admin("status")
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(run_cases(
        ("init overwrites nothing", init), ("a node joins", joining), ("what only one node may have", joining_twice), ("people enrol", enrolling), ("devices with ssh keys", ssh_devices), ("one's own devices", own_devices),
        ("credentials (C4)", credentials), ("certificates", certificates),
        ("weak keys (B8)", weak_keys), ("revocations", revocations), ("numbers (D1, D9)", numbers), ("grants", grants), ("leader", leaders), ("waiting (H8)", waiting),
        ("killed", killed), ("audit", audit), ("refusals that are counted", tallied), ("rotation", rotation), ("the root goes on", root_renewed), ("what another process commits", taken_over), ("wrong files", wrong_files), ("a full disk", full_disk), ("wrong tries", wrong_tries)
    ))
