"""Forms and requests that are broken, too large, or meant to confuse, sent to the real service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hostile.case import Case
from hostile.check import check_answer, check_left_nothing, check_still_works
from hostile.request_cases import request_cases
from hostile.service import Baseline, Service, running_service

CASES = list(request_cases())


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One service for all cases: each must leave it as good as it was. A busy machine takes 40 MiB in six seconds."""
    with running_service(POSE_UPLOAD_SECONDS="6") as running:
        yield running


@pytest.fixture(scope="module")
def baseline(service: Service) -> Baseline:
    """When all engines have worked."""
    return Baseline.of(service)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_request(service: Service, baseline: Baseline, case: Case) -> None:
    check_answer(case, service.send(case.build()))
    check_still_works(service)


def test_nothing_is_left(service: Service, baseline: Baseline) -> None:
    check_left_nothing(service, baseline)
