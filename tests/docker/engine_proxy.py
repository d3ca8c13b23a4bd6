"""A door to the real engine that can be shut in the middle of a conversation; the engine itself is left alone."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ENGINE = "/var/run/docker.sock"


class EngineProxy:
    """Forwards to the engine until a request holds `last_words`; from then on all connections are closed or refused."""

    def __init__(self, listener: socket.socket, last_words: bytes = b"") -> None:
        self.is_shut = False
        self._listener, self._last_words = listener, last_words
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        """Close everything."""
        self.is_shut = True
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while not self.is_shut:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            outer = socket.socket(socket.AF_UNIX)
            outer.connect(ENGINE)
            self._open += [inner, outer]
            threading.Thread(target=self._forward, args=(inner, outer, self._last_words), daemon=True).start()
            threading.Thread(target=self._forward, args=(outer, inner, b""), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, last_words: bytes) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if last_words and last_words in data:
                    self.shut()
                    return
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def unix_proxy(folder: Path, last_words: bytes = b"") -> Iterator[tuple[EngineProxy, str]]:
    """The proxy and its DOCKER_HOST; what was asked last is never answered."""
    path = folder / "engine.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    yield from _running(listener, last_words, f"unix://{path}")


@contextmanager
def tcp_proxy(ip: str) -> Iterator[tuple[EngineProxy, str]]:
    """An engine as if it were on another machine: 127.0.0.2 is not the address of this one's published ports."""
    listener = socket.socket()
    listener.bind((ip, 0))
    yield from _running(listener, b"", f"tcp://{ip}:{listener.getsockname()[1]}")


def _running(listener: socket.socket, last_words: bytes, address: str) -> Iterator[tuple[EngineProxy, str]]:
    listener.listen()
    proxy = EngineProxy(listener, last_words)
    try:
        yield proxy, address
    finally:
        proxy.shut()
