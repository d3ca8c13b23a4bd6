"""Damaged files without end against the decoders: `PYTHONPATH=.. python -m hostile.fuzz --seconds 60`
in the folder of the tests.

Each process decodes what hypothesis makes of small good files, and writes every input down before it tries it: what
kills the process is known afterwards. The last line printed is {"outcomes": {name: count}, "findings": [text, …]}.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import itertools
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from hostile import clips
from hostile.pictures import FORMATS, encoded
from pose_service.contract.job import JobError
from pose_service.media.image import decode
from pose_service.media.video_decoding import decode_frames
from pose_service.media.video_limits import VideoLimits

MAX_PIXELS = 1_000_000
VIDEO_LIMITS = VideoLimits(seconds=5.0, frames=20, pixels=MAX_PIXELS)
# What one input may take: the largest allowed image needs a fraction of both.
INPUT_SECONDS, MEMORY_BYTES = 10, 4 * 2**30
BATCH = 200
SHOWN_BYTES = 300
SIZE = (48, 32)
MODES = (("CMYK", "JPEG"), ("P", "PNG"), ("RGBA", "WEBP"))
TIFF_KINDS = ("tiff_lzw", "jpeg", "tiff_deflate", "packbits")
CHANGES = ("overwrite", "overwrite", "number", "number", "repeat", "splice", "cut")
Decoder = Callable[[io.BytesIO], None]
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def small_images() -> list[bytes]:
    """Good files of every kind, small, so that most changes hit something that matters."""
    picture = Image.linear_gradient("L").resize(SIZE).convert("RGB")
    moving = {"save_all": True, "append_images": [picture.rotate(90)]}
    files = [encoded(picture, name) for name in FORMATS]
    files += [encoded(picture, name, **moving) for name in ("GIF", "WEBP", "PNG")]
    files += [encoded(picture.convert(mode), name) for mode, name in MODES]
    files += [encoded(picture, "JPEG", progressive=True), encoded(picture, "WEBP", lossless=True)]
    return files + [encoded(picture, "TIFF", compression=name) for name in TIFF_KINDS]


def small_videos() -> list[bytes]:
    """Good files of every container and of the codecs that phones write."""
    kinds = (("mp4", ""), ("mov", "mpeg4"), ("webm", ""), ("webm", "libvpx-vp9"))
    times = clips.evenly(4, 10)
    return [clips.encoded(clips.Clip(times, SIZE, container, codec)) for container, codec in kinds]


@st.composite
def damaged(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """A file with one to three changes: bytes overwritten, cut out, repeated, or taken from another file."""
    content = draw(st.sampled_from(files))
    for _ in range(draw(st.integers(1, 3))):
        change = draw(st.sampled_from(CHANGES))
        start, length = draw(st.integers(0, len(content))), draw(st.integers(1, 64))
        middle = content[start : start + length]
        if change == "overwrite":
            middle = draw(st.binary(min_size=1, max_size=8))
        elif change == "repeat":
            middle *= 3
        elif change == "splice":
            middle = draw(st.sampled_from(files))[start : start + length]
        elif change == "number":
            order, length = draw(st.sampled_from(("little", "big"))), 4
            middle = draw(st.sampled_from(NUMBERS)).to_bytes(4, order)
        elif change == "cut":
            middle = b""
        content = content[:start] + middle + content[start + length :]
    return content


def work(folder: Path, number: int, seconds: float) -> None:
    """Decode until the time is up, images and videos in turns; the outcomes are a file beside the last input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    current, outcomes = folder / f"{number}.input", Counter[str]()
    ends_at = time.monotonic() + seconds

    def attempt(decoder: Decoder, content: bytes) -> None:
        if time.monotonic() < ends_at:
            current.write_bytes(content)
            signal.alarm(INPUT_SECONDS)
            outcomes[outcome(decoder, content)] += 1
            signal.alarm(0)

    decoders = ((small_images(), decode_image), (small_videos(), decode_video))
    for batch, (files, decoder) in enumerate(itertools.cycle(decoders)):
        run_batch(damaged(files), partial(attempt, decoder), number * 100_000 + batch)
        if time.monotonic() > ends_at:
            break
    (folder / f"{number}.json").write_text(json.dumps(outcomes))


def run_batch(contents: st.SearchStrategy[bytes], attempt: Callable[[bytes], None], number: int) -> None:
    """One batch of hypothesis, different for every number."""
    plain = settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @seed(number)
    @plain
    @given(contents)
    def run(content: bytes) -> None:
        attempt(content)

    run()


def decode_image(stream: io.BytesIO) -> None:
    decode(stream, MAX_PIXELS)


def decode_video(stream: io.BytesIO) -> None:
    for _ in decode_frames(stream, VIDEO_LIMITS):
        pass


def outcome(decoder: Decoder, content: bytes) -> str:
    """`pixels` or the name of the error; anything but a JobError ends the process."""
    try:
        decoder(io.BytesIO(content))
    except JobError as error:
        return f"{decoder.__name__}: {type(error).__name__}"
    return f"{decoder.__name__}: pixels"


def finding(folder: Path, number: int, exit_code: int) -> str:
    """What a process that did not end well leaves: how it ended, and the input."""
    content = (folder / f"{number}.input").read_bytes()
    end = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    return f"{end} with {len(content)} bytes: {base64.b64encode(content[:SHOWN_BYTES]).decode()}"


def main(seconds: float) -> int:
    """Run a process a core. A process that ends early is one finding; the others go on."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        context = multiprocessing.get_context("spawn")
        numbers = range(os.cpu_count() or 1)
        processes = [context.Process(target=work, args=(folder, number, seconds)) for number in numbers]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        findings = [
            finding(folder, number, process.exitcode) for number, process in enumerate(processes) if process.exitcode
        ]
        outcomes = Counter[str]()
        for number in numbers:
            with contextlib.suppress(FileNotFoundError):
                outcomes.update(json.loads((folder / f"{number}.json").read_text()))
    sys.stdout.write(json.dumps({"outcomes": dict(outcomes.most_common()), "findings": findings}) + "\n")
    return 1 if findings else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Decode damaged files and count how that ends.")
    parser.add_argument("--seconds", type=float, default=60.0)
    sys.exit(main(parser.parse_args().seconds))
