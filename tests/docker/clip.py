"""A short clip of a person, made by the pose service's own video library inside its container."""

import io
import tarfile
import uuid
from pathlib import Path
from typing import Any

PHOTO = Path(__file__).parents[1] / "data" / "astronaut.jpg"
FOLDER = "/tmp"
FRAME_COUNT = 20
# Two seconds in which the photo moves to the right.
SCRIPT = f"""
import av, io, sys
from PIL import Image
photo = Image.open("{FOLDER}/{PHOTO.name}").convert("RGB").resize((256, 256))
target = io.BytesIO()
with av.open(target, "w", format="mp4") as container:
    stream = container.add_stream("mpeg4", rate=10)
    stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
    for index in range({FRAME_COUNT}):
        picture = Image.new("RGB", (480, 270), "gray")
        picture.paste(photo, (10 * index, 7))
        for packet in stream.encode(av.VideoFrame.from_image(picture)):
            container.mux(packet)
    for packet in stream.encode():
        container.mux(packet)
sys.stdout.buffer.write(target.getvalue())
"""


def make_clip(pose_service: Any) -> bytes:
    """An MP4 of FRAME_COUNT frames; `pose_service` is the running container."""
    pose_service.put_archive(FOLDER, _tar(PHOTO))
    code, output = pose_service.exec_run(["python", "-c", SCRIPT], demux=True)
    assert code == 0, output[1]
    made: bytes = output[0]
    return made


def make_unique(media: bytes) -> bytes:
    """The same picture or clip with another hash."""
    if media[4:8] == b"ftyp":
        return media + (8 + 16).to_bytes(4, "big") + b"free" + uuid.uuid4().bytes
    return media + uuid.uuid4().bytes  # behind the end mark of a JPEG


def _tar(path: Path) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.add(path, arcname=path.name)
    return target.getvalue()
