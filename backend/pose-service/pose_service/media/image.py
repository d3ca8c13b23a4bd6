"""Uploaded bytes to pixels, as a browser would show them."""

from __future__ import annotations

import contextlib
import warnings
from functools import lru_cache
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from pose_service.contract.engine import Floats, Pixels
from pose_service.contract.job import JobError
from pose_service.media.decode_turn import decode_turn
from pose_service.media.heif_size import coded_pixels
from pose_service.media.memory_limit import memory_limit
from pose_service.media.structure import check_structure

# A short list: Pillow can read many more formats, some of them through outside programs.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF")
READABLE = "JPEG, PNG, GIF, WebP, AVIF, HEIC, BMP or TIFF"
# Tiles reach over the edges of a picture, and thumbnails and maps of depth lie beside it.
HEIF_CODED_SHARE = 2
# The decoder's planes, its references and the picture. For files whose size even FFmpeg does not know: libheif may end
# the process where an allocation fails.
HEIF_BYTES_PER_PIXEL = 12
FULL_SCALE_16_BIT = 257
_NO_LIMIT = contextlib.nullcontext()


class UnreadableImageError(JobError):
    """The bytes are not an image, or a damaged one."""

    kind = "unreadable-image"


class TooManyPixelsError(JobError):
    """The image is larger than the service decodes."""

    kind = "too-many-pixels"


def decode(stream: IO[bytes], max_pixels: int) -> Pixels:
    """Decode the first frame to (H, W, 3) uint8 RGB, turned upright by its EXIF orientation.

    Transparent parts become white. Raises UnreadableImageError or TooManyPixelsError; the size is checked before
    the pixels are decoded.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(stream, max_pixels)
    except (TooManyPixelsError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError(str(error)) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"This is not a {READABLE} image.") from error
    except Exception as error:
        # Decoders meet broken bytes with nearly any exception: OSError, SyntaxError, struct.error, IndexError.
        raise UnreadableImageError(f"The image is damaged: {error}.") from error


def _decode(stream: IO[bytes], max_pixels: int) -> Pixels:
    _register_heif()
    check_structure(stream, max_pixels)
    with Image.open(stream, formats=FORMATS) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise TooManyPixelsError(f"{width} x {height} is more than {max_pixels} pixels.")
        is_heif = image.format == "HEIF"
        with decode_turn(width * height), memory_limit(HEIF_BYTES_PER_PIXEL * max_pixels) if is_heif else _NO_LIMIT:
            if is_heif and coded_pixels(stream) > HEIF_CODED_SHARE * max_pixels:
                raise TooManyPixelsError(f"It holds more pixels than it says, and more than {max_pixels}.")
            return _pixels(image)


@lru_cache(maxsize=1)
def _register_heif() -> None:
    import pi_heif

    # One picture by one thread: an engine has one core.
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def _pixels(image: ImageFile) -> Pixels:
    image.load()
    # Broken EXIF data says nothing about the pixels; browsers ignore it too.
    with contextlib.suppress(Exception):
        # In place, because a copy of 50 megapixels is 200 MB.
        ImageOps.exif_transpose(image, in_place=True)
    return np.asarray(_to_rgb(image))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        image = _grey(np.asarray(image) / FULL_SCALE_16_BIT)
    elif image.mode in ("I", "F"):
        image = _grey(_stretch(np.nan_to_num(np.asarray(image, np.float64))))
    if image.has_transparency_data:
        return _over_white(_in_mode(image, "RGBA"))
    return _in_mode(image, "RGB")


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    # Pillow's own convert copies an image that has the mode already.
    return image if image.mode == mode else image.convert(mode)


def _stretch(values: Floats) -> Floats:
    """32-bit images have no agreed white: their own range becomes 0-255."""
    low, high = float(values.min()), float(values.max())
    return (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)


def _grey(values: Floats) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _over_white(image: Image.Image) -> Image.Image:
    background = Image.new("RGB", image.size, "white")
    background.paste(image, mask=image.getchannel("A"))
    return background
