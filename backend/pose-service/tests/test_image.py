"""Pixels that come out of each kind of file."""

from __future__ import annotations

import contextlib
import io
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pose_service.media.image import TooManyPixelsError, UnreadableImageError, decode

MAX_PIXELS = 1_000_000


def encoded(image: Image.Image, format_name: str, **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    image.save(stream, format_name, **options)
    stream.seek(0)
    return stream


def pixel(stream: io.BytesIO) -> list[int]:
    rgb = decode(stream, MAX_PIXELS)
    assert rgb.dtype == np.uint8
    assert rgb.ndim == 3
    return list(rgb[0, 0].tolist())


def test_sixteen_bit_grey_keeps_its_brightness() -> None:
    half = Image.fromarray(np.full((4, 4), 32896, np.uint16))
    assert pixel(encoded(half, "PNG")) == [128, 128, 128]


def test_sixteen_bit_colour_png() -> None:
    assert pixel(io.BytesIO(SIXTEEN_BIT_RGB_PNG)) == [255, 128, 0]


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_32_bit_grey_is_stretched(kind: type) -> None:
    ramp: NDArray[np.generic] = np.linspace(0, 1000, 256).astype(kind).reshape(16, 16)
    rgb = decode(encoded(Image.fromarray(ramp), "TIFF"), MAX_PIXELS)
    assert (rgb.min(), rgb.max()) == (0, 255)


def test_32_bit_grey_without_contrast_is_black() -> None:
    assert pixel(encoded(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF")) == [0, 0, 0]


@pytest.mark.parametrize(("alpha", "expected"), [(0, [255, 255, 255]), (255, [10, 20, 30]), (128, [132, 137, 142])])
def test_transparency_is_laid_over_white(alpha: int, expected: list[int]) -> None:
    image = Image.new("RGBA", (2, 2), (10, 20, 30, alpha))
    assert pixel(encoded(image, "PNG")) == pytest.approx(expected, abs=1)


def test_transparent_palette_entry_is_white() -> None:
    image = Image.new("P", (2, 2), 0)
    image.putpalette([200, 0, 0])
    assert pixel(encoded(image, "PNG", transparency=0)) == [255, 255, 255]


def test_cmyk_is_converted() -> None:
    red, green, blue = pixel(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95))
    assert red > 240
    assert green < 20
    assert blue < 20


def test_black_and_white_bitmap() -> None:
    assert pixel(encoded(Image.new("1", (2, 2), 1), "PNG")) == [255, 255, 255]


def test_rotated_tiff_is_turned_once() -> None:
    image = Image.new("RGB", (30, 20))
    image.putpixel((0, 0), (255, 0, 0))
    stream = encoded(image.transpose(Image.Transpose.ROTATE_90), "TIFF", tiffinfo={0x0112: 6})
    rgb = decode(stream, MAX_PIXELS)
    assert rgb.shape == (20, 30, 3)
    assert rgb[0, 0].tolist() == [255, 0, 0]


def test_broken_exif_is_ignored() -> None:
    stream = encoded(Image.new("RGB", (30, 20)), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff broken")
    assert decode(stream, MAX_PIXELS).shape == (20, 30, 3)


def test_pixel_limit_is_inclusive() -> None:
    assert decode(encoded(Image.new("L", (10, 10)), "PNG"), 100).shape == (10, 10, 3)
    with pytest.raises(TooManyPixelsError, match="11 x 10"):
        decode(encoded(Image.new("L", (11, 10)), "PNG"), 100)


@pytest.mark.parametrize("format_name", ["EPS", "PDF", "ICO"])
def test_formats_outside_the_list_are_refused(format_name: str) -> None:
    with pytest.raises(UnreadableImageError, match="not a JPEG"):
        decode(encoded(Image.new("RGB", (16, 16)), format_name), MAX_PIXELS)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
@given(position=st.integers(0, 10_000), value=st.binary(min_size=1, max_size=8))
def test_damage_is_an_image_or_a_named_error(format_name: str, position: int, value: bytes) -> None:
    content = bytearray(SMALL_IMAGES[format_name])
    start = position % len(content)
    content[start : start + len(value)] = value
    with contextlib.suppress(UnreadableImageError, TooManyPixelsError):
        assert decode(io.BytesIO(bytes(content)), MAX_PIXELS).shape[2] == 3


def sixteen_bit_rgb_png() -> bytes:
    """Pillow cannot write this kind: one pixel (65535, 32896, 0), by hand."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">HHH", 65535, 32896, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")


SIXTEEN_BIT_RGB_PNG = sixteen_bit_rgb_png()
SMALL_IMAGES = {
    name: encoded(Image.linear_gradient("L").resize((24, 16)).convert("RGB"), name).getvalue()
    for name in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")
}


@pytest.mark.parametrize("name", ["astronaut.heic", "turned.heic"])
def test_heic_of_a_telephone_is_the_upright_photo(astronaut: Path, name: str) -> None:
    rgb = decode(io.BytesIO((astronaut.parent / name).read_bytes()), MAX_PIXELS)
    photo = np.asarray(Image.open(astronaut)).astype(int)
    assert rgb.shape == photo.shape
    assert np.abs(rgb - photo).mean() < 8


def test_a_heic_that_is_larger_than_it_says_is_refused_before_it_is_decoded(astronaut: Path) -> None:
    """67 megapixels under a header of 512 x 512."""
    resource_before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(TooManyPixelsError):
        decode(io.BytesIO((astronaut.parent / "lying.heic").read_bytes()), MAX_PIXELS)
    assert resource.getrlimit(resource.RLIMIT_DATA) == resource_before
