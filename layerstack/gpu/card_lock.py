"""One lock per card, held by a living process, with a text that names its owner.

Locks are per user; programs of other users are seen in the free memory that NVML reports.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from layerstack import private_file
from layerstack.gpu.nvml import Card
from layerstack.process_life import ancestors, user_name
from layerstack.report import Say
from layerstack.state_folder import shared_folder

FOLDER = "gpu-locks"


@dataclass(frozen=True)
class Holder:
    """The holder of a card. `size_bytes` is None for the whole card; `since` is in seconds since 1970."""

    owner: str
    user: str
    pid: int
    size_bytes: int | None
    since: float

    def has(self, pid: int) -> bool:
        """Whether a process is the holder or a descendant of it."""
        return self.pid in ancestors(pid)

    def used_bytes(self, card: Card) -> int:
        """Memory that its processes use on the card now, as far as the driver reports it."""
        return sum(one.used_bytes or 0 for one in card.processes if self.has(one.pid))


@contextmanager
def locked(card: Card, owner: str, size_bytes: int | None, say: Say) -> Iterator[Holder | None]:
    """The lock of a card during the block; None while another process holds it."""
    holder = Holder(owner, user_name(), os.getpid(), size_bytes, time.time())
    try:
        file = private_file.take_lock(_path(card), json.dumps(asdict(holder)).encode())
    except OSError as error:
        # The check of free memory remains; only two leases of this user could collide.
        say(f"no lock of {card.name} can be kept: {error.strerror or error}")
        yield holder
        return
    if file is None:
        yield None
        return
    with file:
        yield holder


def holder_of(card: Card) -> Holder | None:
    """The current holder of a card; None for none, or when its text is unreadable."""
    try:
        text = private_file.read_lock(_path(card))
        return Holder(**json.loads(text)) if text else None
    except (OSError, ValueError, TypeError):
        return None


def _path(card: Card) -> Path:
    # The UUID of a MIG instance may contain slashes.
    return shared_folder() / FOLDER / f"{re.sub(r'[^A-Za-z0-9-]+', '_', card.uuid)}.lock"
