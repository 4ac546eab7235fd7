# SPDX-License-Identifier: Apache-2.0
"""A real cluster-authorityd on loopback, and everybody who talks to it: keys and signatures by openssl and ssh-keygen, HTTP by hand."""
import base64
import hashlib
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import traceback

PROGRAM = os.path.join(os.environ.get("BUILD", "build/release"), "cluster-authorityd")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(obj):
    return json.dumps(obj, separators=(",", ":"), sort_keys=True)


def payload(token):
    return json.loads(unb64(token.strip().split(".")[1]))


class Key:
    """An Ed25519 key."""

    def __init__(self, work):
        self.path = os.path.join(work, "key." + secrets.token_hex(6))
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.path], check=True, stderr=subprocess.DEVNULL)
        der = subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
        self.jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64(der[-32:])}
        self.thumbprint = hashlib.sha256(compact(self.jwk).encode()).digest()
        self.kid = b64(self.thumbprint[:16])

    def sign(self, data):
        with tempfile.NamedTemporaryFile() as f:
            f.write(data)
            f.flush()
            return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", f.name], check=True, capture_output=True).stdout

    def jws(self, typ, claims, **header):
        head = {"alg": "Ed25519", "typ": typ}
        head.update(header or {"kid": self.kid})
        text = b64(compact(head).encode()) + "." + b64(compact(claims).encode())
        return text + "." + b64(self.sign(text.encode()))


class SshKey:
    def __init__(self, work, kind="ed25519", bits=None):
        self.path = os.path.join(work, "ssh." + secrets.token_hex(6))
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "", "-t", kind, *(["-b", str(bits)] if bits else []), "-f", self.path], check=True)
        with open(self.path + ".pub", encoding="ascii") as f:
            self.line = " ".join(f.read().split()[:2])

    def sign(self, text, namespace="cluster-login-join"):
        return subprocess.run(["ssh-keygen", "-Y", "sign", "-q", "-f", self.path, "-n", namespace], input=text, text=True, check=True, capture_output=True).stdout


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


