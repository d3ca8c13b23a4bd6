"""How many pieces a PNG, GIF or BMP is made of: Pillow takes up each of them in Python, and joins some one by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

# 333,000 empty chunks take 1.2 s; encoders write one for 8 kB and more.
MOST_PNG_CHUNKS = 100_000
# A comment in two million pieces of a byte takes 104 s, because each is joined to those before it. 10,000 full ones,
# which are 2.5 MB in front of the first frame, take 1 s.
MOST_GIF_BLOCKS = 10_000
# 4 MB of run lengths take 1.2 s.
MOST_RUN_LENGTH_BYTES = 8_000_000

PNG_HEAD, GIF_HEAD, BMP_HEAD = b"\x89PNG", b"GIF8", b"BM"
PNG_FIRST_CHUNK, PNG_LENGTHS = 8, 12
GIF_SCREEN, GIF_FRAME, GIF_END, GIF_EXTENSION = 13, 0x2C, 0x3B, 0x21
BMP_PLACE, BMP_COMPRESSION = slice(10, 14), slice(30, 34)
RUN_LENGTHS = (1, 2)


def check_png(content: bytes) -> None:
    """Raises ValueError, as all of these do."""
    if _is_longer(_png_chunks(content), MOST_PNG_CHUNKS):
        raise ValueError(f"it has more than {MOST_PNG_CHUNKS} chunks")


def check_gif(content: bytes) -> None:
    """Only what stands before the first frame is read."""
    if _is_longer(_gif_blocks(content), MOST_GIF_BLOCKS):
        raise ValueError(f"it has more than {MOST_GIF_BLOCKS} blocks before its first frame")


def check_bmp(content: bytes) -> None:
    """Plain rows are one piece."""
    compression, place = (int.from_bytes(content[part], "little") for part in (BMP_COMPRESSION, BMP_PLACE))
    if compression in RUN_LENGTHS and len(content) - place > MOST_RUN_LENGTH_BYTES:
        raise ValueError(f"it has more than {MOST_RUN_LENGTH_BYTES} bytes of run lengths")


def _is_longer(pieces: Iterator[int], most: int) -> bool:
    return next(islice(pieces, most, None), None) is not None


def _png_chunks(content: bytes) -> Iterator[int]:
    """Where each begins."""
    position = PNG_FIRST_CHUNK
    while position < len(content):
        yield position
        position += PNG_LENGTHS + int.from_bytes(content[position : position + 4], "big")


def _gif_blocks(content: bytes) -> Iterator[int]:
    """Where each block of the extensions begins, and each byte that belongs to nothing."""
    position = GIF_SCREEN + _palette_bytes(content)
    while position < len(content) and content[position] not in (GIF_FRAME, GIF_END):
        yield position
        if content[position] == GIF_EXTENSION:
            position += 2
            while position < len(content) and content[position]:
                yield position
                position += 1 + content[position]
        position += 1


def _palette_bytes(content: bytes) -> int:
    flags = int.from_bytes(content[10:11], "big")
    return 3 << (flags % 8 + 1) if flags & 0x80 else 0
