#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Revocations to their end: every selector, whom it would hit, live sessions, waiting for those who can be reached, renewal, and a list that gets small by itself (PROTOCOL.md 3.5, 6.4, 6.5; THREATS.md H8, I7)."""
import os
import re
import sqlite3
import sys
import time

from lib_daemon import Node, Person, b64, expect, payload, run_cases

FINGERPRINT = "SHA256:uUiTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8"
FOREVER = 4102444800


def new_id():
    return b64(os.urandom(16))


def report(node, body):
    return node.daemon.request("POST", "/v1/sessions", body, headers=["Authorization: Cluster-Node " + node.token("/v1/sessions", htm="POST")])


def session(person, jti=None, **more):
    now = int(time.time())
    s = {"account": "emr-user", "auth_time": now, "device": person.device, "exp": now + 600, "iat": now, "id": new_id(), "issuer": "k", "jti": jti or new_id(), "kind": "credential", "opened": now,
         "person": person.id, "rhost": "10.9.8.7", "role": "", "service": "sshd", "tty": "pts/0"}
    s.update(more)
    return s


def listed(d, **filters):
    return {s["id"]: s for s in d.admin_ok("sessions/list", **filters)["sessions"]}


def in_force(d):
    return {e["seq"]: e for e in d.admin_ok("revoke/list")["entries"]}


def clear(d):
    for seq, entry in in_force(d).items():
        if entry["kind"] != "session":
            d.admin_ok("revoke/remove", seq=seq)


def selectors(d):
    """Each kind: a name or an id, an end that fits, and a refusal of what makes no sense."""
    ann = Person(d, "ann", admin=True).enrolled()
    node = Node(d, "sel-1").joined("core")
    expect(ann.ask(), 200)
    jti, exp, now = payload(ann.credential)["jti"], payload(ann.credential)["exp"], int(time.time())
    day = now + 86400 + 30
    for kind, value, until, stored in (
        ("credential", jti, exp, jti), ("credential", "A" * 22, day, None), ("device", "ann/laptop", FOREVER, ann.device), ("device", ann.device, FOREVER, None), ("person", "ann", FOREVER, ann.id),
        ("person", ann.id, FOREVER, None), ("account", "emr-user", FOREVER, None), ("node", "sel-1", FOREVER, node.id), ("role", "core", FOREVER, None), ("issuer", "k", FOREVER, None),
        ("cert_serial", "99999", FOREVER, None), ("cert_id", "ann x", day, None), ("cert_key", FINGERPRINT, FOREVER, None), ("cert_ca", FINGERPRINT, FOREVER, None), ("lockdown", ann.id, FOREVER, None),
        ("session", jti, now + 2 * 86400, None),
    ):
        done = d.admin_ok("revoke/add", kind=kind, value=value, reason="why " + kind)
        entry = in_force(d)[done["seq"]]
        assert abs(entry["until"] - until) < 300 and entry["value"] == (stored or value) and entry["by"] == "root" and entry["reason"] == "why " + kind, (entry, until)
        assert entry.get("name") == {"device": "ann", "person": "ann", "node": "sel-1"}.get(kind, "ann" if value == jti and kind == "credential" else None), entry
        assert entry["leaves"] == 0 if until == FOREVER else entry["leaves"] > until
        assert entry["missing"] == 1
        # once more is not twice
        again = d.admin_ok("revoke/add", kind=kind, value=value)
        assert again["already"] and again["seq"] == done["seq"], (kind, again)
        if kind == "session":
            expect(d.admin("revoke/remove", seq=done["seq"]), 409, text="cannot be brought back")
        else:
            removed = d.admin_ok("revoke/remove", kind=kind, value=value)["removed"]
            assert done["seq"] in removed and not set(removed) & set(in_force(d))
            expect(d.admin("revoke/remove", kind=kind, value=value), 404)
    for kind in ("device", "person", "account", "node", "role", "issuer", "before"):
        value = {"device": ann.device, "person": "ann", "node": "sel-1", "before": ""}.get(kind, "x")
        seq = d.admin_ok("revoke/add", kind=kind, value=value, before=now - 7)["seq"]
        entry = in_force(d)[seq]
        assert entry["before"] == now - 7 and entry["until"] == now - 7 + 86400 + 30, entry
        expect(d.admin("revoke/add", kind=kind, value=value, before=now + 3600), 400)
    for kind, value in (("credential", jti), ("session", jti), ("lockdown", ""), ("cert_key", FINGERPRINT)):
        expect(d.admin("revoke/add", kind=kind, value=value, before=now), 400, text="before has no meaning")
    for kind, value, status in (("before", "", 400), ("device", "ann/phone", 404), ("person", "zoe", 404), ("node", "zoe", 404), ("cert_serial", "x", 400), ("cert_key", "MD5:x", 400), ("nothing", "", 400),
                                ("account", "A B", 400), ("session", "x", 400)):
        expect(d.admin("revoke/add", kind=kind, value=value), status)
    for body in ({}, {"seq": 1, "kind": "person", "value": "ann"}, {"kind": "person"}):
        expect(d.admin("revoke/remove", **body), 400)
    # everybody but many
    done = d.admin_ok("revoke/add", kind="lockdown", value=" ".join(new_id() for _ in range(150)) + " " + ann.id)
    assert in_force(d)[done["seq"]]["except"][-1] == "ann"
    expect(ann.ask(), 200)
    clear(d)


