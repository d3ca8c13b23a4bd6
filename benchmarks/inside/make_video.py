"""Usage: make_video.py PHOTO OUTPUT SECONDS. One person who moves slowly through an MP4 of 30 frames a second."""

import sys
from pathlib import Path

import av
import numpy as np
from PIL import Image

WIDTH, HEIGHT, RATE = 960, 640, 30


def main(photo: Path, output: Path, seconds: float) -> None:
    """H.264 where the library has it, else MPEG-4."""
    person = Image.open(photo).convert("RGB")
    with av.open(str(output), "w", format="mp4") as container:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        stream = container.add_stream(codec, RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(round(seconds * RATE)):
            picture = Image.new("RGB", (WIDTH, HEIGHT), "grey")
            picture.paste(person, (100 + number % 300, HEIGHT - person.height))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
