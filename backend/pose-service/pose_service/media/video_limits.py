"""How much video the service takes, and why it refuses one."""

from __future__ import annotations

from dataclasses import dataclass

from pose_service.contract.job import JobError


class UnreadableVideoError(JobError):
    """The file is no video that can be decoded, or has no picture."""

    kind = "unreadable-video"


class VideoTooLongError(JobError):
    """The video has more seconds or frames than the service takes."""

    kind = "video-too-long"


@dataclass(frozen=True)
class VideoLimits:
    """seconds and frames of a video, and pixels of one frame: 5312 x 2988 and 4000 x 3000 are what cameras film."""

    seconds: float = 180.0
    frames: int = 10_800
    pixels: int = 16_000_000
