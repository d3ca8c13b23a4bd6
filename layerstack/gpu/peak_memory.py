"""Peak memory of a lease: NVML is polled several times a second while it is held."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from layerstack.gpu.card_lock import Holder
from layerstack.gpu.nvml import Card, read_card
from layerstack.gpu.nvml_library import Nvml
from layerstack.interrupt import start_thread
from layerstack.process_life import is_in_container

INTERVAL_SECONDS = 0.2


@dataclass
class PeakMemory:
    """`most_bytes` since the start. `is_of_card`: the driver reports no memory per process, the card is measured.

    `most_growth_bytes` is the growth of the card's use, by any process.
    """

    most_bytes: int = 0
    is_of_card: bool = False
    most_growth_bytes: int = 0
    is_blind: bool = False
    _since_mark: int = field(default=0, repr=False)
    _last: int = field(default=0, repr=False)

    @property
    def has_seen_use(self) -> bool:
        """Whether there was activity on the card; assumed where the driver reports no memory."""
        return bool(self.most_bytes or self.most_growth_bytes) or self.is_blind

    def mark(self) -> int:
        """The peak since the last mark, in bytes; starts a new one."""
        # Memory that is still in use at the mark belongs to the next peak, too.
        most, self._since_mark = self._since_mark, self._last
        return most

    def add(self, used_bytes: int) -> None:
        self.most_bytes = max(self.most_bytes, used_bytes)
        self._since_mark = max(self._since_mark, used_bytes)
        self._last = used_bytes

    @classmethod
    @contextmanager
    def measured(cls, nvml: Nvml, card: Card, holder: Holder, container_file: Path) -> Iterator["PeakMemory"]:
        """Measure in a background thread while the block runs; `container_file` may receive the id of a container."""
        peak, is_over = cls(), threading.Event()
        before = read_card(nvml, card)

        def watch() -> None:
            while True:
                peak._look(read_card(nvml, card), before, holder, _read(container_file))
                if is_over.wait(INTERVAL_SECONDS):
                    return

        watcher = start_thread(watch)
        try:
            yield peak
        finally:
            is_over.set()
            watcher.join()

    def _look(self, now: Card, before: Card, holder: Holder, container_id: str) -> None:
        own = [one for one in now.processes if holder.has(one.pid) or is_in_container(one.pid, container_id)]
        # Under WSL the driver may report no memory: then nothing proves that the card was idle.
        if now.free_bytes is None or before.free_bytes is None:
            growth = 0
            self.is_blind = True
        else:
            growth = max(0, before.free_bytes - now.free_bytes)
        # Where the driver gives no figure for a process, the growth of the whole card stands for it.
        self.is_of_card = self.is_of_card or any(one.used_bytes is None for one in own)
        self.most_growth_bytes = max(self.most_growth_bytes, growth)
        self.add(growth if self.is_of_card else sum(one.used_bytes or 0 for one in own))


def _read(container_file: Path) -> str:
    try:
        return container_file.read_text().strip()
    except OSError:
        return ""