def audited(d):
    """The trail says who revoked what and why."""
    boss = Person(d, "boss", admin=True).enrolled()
    expect(boss.ask(), 200)
    done = expect(boss.call("POST", "/v1/admin/revoke/add", {"kind": "person", "value": "ann", "reason": "laptop lost"}), 200).json
    assert in_force(d)[done["seq"]]["by"] == "person:boss"
    records = d.admin_ok("audit/list", after=0, limit=1000)["records"]
    last = [r for r in records if r["action"] == "revoke/add"][-1]
    assert last["actor"] == "person:boss" and re.fullmatch(rf"{done['seq']} person \S{{22}}: laptop lost", last["object"]), last
    d.stop()
    d.start()
    assert in_force(d)[done["seq"]]["by"] == "person:boss"
    d.admin_ok("revoke/remove", seq=done["seq"])
    assert d.admin_ok("audit/list", after=last["seq"], limit=1000)["records"][-1]["object"] == str(done["seq"])


def reports(d):
    """A node's list of its own sessions; nobody else's, and gone with it."""
    node, other = Node(d, "rep-1").joined("core"), Node(d, "rep-2").joined("core")
    rita = Person(d, "rita").enrolled()
    one, two, three = session(rita), session(rita, account="hadoop", closed=True, end_at_expiry=True), session(rita, kind="certificate", role="ops", cert={"ca": FINGERPRINT, "id": "rita x", "key": FINGERPRINT, "serial": "7"})
    assert expect(report(node, {"full": False, "opened": [one], "closed": []}), 200).json == {"known": False}
    assert not listed(d) and d.admin_ok("sessions/list")["unknown_nodes"] >= 2
    assert expect(report(node, {"full": True, "opened": [one], "closed": []}), 200).json == {"known": True}
    assert expect(report(node, {"full": False, "opened": [two, three], "closed": []}), 200).json == {"known": True}
    assert expect(report(other, {"full": True, "opened": [], "closed": [one["id"]]}), 200).json == {"known": True}
    there = listed(d)
    assert set(there) == {one["id"], two["id"], three["id"]}
    assert there[two["id"]] == dict(two, node="rep-1", person_name="rita") and there[three["id"]]["cert"]["serial"] == "7"
    assert set(listed(d, account="hadoop")) == {two["id"]} and set(listed(d, person="rita", node="rep-1")) == set(there) and not listed(d, node="rep-2") and not listed(d, person=new_id())
    assert d.admin_ok("sessions/list", limit=1)["total"] == 3 and len(d.admin_ok("sessions/list", limit=1)["sessions"]) == 1
    assert [n["sessions"] for n in d.admin_ok("node/list")["nodes"] if n["name"] == "rep-1"] == [3]
    report(node, {"full": False, "opened": [dict(one, exp=one["exp"] + 5)], "closed": [three["id"]]})
    assert set(listed(d)) == {one["id"], two["id"]} and listed(d)[one["id"]]["exp"] == one["exp"] + 5
    for bad in ({"full": True, "opened": [], "closed": [], "node": other.id}, {"full": True, "opened": [dict(one, person="rita")], "closed": []}, {"full": True}, [], {"full": True, "opened": [one] * 513, "closed": []}):
        expect(report(node, bad), 400)
    assert set(listed(d)) == {one["id"], two["id"]}
    expect(d.request("POST", "/v1/sessions", {"full": True, "opened": [], "closed": []}), 401)
    expect(d.request("POST", "/v1/sessions", {"full": True, "opened": [], "closed": []}, tls=False), 403)
    # a restart forgets, and says so
    d.stop()
    d.start()
    assert not listed(d)
    assert expect(report(node, {"full": False, "opened": [], "closed": []}), 200).json == {"known": False}
    report(node, {"full": True, "opened": [one], "closed": []})
    report(other, {"full": True, "opened": [two], "closed": []})
    d.admin_ok("node/remove", node="rep-1")
    assert set(listed(d)) == {two["id"]}
    expect(report(node, {"full": True, "opened": [one], "closed": []}), 401)
    d.admin_ok("node/remove", node="rep-2")
    assert not listed(d)


