"""Bytes in a correct upload: what each kind of file must be answered with."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hostile import bombs, pictures
from hostile.case import Case
from hostile.forms import upload
from hostile.pictures import photo_as

WHOLE = (512, 512)
DATA = Path(__file__).parents[1] / "data"
UNREADABLE, TOO_MANY = "unreadable-image", "too-many-pixels"
SVG = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg><text>&x;</text></svg>'
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(2000)
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/passwd) (r) file\n"


def image_cases() -> Iterator[Case]:
    """All cases whose form is right and whose file is not what it seems."""
    yield from _bombs()
    yield from _heic()
    yield from _not_images()
    yield from _truncated()
    yield from _polyglots()
    yield from _colours()
    yield from _extras()


def found(name: str, make: Callable[[], bytes], size: tuple[int, int] = WHOLE) -> Case:
    return Case(name, lambda: upload(make()), 200, size=size, is_found=True)


def refused(name: str, make: Callable[[], bytes], kind: str = UNREADABLE) -> Case:
    return Case(name, lambda: upload(make()), 422, kind)


def _bombs() -> Iterator[Case]:
    yield refused("PNG bomb of zeros", bombs.png_of_zeros, TOO_MANY)
    yield refused("PNG bomb in its header", bombs.png_that_lies, TOO_MANY)
    yield Case("PNG with rows without end", lambda: upload(bombs.png_with_too_many_rows()), 200, size=(8, 8))
    yield refused("PNG bomb in its text", bombs.png_with_packed_text)
    yield refused("PNG bomb in its profile", bombs.png_with_packed_profile)
    yield refused("GIF with a huge screen", bombs.gif_with_a_huge_screen, TOO_MANY)
    yield refused("GIF with a huge frame", bombs.gif_with_a_huge_frame, TOO_MANY)
    yield refused("WebP bomb in its header", bombs.webp_that_lies, TOO_MANY)
    yield refused("WebP bomb as animation", bombs.webp_with_a_huge_canvas, TOO_MANY)
    yield refused("JPEG bomb in its header", bombs.jpeg_that_lies, TOO_MANY)
    yield refused("BMP bomb in its header", bombs.bmp_that_lies, TOO_MANY)
    yield refused("BMP of the smallest height", bombs.bmp_upside_down_and_endless, TOO_MANY)
    yield refused("TIFF bomb in its header", bombs.tiff_that_lies, TOO_MANY)
    yield Case("TIFF whose directories circle", lambda: upload(bombs.tiff_that_circles()), 200, size=(8, 8))
    yield refused("real JPEG of 100 megapixels", partial(bombs.flat, 10_000, 10_000, "JPEG"), TOO_MANY)
    yield refused("real WebP of 100 megapixels", partial(bombs.flat, 16_000, 6_250, "WEBP"), TOO_MANY)
    yield refused("real GIF of 100 megapixels", partial(bombs.flat, 10_000, 10_000, "GIF"), TOO_MANY)
    yield refused("HEIC bomb in its header", lambda: heic_of(20_000, 20_000), TOO_MANY)
    # libheif gives the part that the header names; the memory for the rest is bounded (media/memory_limit).
    yield Case("HEIC of 67 megapixels that says 0.3", lambda: upload(heic("lying.heic")), 200, size=WHOLE)
    yield Case("49 megapixels", lambda: upload(bombs.flat(7000, 7000, "JPEG")), 200, size=(7000, 7000))
    yield Case("a line of 50,000 pixels", lambda: upload(bombs.flat(50_000, 1, "PNG")), 200, size=(50_000, 1))


def heic(name: str) -> bytes:
    return (DATA / name).read_bytes()


def heic_of(width: int, height: int) -> bytes:
    """The astronaut under a header that says another size."""
    content = heic("astronaut.heic")
    place = content.index(b"ispe") + 8
    return content[:place] + struct.pack(">II", width, height) + content[place + 8 :]


def _heic() -> Iterator[Case]:
    content = heic("astronaut.heic")
    yield found("HEIC", lambda: content)
    yield found("HEIC of a telephone that is held upright", lambda: heic("turned.heic"))
    yield Case("HEIC with a smaller header", lambda: upload(heic_of(512, 100)), 200, size=(512, 100))
    yield refused("HEIC of no size", lambda: heic_of(0, 0))
    for share in (0.02, 0.3, 0.9):
        yield refused(f"HEIC, the first {share:.0%}", lambda share=share: content[: int(len(content) * share)])


def _not_images() -> Iterator[Case]:
    contents = {
        "nothing": b"",
        "one byte": b"\xff",
        "only a JPEG's first bytes": b"\xff\xd8\xff\xe0",
        "SVG with an entity": SVG,
        "HEIC without content": HEIC,
        "AVIF without content": HEIC.replace(b"heic", b"avif"),
        "PostScript": POSTSCRIPT,
        "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
        "text": "ein Foto, ehrlich".encode(),
        "a program": b"\x7fELF\x02\x01\x01" + bytes(4000),
        "a pickle": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.",
        "a MiB of zeros": bytes(2**20),
        "a WebM's first bytes": b"\x1aE\xdf\xa3" + bytes(500),
        "an icon": b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0" + bytes(200),
    }
    for name, content in contents.items():
        yield refused(name, lambda content=content: content)


def _truncated() -> Iterator[Case]:
    for format_name in pictures.FORMATS:
        for tenths in range(1, 10):
            yield refused(f"{format_name} cut at {tenths}/10", partial(pictures.truncated, format_name, tenths))


def _polyglots() -> Iterator[Case]:
    def jpeg() -> bytes:
        return photo_as("JPEG")

    yield found("JPEG that is a zip too", lambda: jpeg() + pictures.zip_of(b"evil"))
    yield found("JPEG that is a page too", lambda: jpeg() + b"<script>alert(1)</script>")
    yield found("JPEG that is PHP too", lambda: jpeg()[:2] + b"\xff\xfe\0\x1e<?php system($_GET[0]); ?>\0" + jpeg()[2:])
    yield found("GIF followed by a program", lambda: photo_as("GIF") + b"\x7fELF" + bytes(1000))
    yield found("PNG with a MiB behind its end", lambda: photo_as("PNG") + bytes(2**20))
    yield refused("zip with a photo inside", lambda: pictures.zip_of(jpeg()))
    yield refused("page with a photo inside", lambda: b"<html>" + jpeg())
    yield refused("GIF whose comment is a script", lambda: b"GIF89a/*" + bytes(50) + b"*/=1;alert(1)")
    yield found("PNG named .jpg", lambda: photo_as("PNG"))
    yield Case("WebP named .txt", lambda: upload(photo_as("WEBP"), b"photo.txt"), 200, size=WHOLE, is_found=True)
    yield Case("JPEG named .mp4", lambda: upload(jpeg(), b"ride.mp4"), 200, size=WHOLE, is_found=True)


def _colours() -> Iterator[Case]:
    for mode, format_name in (
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
        ("L", "JPEG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("P", "GIF"),
        ("RGBA", "PNG"),
        ("RGBA", "WEBP"),
        ("LAB", "TIFF"),
    ):
        yield found(f"{mode} {format_name}", partial(pictures.in_mode, mode, format_name))
    yield Case("black and white PNG", lambda: upload(pictures.in_mode("1", "PNG")), 200, size=WHOLE)
    yield found("16-bit grey PNG", pictures.sixteen_bit_grey)
    yield found("16-bit colour PNG", pictures.sixteen_bit_colour)
    yield found("floating-point TIFF", pictures.float_tiff)
    yield found("palette with transparency", pictures.transparent_palette)
    yield found("sRGB profile", lambda: pictures.with_profile(pictures.srgb_profile()))
    yield found("broken profile", lambda: pictures.with_profile(b"not a profile"))
    yield found("profile of 3 MB", lambda: pictures.with_profile(bytes(3_000_000)))


def _extras() -> Iterator[Case]:
    for orientation in (*range(10), 65_535):
        yield found(f"EXIF orientation {orientation}", partial(pictures.turned, orientation), (512, 448))
    yield found("JPEG with 10 MB of segments", partial(pictures.jpeg_with_segments, 10))
    yield found("EXIF of 60 kB", partial(pictures.exif_of, 60_000))
    yield found("PNG with a text of 1 MB", partial(pictures.png_with_text, 1))
    yield found("PNG with a text of 20 MB", partial(pictures.png_with_text, 20))
    yield found("PNG with 20,000 texts", partial(pictures.png_with_many_chunks, 20_000))
    for format_name in ("GIF", "PNG", "WEBP", "AVIF"):
        yield found(f"animated {format_name}", partial(pictures.animated, format_name, 5))
    yield found("GIF of 300 frames", partial(pictures.animated, "GIF", 300))
