"""Leases of a card: GPU tests and starting services take turns and check that enough memory is free."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from layerstack.errors import GpuMissing
from layerstack.gpu.card_lock import Holder, holder_of, locked
from layerstack.gpu.nvml import Card, ask_host, cards_of, read_card
from layerstack.gpu.nvml_library import Nvml, NvmlRefused, opened
from layerstack.gpu.peak_memory import PeakMemory
from layerstack.moment import local_time
from layerstack.report import Say
from layerstack.temporary_folder import temporary_folder
from layerstack.wait import wait_until
from layerstack.wording import gibibytes

TIMEOUT_SECONDS = 600.0
INTERVAL_SECONDS = 0.5


class GpuBusy(GpuMissing):
    """The cards or their memory stayed in use for longer than the timeout."""


@dataclass(frozen=True)
class Wanted:
    """A request: `size_bytes` None is a whole card, `cards` () any card; `owner` is shown to others."""

    owner: str
    size_bytes: int | None = None
    cards: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return "a whole card" if self.size_bytes is None else gibibytes(self.size_bytes)


@dataclass(frozen=True)
class Lease:
    """A card held until the end of the block or of this process. `peak` is the memory used on it."""

    card: Card
    peak: PeakMemory
    # For `docker run --cidfile`: the processes of that container then count as the lease's own.
    container_file: str


@contextmanager
def hold(wanted: Wanted, timeout_seconds: float = TIMEOUT_SECONDS, say: Say = lambda text: None) -> Iterator[Lease]:
    """Wait for a card, hold it during the block and measure its use. Raises as `taken`."""
    with taken(wanted, timeout_seconds, say) as (nvml, card, holder), temporary_folder("lease") as folder:
        container_file = folder / "container"
        with PeakMemory.measured(nvml, card, holder, container_file) as peak:
            yield Lease(card, peak, str(container_file))


@contextmanager
def taken(wanted: Wanted, timeout_seconds: float, say: Say) -> Iterator[tuple[Nvml, Card, Holder]]:
    """An exclusive card during the block: of the free ones that with the most free memory.

    `say` reports what is being waited for. Raises GpuMissing without a driver or a large enough card, GpuBusy after the
    timeout.
    """
    with ExitStack() as stack:
        try:
            nvml = stack.enter_context(opened())
            cards = _large_enough(wanted)
        except NvmlRefused as refused:
            raise GpuMissing(f"There is no GPU to lease: {refused}.", refused.remedy) from refused
        said: list[str] = []

        def attempt() -> tuple[Card, Holder] | None:
            result = _attempt(stack, nvml, wanted, cards, say)
            if isinstance(result, str):
                # Attempts are made twice a second: only a new reason is worth a line.
                if said[-1:] != [result]:
                    said.append(result)
                    say(f"waiting for {wanted.words} of GPU memory: {result}")
                return None
            return result

        found = wait_until(attempt, timeout_seconds, INTERVAL_SECONDS)
        if not found:
            msg = f"No {wanted.words} of GPU memory came free within {timeout_seconds:.0f} s: {said[-1]}."
            raise GpuBusy(msg, "Wait for them or end them (`invoke gpu` lists them), or ask for less.")
        yield nvml, *found


def read_leases(cards: Sequence[Card]) -> Iterator[tuple[Card, Holder]]:
    """The current holder of each card."""
    for card in cards:
        if holder := holder_of(card):
            yield card, holder


def _attempt(
    stack: ExitStack, nvml: Nvml, wanted: Wanted, cards: Sequence[Card], say: Say
) -> tuple[Card, Holder] | str:
    """A card whose lock `stack` now holds, or a sentence on what is in the way."""
    in_the_way = []
    present = (read_card(nvml, card) for card in cards)
    for card in sorted(present, key=lambda card: card.free_bytes or 0, reverse=True):
        with ExitStack() as lock:
            holder = lock.enter_context(locked(card, wanted.owner, wanted.size_bytes, say))
            # Read again under the lock: a lease that ended meanwhile may have left memory that is not free yet.
            if holder and _has_room(read_card(nvml, card), wanted):
                # The lock is held until the lease ends, not only during this attempt.
                stack.push(lock.pop_all())
                return card, holder
        in_the_way.append(_words(card, None if holder else holder_of(card)))
    return "; ".join(in_the_way)


def _has_room(card: Card, wanted: Wanted) -> bool:
    # For a whole card, or when the driver reports no memory, the lock alone decides.
    return wanted.size_bytes is None or card.free_bytes is None or card.free_bytes >= wanted.size_bytes


def _large_enough(wanted: Wanted) -> tuple[Card, ...]:
    usable = cards_of(ask_host())
    if not usable:
        raise GpuMissing("No card of this machine can be used.", "`invoke gpu` says why.")
    cards = [card for card in usable if not wanted.cards or {card.uuid, str(card.index)} & {*wanted.cards}]
    if not cards:
        msg = f"{wanted.owner} asks for the card {' or '.join(wanted.cards)}, and this machine has none of that name."
        raise GpuMissing(msg, "`invoke gpu` lists the cards.")
    # A size that the driver does not tell counts as enough.
    fitting = tuple(card for card in cards if (card.total_bytes or 2**63) >= (wanted.size_bytes or 0))
    if not fitting:
        largest = gibibytes(max(card.total_bytes or 0 for card in cards))
        raise GpuMissing(f"{wanted.owner} asks for {wanted.words} of GPU memory; the largest card has {largest}.")
    return fitting


def _words(card: Card, holder: Holder | None) -> str:
    if holder:
        since = local_time(holder.since)
        return f"{holder.owner} holds {card.name} since {since} (process {holder.pid} of {holder.user})"
    used = ", ".join(str(one.pid) for one in card.processes)
    return f"others use {card.name} without a lease" + (f" (process {used})" if used else "")
