#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""N nodes wait for the head; how long after a revocation is acknowledged has the last of them been served? See tests/bench/authority.sh."""
import os
import resource
import select
import sys
import tempfile
import time

from lib_daemon import Daemon, Node, Person, payload, read_answer


def measure(d, node, sockets, version):
    path = f"/v1/head?after={version}&wait=60"
    requests = [f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Cluster-Node {node.token(path, applied=version)}\r\n\r\n".encode() for _ in sockets]
    for sock, request in zip(sockets, requests):
        sock.sendall(request)
    poll = select.epoll()
    for sock in sockets:
        poll.register(sock.fileno(), select.EPOLLIN | select.EPOLLET)
    assert not poll.poll(0.3)
    with d.connect(tls=False) as admin:
        start = time.monotonic()
        answer = d.request("POST", "/v1/admin/revoke/add", {"kind": "account", "value": f"bench-{version}"}, sock=admin)
        acknowledged = time.monotonic()
    served = 0
    while served < len(sockets):
        served += len(poll.poll(5, len(sockets)))
    last = time.monotonic()
    assert answer.status == 200
    for sock in sockets:
        assert payload(read_answer(sock).json["head"])["version"] == answer.json["version"]
    poll.close()
    return answer.json["version"], acknowledged - start, last - acknowledged


def main():
    number, rounds = int(sys.argv[1]), int(sys.argv[2])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as work:
        config = os.path.join(work, "authority.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write("[authority]\nhead_life = 15m\nhead_interval = 450s\n")  # no other head while it measures
        d = Daemon(work, "bench", "--config", config).start()
        try:
            Person(d, "alice")
            node = Node(d, "core-1-1").joined("core")
            sockets = []
            for _ in range(number):
                sockets.append(d.connect())
                assert node.get("/v1/head", sock=sockets[-1]).status == 200
            version, times = d.admin_ok("status")["head"], []
            for _ in range(rounds):
                version, ack, last = measure(d, node, sockets, version)
                times.append((ack, last))
                print(f"{number} nodes: acknowledged after {ack * 1000:.1f} ms, last answer {last * 1000:.1f} ms later", flush=True)
            print(f"worst: acknowledged after {max(t[0] for t in times) * 1000:.1f} ms, last answer {max(t[1] for t in times) * 1000:.1f} ms later")
        finally:
            d.stop()


if __name__ == "__main__":
    main()
