"""Ports for the servers of tests."""

import contextlib
import random
import socket

# Below those that the kernel gives to outgoing connections (from 32768 on): a port stays free while its server is down.
FROM, TO = 20_000, 32_000


def free_port() -> int:
    """A free TCP port on 127.0.0.1; by chance, as several workers ask at once."""
    while True:
        port = random.SystemRandom().randrange(FROM, TO)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
