"""BuildKit's records that a measurement made, and only those."""

from collections.abc import Iterable

from layerstack.cache.builder import read_builder
from layerstack.cache.room import remove_records
from layerstack.engine.cache_records import CacheRecord, read_cache


def remove_below(mark: str) -> None:
    """Remove the records whose step's text holds `mark`, and everything that was built on them."""
    if found := marked(read_cache().records, mark):
        remove_records(sorted(found), read_builder())


def marked(records: Iterable[CacheRecord], mark: str) -> set[str]:
    """Ids of the records with the mark and of their descendants."""
    every = tuple(records)
    found = {one.id for one in every if mark in one.description}
    while more := {one.id for one in every if found & {*one.parents}} - found:
        found |= more
    return found
