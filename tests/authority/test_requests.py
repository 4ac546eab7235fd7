#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests as they should not be, and who may ask what: the real daemon over TLS and on its socket (PROTOCOL.md 6, THREATS.md I2, I7, H11)."""
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import warnings

from lib_daemon import PROGRAM, Daemon, Key, Node, Person, b64, expect, payload, read_answer, run_cases, until

HOST = "Host: a\r\n"


def malformed(d):
    post = "POST /v1/admin/status HTTP/1.1\r\n" + HOST
    bad = [
        (post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "content-length is there twice"),
        (post + "Content-Length: 2\r\ncontent-length: 3\r\n\r\n{}", 400, "twice"),
        (post + HOST + "Content-Length: 2\r\n\r\n{}", 400, "host is there twice"),
        (post + "Content-Length: 2\r\nAuthorization: a\r\nAuthorization: a\r\n\r\n{}", 400, "authorization is there twice"),
        (post + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400, "transfer-encoding"),
        (post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400, "transfer-encoding"),
        (post + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{}", 400, "expect"),
        (post + "Content-Length: 2\r\nUpgrade: h2c\r\n\r\n{}", 400, "upgrade"),
        (post + "Content-Length: 2\r\nX: a\r\n b\r\n\r\n{}", 400, "name: value"),
        (post + "Content-Length : 2\r\n\r\n{}", 400, "name: value"),
        (post + "\r\n", 400, "needs content-length"),
        (post + "Content-Length: 262145\r\n\r\n", 413, "256 KiB"),
        ("GET /" + "a" * 1100 + " HTTP/1.1\r\n" + HOST + "\r\n", 413, "longer than 1024"),
        ("GET / HTTP/1.1\r\n" + HOST + "".join(f"X{i}: y\r\n" for i in range(70)) + "\r\n", 413, "more than 64"),
        ("GET / HTTP/1.1\r\n" + HOST + "X: " + "y" * 20000 + "\r\n\r\n", 413, "head is larger"),
        ("GET / HTTP/1.0\r\n" + HOST + "\r\n", 400, "HTTP/1.1"),
        ("\x16\x03\x01 hello\r\n\r\n", 400, "HTTP/1.1"),
    ]
    for tls in (True, False):
        for text, status, sentence in bad:
            expect(d.raw(text.encode("latin-1"), tls), status, text=sentence)


def bodies(d):
    for body in (b"", b"{", b"{}x", b"[]", b"null", b'{"a":1,"a":2}', b'{"x":1.5}', b'{"\xff":1}', b'{"a":"\\u0000"}'):
        expect(d.request("POST", "/v1/admin/status", body, tls=False), 400)
        expect(d.request("POST", "/v1/join", body), 400)
        expect(d.request("POST", "/v1/credential", body), 400)
    expect(d.request("POST", "/v1/admin/status", b"[" * 20, tls=False), 413)
    expect(d.request("POST", "/v1/admin/status", {"x": 1}, tls=False), 400, text="x")
    expect(d.request("POST", "/v1/admin/person/add", {}, tls=False), 400, text="name")
    expect(d.request("POST", "/v1/admin/person/add", {"name": 5}, tls=False), 400, text="name")
    expect(d.request("POST", "/v1/admin/person/add", {"name": "A B"}, tls=False), 400, text="name")
    expect(d.request("POST", "/v1/join", {"request": "a.b.c", "signatures": ["x"]}), 400)
    expect(d.request("POST", "/v1/enroll", {"request": "a" * 9000}), 400)
    expect(d.request("POST", "/v1/admin/status?x=1", {}, tls=False), 400)


def unknown(d):
    for method, path in (("GET", "/"), ("GET", "/v2/root"), ("POST", "/v1/root"), ("GET", "/v1/admin/status"), ("POST", "/v1/admin/"), ("GET", "/v1/root/")):
        expect(d.request(method, path, {} if method == "POST" else None, tls=False), 404)
    expect(d.admin("no/such"), 404, text="no/such")
    expect(d.request("GET", "/v1/head?after=x", tls=False), 400)
    expect(d.request("GET", "/v1/head?wait=61", tls=False), 400)
    expect(d.request("GET", "/v1/root?x=1"), 400)


def keep_alive(d):
    with d.connect() as sock:
        for _ in range(3):
            assert d.request("GET", "/v1/root", sock=sock).status == 200
        # two at once: answered in order
        sock.sendall(("GET /v1/root HTTP/1.1\r\n" + HOST + "\r\nGET /v1/keyset HTTP/1.1\r\n" + HOST + "Connection: close\r\n\r\n").encode())
        first, second = read_answer(sock), read_answer(sock)
        assert first.status == second.status == 200 and first.body != second.body
        assert second.headers["connection"] == "close" and sock.recv(1) == b""
    # in pieces
    with d.connect() as sock:
        for c in "GET /v1/root HTTP/1.1\r\nHost: a\r\n\r\n":
            sock.sendall(c.encode())
        assert read_answer(sock).status == 200


def ssl_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def slow_ones(d):
    """Half a head, half a body, nothing at all: nobody else waits for them, and none of them stays."""
    hanging = [d.connect() for _ in range(20)]
    for i, sock in enumerate(hanging):
        sock.sendall([b"GET /v1/ro", b"POST /v1/join HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{", b"G"][i % 3])
    bare = socket.create_connection(("127.0.0.1", d.port), 60)
    last = d.connect()
    last.sendall(b"GET /v1/ro")
    assert d.request("GET", "/v1/root").status == 200
    last.settimeout(0)
    try:
        raise AssertionError(last.recv(1))
    except ssl.SSLWantReadError:
        last.settimeout(60)  # answered before the daemon had enough of it
    assert read_answer(hanging[0]) is None and bare.recv(1) == b"" and read_answer(last) is None
    bare.close()
    last.close()
    for sock in hanging:
        sock.close()


def let_in(d):
    try:
        return d.request("GET", "/v1/root").status == 200
    except OSError:
        return False


def crowds(d):
    """From one address 128 who have proved nothing, and no more; others come in as before, and so does who has proved something (H6)."""
    node = Node(d, "crowd-1").joined("core")
    known = d.connect()
    assert node.get("/v1/head", sock=known).status == 200
    crowd = [socket.create_connection(("127.0.0.1", d.port), 60) for _ in range(128)]
    one_more = socket.create_connection(("127.0.0.1", d.port), 60)
    assert one_more.recv(1) == b""
    assert node.get("/v1/head", sock=known).status == 200 and d.admin("status").status == 200
    other = ssl_context().wrap_socket(socket.create_connection(("127.0.0.1", d.port), 60, ("127.0.0.2", 0)))
    assert d.request("GET", "/v1/root", sock=other).status == 200
    for sock in (*crowd, one_more, other, known):
        sock.close()
    until(lambda: let_in(d))  # it hears of their going one by one


def deaf(d):
    """A node that does not read what it is answered keeps nobody else from hearing of a revocation."""
    node = Node(d, "deaf-1").joined("core")
    sock = socket.create_connection(("127.0.0.1", d.port), 60)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock = ssl_context().wrap_socket(sock)
    sock.settimeout(1)
    try:
        for _ in range(100000):
            sock.sendall(b"GET /v1/root HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
    except (TimeoutError, socket.timeout, ssl.SSLError):
        pass  # neither side's buffer takes any more
    head = d.admin_ok("status")["head"]
    waiting = [d.connect() for _ in range(3)]
    path = f"/v1/head?after={head}&wait=30"
    for other in waiting:
        other.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Cluster-Node {node.token(path, applied=head)}\r\n\r\n".encode())
    version = d.admin_ok("revoke/add", kind="account", value="nobody-here")["version"]
    for other in waiting:
        assert payload(read_answer(other).json["head"])["version"] >= version
        other.close()
    sock.close()


def plain(d):
    """Without TLS on loopback only, with the same doors: nothing more is for strangers there."""
    for where in ("0.0.0.0:1", "10.0.0.1:7444", "[::]:1", "localhost:1", "127.0.0.1"):
        with open(os.path.join(d.work, "plain.conf"), "w", encoding="ascii") as f:
            f.write(f"[authority]\nplain = {where}\n")
        done = subprocess.run([PROGRAM, "--check", "--config", f.name], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 78 and "plain" in done.stderr, (where, done)
    with open(f.name, "w", encoding="ascii") as f:
        f.write("[authority]\nplain = 127.0.0.1:0\n")
    other = Daemon(d.work, "proxied", "--config", f.name).start()
    try:
        port = int(re.search(r"listening on 127\.0\.0\.1:(\d+) without TLS", other.logged()).group(1))
        with socket.create_connection(("127.0.0.1", port), 60) as sock:
            assert other.request("GET", "/v1/root", sock=sock).status == 200
            expect(other.request("POST", "/v1/admin/status", {}, sock=sock), 401)
    finally:
        other.stop()


def socket_peers(d):
    """I2: only root and the daemon's own user, whatever the mode of the socket says."""
    if os.geteuid() != 0:
        raise AssertionError("this needs root")
    os.chmod(d.socket, 0o666)
    os.chmod(d.work, 0o755)
    code = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(60)\n"
            "try:\n s.sendall(b'POST /v1/admin/status HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 2\\r\\n\\r\\n{}'); sys.exit(len(s.recv(100)))\n"
            "except (BrokenPipeError, ConnectionResetError): sys.exit(0)")
    for user in ("nobody", "daemon"):
        done = subprocess.run(["setpriv", "--reuid", user, "--clear-groups", sys.executable, "-c", code, d.socket], check=False, capture_output=True)
        assert done.returncode == 0, done
    until(lambda: "was turned away" in d.logged())
    assert d.admin("status").status == 200
    os.chmod(d.socket, 0o600)


def matrix(d):
    """I7, over the wire."""
    node = Node(d, "matrix-1").joined("core")
    alice, boss, narrow = Person(d, "alice").enrolled(), Person(d, "boss", admin=True).enrolled(), Person(d, "narrow", admin=True).enrolled()
    d.admin_ok("account/add", name="emr-user")
    d.admin_ok("grant/add", person="alice", accounts=["emr-user"])
    assert alice.ask().status == 200 and boss.ask().status == 200
    d.admin_ok("grant/add", person="narrow", accounts=["emr-user"])
    assert narrow.ask(acc=["emr-user"]).status == 200

    def as_nobody(method, path, body):
        return d.request(method, path, body)

    def as_node(method, path, body):
        token = node.key.jws("cluster-node+jwt", {"aud": "cluster:" + d.cluster, "htm": method, "htu": path, "iat": int(time.time()), "jti": b64(os.urandom(16)), "sub": node.id, "applied": 0,
                                                  "ended": 0})
        return d.request(method, path, body, headers=["Authorization: Cluster-Node " + token])

    def as_root(method, path, body):
        return d.request(method, path, body, tls=False)

    who = {"nobody": as_nobody, "node": as_node, "person": alice.call, "narrowed": narrow.call, "admin": boss.call, "root": as_root}
    table = {
        ("GET", "/v1/root"): {name: 200 for name in who},
        ("GET", "/v1/keyset"): {name: 200 for name in who},
        ("GET", "/v1/head"): {"nobody": 401, "node": 200, "person": 200, "narrowed": 200, "admin": 200, "root": 200},
        ("GET", "/v1/me"): {"nobody": 401, "node": 403, "person": 200, "narrowed": 200, "admin": 200, "root": 403},
        ("POST", "/v1/admin/status"): {"nobody": 401, "node": 403, "person": 403, "narrowed": 403, "admin": 200, "root": 200},
        ("POST", "/v1/admin/person/list"): {"nobody": 401, "node": 403, "person": 403, "narrowed": 403, "admin": 200, "root": 200},
        ("POST", "/v1/admin/revoke/add"): {"nobody": 401, "node": 403, "person": 403, "narrowed": 403, "admin": 400, "root": 400},
    }
    for (method, path), row in table.items():
        for name, status in row.items():
            answer = who[name](method, path, {} if method == "POST" else None)
            assert answer.status == status, (method, path, name, answer)
    # objects: people see index, nodes, keyset, root and revocations, and no accounts
    head = node.get("/v1/head").json["head"]
    refs = {name: ref["sha256"] for name, ref in payload(head).items() if isinstance(ref, dict)}
    index = node.get("/v1/objects/" + refs["directory"]).body.decode()
    for sha in refs.values():
        assert alice.call("GET", "/v1/objects/" + sha).status == 200
    for shard in payload(index)["shards"]:
        path = "/v1/objects/" + shard["sha256"]
        assert node.get(path).status == 200
        assert alice.call("GET", path).status == (200 if shard["kind"] == "nodes" else 403), shard
        assert d.request("GET", path).status == 401
    expect(node.get("/v1/objects/" + "A" * 43), 404)
    expect(node.get("/v1/objects/" + "A" * 42), 400)
    expect(node.get("/v1/objects/../root"), 400)


def strangers(d):
    """What somebody unknown is told does not say why."""
    node = Node(d, "stranger-1").joined("core")
    other = Key(d.work)
    sentences = set()
    for answer in (
        node.get("/v1/head", key=other), node.get("/v1/head", sub=b64(os.urandom(16))), node.get("/v1/head", aud="cluster:" + "A" * 22),
        d.request("GET", "/v1/head", headers=["Authorization: Cluster-Node a.b.c"]), d.request("GET", "/v1/head", headers=["Authorization: Basic eDp5"]),
        d.request("GET", "/v1/head", headers=["Authorization: DPoP a.b.c", "DPoP: a.b.c"]), d.request("GET", "/v1/head", headers=["Authorization: DPoP a.b.c"]), d.request("GET", "/v1/head"),
    ):
        expect(answer, 401)
        sentences.add(answer.body)
    assert len(sentences) == 1, sentences


def signed_requests(d):
    """What a known one is told says what to do; a request is good once, for one path, for a minute."""
    node = Node(d, "signed-1").joined("core")
    token = node.token("/v1/head")
    headers = ["Authorization: Cluster-Node " + token]
    assert d.request("GET", "/v1/head", headers=headers).status == 200
    expect(d.request("GET", "/v1/head", headers=headers), 403, text="made before")
    expect(d.request("GET", "/v1/head?wait=0", headers=headers), 403, text="another method or path")
    assert node.get("/v1/head", iat=int(time.time()) - 30).status in (200, 503)  # 503: signed before the daemon began
    expect(node.get("/v1/head", iat=int(time.time()) - 70), 401, text="clocks")
    expect(node.get("/v1/head", iat=int(time.time()) + 90), 401, text="clocks")
    expect(d.request("GET", "/v1/head", headers=["Authorization: Cluster-Node " + node.key.jws("cluster-request+jwt", {"a": 1})]), 401)
    assert d.request("GET", "/v1/head", headers=["Authorization: Cluster-Node " + node.token("/v1/head", applied=10**9)]).status == 200
    listed = {n["name"]: n for n in d.admin_ok("node/list")["nodes"]}
    assert listed["signed-1"]["applied"] == 0, listed  # more than there is proves nothing


def revoked_node(d):
    """It learns that it is revoked, and no more of the directory."""
    node = Node(d, "revoked-1").joined("core")
    d.admin_ok("revoke/add", kind="node", value="revoked-1")
    head = payload(node.get("/v1/head").json["head"])
    assert node.get("/v1/objects/" + head["revocations"]["sha256"]).status == 200
    shards = payload(node.get("/v1/objects/" + head["directory"]["sha256"]).body.decode())["shards"]
    accounts = [s for s in shards if s["kind"] == "accounts"]
    expect(node.get("/v1/objects/" + accounts[0]["sha256"]), 403)
    # nor beside a head
    d.admin_ok("account/add", name="after-revocation")
    answer = node.get("/v1/head?after=%d&wait=0" % head["version"])
    assert "after-revocation" not in answer.body.decode() and answer.json["objects"] == {}, answer


def versions(d):
    """TLS 1.2 at least."""
    warnings.simplefilter("ignore", DeprecationWarning)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        context.wrap_socket(socket.create_connection(("127.0.0.1", d.port), 5))
    except (ssl.SSLError, ConnectionResetError):
        return
    raise AssertionError("TLS 1.1 was taken")


def options(d):
    def exits(status, *words):
        done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == status, done
        return done

    assert "init" in exits(0, "--help").stdout
    exits(0, "--version")
    for words in ([], ["nonsense"], ["serve", "--nonsense"], ["serve", "extra"], ["init"], ["init", "--name", "x", "--url", "http://x"], ["serve", "--listen", "localhost:1"],
                  ["keyset", "--rotate", "issuer"], ["serve", "--rotate", "x"]):
        assert exits(64, *words).stderr
    config = os.path.join(d.work, "authority.conf")
    with open(config, "w", encoding="ascii") as f:
        f.write("[authority]\nmax_stal = 15m\n")
    assert "max_stale" in exits(78, "--check", "--config", config).stderr
    with open(config, "w", encoding="ascii") as f:
        f.write("[authority]\nmax_stale = 20m\n")
    exits(0, "--check", "--config", config)
    assert "max_stale = 20m" in exits(0, "--dump", "--config", config).stdout
    exits(75, "serve", "--dir", d.dir, "--listen", "127.0.0.1:0", "--socket", d.socket)
    exits(74, "serve", "--dir", d.dir, "--listen", f"127.0.0.1:{d.port}", "--socket", d.socket + "2")
    exits(65, "serve", "--dir", "/nonexistent", "--listen", "127.0.0.1:0", "--socket", d.socket + "3")


def expect_stop(d):
    assert d.stop() == 0


if __name__ == "__main__":
    sys.exit(run_cases(
        ("malformed heads (H11)", malformed), ("bodies", bodies), ("unknown calls", unknown), ("keep-alive and pipelining", keep_alive), ("slow peers hold up nobody", slow_ones),
        ("a crowd shuts out nobody (H6)", crowds), ("who does not read holds up nobody", deaf), ("without TLS", plain),
        ("the admin socket's peers (I2)", socket_peers), ("the authorisation matrix (I7)", matrix), ("strangers learn nothing", strangers), ("signed requests", signed_requests),
        ("a revoked node", revoked_node), ("TLS versions", versions), ("options and configuration", options), ("it stops when told to", expect_stop)
    ))
