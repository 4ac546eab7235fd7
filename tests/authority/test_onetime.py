#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One-time credentials from the real daemon (PROTOCOL.md 4.7, 6.3)."""
import sys

from lib_daemon import Key, Node, Person, expect, payload, run_cases


def ask(person, request=None, **more):
    more.setdefault("acc", ["svc-one"])
    more.setdefault("nod", ["node:core-1-1"])
    return person.daemon.request("POST", "/v1/onetime", {"request": request or person.request(path="/v1/onetime", **more)})


def people(d):
    d.node = Node(d, "core-1-1").joined("core")
    Node(d, "task-1-1").joined("task")
    d.admin_ok("account/add", name="svc-one")
    d.admin_ok("account/add", name="svc-two")
    d.dora = Person(d, "dora").enrolled()
    expect(ask(d.dora), 403, "no_grant")
    d.admin_ok("grant/add", person="dora", accounts=["svc-one", "svc-two"])
    expect(ask(d.dora), 403, "no_onetime_grant")


def issuing(d):
    d.admin_ok("grant/add", person="dora", accounts=["svc-one"], nodes=["role:core"], onetime=True)
    answer = expect(ask(d.dora), 200).json
    claims = payload(answer["credential"])
    assert set(claims) == {"acc", "aud", "dev", "exp", "iat", "jti", "nod", "sub"}, claims
    assert claims["acc"] == "svc-one" and claims["nod"] == d.node.id and claims["sub"] == d.dora.id and claims["exp"] - claims["iat"] == 120 and answer["exp"] == claims["exp"], claims
    assert len(answer["credential"]) <= 511
    assert payload(expect(ask(d.dora, ttl=5), 200).json["credential"])["exp"] <= claims["exp"]
    again = payload(expect(ask(d.dora, ttl=86400), 200).json["credential"])
    assert again["exp"] - again["iat"] == 600 and again["jti"] != claims["jti"]
    assert any(r["action"] == "onetime" and r["object"] == f'{claims["jti"]} svc-one@core-1-1' for r in d.admin_ok("audit/list", after=0, limit=1000)["records"])
    # one can be revoked like any credential
    d.admin_ok("revoke/add", kind="credential", value=claims["jti"])


def refusals(d):
    expect(ask(d.dora, acc=["svc-two"]), 403, "no_onetime_grant")
    expect(ask(d.dora, nod=["node:task-1-1"]), 403, "no_onetime_grant")
    expect(ask(d.dora, nod=["node:nowhere"]), 404)
    expect(ask(d.dora, acc=["svc-one", "svc-two"]), 400, text="exactly one account")
    expect(ask(d.dora, nod=["role:core"]), 400, text="exactly one node")
    expect(ask(d.dora, nod=["node:core-1-1", "node:task-1-1"]), 400, text="exactly one node")
    expect(ask(d.dora, src=["192.0.2.0/24"]), 400, text="src")
    expect(ask(d.dora, key=Key(d.work)), 401)
    request = d.dora.request(path="/v1/onetime", acc=["svc-one"], nod=["node:core-1-1"])
    expect(ask(d.dora, request), 200)
    expect(ask(d.dora, request), 403, text="before")
    expect(ask(d.dora, d.dora.request(acc=["svc-one"], nod=["node:core-1-1"])), 403)
    d.admin_ok("person/set", person="dora", disabled=True)
    expect(ask(d.dora), 403)


if __name__ == "__main__":
    sys.exit(run_cases(
        ("only where a grant allows it", people), ("what it says", issuing), ("refused", refusals)
    ))
