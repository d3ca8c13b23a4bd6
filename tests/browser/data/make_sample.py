"""Write the sample that the page offers, and rider.mp4 beside this file: a made figure that bends its knees and rises.

Needs av, numpy and Pillow.
"""

from pathlib import Path

import av
import numpy as np
from PIL import Image
from ray_picture import render
from rider_figure import build_figure, stand

HERE = Path(__file__).parent
SAMPLE = HERE.parents[2] / "backend" / "web" / "public" / "sample.jpg"
PHOTO_SIZE, PHOTO_CROUCH = (960, 720), 0.62
CLIP_SIZE, POSES, RATE, BENDS = (480, 360), 12, 12, 3


def main() -> None:
    """Write both."""
    make_picture(PHOTO_SIZE, PHOTO_CROUCH).save(SAMPLE, quality=88, optimize=True)
    bends = [make_picture(CLIP_SIZE, crouch) for crouch in (1 - np.cos(np.linspace(0, np.pi, POSES))) / 2]
    frames = (bends + bends[::-1]) * BENDS
    with av.open(str(HERE / "rider.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *CLIP_SIZE, "yuv420p"
        stream.options = {"crf": "30", "preset": "slow", "g": "12"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())


def make_picture(size: tuple[int, int], crouch: float) -> Image.Image:
    """The rider in that size."""
    return render(build_figure(stand(crouch)), *size)


if __name__ == "__main__":
    main()
