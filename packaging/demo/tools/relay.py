#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A hostile node: passes every connection to its PORT on to HOST PORT."""
import socket
import sys
import threading


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main():
    listener = socket.create_server(("", int(sys.argv[1])))
    while True:
        near, _ = listener.accept()
        far = socket.create_connection((sys.argv[2], int(sys.argv[3])))
        threading.Thread(target=pump, args=(near, far), daemon=True).start()
        threading.Thread(target=pump, args=(far, near), daemon=True).start()


main()
