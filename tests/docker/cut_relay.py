"""A connection that breaks: forwards from one loopback port to another until so many bytes came back, then is gone.

    python cut_relay.py PORT TARGET BYTES

With 0 bytes it takes every connection and says nothing.
"""

import os
import socket
import sys
import threading


def forward(source: socket.socket, target: socket.socket, limit: int) -> None:
    """`limit` 0 means any number of bytes."""
    passed = 0
    while data := source.recv(65536):
        passed += len(data)
        if limit and passed > limit:
            os._exit(0)  # every connection at once, as when the machine is gone
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def main(port: int, target: int, limit: int) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    silent = []
    while True:
        inner, _ = listener.accept()
        if not limit:
            silent.append(inner)
            continue
        outer = socket.create_connection(("127.0.0.1", target))
        for pair in ((inner, outer, 0), (outer, inner, limit)):
            threading.Thread(target=forward, args=pair, daemon=True).start()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
