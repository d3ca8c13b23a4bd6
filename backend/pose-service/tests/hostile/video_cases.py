"""Videos in a correct upload: what each must be answered with."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from hostile import clips
from hostile.clips import Clip, evenly
from hostile.forms import END, chunked, file_part, post
from hostile.headers import replaced
from hostile.pictures import animated, photo_as

PATH = b"/pose/video?max_people=1"
UNREADABLE, TOO_LONG, TOO_MANY = "unreadable-video", "video-too-long", "too-many-pixels"
# As the service under test is started with.
MAX_SECONDS, MAX_FRAMES, MAX_MEGABYTES = 5, 60, 4
FAST_START = (("movflags", "faststart"),)
FRAGMENTS = (("movflags", "frag_keyframe+empty_moov"),)
LONG = Clip(times=evenly(20, 10), options=FAST_START)
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\n"
SDP = b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
AVI = b"RIFF\0\0\0\0AVI LIST" + bytes(500)


@dataclass(frozen=True)
class VideoCase:
    """`build` makes the bytes of the whole HTTP request.

    status 200: a line for each of `times` (None: any number), frames of `size`, and a summary; unless kind names the
    problem that ends the stream in the middle.
    """

    name: str
    build: Callable[[], bytes]
    status: int
    kind: str = ""
    times: tuple[float, ...] | None = None
    size: tuple[int, int] = (256, 256)


def video_cases() -> Iterator[VideoCase]:
    """All cases of POST /pose/video."""
    yield from _good()
    yield from _limits()
    yield from _damaged()
    yield from _lies()
    yield from _others()
    yield from _forms()


def upload(content: bytes, filename: bytes = b"ride.mp4") -> bytes:
    return post(file_part(content, filename, b"video") + END, path=PATH)


def good(
    name: str, clip: Clip, change: Callable[[bytes], bytes] = bytes, size: tuple[int, int] | None = None
) -> VideoCase:
    make = partial(_changed, clip, change)
    return VideoCase(name, lambda: upload(make()), 200, times=tuple(clip.times), size=size or clip.size)


def refused(name: str, make: Callable[[], bytes], kind: str = UNREADABLE) -> VideoCase:
    return VideoCase(name, lambda: upload(make()), 422, kind)


def _changed(clip: Clip, change: Callable[[bytes], bytes]) -> bytes:
    return change(clips.encoded(clip))


def _good() -> Iterator[VideoCase]:
    for container in ("mp4", "mov", "webm"):
        yield good(f"plain {container}", Clip(container=container))
    yield good("VP9", Clip(container="webm", codec="libvpx-vp9"))
    yield good("AV1", Clip(times=(0.0, 0.1), codec="libaom-av1"))
    yield good("MPEG-4 part 2", Clip(codec="mpeg4"))
    yield good("one frame", Clip(times=(0.0,)))
    yield good("variable frame rate", Clip(times=(0.0, 0.1, 0.15, 0.9, 2.0)))
    yield good("turned by 90 degrees", Clip(size=(320, 256)), clips.turned, (256, 320))
    yield good("with sound", Clip(has_sound=True))
    yield good("index in front", LONG)
    yield good("fragments", Clip(options=FRAGMENTS))
    yield good("16 x 16 pixels", Clip(size=(16, 16)))
    yield good("4K", Clip(times=(0.0,), size=(3840, 2160)))
    yield good("followed by a program", Clip(), lambda content: content + b"\x7fELF" + bytes(1000))
    yield good("a length of a day in the header", LONG, partial(clips.with_duration, seconds=86_400))
    yield good("another size in the header", LONG, partial(clips.with_frame_size, width=64, height=64))


def _limits() -> Iterator[VideoCase]:
    yield refused("8K", lambda: clips.encoded(Clip(times=(0.0,), size=(7680, 4320))), TOO_MANY)
    yield refused("too long", lambda: clips.encoded(Clip(times=(0.0, MAX_SECONDS + 1.0))), TOO_LONG)
    many = Clip(times=evenly(MAX_FRAMES + 5, 100), size=(64, 64))
    yield VideoCase("too many frames", lambda: upload(clips.encoded(many)), 200, TOO_LONG, size=(64, 64))


def _damaged() -> Iterator[VideoCase]:
    for tenths in range(1, 10):
        yield refused(f"index at the end, cut at {tenths}/10", partial(_cut, Clip(times=evenly(20, 10)), tenths))
    for tenths in range(3, 10):
        cut = partial(_cut, LONG, tenths)
        yield VideoCase(f"index in front, cut at {tenths}/10", lambda cut=cut: upload(cut()), 200)
    webm = Clip(times=evenly(20, 10), container="webm")
    for tenths in (3, 6, 9):
        cut = partial(_cut, webm, tenths)
        yield VideoCase(f"WebM cut at {tenths}/10", lambda cut=cut: upload(cut()), 200)
    yield VideoCase("corrupt tail", lambda: upload(clips.damaged(clips.encoded(LONG), 0.6)), 200)
    yield VideoCase("corrupt tail of a WebM", lambda: upload(clips.damaged(clips.encoded(webm), 0.5)), 200)
    yield refused("corrupt from the start", lambda: clips.damaged(clips.encoded(LONG), 0, 7))
    yield refused("index without pictures", lambda: clips.without_media(clips.encoded(LONG)))


def _lies() -> Iterator[VideoCase]:
    """Numbers of a header that are not true, where the pictures can be found all the same, and where they cannot."""
    most, none = b"\xff" * 4, bytes(4)
    for mark, offset, data, status in (
        (b"mvhd", 16, none, 200),
        (b"mdhd", 16, none, 200),
        (b"mdhd", 20, most, 200),
        (b"tkhd", 44, bytes(36), 200),
        (b"tkhd", 44, b"\x7f\xff\xff\xff" * 9, 200),
        (b"tkhd", 80, most * 2, 200),
        (b"stts", 16, most, 200),
        (b"elst", 12, most, 200),
        (b"moov", -4, none, 200),
        (b"mdat", -4, most, 200),
        (b"stts", 8, most, 422),
        (b"stsz", 8, most, 422),
        (b"stsz", 12, most, 422),
        (b"stsc", 8, most, 422),
        (b"stco", 12, most, 422),
        (b"avcC", 4, most, 422),
        (b"stsd", 8, none, 422),
        (b"ftyp", -4, none, 422),
    ):
        make = partial(replaced, clips.encoded(LONG), mark, offset, data)
        kind = UNREADABLE if status == 422 else ""
        yield VideoCase(f"{mark.decode()}{offset:+} {data[:4].hex()}", lambda make=make: upload(make()), status, kind)
    webm = clips.encoded(Clip(times=evenly(4, 10), container="webm"))
    for seconds in (float("nan"), float("inf"), -1e9, 1e300):
        # Behind the element's id and its length.
        changed = replaced(webm, b"\x44\x89\x88", 3, struct.pack(">d", seconds))
        yield VideoCase(f"WebM of {seconds} s", lambda changed=changed: upload(changed), 200)


def _cut(clip: Clip, tenths: int) -> bytes:
    return clips.cut(clips.encoded(clip), tenths)


def _others() -> Iterator[VideoCase]:
    for container in ("mp4", "mov", "webm", "wav"):
        yield refused(f"only sound: {container}", partial(clips.only_sound, container))
    contents = {
        "nothing": b"",
        "one byte": b"\0",
        "text": b"a ride, honestly",
        "a playlist of local files": PLAYLIST,
        "a list of local files": CONCAT,
        "a description of a stream": SDP,
        "an AVI": AVI,
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "an MP4's first bytes": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        "a WebM's first bytes": b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1f",
        "a MiB of zeros": bytes(2**20),
    }
    for name, content in contents.items():
        yield refused(name, lambda content=content: content)
    yield refused("a photo", lambda: photo_as("JPEG"))
    yield refused("an animated GIF", partial(animated, "GIF", 4))
    yield VideoCase("an AVIF, which is built like an MP4", lambda: upload(photo_as("AVIF")), 200, size=(512, 512))


def _forms() -> Iterator[VideoCase]:
    clip = clips.encoded(Clip())
    part = file_part(clip, b"ride.mp4", b"video")
    yield VideoCase("no file", lambda: post(END, path=PATH), 400, "missing-video")
    yield VideoCase("two files", lambda: post(part + part + END, path=PATH), 400, "several-files")
    yield VideoCase("a video as image", lambda: post(file_part(clip) + END, path=PATH), 400, "missing-video")
    yield VideoCase("a form cut short", lambda: post(part[:-50], path=PATH), 400, "broken-upload")
    yield VideoCase("not a form", lambda: post(clip, path=PATH, content_type=b"video/mp4"), 415, "not-a-form")
    large = bytes(MAX_MEGABYTES * 2**20)
    yield VideoCase("a byte too much", lambda: upload(large), 413, "too-large")
    body = file_part(large, field=b"video") + END
    yield VideoCase(
        "too much in chunks", lambda: post(chunked(body), b"Transfer-Encoding: chunked", path=PATH), 413, "too-large"
    )
    yield VideoCase(
        "a file name of a path",
        lambda: upload(clip, b"../../../../tmp/evil.mp4"),
        200,
        times=Clip().times,
    )
