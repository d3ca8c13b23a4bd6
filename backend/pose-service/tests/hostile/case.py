"""One hostile request and the answer that it must get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`build` makes the bytes of the whole HTTP request, only when they are needed: some are large.

    status: the expected status. kind: the problem's type without its prefix; empty for about:blank.
    size: width and height that an estimate must report. is_found: the photo's person must be at its place.
    """

    name: str
    build: Callable[[], bytes]
    status: int
    kind: str = ""
    size: tuple[int, int] | None = None
    is_found: bool = False
