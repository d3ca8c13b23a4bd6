"""The lines that POST /pose/video answers: one a frame, and a summary at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Optional

from pose_service.contract.engine import Person
from pose_service.following.steady_view import SteadyView
from pose_service.following.video import FramePeople
from pose_service.measuring.measures import ASSUMPTIONS, describe, rounded
from pose_service.measuring.person_series import VIDEO_MEASURES, PersonSeries, Smoothed
from pose_service.measuring.smoothing import REACH
from pose_service.measuring.stance import choose_stance, gaze
from pose_service.measuring.summary import PersonSummary
from pose_service.web.answer import describe_person

SUMMARY_ASSUMPTIONS = (
    *ASSUMPTIONS,
    "airtime: the hips fall freely from take-off to landing; jump height: above the take-off",
)


def describe_video(frames: Iterable[FramePeople], requested_stance: str = "auto") -> Iterator[dict[str, Any]]:
    """One dict a frame, five frames behind, because smoothing looks ahead; the last one holds the summary.

    Needs memory for eleven frames and a few numbers a person, however long the video is.
    """
    answer = VideoAnswer(requested_stance)
    for frame in frames:
        yield from answer.take(frame)
    yield from answer.finish()
    yield {"summary": answer.summary()}


class VideoAnswer:
    """The frames around the one that is written, and what is kept of those before."""

    def __init__(self, requested_stance: str) -> None:
        self._requested_stance = requested_stance
        self._window: deque[FramePeople] = deque()
        self._written = 0
        self._series: dict[int, PersonSeries] = {}
        self._summaries: dict[int, PersonSummary] = {}
        self._last: Optional[FramePeople] = None
        self._view = SteadyView()

    def take(self, frame: FramePeople) -> Iterator[dict[str, Any]]:
        """The next frame in; the line of an earlier one out, once there are enough."""
        self._last = frame
        self._window.append(frame)
        if frame.index - self._written >= REACH:
            yield self._write()

    def finish(self) -> Iterator[dict[str, Any]]:
        """The lines of the frames that are still waiting."""
        while self._last is not None and self._written <= self._last.index:
            yield self._write()

    def summary(self) -> dict[str, Any]:
        """What the video shows as a whole."""
        last = self._last
        return {
            "frames": self._written,
            "seconds": round(last.time_seconds, 3) if last else 0.0,
            "damaged_packets": last.damaged if last else 0,
            "people": [self._summaries[number].describe() for number in sorted(self._summaries)],
            "assumptions": list(SUMMARY_ASSUMPTIONS),
        }

    def _write(self) -> dict[str, Any]:
        place = next(place for place, each in enumerate(self._window) if each.index == self._written)
        frame = self._window[place]
        self._view.advance(frame.camera)
        people = [self._describe(tracked.id, tracked.person, place) for tracked in frame.people]
        self._written += 1
        while self._window and self._window[0].index < self._written - REACH:
            gone = self._window.popleft()
            for series in self._series.values():
                series.forget(gone.index)
        return {
            "index": frame.index,
            "time_seconds": round(frame.time_seconds, 4),
            "image": {"width": frame.width, "height": frame.height},
            "milliseconds": round(frame.milliseconds, 1),
            "total": {"frames": frame.total_frames, "seconds": frame.total_seconds},
            "people": people,
        }

    def _describe(self, number: int, person: Person, place: int) -> dict[str, Any]:
        neighbours = [(each.index, each.time_seconds, _person(each, number)) for each in self._window]
        series = self._series_of(number, [each for _, _, each in neighbours if each is not None])
        index, seconds, _ = neighbours[place]
        smoothed = series.smooth(neighbours, place)
        outcomes = series.outcomes(index, person)
        if number not in self._summaries:
            self._summaries[number] = PersonSummary(number, series.stance, VIDEO_MEASURES, seconds)
        summary = self._summaries[number]
        summary.add(seconds, smoothed.values, smoothed.errors)
        summary.fly(seconds, self._view.hip_height(person, seconds), self._view.number, smoothed.yaw)
        summary.explain({name: each.reason for name, each in outcomes.items() if each.value is None})
        measures = {
            name: describe(VIDEO_MEASURES[name], replace(each, error=smoothed.errors[name]))
            for name, each in outcomes.items()
        }
        return {
            "id": number,
            **describe_person(person, series.stance, measures),
            "smoothed": _describe_smoothed(smoothed),
        }

    def _series_of(self, number: int, seen: list[Person]) -> PersonSeries:
        """The stance is chosen once, from the first frames: it may not change from line to line."""
        if number not in self._series:
            self._series[number] = PersonSeries(choose_stance(self._requested_stance, [gaze(each) for each in seen]))
        return self._series[number]


def _person(frame: FramePeople, number: int) -> Person | None:
    return next((tracked.person for tracked in frame.people if tracked.id == number), None)


def _describe_smoothed(smoothed: Smoothed) -> dict[str, Any]:
    return {
        "keypoints": [[round(x, 1), round(y, 1)] for x, y in smoothed.keypoints.tolist()],
        "measures": {name: rounded(VIDEO_MEASURES[name], value) for name, value in smoothed.values.items()},
    }
