"""Files that are damaged, huge, or something else than they say, sent to the real service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hostile.case import Case
from hostile.check import check_answer, check_left_nothing, check_still_works
from hostile.header_cases import header_cases
from hostile.image_cases import image_cases
from hostile.service import Baseline, Service, running_service

CASES = [*image_cases(), *header_cases()]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One service for all cases: each must leave it as good as it was."""
    with running_service() as running:
        yield running


@pytest.fixture(scope="module")
def baseline(service: Service) -> Baseline:
    """After the largest images that are allowed, because they set what an allocator keeps."""
    return Baseline.of(service)


def test_there_are_enough_cases() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_image(service: Service, baseline: Baseline, case: Case) -> None:
    check_answer(case, service.send(case.build()))
    check_still_works(service)


def test_nothing_is_left(service: Service, baseline: Baseline) -> None:
    check_left_nothing(service, baseline)
