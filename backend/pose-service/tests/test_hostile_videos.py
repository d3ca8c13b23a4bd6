"""Videos that are damaged, strange or too much, sent to the real service."""

from __future__ import annotations

import itertools
import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hostile import clips
from hostile.check import PREFIX, check_left_nothing, check_problem, check_still_works
from hostile.clips import Clip, evenly
from hostile.forms import chunks, file_part, post
from hostile.service import Answer, Baseline, Service, read_answer, running_service, send_all
from hostile.video_cases import MAX_FRAMES, MAX_MEGABYTES, MAX_SECONDS, PATH, VideoCase, upload, video_cases

CASES = list(video_cases())
NEAR_SECONDS = 0.002


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One service for all cases, with small limits."""
    settings = {
        "POSE_VIDEO_MAX_SECONDS": f"{MAX_SECONDS}",
        "POSE_VIDEO_MAX_FRAMES": f"{MAX_FRAMES}",
        "POSE_VIDEO_MAX_UPLOAD_MB": f"{MAX_MEGABYTES}",
    }
    with running_service(**settings) as running:
        yield running


@pytest.fixture(scope="module")
def baseline(service: Service) -> Baseline:
    """When all engines have worked, on photos and on videos of the largest kind."""
    large = upload(clips.encoded(Clip(times=(0.0, 0.1), size=(3840, 2160))))
    for _ in range(3):
        send_all(service, [large] * 4)
    return Baseline.of(service)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_video(service: Service, baseline: Baseline, case: VideoCase) -> None:
    check_video(case, service.send(case.build()))
    check_still_works(service)


@pytest.mark.parametrize("abruptly", [False, True], ids=["closed", "reset"])
def test_a_client_that_leaves_in_the_middle_of_the_answer(service: Service, baseline: Baseline, abruptly: bool) -> None:
    request = upload(clips.encoded(Clip(times=evenly(MAX_FRAMES - 1, 30))))
    for _ in range(6):
        with service.connect() as client:
            client.sendall(request)
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            if abruptly:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    check_still_works(service)


def test_an_endless_video_is_cut_off(service: Service, baseline: Baseline) -> None:
    piece = b"".join(chunks([bytes(1_000_000)]))
    start = b"".join(chunks([file_part(b"", b"ride.mp4", b"video")[:-2]]))
    with service.connect() as client:
        client.sendall(post(start, b"Transfer-Encoding: chunked", path=PATH))
        for _ in itertools.repeat(None, 10 * MAX_MEGABYTES):
            try:
                client.sendall(piece)
            except ConnectionError:
                break
        client.shutdown(socket.SHUT_WR)
        check_problem(read_answer(client), 413, "too-large")
    check_still_works(service)


def test_nothing_is_left(service: Service, baseline: Baseline) -> None:
    check_left_nothing(service, baseline)


def check_video(case: VideoCase, answer: Answer) -> None:
    """A problem document, or lines as the case says."""
    assert answer.status == case.status, f"{case.name}: {answer.status} {answer.body[:300]!r}"
    if case.status != 200:
        check_problem(answer, case.status, case.kind)
        return
    *frames, last = [json.loads(line) for line in answer.body.splitlines()]
    if case.kind:
        assert last["problem"]["type"] == PREFIX + case.kind
    else:
        assert "summary" in last, f"{case.name}: {str(last)[:300]}"
    check_frames(case, frames)


def check_frames(case: VideoCase, frames: list[dict[str, Any]]) -> None:
    """In order, with the times and the size of the clip."""
    assert frames
    assert [frame["index"] for frame in frames] == list(range(len(frames)))
    times = [frame["time_seconds"] for frame in frames]
    assert times == sorted(times)
    assert {(frame["image"]["width"], frame["image"]["height"]) for frame in frames} == {case.size}
    if case.times is not None:
        assert times == pytest.approx(case.times, abs=NEAR_SECONDS)
