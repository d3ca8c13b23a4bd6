"""Usage: bare_video.py FILE. Decode a video and track its person with PyAV and MediaPipe alone; prints seconds."""

import json
import sys
import time
from pathlib import Path


def main(path: Path) -> None:
    """Print {"seconds", "frames", "found"}; building the graph is not counted, as the service has its own ready."""
    import av
    import numpy as np
    from mediapipe.python.solutions.pose import Pose

    pose = Pose(static_image_mode=False, model_complexity=1)
    pose.process(np.zeros((256, 256, 3), np.uint8))
    frames = found = 0
    began = time.perf_counter()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            frames += 1
            found += pose.process(frame.to_ndarray(format="rgb24")).pose_landmarks is not None
    print(json.dumps({"seconds": time.perf_counter() - began, "frames": frames, "found": found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
