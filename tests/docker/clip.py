"""A short clip of a person, made by the pose service's own video library inside its container."""

import subprocess
import uuid
from pathlib import Path
from typing import Any

PHOTO = Path(__file__).parents[1] / "data" / "astronaut.jpg"
FRAME_COUNT = 20
# Two seconds in which the photo moves to the right.
SCRIPT = f"""
import av, io, sys
from PIL import Image
photo = Image.open(sys.stdin.buffer).convert("RGB").resize((256, 256))
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
    # Through its standard input: nothing can be copied into a container whose file system is read-only.
    words = ["docker", "exec", "--interactive", pose_service.id, "python", "-c", SCRIPT]
    made = subprocess.run(words, input=PHOTO.read_bytes(), capture_output=True, check=False)
    assert made.returncode == 0, made.stderr.decode()
    return made.stdout


def make_unique(media: bytes) -> bytes:
    """The same picture or clip with another hash."""
    if media[4:8] == b"ftyp":
        return media + (8 + 16).to_bytes(4, "big") + b"free" + uuid.uuid4().bytes
    return media + uuid.uuid4().bytes  # behind the end mark of a JPEG
