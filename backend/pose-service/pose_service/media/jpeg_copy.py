"""A picture as JPEG, for whoever cannot show the format that it came in."""

from __future__ import annotations

import io

from PIL import Image

from pose_service.contract.engine import Pixels

LONGEST_PIXELS = 2560
# Of noise, which compresses worst, 2560 x 2560 pixels are 5 MB.
QUALITY = 88


def jpeg_copy(rgb: Pixels) -> bytes:
    """(H, W, 3) as JPEG, its longest side at most 2560 pixels."""
    image = Image.fromarray(rgb)
    image.thumbnail((LONGEST_PIXELS, LONGEST_PIXELS))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
