"""Broken headers of every format, and files that are many pieces: what each must be answered with."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial

from hostile import headers, pieces
from hostile.bombs import flat
from hostile.case import Case
from hostile.forms import upload
from hostile.headers import replaced, several
from hostile.image_cases import UNREADABLE, found, heic, refused
from hostile.pictures import photo_as, srgb_profile

FRAME = b"\xff\xc0"
IHDR = struct.Struct(">IIBBBBB")


def header_cases() -> Iterator[Case]:
    """All cases."""
    yield from _pieces()
    yield from _jpeg()
    yield from _png()
    yield from _gif_and_bmp()
    yield from _webp()
    yield from _tiff()
    yield from _boxes()


def _pieces() -> Iterator[Case]:
    yield Case("JPEG of 60 scans", lambda: upload(pieces.jpeg_of_scans(50, 1000)), 200, size=(1000, 1000))
    yield refused("JPEG of 2,000 scans", partial(pieces.jpeg_of_scans, 2000))
    yield refused("JPEG of 7 million segments", partial(pieces.jpeg_with, b"\xff\xe5\0\x02", 7 * pieces.MILLION))
    yield refused("JPEG of 7 million comments", partial(pieces.jpeg_with, b"\xff\xfe\0\x02", 7 * pieces.MILLION))
    yield refused("JPEG with 30 MB of nothing", partial(pieces.jpeg_with, b"\xff", 30 * pieces.MILLION))
    yield found("JPEG with 500 full segments", partial(pieces.jpeg_with, b"\xff\xe5\xff\xff" + b"\xff" * 65_533, 400))
    yield refused("TIFF of 7 million strips", partial(pieces.tiff_of_strips, 7 * pieces.MILLION))
    yield refused("TIFF whose values overlap", pieces.tiff_whose_values_overlap)
    for compression in (pieces.RAW, pieces.DEFLATE):
        for side in (32_768, 65_536):
            tiles = partial(pieces.tiff_of_tiles, side, compression)
            yield refused(f"TIFF with a tile of {side} pixels, compression {compression}", tiles)

    for kind in (b"abCd", b"IDAT"):
        yield refused(f"PNG of 2 million chunks {kind.decode()}", partial(pieces.png_with, kind, 2 * pieces.MILLION))
    yield found("PNG with 20,000 chunks", partial(pieces.png_with, b"abCd", 20_000))
    for name, piece in {"comments": b"!\xfe\x01a\0", "controls": b"!\xf9\x04" + bytes(5), "nothing": b"\0"}.items():
        yield refused(f"GIF of 3 million {name}", partial(pieces.gif_with, piece, 3 * pieces.MILLION))
    yield refused("GIF of a comment in 9 million parts", lambda: pieces.gif_with_comment(b"\x01a", 9 * pieces.MILLION))
    yield found("GIF with a comment of 1 MB", lambda: pieces.gif_with_comment(b"\xff" + bytes(255), 4000))
    for name, piece in {"one pixel": b"\x01\x05", "no pixels": b"\0\2\0\0"}.items():
        yield refused(f"BMP of runs of {name}", partial(pieces.bmp_of_runs, piece, 7 * pieces.MILLION))
    yield Case("BMP of runs", lambda: upload(pieces.bmp_of_runs(b"\x40\x05\0\0", 64)), 200, size=(64, 64))


def _jpeg() -> Iterator[Case]:
    content = photo_as("JPEG")
    yield found("MPO", partial(several, "MPO"))
    yield found("MPO with a broken index", lambda: replaced(several("MPO"), b"MPF\0", 4, b"\xff" * 40))
    yield found("MPO without its second picture", lambda: several("MPO")[: len(content) + 200])
    yield found("JPEG with another behind it", lambda: content * 2)
    for name, block in {
        "nothing": b"",
        "zeros": bytes(100),
        "a circle of directories": headers.exif_entry(headers.SHORT, 1, 1, following=8),
        "an orientation of letters": headers.exif_entry(2, 4, 0x636261),
        "four billion orientations": headers.exif_entry(headers.SHORT, 2**32 - 1, 8),
        "an orientation of 1/0": headers.exif_entry(5, 1, 26) + struct.pack("<II", 1, 0),
        "65,535 entries that are not there": b"MM\0*\0\0\0\x08\xff\xff" + bytes(300),
        "the head of a BigTIFF": b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
    }.items():
        yield found(f"EXIF of {name}", partial(headers.with_exif, block))
    profile = srgb_profile()
    for name, part in {
        "a part of three": (1, 3, profile[:100]),
        "number 0 of 0": (0, 0, profile),
        "nothing": (1, 1, b""),
        "another kind of colours": (1, 1, profile[:16] + b"CMYK" + profile[20:]),
    }.items():
        yield found(f"profile of {name}", partial(headers.with_profile_parts, part))
    for name, offset, data in (
        ("12 bits", 4, b"\x0c"),
        ("no height", 5, b"\0\0"),
        ("no width", 7, b"\0\0"),
        ("5 components", 9, b"\5"),
        ("15 samples a block", 11, b"\xff"),
    ):
        yield refused(f"JPEG of {name}", partial(replaced, content, FRAME, offset, data))
    yield refused("JPEG without tables", lambda: content.replace(b"\xff\xdb", b"\xff\xef"))
    yield refused("JPEG without a scan", lambda: content[: content.index(b"\xff\xda")])


def _png() -> Iterator[Case]:
    moving, still = several("PNG"), photo_as("PNG")
    for name, kind, data in (
        ("two billion frames", b"acTL", struct.pack(">II", 2**31 - 1, 0)),
        ("no frames", b"acTL", bytes(8)),
        ("a frame of no size", b"fcTL", bytes(20) + b"\0\1\0\1\0\0"),
    ):
        yield found(f"APNG of {name}", partial(headers.png_with_chunk, moving, kind, data))
    yield refused("APNG with half a control chunk", partial(headers.png_with_chunk, moving, b"acTL", b"\0"))
    outside = struct.pack(">IIIII", 0, *[60_000] * 4) + b"\0\1\0\1\0\0"
    yield refused("APNG with a frame outside", partial(headers.png_with_chunk, moving, b"fcTL", outside))
    for name, fields in {
        "no width": (0, 512, 8, 2, 0, 0, 0),
        "3 bits": (512, 512, 3, 2, 0, 0, 0),
        "colour 7": (512, 512, 8, 7, 0, 0, 0),
        "a palette that is missing": (512, 512, 8, 3, 0, 0, 0),
        "another order of rows": (512, 512, 8, 2, 0, 0, 9),
    }.items():
        yield refused(f"PNG of {name}", partial(headers.png_with_chunk, still, b"IHDR", IHDR.pack(*fields)))
    for kind, data in ((b"pHYs", bytes(9)), (b"eXIf", b"II*\0" + b"\xff" * 4), (b"iTXt", b"a\0\1\0\0\0\xff\xff")):
        yield found(f"PNG with a broken {kind.decode()}", partial(headers.png_with_chunk, still, kind, data))


def _gif_and_bmp() -> Iterator[Case]:
    gif, bmp = photo_as("GIF"), photo_as("BMP")
    # Behind the screen's header, the palette and the extension in front of the frame.
    frame = gif.index(b",", 13 + 768)
    yield refused("GIF without a frame", lambda: gif[:781] + b";")
    yield refused("GIF with codes of 255 bits", lambda: gif[: frame + 10] + b"\xff" + gif[frame + 11 :])
    yield found("GIF with a frame of no size", lambda: gif[: frame + 5] + bytes(4) + gif[frame + 9 :])
    small = flat(4, 4, "GIF", "P")
    again = small[small.index(b",", 13) : -1]
    yield Case("GIF of 100,000 frames", lambda: upload(small[:-1] + again * 100_000 + b";"), 200, size=(4, 4))
    for name, offset, data in (
        ("no bits", 28, b"\0\0"),
        ("99 bits", 28, b"\x63\0"),
        ("a JPEG inside", 30, b"\4\0\0\0"),
        ("pixels behind its end", 10, struct.pack("<I", 2**31 - 1)),
        ("no size", 18, bytes(8)),
    ):
        yield refused(f"BMP with {name}", partial(replaced, bmp, b"BM", offset, data))


def _webp() -> Iterator[Case]:
    moving, still = several("WEBP"), photo_as("WEBP")
    for name, mark, offset, data in (
        ("its first frame outside", b"ANMF", 8, b"\xff" * 6),
        ("a huge frame", b"ANMF", 14, b"\xff" * 6),
        ("a frame without end", b"ANMF", 4, b"\xff" * 4),
        ("an empty frame", b"ANMF", 4, bytes(4)),
        ("a canvas of a pixel", b"VP8X", 12, bytes(6)),
        ("no length", b"RIFF", 4, bytes(4)),
    ):
        yield refused(f"animated WebP with {name}", partial(replaced, moving, mark, offset, data))
    yield refused("WebP of no size", partial(replaced, still, b"\x9d\x01\x2a", 3, bytes(4)))


def _tiff() -> Iterator[Case]:
    short, long = pieces.SHORT, pieces.LONG
    entries: dict[str, pieces.Entries] = {
        "no width": {pieces.WIDTH: (short, 1, 0)},
        "a width of letters": {pieces.WIDTH: (2, 4, 0x41414141)},
        "60,000 samples": {pieces.SAMPLES: (short, 1, 60_000)},
        "255 bits": {pieces.BITS: (short, 1, 255)},
        "a strip behind its end": {pieces.STRIPS: (long, 1, 2**31 - 1)},
        "no rows in a strip": {pieces.ROWS: (short, 1, 0)},
        "a billion widths": {pieces.WIDTH: (long, 2**30, 8)},
        "a profile of 4 GB": {34_675: (7, 2**32 - 1, 8)},
    }
    for name, changed in entries.items():
        yield refused(f"TIFF with {name}", partial(pieces.tiff, changed))
    for compression in (2, 3, 5, 6, 7, 8, 34_712, 34_925, 50_001, 65_000):
        make = partial(pieces.tiff, {pieces.COMPRESSION: (short, 1, compression)}, b"\x4e" * 4096)
        yield refused(f"TIFF of compression {compression} that is none", make)
    yield found("TIFF of several pages", partial(several, "TIFF"))
    yield Case("plain TIFF", lambda: upload(pieces.tiff({})), 200, size=(64, 64))


def _boxes() -> Iterator[Case]:
    one, avif = heic("astronaut.heic"), photo_as("AVIF")
    for kind in (b"iloc", b"iinf", b"ipco", b"pitm", b"hvcC"):
        yield refused(f"HEIC with a huge {kind.decode()}", partial(headers.box, one, kind, "huge"))
    for kind in (b"iloc", b"iinf", b"ipco", b"ipma", b"pitm"):
        yield refused(f"HEIC with a full {kind.decode()}", partial(headers.box, one, kind, "full"))
    yield refused(
        "AVIF of another size than it is", partial(replaced, avif, b"ispe", 8, struct.pack(">II", 20_000, 20_000))
    )
    yield refused("AVIF of no size", partial(replaced, avif, b"ispe", 8, bytes(8)))
    yield refused("AVIF without its data", lambda: avif[: avif.index(b"mdat") + 4])
    yield refused("AVIF that calls itself HEIC", lambda: avif.replace(b"avif", b"heic"))
    yield refused("HEIC that calls itself AVIF", lambda: one.replace(b"heic", b"avif", 1))
    sequence = several("AVIF")
    for kind in (b"stts", b"stsz", b"stsc", b"stco"):
        huge = partial(replaced, sequence, kind, 8, b"\x7f" + b"\xff" * 3)
        yield Case(
            f"AVIF with two billion entries in {kind.decode()}", lambda huge=huge: upload(huge()), 422, UNREADABLE
        )
