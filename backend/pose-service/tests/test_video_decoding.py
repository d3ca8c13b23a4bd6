"""What comes out of a video file: frames, times, rotation, errors."""

from __future__ import annotations

import io
import resource
from fractions import Fraction

import numpy as np
import pytest
from clips import clip, sound_only, turned

from pose_service.contract.engine import Pixels
from pose_service.media.image import TooManyPixelsError
from pose_service.media.video_decoding import MAX_SIDE, VideoFrame, decode_frames
from pose_service.media.video_limits import UnreadableVideoError, VideoLimits, VideoTooLongError

UNEVEN = [0.0, 0.04, 0.05, 0.5, 0.52, 1.3]


def corner_frames(count: int, size: tuple[int, int] = (320, 192)) -> list[Pixels]:
    """Grey, brighter from frame to frame, red in the left upper corner."""
    frames = []
    for index in range(count):
        rgb = np.full((size[1], size[0], 3), 40 + 10 * index % 200, np.uint8)
        rgb[: size[1] // 4, : size[0] // 4] = (255, 0, 0)
        frames.append(rgb)
    return frames


def decoded(content: bytes, limits: VideoLimits = VideoLimits()) -> list[VideoFrame]:  # noqa: B008
    return list(decode_frames(io.BytesIO(content), limits))


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("webm", "libvpx")])
def test_frames_come_in_order_with_the_containers_times(container: str, codec: str) -> None:
    frames = decoded(clip(corner_frames(6), UNEVEN, container, codec))
    assert [frame.index for frame in frames] == list(range(6))
    assert [frame.time_seconds for frame in frames] == pytest.approx(UNEVEN, abs=0.002)
    brightness = [float(frame.rgb[-1, -1].mean()) for frame in frames]
    assert brightness == sorted(brightness)
    assert all((frame.width, frame.height) == (320, 192) for frame in frames)
    assert (frames[0].total_seconds or 0) > 0
    assert frames[0].total_frames == (None if container == "webm" else 6)


@pytest.mark.parametrize(
    ("degrees", "size", "red"),
    [(90, (192, 320), (0, -1)), (180, (320, 192), (-1, -1)), (270, (192, 320), (-1, 0))],
)
def test_rotation_is_applied(degrees: int, size: tuple[int, int], red: tuple[int, int]) -> None:
    """Turned clockwise by 90 degrees, the left upper corner becomes the right upper one."""
    (frame,) = decoded(turned(clip(corner_frames(1), [0.0]), degrees))
    assert (frame.width, frame.height) == size
    assert frame.rgb.shape == (size[1], size[0], 3)
    red_part, _, blue_part = frame.rgb[red].astype(int).tolist()
    assert red_part - blue_part > 100


@pytest.mark.parametrize(
    ("ratio", "degrees", "size"),
    [
        (Fraction(4, 3), 0, (427, 192)),
        (Fraction(2, 3), 0, (320, 288)),
        (Fraction(4, 3), 90, (192, 427)),
        (Fraction(100, 1), 0, (320, 192)),
    ],
)
def test_pixels_that_are_not_square_are_made_so(ratio: Fraction, degrees: int, size: tuple[int, int]) -> None:
    content = clip(corner_frames(1), [0.0], pixel_ratio=ratio)
    (frame,) = decoded(turned(content, degrees) if degrees else content)
    assert (frame.width, frame.height) == size
    assert frame.rgb.shape == (size[1], size[0], 3)


def test_a_large_frame_is_reduced_and_keeps_its_size_by_name() -> None:
    (frame,) = decoded(clip(corner_frames(1, (2560, 320)), [0.0]))
    assert (frame.width, frame.height) == (2560, 320)
    assert max(frame.rgb.shape) == MAX_SIDE


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 4000, b"hello", b"#EXTM3U\nfile:///etc/passwd\n", b"RIFF\0\0\0\0AVI LIST"]
)
def test_bytes_that_are_no_video(content: bytes) -> None:
    with pytest.raises(UnreadableVideoError, match="MP4, MOV or WebM"):
        decoded(content)


def test_sound_alone_is_no_video() -> None:
    with pytest.raises(UnreadableVideoError, match="no video stream"):
        decoded(sound_only())


def test_every_damage_is_frames_or_a_named_error() -> None:
    content = clip(corner_frames(12), [index / 30 for index in range(12)], "webm", "libvpx")
    for step in range(1, 20):
        damaged = bytearray(content)
        start = len(content) * step // 20
        damaged[start : start + 40] = bytes(40)
        for variant in (bytes(damaged), content[:start]):
            try:
                assert len(decoded(variant)) <= 12
            except UnreadableVideoError:
                continue


def test_a_lost_tail_keeps_what_came_before() -> None:
    content = clip(corner_frames(30), [index / 30 for index in range(30)], "webm", "libvpx")
    assert 0 < len(decoded(content[: int(len(content) * 0.7)])) < 30


def test_limits_are_those_of_time_frames_and_pixels() -> None:
    content = clip(corner_frames(6), UNEVEN)
    assert len(decoded(content, VideoLimits(seconds=2, frames=6, pixels=320 * 192))) == 6
    with pytest.raises(VideoTooLongError, match=r"longer than 1 s"):
        decoded(content, VideoLimits(seconds=1))
    with pytest.raises(VideoTooLongError, match="more than 5 frames"):
        decoded(content, VideoLimits(frames=5))
    with pytest.raises(TooManyPixelsError, match="61440 pixels"):
        decoded(content, VideoLimits(pixels=320 * 192 - 1))


def test_memory_does_not_grow_with_the_length() -> None:
    """6 seconds as warm-up, then 40: every frame kept would be 550 MiB."""

    def run(count: int) -> None:
        frame = corner_frames(1, (640, 384))[0]
        content = clip((frame for _ in range(count)), [index / 20 for index in range(count)])
        assert sum(1 for _ in decode_frames(io.BytesIO(content), VideoLimits())) == count

    run(120)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(800)
    grown_mebibytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mebibytes < 40
