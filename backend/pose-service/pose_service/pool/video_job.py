"""The work of POST /pose/video: follow the people through one video."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Protocol, runtime_checkable

from pose_service.contract.engine import PoseEngine
from pose_service.finding.people_finder import FindOptions
from pose_service.following.video import track_people
from pose_service.media.video_decoding import VideoFrame, decode_frames
from pose_service.media.video_limits import VideoLimits


@runtime_checkable
class ClipEngine(Protocol):
    """An engine that follows people through a clip by itself."""

    def follow(self, frames: Iterable[VideoFrame], options: FindOptions) -> Iterator[Any]:
        """Yield WORKING as often as there is progress, and FramePeople in order."""


@dataclass(frozen=True)
class VideoJob:
    """Follow up to `options.max_people` people through a video within the limits."""

    options: FindOptions
    limits: VideoLimits

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[Any, None, None]:
        """Yield one result a frame. Raises what track_people raises, and what the engine's own tracker does."""
        if isinstance(engine, ClipEngine):
            yield from engine.follow(decode_frames(media, self.limits), self.options)
        else:
            yield from track_people(engine, media, self.options, self.limits)
