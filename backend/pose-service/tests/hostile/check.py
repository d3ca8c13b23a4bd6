"""What every answer must be, good or bad."""

from __future__ import annotations

import time

from hostile.case import Case
from hostile.forms import upload
from hostile.service import PHOTO, Answer, Baseline, Service

PREFIX = "urn:pose-service:problem:"
NOSE = (223, 128)
NEAR_PIXELS = 15
# Allocators and caches keep a little; a leak of one image or one video is far more.
GROWTH_SHARE, GROWTH_BYTES = 0.15, 32 * 2**20
# The largest image that is allowed, decoded and turned, beside what the engine makes of it.
PEAK_BYTES = 768 * 2**20
SETTLE_SECONDS = 15.0
# Beside a flood, on a busy machine.
BUSY_SECONDS = 30.0


def check_answer(case: Case, answer: Answer) -> None:
    """Status, problem document or estimate, as the case says."""
    assert answer.status == case.status, f"{case.name}: {answer.status} {answer.body[:300]!r}"
    if case.status == 200:
        _check_estimate(case, answer)
    else:
        check_problem(answer, case.status, case.kind)


def check_problem(answer: Answer, status: int, kind: str) -> None:
    """A problem document with its four fields."""
    assert answer.content_type == "application/problem+json", answer.body[:300]
    body = answer.json()
    assert body["type"] == (PREFIX + kind if kind else "about:blank"), body
    assert body["status"] == status == answer.status
    assert body["title"]
    assert body["detail"]


def check_still_works(service: Service) -> None:
    """A good photo is estimated as always, by whichever engine takes it; one that is told to come again does."""
    photo = PHOTO.read_bytes()
    case = Case("the photo itself", lambda: upload(photo), 200, size=(512, 512), is_found=True)
    deadline = time.monotonic() + BUSY_SECONDS
    while (answer := service.send(case.build())).status == 503 and time.monotonic() < deadline:
        check_problem(answer, 503, "busy")
        time.sleep(0.5)
    check_answer(case, answer)


def check_left_nothing(service: Service, before: Baseline) -> None:
    """No temporary file, the same processes (none crashed), and the memory of before."""
    limit_bytes = before.memory_bytes * (1 + GROWTH_SHARE) + GROWTH_BYTES
    service.wait_until(
        lambda: service.memory_bytes() <= limit_bytes and not _new_files(service, before), SETTLE_SECONDS
    )
    assert _new_files(service, before) == []
    assert tuple(sorted(service.processes())) == before.processes, "a process crashed or was started"
    after = service.memory_bytes()
    text = f"{len(before.processes)} processes: {before.memory_bytes >> 20} MiB before, {after >> 20} MiB after"
    assert after <= limit_bytes, text
    peak = service.peak_bytes()
    assert peak <= before.peak_bytes + PEAK_BYTES, (
        f"{peak >> 20} MiB at once, {before.peak_bytes >> 20} MiB with photos"
    )


def _new_files(service: Service, before: Baseline) -> list[str]:
    return [name for name in service.temporary_files() if name not in before.files]


def _check_estimate(case: Case, answer: Answer) -> None:
    body = answer.json()
    if case.size is not None:
        assert body["image"] == {"width": case.size[0], "height": case.size[1]}, case.name
    if case.is_found:
        noses = [person["keypoints"][0] for person in body["people"]]
        near = [nose for nose in noses if _is_near(nose["x"], NOSE[0]) and _is_near(nose["y"], NOSE[1])]
        assert len(near) == 1, f"{case.name}: noses at {noses}"


def _is_near(value: float, wanted: float) -> bool:
    return abs(value - wanted) < NEAR_PIXELS
