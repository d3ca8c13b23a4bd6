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
    """seconds and frames of a video, and pixels of one frame."""

    seconds: float = 60.0
    frames: int = 3600
    pixels: int = 8_847_360
