"""The work of POST /picture: one image as JPEG."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import IO

from pose_service.contract.engine import PoseEngine
from pose_service.media.image import decode
from pose_service.media.jpeg_copy import jpeg_copy


@dataclass(frozen=True)
class PictureJob:
    """Make a JPEG of an image of at most `max_pixels`. The engine finds nobody; its process bounds time and memory."""

    max_pixels: int

    def run(self, _engine: PoseEngine, media: IO[bytes]) -> Generator[bytes, None, None]:
        """Yield the JPEG. Raises UnreadableImageError or TooManyPixelsError."""
        yield jpeg_copy(decode(media, self.max_pixels))
