"""Small files that claim or become something huge."""

from __future__ import annotations

import io
import struct

from PIL import Image

from hostile import png

HUGE = 60_000


def flat(width: int, height: int, format_name: str, mode: str = "L") -> bytes:
    """A real image of one colour."""
    stream = io.BytesIO()
    Image.new(mode, (width, height)).save(stream, format_name)
    return stream.getvalue()


def png_of_zeros() -> bytes:
    """400 megapixels of black that deflate made small."""
    return flat(20_000, 20_000, "PNG", "1")


def png_that_lies() -> bytes:
    """Says 3.6 gigapixels, holds one row."""
    return png.png(HUGE, HUGE, png.blank_rows(HUGE, 1))


def png_with_too_many_rows() -> bytes:
    """Says 8 x 8, holds 100 MB of rows."""
    return png.png(8, 8, bytes(100 * 2**20))


def png_with_packed_text() -> bytes:
    """A text of 200 MB behind a kilobyte."""
    return png.png(8, 8, png.blank_rows(8, 8), extra=png.packed_chunk(b"zTXt", b"Comment", 200 * 2**20))


def png_with_packed_profile() -> bytes:
    return png.png(8, 8, png.blank_rows(8, 8), extra=png.packed_chunk(b"iCCP", b"profile", 200 * 2**20))


def gif_with_a_huge_screen() -> bytes:
    """One pixel on a screen of 65,535 x 65,535."""
    small = bytearray(flat(1, 1, "GIF"))
    small[6:10] = struct.pack("<HH", 65_535, 65_535)
    return bytes(small)


def gif_with_a_huge_frame() -> bytes:
    """The frame is larger than its screen says."""
    small = bytearray(flat(1, 1, "GIF"))
    start = small.index(b",", 13)
    small[start + 5 : start + 9] = struct.pack("<HH", 65_535, 65_535)
    return bytes(small)


def webp_that_lies() -> bytes:
    """A lossless WebP of 4 x 4 whose header says 16,384 x 16,384."""
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "WEBP", lossless=True)
    content = bytearray(stream.getvalue())
    start = content.index(b"\x2f")
    bits = int.from_bytes(content[start + 1 : start + 5], "little") | 0x0FFFFFFF
    content[start + 1 : start + 5] = bits.to_bytes(4, "little")
    return bytes(content)


def webp_with_a_huge_canvas() -> bytes:
    """An animation on a canvas of 16,000 x 16,000: decoders reserve the canvas before the first frame."""
    stream = io.BytesIO()
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    content = bytearray(stream.getvalue())
    start = content.index(b"VP8X") + 12
    content[start : start + 6] = (15_999).to_bytes(3, "little") * 2
    return bytes(content)


def jpeg_that_lies() -> bytes:
    """65,500 x 65,500 in the frame header, 16 x 16 in the data."""
    content = bytearray(flat(16, 16, "JPEG"))
    start = content.index(b"\xff\xc0")
    content[start + 5 : start + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(content)


def bmp_that_lies() -> bytes:
    content = bytearray(flat(8, 8, "BMP", "RGB"))
    content[18:26] = struct.pack("<ii", HUGE, HUGE)
    return bytes(content)


def bmp_upside_down_and_endless() -> bytes:
    """The smallest height that 32 bits can say; its sign means `from the top`."""
    content = bytearray(flat(8, 8, "BMP", "RGB"))
    content[18:26] = struct.pack("<iI", 8, 0x80000000)
    return bytes(content)


def tiff_that_lies() -> bytes:
    """ImageWidth and ImageLength of 60,000."""
    content = bytearray(flat(8, 8, "TIFF"))
    (offset,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, offset)
    for entry in range(offset + 2, offset + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] in (0x100, 0x101):
            content[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, HUGE)
    return bytes(content)


def tiff_that_circles() -> bytes:
    """The next directory is the first one again."""
    content = bytearray(flat(8, 8, "TIFF"))
    (offset,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, offset)
    struct.pack_into("<I", content, offset + 2 + 12 * count, offset)
    return bytes(content)