def read_answer(sock):
    """One answer from a connection, or None if it was closed without one."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = sock.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            more = b""
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
    length = int(headers["content-length"])
    while len(body) < length:
        more = sock.recv(65536)
        if not more:
            return None
        body += more
    return Answer(int(lines[0].split()[1]), headers, body)


class Daemon:
    def __init__(self, work, name="prod", *more):
        self.work, self.options = work, list(more)
        self.dir = os.path.join(work, name)
        self.socket = os.path.join(work, name + ".sock")
        self.log = os.path.join(work, name + ".log")
        self.process, self.port = None, 0
        if "--config" not in more:
            # as long as it may be: while a test counts and compares, no head is signed but for a change
            with open(os.path.join(work, name + ".conf"), "w", encoding="ascii") as f:
                f.write("[authority]\nhead_interval = 450s\n")
            self.options += ["--config", f.name]
        done = run("init", "--dir", self.dir, "--name", name, "--url", "https://127.0.0.1:7443", "--user", "root" if os.geteuid() == 0 else os.environ.get("USER", "root"))
        assert done.returncode == 0, done
        self.cluster = re.search(r"^cluster (\S+)$", done.stdout, re.M).group(1)
        self.pin = re.search(r"^pin (sha256:\S+)$", done.stdout, re.M).group(1)

    def start(self):
        with open(self.log, "a", encoding="utf-8") as log:
            offset = log.tell()
            self.process = subprocess.Popen([PROGRAM, "serve", "--dir", self.dir, "--listen", "127.0.0.1:0", "--socket", self.socket, *self.options], stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with open(self.log, encoding="utf-8") as log:
                log.seek(offset)
                text = log.read()
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", text)
            if found and "cluster " in text:
                self.port = int(found.group(1))
                return self
            if self.process.poll() is not None:
                raise AssertionError(text)
            time.sleep(0.01)
        raise AssertionError("the daemon does not start")

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            status = self.process.wait(60)
            self.process = None
            return status
        return None

    def logged(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def connect(self, tls=True, timeout=60):
        if not tls:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(timeout)
            sock.connect(self.socket)
            return sock
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = socket.create_connection(("127.0.0.1", self.port), timeout)
        return context.wrap_socket(sock)

    def raw(self, data, tls=True):
        with self.connect(tls) as sock:
            sock.sendall(data)
            return read_answer(sock)

    def request(self, method, path, body=None, tls=True, headers=(), sock=None):
        data = body if isinstance(body, bytes) else b"" if body is None else compact(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: a", *headers]
        if method == "POST":
            lines.append(f"Content-Length: {len(data)}")
        text = ("\r\n".join(lines) + "\r\n\r\n").encode() + data
        if sock:
            sock.sendall(text)
            return read_answer(sock)
        return self.raw(text, tls)

    def admin(self, call, **body):
        return self.request("POST", "/v1/admin/" + call, body, tls=False)

    def admin_ok(self, call, **body):
        answer = self.admin(call, **body)
        assert answer and answer.status == 200, (call, answer)
        return answer.json


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=120, check=False)


def common(daemon, method, path, **more):
    claims = {"aud": "cluster:" + daemon.cluster, "htm": method, "htu": path, "iat": int(time.time()), "jti": b64(secrets.token_bytes(16))}
    claims.update(more)
    return {k: v for k, v in claims.items() if v is not None}


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class Node:
    count = 0

    def __init__(self, daemon, name):
        Node.count += 1
        self.daemon, self.name, self.id = daemon, name, None
        self.key, self.hop, self.ssh = Key(daemon.work), Key(daemon.work), [SshKey(daemon.work)]
        self.addresses = [f"10.0.{Node.count // 250}.{Node.count % 250 + 1}"]

    def join(self, token, signatures=None, key=None, **more):
        claims = common(self.daemon, "POST", "/v1/join", name=self.name, token=token, key=self.key.jwk, hop=self.hop.jwk, addresses=self.addresses, hostkeys=[k.line for k in self.ssh])
        claims.update(more)
        request = (key or self.key).jws("cluster-node+jwt", claims)
        if signatures is None:
            signatures = [k.sign(request) for k in self.ssh]
        answer = self.daemon.request("POST", "/v1/join", {"request": request, "signatures": signatures})
        if answer.status == 200:
            self.id = answer.json["node"]
        return answer

    def joined(self, *roles):
        answer = self.join(self.daemon.admin_ok("node/token", roles=list(roles))["token"])
        assert answer.status == 200, answer
        return self

    def token(self, path, applied=0, ended=0, key=None, **more):
        claims = common(self.daemon, "GET", path, sub=self.id, applied=applied, ended=ended)
        claims.update(more)
        return (key or self.key).jws("cluster-node+jwt", claims)

    def get(self, path, applied=0, ended=0, sock=None, **more):
        return self.daemon.request("GET", path, headers=["Authorization: Cluster-Node " + self.token(path, applied, ended, **more)], sock=sock)


class Person:
    def __init__(self, daemon, name, **more):
        self.daemon, self.name = daemon, name
        self.id = daemon.admin_ok("person/add", name=name, **more)["person"]
        self.key, self.device = Key(daemon.work), None
        self.cnf, self.credential = None, None

    def enroll(self, code, key=None, **more):
        claims = common(self.daemon, "POST", "/v1/enroll", code=code, key=self.key.jwk, label="laptop", **more)
        answer = self.daemon.request("POST", "/v1/enroll", {"request": (key or self.key).jws("cluster-request+jwt", claims)})
        if answer.status == 200:
            self.device = answer.json["device"]
        return answer

    def enrolled(self):
        answer = self.enroll(self.daemon.admin_ok("person/invite", person=self.name)["code"])
        assert answer.status == 200, answer
        return self

    def request(self, key=None, path="/v1/credential", **more):
        self.cnf = Key(self.daemon.work)
        claims = common(self.daemon, "POST", path, sub=self.device, cnf={"jwk": self.cnf.jwk})
        claims.update(more)
        return (key or self.key).jws("cluster-request+jwt", claims)

    def ask(self, request=None, **more):
        answer = self.daemon.request("POST", "/v1/credential", {"request": request or self.request(**more)})
        if answer.status == 200:
            self.credential = answer.json["credential"]
        return answer

    def certify(self, request=None, **more):
        """An OpenSSH certificate."""
        answer = self.daemon.request("POST", "/v1/sshcert", {"request": request or self.request(path="/v1/sshcert", **more)})
        if answer.status == 200:
            self.credential = answer.json["credential"]
        return answer

    def headers(self, method, path, key=None, **more):
        claims = common(self.daemon, method, path, aud=None, ath=b64(hashlib.sha256(self.credential.encode()).digest()))
        claims.update(more)
        key = key or self.cnf
        return ["Authorization: DPoP " + self.credential, "DPoP: " + key.jws("dpop+jwt", claims, jwk=key.jwk)]

    def call(self, method, path, body=None, **more):
        return self.daemon.request(method, path, body, headers=self.headers(method, path, **more))


class Cases:
    """TAP."""

    def __init__(self):
        self.n = self.failed = 0

    def run(self, name, function, *words):
        self.n += 1
        try:
            function(*words)
            print(f"ok {self.n} - {name}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            self.failed += 1
            print(f"not ok {self.n} - {name}", flush=True)
            for line in traceback.format_exc().splitlines() + [repr(error)]:
                print("# " + line, flush=True)

    def end(self):
        print(f"1..{self.n}")
        return 1 if self.failed else 0


def run_cases(*rows):
    """A daemon of its own and each (name, function of it), in turn; the exit status."""
    cases = Cases()
    with tempfile.TemporaryDirectory() as work:
        d = Daemon(work).start()
        try:
            for name, function in rows:
                cases.run(name, function, d)
        finally:
            d.stop()
    return cases.end()


def expect(answer, status, word=None, text=None):
    assert answer is not None, "closed without an answer"
    assert answer.status == status, (status, answer)
    if status != 200:
        assert set(answer.json) == {"error", "message"} and answer.json["message"], answer
    if word:
        assert answer.json["error"] == word, answer
    if text:
        assert re.search(text, answer.json["message"]), answer
    return answer