def previews(d):
    """Says whom a revocation hits, and changes nothing."""
    node = Node(d, "pre-1").joined("core")
    d.admin_ok("account/add", name="emr-user")
    pia, paul = Person(d, "pia", roles=["ops"]).enrolled(), Person(d, "paul").enrolled()
    d.admin_ok("grant/add", role="ops", accounts=["emr-user"])
    expect(pia.ask(), 200)
    jti = payload(pia.credential)["jti"]
    old = int(time.time()) - 500
    mine = session(pia, jti, role="ops", kind="certificate", cert={"ca": FINGERPRINT, "id": "pia x", "key": FINGERPRINT, "serial": "7"})
    his = session(paul, account="paul", iat=old, issuer="old")
    report(node, {"full": True, "opened": [mine, his], "closed": []})
    d.admin_ok("account/add", name="svc-job")
    d.admin_ok("grant/add", **{"from": ["node:pre-1"], "accounts": ["svc-job"], "nodes": ["role:task"]})
    before, audit = in_force(d), len(d.admin_ok("audit/list", after=0, limit=1000)["records"])
    for kind, value, people, sessions in (
        ("credential", jti, {"pia"}, {mine["id"]}), ("device", pia.device, {"pia"}, {mine["id"]}), ("person", "paul", {"paul"}, {his["id"]}), ("account", "emr-user", {"pia"}, {mine["id"]}),
        ("node", "pre-1", {"pia", "paul"}, {mine["id"], his["id"]}), ("role", "ops", {"pia"}, {mine["id"]}), ("cert_serial", "7", {"pia"}, {mine["id"]}), ("cert_serial", "8", set(), set()),
        ("cert_id", "pia x", {"pia"}, {mine["id"]}), ("cert_key", FINGERPRINT, {"pia"}, {mine["id"]}), ("cert_ca", FINGERPRINT, {"pia"}, {mine["id"]}), ("session", his["id"], {"paul"}, {his["id"]}),
    ):
        answer = d.admin_ok("revoke/preview", kind=kind, value=value)
        assert set(answer["people"]) == people and {s["id"] for s in answer["sessions"]} == sessions, (kind, answer)
        assert answer["totals"]["people"] == len(people) and answer["totals"]["sessions"] == len(sessions)
        if sessions:
            assert answer["nodes"] == ["pre-1"] and answer["accounts"] and answer["devices"], (kind, answer)
    assert set(d.admin_ok("revoke/preview", kind="person", value="pia")["accounts"]) == {"emr-user"}
    answer = d.admin_ok("revoke/preview", kind="before", value="", before=old + 100)
    assert [s["id"] for s in answer["sessions"]] == [his["id"]] and "pia" in answer["people"]
    answer = d.admin_ok("revoke/preview", kind="issuer", value="old")
    assert [s["id"] for s in answer["sessions"]] == [his["id"]]
    answer = d.admin_ok("revoke/preview", kind="lockdown", value=pia.id)
    assert [s["id"] for s in answer["sessions"]] == [his["id"]] and "pia" not in answer["people"] and "paul" in answer["people"]
    expect(d.admin("revoke/preview", kind="person", value="zoe"), 404)
    assert set(d.admin_ok("revoke/preview", kind="node", value="pre-1")["accounts"]) == {mine["account"], "paul", "svc-job"}  # what the machine itself hops to
    assert in_force(d) == before and len(d.admin_ok("audit/list", after=0, limit=1000)["records"]) == audit


