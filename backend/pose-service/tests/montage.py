"""The test photo, pasted at known places and scales: the truth about where people are is exact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pose_service.contract.engine import Pixels

PHOTO = Path(__file__).parent / "data" / "astronaut.jpg"
PHOTO_SIDE = 512
NOSE = (223, 128)


@dataclass(frozen=True)
class Pasted:
    """The photo, `side` pixels wide and high, with its left upper corner at x, y."""

    x: float
    y: float
    side: int

    @property
    def nose(self) -> tuple[float, float]:
        ratio = self.side / PHOTO_SIDE
        return self.x + NOSE[0] * ratio, self.y + NOSE[1] * ratio


def picture(size: tuple[int, int], pasted: Iterable[Pasted]) -> Pixels:
    """A grey-white slope with the photo on it, (H, W, 3)."""
    rows = np.linspace(235, 190, size[1])[:, None, None]
    canvas = Image.fromarray(np.broadcast_to(rows, (size[1], size[0], 3)).astype(np.uint8))
    with Image.open(PHOTO) as photo:
        for item in pasted:
            canvas.paste(photo.resize((item.side, item.side), Image.Resampling.LANCZOS), (round(item.x), round(item.y)))
    return np.asarray(canvas)


def cut(rgb: Pixels, item: Pasted, margin: float) -> tuple[Pixels, tuple[int, int]]:
    """The part around one pasted photo, `margin` of its side wider on each side, and its left upper corner."""
    wider = round(item.side * margin)
    x, y = max(0, round(item.x) - wider), max(0, round(item.y) - wider)
    part = rgb[y : round(item.y) + item.side + wider, x : round(item.x) + item.side + wider]
    return np.ascontiguousarray(part), (x, y)
