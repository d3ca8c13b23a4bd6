"""Videos, good and bad, made from the photo."""

from __future__ import annotations

import fractions
import functools
import io
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from hostile.pictures import photo

CODECS = {"mp4": "libx264", "mov": "libx264", "webm": "libvpx"}
TICKS_PER_SECOND = 1000
TICK = fractions.Fraction(1, TICKS_PER_SECOND)
SAMPLE_RATE = 48_000
# Row by row, as a track header stores them: 16.16 twice and 2.30.
QUARTER_TURN = (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
MATRIX_OFFSET = 44


@dataclass(frozen=True)
class Clip:
    """What a video is like. times: seconds of its frames."""

    times: Sequence[float] = (0.0, 0.1, 0.2, 0.3)
    size: tuple[int, int] = (256, 256)
    container: str = "mp4"
    codec: str = ""
    has_sound: bool = False
    options: tuple[tuple[str, str], ...] = ()


@functools.lru_cache(maxsize=None)
def encoded(clip: Clip) -> bytes:
    """The file: the photo, scaled to the whole frame, and moved and darkened from frame to frame."""
    with tempfile.TemporaryDirectory() as folder:
        # A file, because an index in front of the media is written in a second pass.
        path = Path(folder) / "clip"
        with av.open(str(path), "w", format=clip.container, options=dict(clip.options)) as container:
            _add_pictures(container, clip)
        return path.read_bytes()


def evenly(count: int, per_second: float) -> tuple[float, ...]:
    return tuple(number / per_second for number in range(count))


def only_sound(container: str) -> bytes:
    """A file of the right kind, without a picture in it."""
    stream = io.BytesIO()
    with av.open(stream, "w", format=container) as output:
        _add_silence(output, output.add_stream("pcm_s16le" if container in ("wav", "mov") else "libopus", SAMPLE_RATE))
    return stream.getvalue()


def turned(content: bytes) -> bytes:
    """An MP4 with a track header that says: show it turned by 90 degrees."""
    start = content.index(b"tkhd") + MATRIX_OFFSET
    return content[:start] + struct.pack(">9i", *QUARTER_TURN) + content[start + 36 :]


def with_duration(content: bytes, seconds: int) -> bytes:
    """An MP4 whose movie and track headers claim another length."""
    changed = bytearray(content)
    movie = content.index(b"mvhd") + 4
    (scale,) = struct.unpack_from(">I", content, movie + 12)
    struct.pack_into(">I", changed, movie + 16, min(seconds * scale, 2**32 - 1))
    struct.pack_into(">I", changed, content.index(b"tkhd") + 4 + 20, min(seconds * scale, 2**32 - 1))
    return bytes(changed)


def with_frame_size(content: bytes, width: int, height: int) -> bytes:
    """An MP4 whose sample description claims another size of the picture."""
    start = content.index(b"avc1") + 4 + 24
    return content[:start] + struct.pack(">HH", width, height) + content[start + 4 :]


def damaged(content: bytes, start_share: float, every: int = 97) -> bytes:
    """Single bytes changed, from a share of the file on."""
    changed = bytearray(content)
    for position in range(int(len(content) * start_share), len(content), every):
        changed[position] ^= 0x55
    return bytes(changed)


def cut(content: bytes, tenths: int) -> bytes:
    return content[: len(content) * tenths // 10]


def without_media(content: bytes) -> bytes:
    """The index of an MP4 (written in front), and nothing that it points at."""
    return content[: content.index(b"mdat") + 4]


def _add_pictures(container: av.container.OutputContainer, clip: Clip) -> None:
    pixels = np.asarray(photo().resize(clip.size, Image.Resampling.BILINEAR))
    video = container.add_stream(clip.codec or CODECS[clip.container], TICKS_PER_SECOND)
    video.width, video.height = clip.size
    video.pix_fmt = "yuv420p"
    # Every frame stands for itself and is written at once: what is cut off is only what is behind the cut.
    video.codec_context.gop_size, video.codec_context.max_b_frames = 1, 0
    if video.codec_context.name == "libx264":
        video.codec_context.options = {"tune": "zerolatency"}
    video.time_base = video.codec_context.time_base = TICK
    sound = container.add_stream("libopus", SAMPLE_RATE) if clip.has_sound else None
    for number, seconds in enumerate(clip.times):
        # Different, so that the file does not consist of its first frame.
        frame = av.VideoFrame.from_ndarray(np.roll(pixels // (1 + number % 2), number, axis=1), format="rgb24")
        frame.pts, frame.time_base = round(seconds * TICKS_PER_SECOND), TICK
        container.mux(video.encode(frame))
    container.mux(video.encode())
    if sound is not None:
        _add_silence(container, sound)


def _add_silence(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    samples = av.AudioFrame(format="s16", layout="stereo", samples=SAMPLE_RATE)
    for plane in samples.planes:
        plane.update(bytes(plane.buffer_size))
    samples.sample_rate, samples.pts = SAMPLE_RATE, 0
    container.mux(stream.encode(samples))
    container.mux(stream.encode())
