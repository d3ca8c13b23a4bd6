"""One build at a time of a missing base: the second builder waits and finds it built.

Two worktrees that need the same base would else both spend its minutes, and each its memory.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from layerstack import private_file
from layerstack.state_folder import shared_folder
from layerstack.wait import wait_until

FOLDER = "build-locks"
# As long as the longest build may take: the lock of a process that has ended is free at once.
MOST_SECONDS = 24 * 3600.0
INTERVAL_SECONDS = 0.2


@contextmanager
def turns(digests: Sequence[str], root: Path, say: Callable[[str], None]) -> Iterator[bool]:
    """Hold the locks of these inputs digests during the block; whether another build had to be waited for.

    `say` hears for whom. Without a place for locks nothing is held.
    """
    has_waited = False
    with ExitStack() as held:
        # One order for all, so that no two builds wait for each other. Two digits keep the files few: none is removed.
        for name in sorted({digest.removeprefix("sha256:")[:2] for digest in digests}):
            path = shared_folder() / FOLDER / f"{name}.lock"
            with suppress(OSError):
                has_waited |= _take_turn(held, path, f"{root} (process {os.getpid()})", say)
        yield has_waited


def _take_turn(held: ExitStack, path: Path, owner: str, say: Callable[[str], None]) -> bool:
    """Take one lock; returns whether it had to wait."""

    def take() -> IO[bytes] | None:
        return private_file.take_lock(path, owner.encode())

    file = take()
    is_free = file is not None
    if not is_free:
        holder = private_file.read_lock(path).decode(errors="replace")
        say(f"waiting for a base that is being built in {holder or 'another process'}")
        file = wait_until(take, MOST_SECONDS, INTERVAL_SECONDS)
    if file:
        held.enter_context(file)
    return not is_free
