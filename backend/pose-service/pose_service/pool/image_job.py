"""The work of POST /pose: decode one image and find the people in it."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import IO

from pose_service.contract.engine import PoseEngine
from pose_service.contract.mesh import require_mesh, without_vertices
from pose_service.finding.people_finder import FindOptions, FoundPeople, find_people
from pose_service.media.image import decode


@dataclass(frozen=True)
class ImageFindings:
    """What is in the image: its size in pixels, the people, and how long decoding took."""

    width: int
    height: int
    found: FoundPeople
    decode_milliseconds: float


@dataclass(frozen=True)
class ImageJob:
    """Find people in one image of at most `max_pixels`."""

    options: FindOptions
    max_pixels: int
    is_mesh: bool = False

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[ImageFindings, None, None]:
        """Yield one result. Raises UnreadableImageError, TooManyPixelsError, NoMeshError or EngineFailedError."""
        if self.is_mesh:
            require_mesh(engine)
        started = time.perf_counter()
        rgb = decode(media, self.max_pixels)
        decode_milliseconds = (time.perf_counter() - started) * 1000
        height, width = rgb.shape[:2]
        found = find_people(engine, rgb, self.options)
        if not self.is_mesh:
            found = replace(found, people=tuple(without_vertices(person) for person in found.people))
        yield ImageFindings(width, height, found, decode_milliseconds)
