"""PNG files chunk by chunk: Pillow writes none that lie."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE = 0, 2, 3


def png(width: int, height: int, rows: bytes, colour: int = GREY, depth: int = 8, extra: bytes = b"") -> bytes:
    """A whole file; `rows` are the uncompressed rows with their filter bytes, `extra` are chunks before them."""
    return SIGNATURE + header(width, height, colour, depth) + extra + chunk(b"IDAT", zlib.compress(rows, 9)) + END


def header(width: int, height: int, colour: int = GREY, depth: int = 8) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed_chunk(kind: bytes, keyword: bytes, unpacked_bytes: int) -> bytes:
    """A zTXt or iCCP chunk whose text is `unpacked_bytes` of zeros."""
    packer = zlib.compressobj(9)
    step = 2**20
    packed = b"".join(packer.compress(bytes(step)) for _ in range(unpacked_bytes // step)) + packer.flush()
    return chunk(kind, keyword + b"\0\0" + packed)


def blank_rows(width: int, height: int) -> bytes:
    return bytes((1 + width) * height)


END = chunk(b"IEND", b"")
