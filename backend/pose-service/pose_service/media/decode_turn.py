"""Large images are decoded one after the other, whichever process does it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.launch import FOLDER_VARIABLE

# 50 megapixels with transparency take 1 GB for a moment: sixteen engines at once would not fit into the container.
LARGE_PIXELS = 16_000_000
LOCK_NAME = "large-image.lock"


@contextmanager
def decode_turn(pixels: int) -> Iterator[None]:
    """Wait for the turn of a large image; small ones need none. A process that dies gives its turn up."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if pixels < LARGE_PIXELS or not folder:
        yield
        return
    with (Path(folder) / LOCK_NAME).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
