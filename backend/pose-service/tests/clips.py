"""Small videos made from pictures with known times."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np

from pose_service.contract.engine import Pixels

TICKS = 90_000


def clip(
    frames: Iterable[Pixels],
    times_seconds: Sequence[float],
    container: str = "mp4",
    codec: str = "libx264",
    pixel_ratio: Fraction = Fraction(1),
) -> bytes:
    """A video whose frames are shown at these times: variable frame rate where they are uneven.

    pixel_ratio: width of a pixel by its height.
    """
    stream_bytes = io.BytesIO()
    output = av.open(stream_bytes, "w", format=container)
    stream: Any = None
    for rgb, seconds in zip(frames, times_seconds):
        if stream is None:
            stream = output.add_stream(codec, rate=30)
            stream.width, stream.height, stream.pix_fmt = rgb.shape[1], rgb.shape[0], "yuv420p"
            stream.codec_context.time_base = Fraction(1, TICKS)
            stream.codec_context.sample_aspect_ratio = pixel_ratio
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame.pts, frame.time_base = round(seconds * TICKS), Fraction(1, TICKS)
        output.mux(stream.encode(frame))
    if stream is not None:
        output.mux(stream.encode())
    output.close()
    return stream_bytes.getvalue()


def sound_only() -> bytes:
    """An MP4 with a second of silence and no picture."""
    stream_bytes = io.BytesIO()
    output = av.open(stream_bytes, "w", format="mp4")
    stream = output.add_stream("aac", rate=44_100, layout="mono")
    for start in range(0, 44_100, 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44_100, start
        output.mux(stream.encode(frame))
    output.mux(stream.encode())
    output.close()
    return stream_bytes.getvalue()


def turned(mp4: bytes, degrees: int) -> bytes:
    """The same MP4 with a rotation in its track header, as telephones write it: shown turned clockwise by `degrees`."""
    one = 0x10000
    matrices = {90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}
    a, b, c, d = matrices[degrees]
    matrix = b"".join(value.to_bytes(4, "big", signed=True) for value in (a, b, 0, c, d, 0, 0, 0, 0x40000000))
    # Version 0: 4 bytes name, 4 flags, 20 times and number, 16 reserved, layer, group and volume; then the matrix.
    start = mp4.index(b"tkhd") + 4 + 4 + 20 + 16
    return mp4[:start] + matrix + mp4[start + 36 :]
