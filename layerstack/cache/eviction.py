"""Which records of the build cache the next garbage collection drops, in which order and by which rule."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from layerstack.cache.gc_policy import GcRule, Rules
from layerstack.engine.cache_records import CacheRecord
from layerstack.moment import epoch_seconds

# BuildKit's own records, which only a rule with `all` drops.
HIDDEN_KINDS = ("internal", "frontend")
# Halving the free space so often leaves an error of a millionth.
SEARCH_STEPS = 20


class Eviction:
    """The records under a list of rules; `now` is in seconds since 1970.

    The order is BuildKit's (cache/manager.go): leaves first, by last use and number of uses. BuildKit ranks again after
    each drop; one ranking here means that neighbours may change places.
    """

    def __init__(self, records: Sequence[CacheRecord], rules: Rules, now: float) -> None:
        self._records = records
        self._rules = rules
        self._now = now

    def dropped(self, free_bytes: int | None, new_bytes: int = 0) -> dict[str, int]:
        """Record id → number of the rule that drops it, in order.

        `free_bytes` is the free disk space (None: unknown), `new_bytes` the size of cache yet to be added.
        """
        gone: dict[str, int] = {}
        for number, (rule, order) in enumerate(zip(self._rules, self._orders, strict=True)):
            # Layers of images count only for rules that may drop them.
            counted = (one for one in self._records if rule.takes_all or not one.is_shared)
            total = new_bytes + sum(one.size_bytes for one in counted if one.id not in gone)
            freed = sum(one.size_bytes for one in self._records if one.id in gone and not one.is_shared)
            keep = rule.keep_bytes(total, None if free_bytes is None else free_bytes + freed)
            for one in order:
                if rule.has_limit and keep and total < keep:
                    break
                if one.id not in gone:
                    gone[one.id] = number
                    total -= one.size_bytes
        return gone

    def bytes_until(self, is_hurt: Callable[[Mapping[str, int]], bool], free_bytes: int | None) -> int | None:
        """How much more cache fits before `is_hurt` holds; None when the disk is full first, or unknown."""
        if free_bytes is None:
            return None

        def hurts(new_bytes: int) -> bool:
            return is_hurt(self.dropped(max(0, free_bytes - new_bytes), new_bytes))

        if not hurts(free_bytes):
            return None
        # More new cache never drops less, so halving finds the limit.
        low, high = 0, free_bytes
        for _ in range(SEARCH_STEPS):
            middle = (low + high) // 2
            low, high = (low, middle) if hurts(middle) else (middle, high)
        return high

    def kept_longest(self, ids: frozenset[str]) -> int:
        """Size of the named records and of everything that the last rule drops after the first of them."""
        known = {one.id: one for one in self._records}
        order = [one.id for one in self._orders[-1]] if self._orders else []
        first = next((index for index, name in enumerate(order) if name in ids), len(order))
        kept = {*order[first:], *(ids & known.keys())}
        return sum(known[name].size_bytes for name in kept)

    @cached_property
    def _orders(self) -> list[list[CacheRecord]]:
        taken = ([one for one in self._records if self._takes(rule, one)] for rule in self._rules)
        return [list(leaves_first(self._records, _ranks(records))) for records in taken]

    def _takes(self, rule: GcRule, record: CacheRecord) -> bool:
        if record.is_in_use or (rule.kinds and record.kind not in rule.kinds):
            return False
        # BuildKit spares what is shared and its own records, unless the rule says `all`.
        if not rule.takes_all and (record.is_shared or record.kind in HIDDEN_KINDS):
            return False
        return not rule.unused_seconds or epoch_seconds(record.last_used) < self._now - rule.unused_seconds


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


def _ranks(records: Sequence[CacheRecord]) -> dict[str, float]:
    """Record id → rank from 0 to 2, lowest dropped first: position by last use plus position by number of uses."""
    ages = _places([epoch_seconds(one.last_used) for one in records])
    uses = _places([one.usage_count for one in records])
    return {one.id: ages[epoch_seconds(one.last_used)] + uses[one.usage_count] for one in records}


def _places(values: Sequence[float]) -> dict[float, float]:
    """Value → its position among the distinct values, from 0 to 1."""
    different = sorted(set(values))
    return {value: (place + 1) / len(different) for place, value in enumerate(different)}
