"""A whole clip through PHALP: pictures into a folder of our own, its answer back as frames."""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Union

import numpy as np
from PIL import Image

from pose_service.contract.job import WORKING
from pose_service.engines.hmr2.phalp import Stopped
from pose_service.engines.hmr2.tracked_people import read_people
from pose_service.finding.people_finder import FindOptions
from pose_service.following.background import Background
from pose_service.following.video import FramePeople, in_full_size
from pose_service.media.video_decoding import VideoFrame

JPEG_QUALITY = 95
LOAD_SECONDS = 300.0
SIGN_SECONDS = 2.0
# None for a picture, then the answer or the error.
Sign = Union[None, BaseException, Mapping[str, Any]]


class ClipTracker(Protocol):
    """What `follow` needs of Phalp."""

    def track(self, folder: Path, output: Path, on_frame: Callable[[], None]) -> Mapping[str, Any]: ...


def follow(load: Callable[[], ClipTracker], frames: Iterable[VideoFrame], options: FindOptions) -> Iterator[Any]:
    """Yield WORKING as a sign of life for each picture, and when all are done the FramePeople in order.

    PHALP looks ahead and writes its answer at the end, so nothing can be told earlier. One picture is in memory at a
    time; all of them lie in a private folder, which is gone afterwards. `load` may take minutes. Raises what it and
    the tracker raise.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="clip-") as name:
        # Names of our making: PHALP builds shell commands from them.
        pictures, output = Path(name) / "pictures", Path(name) / "output"
        pictures.mkdir()
        kept = []
        background = Background()
        for frame in frames:
            path = pictures / f"{len(kept):06d}.jpg"
            Image.fromarray(frame.rgb).save(path, quality=JPEG_QUALITY)
            kept.append((str(path), _without_pixels(frame), background.measure(frame.rgb, ())))
            yield WORKING
        found = yield from _tracked(load, pictures, output)
    milliseconds = (time.perf_counter() - started) * 1000 / max(1, len(kept))
    for path, frame, camera in kept:
        people = read_people(found.get(path, {}), (frame.rgb.shape[1], frame.rgb.shape[0]), options)
        result: FramePeople = in_full_size(frame, people, milliseconds, camera)
        yield result


def _tracked(load: Callable[[], ClipTracker], pictures: Path, output: Path) -> Iterator[Any]:
    """Run it beside, so that each of its pictures is a sign of life here; it ends when nobody listens any more."""
    signs: queue.SimpleQueue[Sign] = queue.SimpleQueue()
    stopping, loaded = threading.Event(), threading.Event()
    loads_until = time.monotonic() + LOAD_SECONDS

    def on_frame() -> None:
        if stopping.is_set():
            raise Stopped
        signs.put(None)

    def work() -> None:
        try:
            tracker = load()
            loaded.set()
            signs.put(tracker.track(pictures, output, on_frame))
        except BaseException as error:
            signs.put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    sign: Sign = None
    try:
        while sign is None:
            try:
                sign = signs.get(timeout=SIGN_SECONDS)
            except queue.Empty:
                # Loading is silent. Between pictures, silence means that it hangs, and is told as such.
                if loaded.is_set() or time.monotonic() > loads_until:
                    continue
            yield WORKING
    finally:
        stopping.set()
        thread.join()
    if isinstance(sign, BaseException):
        raise sign
    return sign


def _without_pixels(frame: VideoFrame) -> VideoFrame:
    """The frame with an array of the same height and width and no content."""
    return replace(frame, rgb=np.empty((*frame.rgb.shape[:2], 0), np.uint8))
