"""The picture with the skeletons on it."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from pose_service.contract.engine import Person, Pixels
from pose_service.contract.skeleton import LEFT, MIDDLE, RIGHT, bones

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}
# Told apart by people who do not see red and green alike.
COLOURS = {LEFT: (0, 158, 255), RIGHT: (255, 140, 0), MIDDLE: (255, 255, 255)}
OUTLINE = (20, 20, 20)
VISIBLE = 0.5
JPEG_QUALITY = 90


def draw_people(rgb: Pixels, people: Sequence[Person]) -> Image.Image:
    """A copy of the (H, W, 3) image with a line for every bone whose ends have a confidence of at least 0.5.

    Left is blue, right is orange.
    """
    image = Image.fromarray(rgb)
    canvas = ImageDraw.Draw(image)
    for person in people:
        _draw_person(canvas, person)
    return image


def encode(image: Image.Image, media_type: str) -> bytes:
    """PNG or JPEG, by `media_type` of FORMATS."""
    stream = io.BytesIO()
    # A large photo as PNG takes seconds at the usual level, and is hardly smaller.
    image.save(stream, FORMATS[media_type], quality=JPEG_QUALITY, compress_level=1)
    return stream.getvalue()


def _draw_person(canvas: ImageDraw.ImageDraw, person: Person) -> None:
    tall = float(person.box[3] - person.box[1])
    width = max(2, round(tall / 100))
    points = [tuple(point) for point in person.keypoints.tolist()]
    is_seen = (person.confidence >= VISIBLE).tolist()
    lines = [line for line in bones(person.names) if is_seen[line[0]] and is_seen[line[1]]]
    for start, end, _ in lines:
        canvas.line([points[start], points[end]], fill=OUTLINE, width=width + 2)
    for start, end, side in lines:
        canvas.line([points[start], points[end]], fill=COLOURS[side], width=width)
    for index in {index for line in lines for index in line[:2]}:
        x, y = points[index]
        canvas.ellipse((x - width, y - width, x + width, y + width), fill=COLOURS[MIDDLE], outline=OUTLINE)
