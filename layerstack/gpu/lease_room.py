"""How much of a card's memory can still be given away."""

from collections.abc import Sequence
from dataclasses import replace

from layerstack.gpu.gpu_card import Card
from layerstack.gpu.lease_ledger import Entry

UNKNOWN_SIZE = 2**63


def available_bytes(card: Card, entries: Sequence[Entry]) -> int:
    """What a new lease can get: nothing twice promised, and nothing that somebody without a lease uses."""
    if any(entry.size_bytes is None for entry in entries):
        return 0
    promised = sum(entry.size_bytes or 0 for entry in entries)
    if card.total_bytes is None:
        # A driver that tells no sizes: one at a time.
        return 0 if entries else UNKNOWN_SIZE
    if card.free_bytes is None:
        return card.total_bytes - promised
    still_to_come = sum(max(0, (entry.size_bytes or 0) - entry.used_bytes(card)) for entry in entries)
    return min(card.total_bytes - promised, card.free_bytes - still_to_come)


def has_room(size_bytes: int | None, card: Card, others: Sequence[Entry], replaced: Sequence[Entry] = ()) -> bool:
    """Whether a lease of that size, None for the whole card, fits beside the others once `replaced` have ended."""
    if size_bytes is None:
        return not others
    if card.free_bytes is not None:
        # What an earlier lease of the same service uses comes free with it.
        freed = card.free_bytes + sum(entry.used_bytes(card) for entry in replaced)
        card = replace(card, free_bytes=freed)
    return available_bytes(card, others) >= size_bytes
