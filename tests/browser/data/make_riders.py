"""Write riders.mp4 beside this file: five seconds, two people in it, both swaying. Needs av, numpy and Pillow."""

from pathlib import Path

import av
import numpy as np
from PIL import Image

SECONDS, RATE, SIZE = 5, 15, (960, 480)
GREY = (200, 205, 210)
HERE = Path(__file__).parent
ASTRONAUT = HERE.parents[1] / "data" / "astronaut.jpg"


def main() -> None:
    """Write the clip."""
    man = Image.open(HERE / "photographer.jpg").convert("RGB").resize((480, 480))
    woman = Image.open(ASTRONAUT).convert("RGB").resize((440, 440))
    with av.open(str(HERE / "riders.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.options = {"crf": "34", "preset": "slow", "g": "15"}
        for index in range(SECONDS * RATE):
            turn = 12 * np.sin(2 * np.pi * index / (SECONDS * RATE))
            frame = Image.new("RGB", SIZE, GREY)
            frame.paste(man.rotate(turn, resample=Image.BICUBIC, fillcolor=GREY), (0, 0))
            frame.paste(woman.rotate(-turn / 2, resample=Image.BICUBIC, fillcolor=GREY), (500, 30 + int(turn)))
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
