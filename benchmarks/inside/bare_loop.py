"""Usage: bare_loop.py FOLDER COUNT PROCESSES. Decode and estimate images with nothing but MediaPipe; prints seconds.

One Pose a process, as MediaPipe wants it; the time runs from the moment when all of them are ready.
"""

import io
import json
import multiprocessing
import sys
import time
from pathlib import Path
from typing import Any


def work(contents: list[bytes], start: Any, count: Any, left: Any) -> None:
    """Estimate images until none is left."""
    import numpy as np
    from mediapipe.python.solutions.pose import Pose
    from PIL import Image

    pose = Pose(static_image_mode=True, model_complexity=1)
    pose.process(np.zeros((256, 256, 3), np.uint8))
    start.wait()
    while True:
        with left.get_lock():
            left.value -= 1
            number = left.value
        if number < 0:
            return
        image = Image.open(io.BytesIO(contents[number % len(contents)])).convert("RGB")
        if pose.process(np.asarray(image)).pose_landmarks is not None:
            with count.get_lock():
                count.value += 1


def main(folder: Path, count: int, process_count: int) -> None:
    """Print {"seconds", "found"}."""
    contents = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    context = multiprocessing.get_context("spawn")
    start, found, left = context.Barrier(process_count + 1), context.Value("i", 0), context.Value("i", count)
    processes = [context.Process(target=work, args=(contents, start, found, left)) for _ in range(process_count)]
    for process in processes:
        process.start()
    start.wait()
    began = time.perf_counter()
    for process in processes:
        process.join()
    print(json.dumps({"seconds": time.perf_counter() - began, "found": found.value}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
