"""The table of ends: which version a number means, and which one comes next."""

from datetime import date

import pytest

from layerstack.lifetimes import LIFETIMES, Runtime, find_runtime

DAY = date(2026, 11, 27)


@pytest.mark.parametrize("kind", LIFETIMES)
def test_every_day_is_a_day_and_every_version_a_number(kind: str) -> None:
    for version in LIFETIMES[kind]:
        assert Runtime(kind, version).last_day > date(2019, 12, 31)
        assert find_runtime(kind, version) == Runtime(kind, version)


@pytest.mark.parametrize(
    ("kind", "version", "known"),
    [
        ("Node.js", "18.20.4", "18"),
        ("Node.js", "v18", "18"),
        ("Python", "3.9.2", "3.9"),
        ("Python", "3.10.1", "3.10"),
        ("Python", "3", None),
        ("Debian", "11.6", "11"),
        ("PostgreSQL", "9.6.3", "9.6"),
        ("MongoDB", "60", None),
        ("Cobol", "1", None),
        ("Node.js", "", None),
    ],
)
def test_a_version_is_that_of_its_line(kind: str, version: str, known: str | None) -> None:
    assert find_runtime(kind, version) == (Runtime(kind, known) if known else None)


def test_the_last_day_still_counts() -> None:
    assert not Runtime("Node.js", "18").has_ended(date(2025, 4, 30))
    assert Runtime("Node.js", "18").has_ended(date(2025, 5, 1))


@pytest.mark.parametrize(
    ("kind", "version", "newer"),
    [("Node.js", "18", "22"), ("Python", "3.9", "3.11"), ("Alpine", "3.15", "3.22"), ("MongoDB", "6.0", None)],
)
def test_the_next_one_is_the_nearest_that_has_not_ended(kind: str, version: str, newer: str | None) -> None:
    assert Runtime(kind, version).next_supported(DAY) == (Runtime(kind, newer) if newer else None)
