"""Random images and random changes: no change that BuildKit notices is missed where we say that we understand."""

import os
from pathlib import Path

import pytest

from benchmarks.random_dockerfiles import SEED, Count, judge

pytestmark = pytest.mark.docker

PAIRS = 150


def test_no_change_is_misread(tmp_path: Path) -> None:
    seed = int(os.environ.get("LAYERSTACK_TEST_SEED", SEED))
    count = Count()
    judge(PAIRS, seed, tmp_path, count)
    wrong = [line for line in count.details if line.startswith(("misread", "unreadable", "wrong impact"))]
    assert wrong == [], f"seed {seed}"
    # The pairs must be worth something: many changes that BuildKit notices, and many that it does not.
    assert PAIRS / 4 < count.counts["changed"] < PAIRS
    assert count.counts["not understood"] < PAIRS / 4
    assert count.counts["impacts"] > PAIRS / 15
