"""How much of a card a lease really used: NVML asked several times a second while it is held."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from layerstack.gpu.gpu_card import Card, read_card
from layerstack.gpu.lease_ledger import Entry, container_file
from layerstack.gpu.nvml_library import Nvml

INTERVAL_SECONDS = 0.2


@dataclass
class PeakMemory:
    """`most_bytes` since the start. `is_of_card`: the driver tells no sizes of processes, so the whole card counts.

    `most_growth_bytes` is by how much the use of the card grew, whoever it was.
    """

    most_bytes: int = 0
    is_of_card: bool = False
    most_growth_bytes: int = 0
    is_blind: bool = False
    _since_mark: int = field(default=0, repr=False)
    _last: int = field(default=0, repr=False)

    @property
    def has_seen_use(self) -> bool:
        """Whether anything happened on the card. Where its driver tells no memory, nobody can deny it."""
        return bool(self.most_bytes or self.most_growth_bytes) or self.is_blind

    def mark(self) -> int:
        """The most since the last mark, in bytes; begins a new one."""
        most, self._since_mark = self._since_mark, self._last
        return most

    def add(self, used_bytes: int) -> None:
        self.most_bytes = max(self.most_bytes, used_bytes)
        self._since_mark = max(self._since_mark, used_bytes)
        self._last = used_bytes

    @classmethod
    @contextmanager
    def measured(cls, nvml: Nvml, card: Card, entry: Entry) -> Iterator["PeakMemory"]:
        """Measure in a thread of its own as long as the block runs."""
        peak, is_over = cls(), threading.Event()
        before = read_card(nvml, card)

        def watch() -> None:
            while True:
                peak._look(read_card(nvml, card), before, entry)
                if is_over.wait(INTERVAL_SECONDS):
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield peak
        finally:
            is_over.set()
            watcher.join()

    def _look(self, now: Card, before: Card, entry: Entry) -> None:
        known = entry if entry.container else _with_container(entry)
        if now.free_bytes is None or before.free_bytes is None:
            growth = 0
            self.is_blind = True
        else:
            growth = max(0, before.free_bytes - now.free_bytes)
        self.is_of_card = self.is_of_card or any(one.used_bytes is None for one in now.processes if known.has(one.pid))
        self.most_growth_bytes = max(self.most_growth_bytes, growth)
        self.add(growth if self.is_of_card else known.used_bytes(now))


def _with_container(entry: Entry) -> Entry:
    try:
        return replace(entry, container=container_file(entry.key).read_text().strip())
    except OSError:
        return entry
