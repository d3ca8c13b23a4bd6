"""A session of Nox that writes down what it was asked."""

from typing import Any


class Skipped(Exception):
    """What nox raises to skip a session."""


class Failed(Exception):
    """What nox raises to fail a session."""


class Session:
    """A session that writes down what it was asked."""

    name = "gpu_tests"

    def __init__(self, *posargs: str) -> None:
        self.posargs = list(posargs)
        self.said: list[str] = []
        self.ran: list[tuple[Any, ...]] = []
        self.warn = self.log = self.said.append

    def run(self, *words: Any, **_options: Any) -> None:
        self.ran.append(words)

    def skip(self, reason: str) -> None:
        raise Skipped(reason)

    def error(self, reason: str) -> None:
        raise Failed(reason)
