"""Files whose decoder would work for minutes or take gigabytes: many small pieces, or one that is far too large."""

from __future__ import annotations

import struct
from typing import Optional
from zlib import crc32

from PIL import Image

from hostile.pictures import encoded, photo_as

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIPS, SAMPLES, ROWS, STRIP_BYTES = 273, 277, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 322, 323, 324, 325
SHORT, LONG = 3, 4
RAW, DEFLATE = 1, 8
MILLION = 1_000_000
# Behind the longest directory that is made here.
DATA_OFFSET = 400
# Tag -> type, number of values, value; None for a tag that is left out.
Entries = dict[int, Optional[tuple[int, int, int]]]


def jpeg_of_scans(count: int, side: int = 6000) -> bytes:
    """A grey square whose last scan comes again and again."""
    content = encoded(Image.new("L", (side, side)), "JPEG", progressive=True)
    return content[:-2] + content[content.rindex(b"\xff\xda") : -2] * count + content[-2:]


def jpeg_with(piece: bytes, count: int) -> bytes:
    """The photo, with pieces in front of its own segments."""
    content = photo_as("JPEG")
    return content[:2] + piece * count + content[2:]


def png_with(kind: bytes, count: int) -> bytes:
    """The photo, with empty chunks behind its header."""
    content = photo_as("PNG")
    chunk = bytes(4) + kind + struct.pack(">I", crc32(kind))
    return content[:33] + chunk * count + content[33:]


def gif_with(piece: bytes, count: int) -> bytes:
    """The photo, with pieces between its palette of 256 colours and its frame."""
    content = photo_as("GIF")
    return content[:781] + piece * count + content[781:]


def gif_with_comment(part: bytes, count: int) -> bytes:
    """The photo with one comment."""
    return gif_with(b"!\xfe" + part * count + b"\0", 1)


def bmp_of_runs(piece: bytes, count: int) -> bytes:
    """64 x 64 pixels, compressed in pieces."""
    rows, start = piece * count + b"\0\1", 14 + 40 + 1024
    head = struct.pack("<2sIII", b"BM", start + len(rows), 0, start)
    sizes = struct.pack("<IiiHHIIiiII", 40, 64, 64, 1, 8, 1, len(rows), 0, 0, 256, 256)
    return head + sizes + bytes(1024) + rows


def tiff(entries: Entries, data: bytes = bytes(64 * 64)) -> bytes:
    """64 x 64 grey pixels in one strip, with other entries in its directory."""
    plain: Entries = {
        WIDTH: (SHORT, 1, 64),
        HEIGHT: (SHORT, 1, 64),
        BITS: (SHORT, 1, 8),
        COMPRESSION: (SHORT, 1, RAW),
        PHOTOMETRIC: (SHORT, 1, 1),
        STRIPS: (LONG, 1, DATA_OFFSET),
        SAMPLES: (SHORT, 1, 1),
        ROWS: (SHORT, 1, 64),
        STRIP_BYTES: (LONG, 1, 64 * 64),
    }
    rows = [(tag, *entry) for tag, entry in sorted({**plain, **entries}.items()) if entry is not None]
    directory = struct.pack("<H", len(rows)) + b"".join(struct.pack("<HHII", *row) for row in rows) + bytes(4)
    return (b"II*\0" + struct.pack("<I", 8) + directory).ljust(DATA_OFFSET, b"\0") + data


def tiff_of_tiles(side: int, compression: int) -> bytes:
    """A tile that is much larger than its picture."""
    tiles: Entries = {
        TILE_WIDTH: (LONG, 1, side),
        TILE_HEIGHT: (LONG, 1, side),
        TILES: (LONG, 1, DATA_OFFSET),
        TILE_BYTES: (LONG, 1, 64 * 64),
        **dict.fromkeys((STRIPS, ROWS, STRIP_BYTES)),
    }
    return tiff({COMPRESSION: (SHORT, 1, compression), **tiles})


def tiff_of_strips(count: int) -> bytes:
    """Each strip is named, and all of them are the same bytes."""
    return tiff({STRIPS: (LONG, count, DATA_OFFSET), ROWS: (SHORT, 1, 1)}, struct.pack("<I", DATA_OFFSET) * count)


def tiff_whose_values_overlap() -> bytes:
    """A thousand texts, each of them the whole file."""
    content = tiff({}, bytes(4 * MILLION))
    rows = b"".join(struct.pack("<HHII", tag, 7, 4 * MILLION, 8) for tag in range(1000, 2000))
    return content[:8] + struct.pack("<H", 1000) + rows + bytes(4) + content[8:]