def waits(d):
    """Those who can be reached are waited for; who is silent holds up nobody, and is not passed off as done."""
    one, two = Node(d, "reach-1").joined("core"), Node(d, "reach-2").joined("core")
    for node in d.admin_ok("node/list")["nodes"]:
        if node["name"] not in ("reach-1", "reach-2"):
            d.admin_ok("node/remove", node=node["name"])
    done = d.admin_ok("revoke/add", kind="account", value="waited")
    answer = d.admin_ok("wait", version=done["version"], timeout_ms=0)
    assert not answer["done"] and all(n["reachable"] and not n["ok"] for n in answer["nodes"])
    one.get("/v1/head", applied=done["version"], ended=1)
    two.get("/v1/head", applied=done["version"])
    answer = d.admin_ok("wait", version=done["version"], timeout_ms=20000)
    assert answer["done"] and all(n["ok"] and 0 <= n["ms"] < 20000 for n in answer["nodes"]), answer
    assert in_force(d)[done["seq"]]["missing"] == 0
    d.admin_ok("revoke/remove", seq=done["seq"])


def renewed(d):
    """A node gets the newest credential of the same person and device, never a shorter, narrower or revoked one."""
    node = Node(d, "ren-1").joined("core")
    rosa = Person(d, "rosa", admin=True).enrolled()
    d.admin_ok("account/add", name="ren-a")
    d.admin_ok("grant/add", person="rosa", accounts=["ren-a"])

    def renewal(jti):
        answer = node.get("/v1/renewal/" + jti)
        return payload(answer.json["credential"])["jti"] if expect(answer, answer.status).status == 200 else answer.status

    def ask(**more):
        expect(rosa.ask(**more), 200)
        return payload(rosa.credential)["jti"]

    first = ask(ttl=600)
    assert renewal(first) == 404 and renewal(new_id()) == 404
    assert renewal(first) == 404 and renewal(first) == 404
    assert d.logged().count(f"/v1/renewal/{first}: 404") == 1  # the node asks every 20 s: said once a session
    assert ask(ttl=300) and renewal(first) == 404
    narrow = ask(ttl=900, acc=["ren-a"])
    assert renewal(first) == 404
    second = ask(ttl=1200)
    assert renewal(first) == second and renewal(narrow) == second and renewal(second) == 404
    narrower = ask(ttl=1500, acc=["ren-a"])
    assert renewal(narrow) == narrower and renewal(first) == second
    d.stop()
    d.start()
    assert renewal(first) == second
    seq = d.admin_ok("revoke/add", kind="credential", value=second)["seq"]
    assert renewal(first) == 404
    third = ask(ttl=1000)
    assert renewal(first) == third
    d.admin_ok("revoke/remove", seq=seq)
    seq = d.admin_ok("revoke/add", kind="device", value=rosa.device)["seq"]
    assert renewal(first) == 404
    d.admin_ok("revoke/remove", seq=seq)
    other = Person(d, "otto", admin=True).enrolled()
    expect(other.ask(), 200)
    assert renewal(payload(other.credential)["jti"]) == 404
    expect(d.request("GET", "/v1/renewal/" + first), 401)
    expect(rosa.call("GET", "/v1/renewal/" + first), 403)
    expect(node.get("/v1/renewal/x"), 400)
    seq = d.admin_ok("revoke/add", kind="node", value="ren-1")["seq"]
    expect(node.get("/v1/renewal/" + first), 403)
    d.admin_ok("revoke/remove", seq=seq)


def names(d):
    """A host name means one thing, members are accounts, and a number stays whose it was."""
    Node(d, "both-1").joined("both")
    expect(d.admin("node/token", roles=["both-1"]), 409, text="name of a node")
    expect(d.admin("node/token", roles=[], name="both"), 409, text="name of a role")
    expect(d.admin("node/token", roles=["x"], name="x"), 409)
    expect(d.admin("node/set", node="both-1", roles=["both-1"]), 409)
    token = d.admin_ok("node/token", roles=["both"])["token"]
    expect(Node(d, "both").join(token), 409, text="name of a role")
    token = d.admin_ok("node/token", roles=["later"])["token"]
    expect(Node(d, "later").join(token), 409)
    d.admin_ok("group/add", name="people")
    expect(d.admin("group/member", group="people", account="nobody-knows", present=True), 404, text="there is no account")
    d.admin_ok("group/member", group="people", account="nobody-knows", present=False)
    gid = d.admin_ok("group/add", name="once")["gid"]
    d.admin_ok("group/remove", name="once")
    expect(d.admin("account/add", name="once-a", gid=gid), 409, text="never given out twice")
    d.admin_ok("group/add", name="once")
    expect(d.admin("account/add", name="once-a", gid=gid), 409, text="never given out twice")
    expect(d.admin("group/add", name="once-b", gid=gid), 409)


