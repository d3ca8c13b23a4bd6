"""A video file to upright pictures with their times, one at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Optional

import numpy as np

from pose_service.contract.engine import Pixels
from pose_service.media.image import TooManyPixelsError
from pose_service.media.video_limits import UnreadableVideoError, VideoLimits, VideoTooLongError

# Nothing else is opened: some of FFmpeg's formats are lists of addresses to fetch.
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
READABLE = "MP4, MOV or WebM"
# More pixels help neither model; they cost time to convert.
MAX_SIDE = 1920
# One thread decodes ahead while the model computes.
DECODER_THREADS = 2
MICROSECONDS = 1_000_000
# References, frames in the threads and those that wait for their turn: H.264 and HEVC keep at most 16 references.
FRAMES_HELD = 20
# 5312 x 2988 with 10 bits takes 0.95 GB; the same with 4:4:4 and 16 bits would take 1.9. `capacity` counts with it.
MAX_DECODER_BYTES = 1024**3
# How much wider or higher than the other side a pixel may be: television has up to 2.1, broken files have anything.
MAX_PIXEL_RATIO = 4.0


@dataclass(frozen=True)
class VideoFrame:
    """One picture as it is shown: its pixels made square, and turned upright by the container's rotation.

    rgb: (H, W, 3), reduced to MAX_SIDE. width, height: of the full frame. time_seconds: from the start of the video by
    the container's timestamps. total_*: what the container says of the whole, if it does. damaged: packets lost so far.
    """

    rgb: Pixels
    index: int
    time_seconds: float
    width: int
    height: int
    total_frames: Optional[int]
    total_seconds: Optional[float]
    damaged: int


def decode_frames(media: IO[bytes], limits: VideoLimits) -> Iterator[VideoFrame]:
    """Every frame in the order of presentation. Damaged packets are left out and counted.

    Raises UnreadableVideoError, VideoTooLongError or TooManyPixelsError, before the first frame where the container
    tells, or in the middle.
    """
    import av

    try:
        options = {"format_whitelist": CONTAINERS}
        container = av.open(media, options=options, metadata_errors="ignore")
    except (av.error.FFmpegError, ValueError, OSError, EOFError) as error:
        raise UnreadableVideoError(f"This is not an {READABLE} video.") from error
    with contextlib.closing(container):
        yield from _Decoding(container, limits).frames()


class _Decoding:
    def __init__(self, container: Any, limits: VideoLimits) -> None:
        self._container = container
        self._limits = limits
        self._stream = _picture_stream(container)
        self._seconds = container.duration / MICROSECONDS if container.duration else None
        self._start = (container.start_time or 0) / MICROSECONDS
        self._pixel_ratio = _pixel_ratio(self._stream)
        self._last_time = 0.0
        self._damaged = 0

    def frames(self) -> Iterator[VideoFrame]:
        if self._seconds is not None:
            self._check_length(self._seconds)
        _check_pixels(self._stream.codec_context.width * self._stream.codec_context.height, self._limits)
        _check_decoder(self._stream.codec_context)
        index = 0
        for picture in self._pictures():
            if index >= self._limits.frames:
                raise VideoTooLongError(f"The video has more than {self._limits.frames} frames.")
            yield self._frame(picture, index)
            index += 1
        if index == 0:
            raise UnreadableVideoError("The video has no frame that can be decoded.")

    def _pictures(self) -> Iterator[Any]:
        import av

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                # What follows cannot be read; the end of the decoder's queue still can.
                self._damaged += 1
                yield from self._decode(None)
                return
            yield from self._decode(packet)

    def _decode(self, packet: Any) -> list[Any]:
        import av

        try:
            return list(self._stream.codec_context.decode(packet) if packet is None else packet.decode())
        except av.error.FFmpegError:
            self._damaged += 1
            return []

    def _frame(self, picture: Any, index: int) -> VideoFrame:
        _check_pixels(picture.width * picture.height, self._limits)
        _check_decoder(picture)
        seconds = self._time_of(picture, index)
        self._check_length(seconds)
        # As browsers do it: pixels that are not square are made larger, never smaller.
        width = round(picture.width * max(1.0, self._pixel_ratio))
        height = round(picture.height / min(1.0, self._pixel_ratio))
        rgb = _upright(picture, width, height)
        if round(picture.rotation / 90) % 2 == 1:
            width, height = height, width
        total = self._stream.frames or None
        return VideoFrame(rgb, index, seconds, width, height, total, self._seconds, self._damaged)

    def _time_of(self, picture: Any, index: int) -> float:
        by_rate = index / float(self._stream.average_rate or 30)
        seconds = by_rate if picture.time is None else picture.time - self._start
        # Broken files step back in time; whoever reads the lines relies on order.
        self._last_time = max(self._last_time, seconds)
        return self._last_time

    def _check_length(self, seconds: float) -> None:
        if seconds > self._limits.seconds:
            raise VideoTooLongError(f"The video is longer than {self._limits.seconds:g} s ({seconds:.1f} s).")


def _picture_stream(container: Any) -> Any:
    from av.stream import Disposition

    streams = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    if not streams or streams[0].codec_context is None:
        raise UnreadableVideoError("The file has no video stream that can be decoded.")
    stream = streams[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = DECODER_THREADS
    return stream


def _pixel_ratio(stream: Any) -> float:
    """Width of a pixel by its height."""
    ratio = float(stream.sample_aspect_ratio or 1.0)
    return ratio if 1 / MAX_PIXEL_RATIO <= ratio <= MAX_PIXEL_RATIO else 1.0


def _check_pixels(pixels: int, limits: VideoLimits) -> None:
    if pixels > limits.pixels:
        raise TooManyPixelsError(f"A frame has {pixels} pixels, more than {limits.pixels}.")


def _check_decoder(source: Any) -> None:
    """Would the decoder's frames fit into memory? source: a codec context or a picture, which may differ from it."""
    if source.format is None:
        return
    frame_bytes = source.width * source.height * source.format.padded_bits_per_pixel // 8
    if frame_bytes * FRAMES_HELD > MAX_DECODER_BYTES:
        raise TooManyPixelsError(
            f"{source.width} x {source.height} {source.format.name}: {FRAMES_HELD} such frames take more than"
            f" {MAX_DECODER_BYTES} bytes."
        )


def _upright(picture: Any, width: int, height: int) -> Pixels:
    ratio = min(1.0, MAX_SIDE / max(width, height))
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    rgb = picture.reformat(width=size[0], height=size[1], format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(rgb, round(picture.rotation / 90)))
