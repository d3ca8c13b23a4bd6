"""The people in every frame of a video."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Optional

from pose_service.contract.engine import Person, PoseEngine
from pose_service.contract.mesh import without_vertices
from pose_service.finding.people_finder import FindOptions
from pose_service.following.background import CameraMotion
from pose_service.following.track import TrackedPerson
from pose_service.following.tracker import Tracker
from pose_service.media.video_decoding import VideoFrame, decode_frames
from pose_service.media.video_limits import VideoLimits


@dataclass(frozen=True)
class FramePeople:
    """One frame: when it is shown, its size in pixels as shown, who is in it, and what it cost.

    total_frames and total_seconds: what the container says of the whole video. damaged: packets lost so far.
    camera: its motion since the frame before, in pixels of the full frame; None where it could not be measured.
    """

    index: int
    time_seconds: float
    width: int
    height: int
    people: tuple[TrackedPerson, ...]
    milliseconds: float
    total_frames: Optional[int] = None
    total_seconds: Optional[float] = None
    damaged: int = 0
    camera: Optional[CameraMotion] = None


def track_people(
    engine: PoseEngine, media: IO[bytes], options: FindOptions, limits: VideoLimits
) -> Iterator[FramePeople]:
    """Yield every frame as it is done; only one is in memory at a time.

    Raises UnreadableVideoError, VideoTooLongError, TooManyPixelsError or EngineFailedError.
    """
    tracker = Tracker(engine, options)
    started = time.perf_counter()
    for frame in decode_frames(media, limits):
        people = tracker.estimate(frame.rgb, frame.time_seconds)
        milliseconds = (time.perf_counter() - started) * 1000
        yield in_full_size(frame, people, milliseconds, tracker.camera)
        started = time.perf_counter()


def in_full_size(
    frame: VideoFrame,
    people: tuple[TrackedPerson, ...],
    milliseconds: float,
    camera: Optional[CameraMotion] = None,
) -> FramePeople:
    """People found in the pixels of `frame.rgb`, in pixels of the frame as it is shown."""
    ratio = (frame.width / frame.rgb.shape[1], frame.height / frame.rgb.shape[0])
    return FramePeople(
        index=frame.index,
        time_seconds=frame.time_seconds,
        width=frame.width,
        height=frame.height,
        people=tuple(replace(each, person=_enlarge(each.person, ratio)) for each in people),
        milliseconds=milliseconds,
        total_frames=frame.total_frames,
        total_seconds=frame.total_seconds,
        damaged=frame.damaged,
        camera=None if camera is None else camera.scaled(*ratio),
    )


def _enlarge(person: Person, ratio: tuple[float, float]) -> Person:
    if ratio == (1.0, 1.0):
        return without_vertices(person)
    return replace(without_vertices(person), box=person.box * (*ratio, *ratio), keypoints=person.keypoints * ratio)
