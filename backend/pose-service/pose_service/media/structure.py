"""What a file asks of its decoder, seen before one opens it: a few kilobytes can ask for minutes or gigabytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import IO

from pose_service.media.pieces import BMP_HEAD, GIF_HEAD, PNG_HEAD, check_bmp, check_gif, check_png

# Each scan of 36 megapixels takes 0.07 s at least; encoders write 10 to 20.
MOST_SCANS = 100
# One holds up to 65 kB: 32 MB of preview and depth are 500.
MOST_SEGMENTS = 10_000
MOST_FILL_BYTES = 65_536
SCAN, END = 0xDA, 0xD9
# Behind 0xFF: zero is an escaped 0xFF, 0xD0 to 0xD7 are counters within a scan.
MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")

# Pillow makes an object of each strip and each tile.
MOST_TIFF_VALUES = 200_000
TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
TILE_SIZE = (322, 323)
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
# Texts, profiles and whatever else is one value in many bytes.
ONE_BYTE_TYPES = (1, 2, 6, 7)


def check_structure(stream: IO[bytes], max_pixels: int) -> None:
    """Raise ValueError for what no camera and no program writes. Leaves `stream` at its start."""
    stream.seek(0)
    head = stream.read(4)
    try:
        if head.startswith(b"\xff\xd8\xff"):
            _check_jpeg(head + stream.read())
        elif head in TIFF_HEADS:
            _check_tiff(head + stream.read(), max_pixels)
        elif head in (PNG_HEAD, GIF_HEAD):
            (check_png if head == PNG_HEAD else check_gif)(head + stream.read())
        elif head.startswith(BMP_HEAD):
            check_bmp(head + stream.read())
    finally:
        stream.seek(0)


def _check_jpeg(content: bytes) -> None:
    position = 2
    scans = segments = 0
    while (found := MARKER.search(content, position)) and found[1][0] != END:
        if scans == 0 and found.start() - position > MOST_FILL_BYTES:
            raise ValueError("there is nothing between two of its segments for too long")
        segments += 1
        scans += found[1][0] == SCAN
        if scans > MOST_SCANS or segments > MOST_SEGMENTS:
            raise ValueError(f"it has more than {MOST_SCANS} scans or {MOST_SEGMENTS} segments")
        position = found.end() + int.from_bytes(content[found.end() : found.end() + 2], "big")


def _check_tiff(content: bytes, max_pixels: int) -> None:
    tile_pixels, value_bytes = 1, 0
    for tag, kind, count, value in _tiff_entries(content):
        value_bytes += count * TYPE_BYTES.get(kind, 1)
        if kind not in ONE_BYTE_TYPES and count > MOST_TIFF_VALUES:
            raise ValueError(f"its tag {tag} has {count} values")
        if tag in TILE_SIZE:
            tile_pixels *= value
    # Values may overlap, and each is read.
    if value_bytes > 2 * len(content):
        raise ValueError("its tags hold more bytes than the file")
    if tile_pixels > max_pixels:
        raise ValueError(f"one of its tiles has {tile_pixels} pixels")


def _tiff_entries(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, count and first value (or its place) of each entry of the first directory, as far as it is whole."""
    order = "<" if content.startswith(b"I") else ">"
    is_big = b"+" in content[:4]
    place, number, entry = ("8xQ", "Q", "HHQ8s") if is_big else ("4xI", "H", "HHI4s")
    try:
        (offset,) = struct.unpack_from(order + place, content)
        (entries,) = struct.unpack_from(order + number, content, offset)
        offset += struct.calcsize(order + number)
        for _ in range(min(entries, 65_535)):
            tag, kind, count, field = struct.unpack_from(order + entry, content, offset)
            yield (
                tag,
                kind,
                count,
                int.from_bytes(field[: TYPE_BYTES.get(kind, 4)], "little" if order == "<" else "big"),
            )
            offset += struct.calcsize(order + entry)
    except (struct.error, OverflowError):
        return
