#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What nodes tell of those they have refused, and who may ask for it (PROTOCOL.md 6.4, 6.5; THREATS.md I7)."""
import sys
import time

from lib_daemon import Node, Person, expect, run_cases


def tell(node, refusals):
    return node.daemon.request("POST", "/v1/refusals", {"refusals": refusals}, headers=["Authorization: Cluster-Node " + node.token("/v1/refusals", htm="POST")])


def refusal(number, **more):
    r = {"account": "emr-user", "detail": "", "facts": "", "id": f"id{number:06}", "jti": "", "person": "", "reason": "no_answer", "rhost": "192.0.2.7", "service": "sshd", "stage": "auth",
         "time": int(time.time())}
    r.update(more)
    return r


def find(d, number):
    return d.admin_ok("refusal/find", id=f"id{number:06}")["refusals"]


def told(d):
    """Found by its id, under the name of the node that told it, whatever that says."""
    one, two = Node(d, "ref-1").joined("core"), Node(d, "ref-2").joined("core")
    mine = refusal(1, person="alice", jti="A" * 22, reason="no_grant", stage="account", facts="serial=7", detail="no grant of 3")
    assert expect(tell(one, [mine, refusal(2)]), 200).json == {"taken": 2}
    assert find(d, 1) == [dict(mine, node="ref-1")] and find(d, 2)[0]["node"] == "ref-1" and not find(d, 3)
    # one id on two nodes is two refusals; the same once more is nothing new
    expect(tell(two, [refusal(1)]), 200)
    expect(tell(one, [dict(mine, reason="expired")]), 200)
    assert {(r["node"], r["reason"]) for r in find(d, 1)} == {("ref-1", "no_grant"), ("ref-2", "no_answer")}
    for bad in ([], [refusal(4, node="ref-2")], [refusal(4, reason="No Grant")], [refusal(4, detail="a\nb")], [refusal(4, id="../x")], [refusal(4, time=-1)], [refusal(4, account="x" * 65)],
                [refusal(4, detail="\x1b[2J")], [refusal(4)] * 65, [{k: v for k, v in refusal(4).items() if k != "jti"}], "x", None):
        expect(tell(one, bad), 400)
    assert not find(d, 4)
    for bad in ({}, {"id": ""}, {"id": "a b"}, {"id": "x" * 17}, {"id": "a", "node": "ref-1"}):
        expect(d.admin("refusal/find", **bad), 400)


def may(d):
    """Nodes tell and cannot ask; only administrators ask."""
    node = Node(d, "may-1").joined("core")
    d.admin_ok("account/add", name="emr-user")
    rita = Person(d, "rita").enrolled()
    d.admin_ok("grant/add", person="rita", accounts=["emr-user"])
    for person, status in ((rita, 403), (Person(d, "boss", admin=True).enrolled(), 200)):
        expect(person.ask(), 200)
        expect(person.call("POST", "/v1/admin/refusal/find", {"id": "id000001"}), status)
        expect(person.call("POST", "/v1/refusals", {"refusals": [refusal(5)]}), 403)
    path = "/v1/admin/refusal/find"
    expect(d.request("POST", path, {"id": "id000001"}, headers=["Authorization: Cluster-Node " + node.token(path, htm="POST")]), 403)
    expect(d.request("POST", "/v1/refusals", {"refusals": [refusal(5)]}), 401)
    expect(d.request("POST", "/v1/refusals", {"refusals": [refusal(5)]}, tls=False), 403)
    assert not find(d, 5)


def bounded(d):
    """One node has a thousand places and no more; a restart forgets."""
    one, two = Node(d, "many-1").joined("core"), Node(d, "many-2").joined("core")
    expect(tell(two, [refusal(900000)]), 200)
    for first in range(100000, 100000 + 64 * 17, 64):
        expect(tell(one, [refusal(first + i) for i in range(64)]), 200)
    assert find(d, 100000 + 64 * 17 - 1) and not find(d, 100000) and find(d, 900000)
    d.admin_ok("node/remove", node="many-2")
    assert find(d, 900000)[0]["node"] == two.id
    d.stop()
    d.start()
    assert not find(d, 900000)


if __name__ == "__main__":
    sys.exit(run_cases(
        ("refusals by their id", told), ("who may tell, and who may ask (I7)", may), ("one node's share", bounded)
    ))
