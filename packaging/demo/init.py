#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""First process of a host: takes in orphans and is the host's log daemon (/dev/log -> /var/log/cluster.log). Killing it ends the host."""
import os
import re
import signal
import socket
import time


def reap(_signal, _frame):
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def main():
    signal.signal(signal.SIGCHLD, reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log = os.open("/var/log/cluster.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sink.bind("/dev/log")
    os.chmod("/dev/log", 0o666)
    open("/run/cluster-demo.ready", "w").close()
    while True:
        data = sink.recv(65536)
        # <priority>Mmm dd hh:mm:ss program[pid]: text
        text = re.sub(rb"^<\d+>(?:\w{3} [ \d]\d [\d:]{8} )?", b"", data).rstrip(b"\n\0")
        now = time.time()
        stamp = time.strftime("%H:%M:%S", time.localtime(now)) + ".%03d " % (now % 1 * 1000)
        os.write(log, stamp.encode() + text.replace(b"\n", b"\\n") + b"\n")


main()
