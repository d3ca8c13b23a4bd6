"""The photo with a header that is broken in one place, and in a format that holds more than a picture."""

from __future__ import annotations

import struct

from PIL import Image

from hostile import png
from hostile.pictures import encoded, photo, photo_as

ORIENTATION = 0x0112
SHORT = 3


def replaced(content: bytes, mark: bytes, offset: int, data: bytes) -> bytes:
    """`data` over what stands `offset` bytes behind the first `mark` (or in front of it)."""
    place = content.index(mark) + offset
    return content[:place] + data + content[place + len(data) :]


def box(content: bytes, kind: bytes, change: str) -> bytes:
    """A box of an ISO media file: `full` and `zero` overwrite its content, `endless` and `huge` its length."""
    changes = {
        "full": (4, b"\xff" * 8),
        "zero": (4, bytes(8)),
        "endless": (-4, bytes(4)),
        "huge": (-4, b"\xff" * 4),
    }
    return replaced(content, kind, *changes[change])


def with_exif(block: bytes) -> bytes:
    """The JPEG with this in its EXIF segment."""
    content = photo_as("JPEG")
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block + content[2:]


def exif_entry(kind: int, count: int, value: int, following: int = 0) -> bytes:
    """An EXIF block with an orientation of any type and number of values."""
    return b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIII", ORIENTATION, kind, count, value, following)


def with_profile_parts(*parts: tuple[int, int, bytes]) -> bytes:
    """The JPEG with pieces of a colour profile: number, how many there are, content."""
    content = photo_as("JPEG")
    segments = (
        b"\xff\xe2" + struct.pack(">H", len(data) + 16) + b"ICC_PROFILE\0" + bytes((number, of)) + data
        for number, of, data in parts
    )
    return content[:2] + b"".join(segments) + content[2:]


def several(format_name: str) -> bytes:
    """The photo and two other pictures in one file."""
    others = [Image.new("RGB", photo().size, (number, 0, 0)) for number in (1, 2)]
    options = {"lossless": True} if format_name == "WEBP" else {}
    return encoded(photo(), format_name, save_all=True, append_images=others, **options)


def png_with_chunk(content: bytes, kind: bytes, data: bytes) -> bytes:
    """Another content in its first chunk of this kind; a new chunk where it has none."""
    found = content.find(kind)
    start = found - 4 if found >= 0 else len(png.SIGNATURE) + 25
    end = start + 12 + int.from_bytes(content[start : start + 4], "big") if found >= 0 else start
    return content[:start] + png.chunk(kind, data) + content[end:]
