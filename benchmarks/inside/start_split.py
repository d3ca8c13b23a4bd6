"""Usage: start_split.py PHOTO. Seconds of what a fresh engine process does before its first answer, as JSON."""

import json
import sys
import time
from pathlib import Path


def main(photo: Path) -> None:
    """Import, build the graph with its models, estimate twice."""
    times = [time.perf_counter()]

    import numpy as np
    from mediapipe.python.solutions.pose import Pose
    from PIL import Image

    times.append(time.perf_counter())
    pose = Pose(static_image_mode=True, model_complexity=1)
    times.append(time.perf_counter())
    image = np.asarray(Image.open(photo).convert("RGB"))
    times.append(time.perf_counter())
    pose.process(image)
    times.append(time.perf_counter())
    pose.process(image)
    times.append(time.perf_counter())
    seconds = [after - before for before, after in zip(times, times[1:])]
    print(json.dumps(dict(zip(("imports", "model", "decoding", "first estimate", "second estimate"), seconds))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
