"""What BuildKit's next clean-up removes of the build cache: the oldest records first, down to the builder's limits.

BuildKit applies several rules in turn, and weighs age against the number of uses (cache/manager.go). Only its last rule
takes layers of images, so that it alone decides whether those of a base survive; age is near enough to act upon.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from layerstack.cache.gc_policy import GcRule
from layerstack.engine.cache_records import CacheRecord
from layerstack.moment import epoch_seconds

# Halving the free space so often leaves an error of a millionth.
SEARCH_STEPS = 20


class Eviction:
    """The records of a builder under the rule that takes layers, too; None where garbage collection is off."""

    def __init__(self, records: Sequence[CacheRecord], rule: GcRule | None) -> None:
        self._records = records
        self._rule = rule

    def dropped(self, free_bytes: int | None, new_bytes: int = 0) -> frozenset[str]:
        """Ids of the records that go.

        `free_bytes` is the free disk space (None: unknown), `new_bytes` the size of cache yet to be added.
        """
        total = new_bytes + sum(one.size_bytes for one in self._records)
        keep = self._rule.keep_bytes(total, free_bytes) if self._rule else total
        gone = set()
        for record in self._oldest_first:
            if total < keep or not self._rule:
                break
            gone.add(record.id)
            total -= record.size_bytes
        return frozenset(gone)

    def bytes_until(self, ids: frozenset[str], free_bytes: int | None) -> int | None:
        """How much more cache fits before one of these records goes; None when the disk is full first, or unknown."""
        if free_bytes is None or not ids & self.dropped(0, free_bytes):
            return None
        # More new cache never drops less, so halving finds the limit.
        low, high = 0, free_bytes
        for _ in range(SEARCH_STEPS):
            middle = (low + high) // 2
            is_hurt = bool(ids & self.dropped(free_bytes - middle, middle))
            low, high = (low, middle) if is_hurt else (middle, high)
        return high

    def kept_longest(self, ids: frozenset[str]) -> int:
        """Size of these records and of everything that goes after the first of them."""
        order = self._oldest_first
        first = next((index for index, record in enumerate(order) if record.id in ids), len(order))
        kept = {record.id for record in order[first:]} | ids
        return sum(record.size_bytes for record in self._records if record.id in kept)

    @cached_property
    def _oldest_first(self) -> list[CacheRecord]:
        # BuildKit never drops a record that is in use.
        free = {record.id: epoch_seconds(record.last_used) for record in self._records if not record.is_in_use}
        return list(leaves_first(self._records, free))


def leaves_first(records: Sequence[CacheRecord], ranks: Mapping[str, float]) -> Iterator[CacheRecord]:
    """The ranked records, lowest first, each after all that are built on it."""
    known = {one.id: one for one in records}
    children = Counter(parent for one in records for parent in one.parents)
    ready = [(ranks[one.id], one.id) for one in records if one.id in ranks and not children[one.id]]
    heapq.heapify(ready)
    while ready:
        one = known[heapq.heappop(ready)[1]]
        yield one
        for parent in one.parents:
            children[parent] -= 1
            if not children[parent] and parent in ranks:
                heapq.heappush(ready, (ranks[parent], parent))