def small(d):
    """The list gets small by itself, but not before every node has it: the store is told that it is later than it was."""
    for node in d.admin_ok("node/list")["nodes"]:
        d.admin_ok("node/remove", node=node["name"])
    node = Node(d, "slow-1").joined("core")
    gone = Person(d, "gone").enrolled()
    clear(d)
    kept = d.admin_ok("revoke/add", kind="account", value="kept")
    ends = d.admin_ok("revoke/add", kind="before", value="", before=int(time.time()) - 3600)
    buried = [d.admin_ok("revoke/add", kind=kind, value=value)["seq"] for kind, value in (("person", "gone"), ("device", gone.device))]
    assert all(in_force(d)[seq]["until"] == FOREVER for seq in buried)
    d.admin_ok("person/remove", person="gone")
    assert all(in_force(d)[seq]["until"] < FOREVER for seq in buried)
    node.get("/v1/head", applied=kept["version"])

    def later(seconds):
        d.stop()
        with sqlite3.connect(os.path.join(d.dir, "store.db")) as store:
            for key, value in store.execute("SELECT key, value FROM record WHERE kind = 17").fetchall():
                text = re.sub(rb'"(iat|until|before)":(\d+)', lambda m: m.group(0) if m.group(2) == b"4102444800" else b'"%s":%d' % (m.group(1), int(m.group(2)) - seconds), bytes(value))
                store.execute("UPDATE record SET value = ? WHERE kind = 17 AND key = ?", (text, key))
        store.close()
        d.start()
        d.admin_ok("account/add", name=f"tick-{seconds}-{os.urandom(3).hex()}")

    later(3 * 86400)
    assert set(in_force(d)) >= {kept["seq"], ends["seq"], *buried} and in_force(d)[ends["seq"]]["missing"] == 1
    head = d.admin_ok("status")["head"]
    node.get("/v1/head", applied=head)
    d.admin_ok("account/add", name="tick-now")
    assert ends["seq"] in in_force(d)  # a hop that the node vouched for a moment ago may live two minutes
    later(27 * 86400)
    assert set(in_force(d)) >= {ends["seq"], *buried}
    later(2 * 86400)  # a node that is silent for so long holds nothing up any more
    assert set(in_force(d)) & {kept["seq"], ends["seq"], *buried} == {kept["seq"]}
    with sqlite3.connect(os.path.join(d.dir, "store.db"), timeout=60) as store:
        keys = {int(k) for (k,) in store.execute("SELECT key FROM record WHERE kind IN (17, 30)")}
    store.close()
    assert keys == set(in_force(d)), keys


def metrics(d):
    """Counts for administrators of the authority's own host alone."""
    expect(d.request("GET", "/metrics"), 401)
    node, boss = Node(d, "met-1").joined("core"), Person(d, "met", admin=True).enrolled()
    expect(node.get("/metrics"), 403)
    expect(boss.ask(), 200)
    expect(boss.call("GET", "/metrics"), 403)
    text = expect(d.request("GET", "/metrics", tls=False), 200).body.decode()
    values = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"\})? -?\d+', line), line
            values[line.rsplit(" ", 1)[0]] = int(line.rsplit(" ", 1)[1])
    prefix = "cluster_authority_"
    assert values[prefix + "nodes"] == len(d.admin_ok("node/list")["nodes"]) == values[prefix + "nodes_reachable"] + values[prefix + "nodes_silent"]
    assert values[prefix + "head_version"] == d.admin_ok("status")["head"] and 0 <= values[prefix + "head_age_seconds"] < 120
    assert values[prefix + "revocations"] == len(in_force(d)) and values[prefix + 'requests_total{code="403"}'] >= 2 and values[prefix + "polls_held"] == 0


if __name__ == "__main__":
    sys.exit(run_cases(
        ("selectors", selectors), ("who revoked, and why", audited), ("reports of sessions (I7)", reports), ("whom it would hit", previews), ("waiting (H8)", waits), ("renewal", renewed),
        ("names and numbers (D9)", names), ("a list that gets small", small), ("metrics (I7)", metrics)
    ))
