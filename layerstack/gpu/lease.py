"""Memory on a card for a while: GPU tests and services ask for it, and together never get more than there is."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from layerstack.errors import GpuMissing
from layerstack.gpu import lease_ledger
from layerstack.gpu.gpu_card import Card, cards_of, read_card
from layerstack.gpu.lease_ledger import Entry
from layerstack.gpu.lease_room import available_bytes, has_room
from layerstack.gpu.nvml import ask_host
from layerstack.gpu.nvml_library import Nvml, NvmlRefused, opened
from layerstack.gpu.peak_memory import PeakMemory
from layerstack.process_life import life_of, user_name
from layerstack.wait import wait_until
from layerstack.wording import gibibytes

TIMEOUT_SECONDS = 600.0
INTERVAL_SECONDS = 0.5


class GpuBusy(GpuMissing):
    """There are cards, and others hold their memory for longer than one wanted to wait."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for: `size_bytes` None is a whole card, `cards` () any card; `owner` is told to those who wait.

    A service has one lease: a new one takes the place of the one before.
    """

    owner: str
    size_bytes: int | None = None
    cards: tuple[str, ...] = ()
    is_service: bool = False

    @property
    def words(self) -> str:
        return "a whole card" if self.size_bytes is None else gibibytes(self.size_bytes)


@dataclass(frozen=True)
class Lease:
    """Memory on `card`, held until the end of the block or of this process. `peak` is what was really used."""

    card: Card
    entry: Entry
    peak: PeakMemory

    @property
    def container_file(self) -> str:
        """For `docker run --cidfile`: the processes of that container then count as the lease's own."""
        return str(lease_ledger.container_file(self.entry.key))


@contextmanager
def hold(
    wanted: Wanted, timeout_seconds: float = TIMEOUT_SECONDS, say: Callable[[str], None] = lambda text: None
) -> Iterator[Lease]:
    """Wait for the memory, hold it during the block and measure what is used of it.

    Takes the card with the most free memory. `say` hears who is waited for. Raises GpuMissing without a driver or when
    no card is large enough, GpuBusy when the time is up.
    """
    try:
        with opened() as nvml:
            card, entry = take(nvml, wanted, timeout_seconds, say)
            try:
                with PeakMemory.measured(nvml, card, entry) as peak:
                    yield Lease(card, entry, peak)
            finally:
                give_back(card, entry)
    except NvmlRefused as refused:
        raise GpuMissing(f"There is no GPU to lease: {refused}.", refused.remedy) from refused


def take(nvml: Nvml, wanted: Wanted, timeout_seconds: float, say: Callable[[str], None]) -> tuple[Card, Entry]:
    """The card and this process's entry in its ledger. Raises as `hold`."""
    cards = _large_enough(wanted)
    told: list[str] = []

    def attempt() -> tuple[Card, Entry] | None:
        found, holders = _attempt(nvml, wanted, cards)
        if not found and told[-1:] != [holders]:
            told.append(holders)
            say(f"waiting for {wanted.words} of GPU memory: {holders}")
        return found

    found = wait_until(attempt, timeout_seconds, INTERVAL_SECONDS)
    if found:
        return found
    msg = f"No {wanted.words} of GPU memory came free within {timeout_seconds:.0f} s: {told[-1]}."
    raise GpuBusy(msg, "Wait for them or end them (`invoke gpu` lists them), or ask for less.")


def give_back(card: Card, entry: Entry) -> None:
    """End a lease. One that is gone already is no error."""
    with lease_ledger.opened(card) as ledger:
        ledger.write(tuple(one for one in ledger.entries if one.key != entry.key))
    with suppress(OSError):
        lease_ledger.container_file(entry.key).unlink()


def hand_over(card: Card, entry: Entry, container_id: str, pid: int) -> None:
    """From now on the lease ends with a container's first process, not with this one."""
    heir = replace(entry, life=life_of(pid), container=container_id)
    with lease_ledger.opened(card) as ledger:
        ledger.write((*(one for one in ledger.entries if one.key != entry.key), heir))


def read_leases(cards: Sequence[Card]) -> Iterator[tuple[Card, Entry]]:
    """Who holds what at this moment."""
    for card in cards:
        with lease_ledger.opened(card) as ledger:
            found = ledger.entries
        yield from ((card, entry) for entry in found)


def _attempt(nvml: Nvml, wanted: Wanted, cards: Sequence[Card]) -> tuple[tuple[Card, Entry] | None, str]:
    """Card and entry where there is room now, else who is in the way."""
    holders: list[str] = []
    for card in _most_free_first(nvml, cards):
        with lease_ledger.opened(card) as ledger:
            replaced = [one for one in ledger.entries if wanted.is_service and one.owner == wanted.owner]
            others = tuple(one for one in ledger.entries if one not in replaced)
            now = read_card(nvml, card)
            if has_room(wanted.size_bytes, now, others, replaced):
                entry = _new_entry(wanted)
                ledger.write((*others, entry))
                return (card, entry), ""
        holders += _names(now, others)
    return None, "; ".join(holders)


def _large_enough(wanted: Wanted) -> tuple[Card, ...]:
    usable = cards_of(ask_host())
    if not usable:
        raise GpuMissing("No card of this machine can be used.", "`invoke gpu` says why.")
    cards = [card for card in usable if not wanted.cards or {card.uuid, str(card.index)} & {*wanted.cards}]
    if not cards:
        msg = f"{wanted.owner} wants the card {' or '.join(wanted.cards)}, and this machine has none of that name."
        raise GpuMissing(msg, "`invoke gpu` lists the cards.")
    fitting = tuple(card for card in cards if (card.total_bytes or 2**63) >= (wanted.size_bytes or 0))
    if not fitting:
        largest = gibibytes(max(card.total_bytes or 0 for card in cards))
        raise GpuMissing(f"{wanted.owner} wants {wanted.words} of GPU memory; the largest card has {largest}.")
    return fitting


def _most_free_first(nvml: Nvml, cards: Sequence[Card]) -> list[Card]:
    def free(card: Card) -> int:
        with lease_ledger.opened(card) as ledger:
            return available_bytes(read_card(nvml, card), ledger.entries)

    return sorted(cards, key=free, reverse=True) if len(cards) > 1 else list(cards)


def _new_entry(wanted: Wanted) -> Entry:
    key = f"{os.getpid()}-{os.urandom(4).hex()}"
    return Entry(key, wanted.owner, user_name(), life_of(os.getpid()), wanted.size_bytes, time.time())


def _names(card: Card, entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        size = "all" if entry.size_bytes is None else gibibytes(entry.size_bytes)
        since = time.strftime("%H:%M:%S", time.localtime(entry.since))
        yield f"{entry.owner} holds {size} of {card.name} since {since} (process {entry.life.pid} of {entry.user})"
    if not entries:
        used = ", ".join(str(one.pid) for one in card.processes)
        yield f"others use {card.name} without a lease" + (f" (process {used})" if used else "")
