"""The real photo in every dress that it may come in."""

from __future__ import annotations

import functools
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from hostile import png
from hostile.service import PHOTO

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
ORIENTATION = 0x0112
# What a camera stores so that turning it by the orientation gives the upright photo.
UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@functools.lru_cache(maxsize=1)
def photo() -> Image.Image:
    return Image.open(PHOTO).convert("RGB")


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format_name, **options)
    return stream.getvalue()


@functools.lru_cache(maxsize=None)
def photo_as(format_name: str) -> bytes:
    return encoded(photo(), format_name)


def truncated(format_name: str, tenths: int) -> bytes:
    content = photo_as(format_name)
    return content[: len(content) * tenths // 10]


def in_mode(mode: str, format_name: str) -> bytes:
    return encoded(photo().convert(mode), format_name)


def turned(orientation: int) -> bytes:
    """The upper part of the photo (512 x 448), stored as `orientation` says; other numbers than 1-8 mean nothing."""
    upright = photo().crop((0, 0, 512, 448))
    stored = upright.transpose(UNDO[orientation]) if orientation in UNDO else upright
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(stored, "JPEG", exif=exif, quality=95)


def sixteen_bit_grey() -> bytes:
    return encoded(Image.fromarray(np.asarray(photo().convert("L"), np.uint16) * 257), "PNG")


def sixteen_bit_colour() -> bytes:
    """Pillow reads this kind of PNG and cannot write it."""
    wide = (np.asarray(photo(), np.uint16) * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in wide)
    return png.png(512, 512, rows, png.RGB, 16)


def float_tiff() -> bytes:
    return encoded(Image.fromarray(np.asarray(photo().convert("L"), np.float32) / 255), "TIFF")


def transparent_palette() -> bytes:
    return encoded(photo().convert("P"), "PNG", transparency=255)


def animated(format_name: str, frame_count: int) -> bytes:
    """The photo first, then blank frames, each a little different."""
    blanks = [Image.new("RGB", photo().size, (number % 256, 0, 0)) for number in range(frame_count - 1)]
    return encoded(photo(), format_name, save_all=True, append_images=blanks)


def with_profile(profile: bytes) -> bytes:
    return encoded(photo(), "JPEG", icc_profile=profile, quality=95)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def jpeg_with_segments(megabytes: int) -> bytes:
    """Application segments, as some cameras store previews and maps of the depth."""
    content = photo_as("JPEG")
    segment = b"\xff\xef" + struct.pack(">H", 65_535) + bytes(65_533)
    return content[:2] + segment * (megabytes * 2**20 // len(segment)) + content[2:]


def png_with_text(megabytes: int) -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "x" * (megabytes * 2**20))
    return encoded(photo(), "PNG", pnginfo=notes)


def png_with_many_chunks(count: int) -> bytes:
    content = photo_as("PNG")
    head = len(png.SIGNATURE) + 25
    return content[:head] + png.chunk(b"tEXt", b"a\0b") * count + content[head:]


def exif_of(size_bytes: int) -> bytes:
    """EXIF with the largest comment that one segment can hold, or less."""
    exif = Image.Exif()
    exif[0x9286] = b"\0" * size_bytes
    return encoded(photo(), "JPEG", exif=exif, quality=95)


def zip_of(content: bytes) -> bytes:
    """A stored file in a minimal zip archive."""
    name, crc = b"photo.jpg", zlib.crc32(content)
    facts = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, crc, len(content), len(content), len(name), 0)
    local = b"PK\x03\x04" + facts + name + content
    central = b"PK\x01\x02" + struct.pack("<H", 20) + facts + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
