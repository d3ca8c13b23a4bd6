"""The work of POST /pose/video: follow the people through one video."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import IO

from pose_service.engine import PoseEngine
from pose_service.people_finder import FindOptions
from pose_service.video import FramePeople, track_people
from pose_service.video_limits import VideoLimits


@dataclass(frozen=True)
class VideoJob:
    """Follow up to `options.max_people` people through a video within the limits."""

    options: FindOptions
    limits: VideoLimits

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[FramePeople, None, None]:
        """Yield one result a frame. Raises what track_people raises."""
        yield from track_people(engine, media, self.options, self.limits)
