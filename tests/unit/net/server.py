# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server that misbehaves on request, for test_http.c. Prints "PORT SPKI-SHA256-HEX" once it listens; ends with its stdin.

One connection after the other, so that what an earlier one left behind is known when the next is answered. It answers on a Unix socket too.
"""
import hashlib
import os
import socket
import ssl
import subprocess
import sys
import threading

folder = sys.argv[1]
key, cert, pub, unix = (os.path.join(folder, n) for n in ("key.pem", "cert.pem", "pub.der", "socket"))
seen = 0  # application bytes of all connections that did not ask for /seen


def answer(status, body, *headers):
    lines = ["HTTP/1.1 " + status, "Content-Length: %d" % len(body), *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def reply(conn, method, path, headers, body):
    if path == "/seen":
        conn.sendall(answer("200 OK", str(seen).encode()))
    elif path == "/echo":
        conn.sendall(answer("200 OK", (method + " ").encode() + body))
    elif path == "/headers":
        conn.sendall(answer("200 OK", headers))
    elif path.startswith("/status/"):
        code = path[8:]
        conn.sendall(answer(code + " x", b'{"error":"no_grant","message":"a sentence\\u001b[2J"}'))
    elif path == "/redirect":
        conn.sendall(answer("302 Found", b"", "Location: /echo"))
    elif path == "/gzip":
        conn.sendall(answer("200 OK", b"x" * 10, "Content-Encoding: gzip"))
    elif path == "/large":
        conn.sendall(answer("200 OK", b"x" * 5000))
    elif path == "/exact":
        conn.sendall(answer("200 OK", b"x" * 100))
    elif path == "/endless":
        conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            conn.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
    elif path == "/headers-endless":
        conn.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            conn.sendall(b"X: " + b"y" * 1000 + b"\r\n")
    elif path == "/short":
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        return False
    elif path == "/silent":
        conn.recv(1)
        return False
    elif path == "/garbage":
        conn.sendall(b"220 mail.example ESMTP\r\n" * 3)
        return False
    elif path == "/text":
        conn.sendall(answer("200 OK", b"<html>not JSON</html>"))
    elif path == "/v1/root":
        conn.sendall(answer("200 OK", b"a.b.c\n"))
    elif path == "/json":
        conn.sendall(answer("200 OK", b'{"a":1}'))
    return True


def one(conn):
    global seen
    while True:
        data = b""
        while b"\r\n\r\n" not in data:
            more = conn.recv(65536)
            if not more or more[0] == 22:  # a TLS handshake where there is no TLS
                return
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        method, path = head.split(b"\r\n")[0].decode().split(" ")[:2]
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        while len(body) < length:
            body += conn.recv(65536)
        if path != "/seen":
            seen += len(data)
        if not reply(conn, method, path, head, body):
            return


def serve(listener, context):
    while True:
        raw, _ = listener.accept()
        try:
            with (context.wrap_socket(raw, server_side=True) if context else raw) as conn:
                one(conn)
        except (OSError, ValueError):
            pass
        raw.close()


subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=anything", "-days", "2",
                "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER", "-out", pub], check=True)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(cert, key)
old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
old.set_ciphers("ALL:@SECLEVEL=0")
old.minimum_version = ssl.TLSVersion.TLSv1
old.maximum_version = ssl.TLSVersion.TLSv1_1
old.load_cert_chain(cert, key)
listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
local = socket.socket(socket.AF_UNIX)
local.bind(unix)
local.listen()
for pair in ((listeners[0], tls), (listeners[1], old), (listeners[2], None), (local, None)):
    threading.Thread(target=serve, args=pair, daemon=True).start()
digest = hashlib.sha256(open(pub, "rb").read()).hexdigest()
os.write(1, (" ".join([*(str(s.getsockname()[1]) for s in listeners), digest]) + "\n").encode())
sys.stdin.read()
