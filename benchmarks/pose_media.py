"""Rows about what is sent: a video against a bare loop, and damaged files without end."""

import http.client
import json
from functools import partial
from statistics import median
from time import perf_counter

from benchmarks.options import Options
from benchmarks.pose_load import BOUNDARY, form
from benchmarks.pose_stack import PHOTO, PoseStack, running_pose
from benchmarks.samples import Goal, Measurement, Samples, alternate
from benchmarks.scratch import scratch
from layerstack import command
from layerstack.errors import CheckFailed

VIDEO_SECONDS, VIDEO_TIMEOUT_SECONDS = 10, 300.0
FUZZ_SECONDS = 60


def measure_video(options: Options, _goal: Goal) -> Measurement:
    """Seconds of one video through POST /pose/video, against decoding and tracking it with nothing else."""
    with running_pose() as stack:
        stack.inside("make_video.py", PHOTO, "/media/ride.mp4", str(VIDEO_SECONDS))
        frames = _bare_video(stack)[1]
        samples = alternate(options.run_count, partial(_post_video, stack, frames), lambda: _bare_video(stack)[0])
    ours, theirs = (frames / median(side) for side in (samples.ours, samples.theirs))
    note = f"{frames} frames of 960 x 640, one person, one engine: {ours:.1f} and {theirs:.1f} frames a second"
    return Measurement(samples, (note, "ours measures every frame and smooths the track besides"))


def measure_fuzz(_options: Options, _goal: Goal) -> Measurement:
    """Damaged images and videos for a minute: how many ended in anything but pixels or a named error."""
    with scratch() as copy:
        copy.run("docker", "buildx", "bake", "pose-service-test")
        image = f"{copy.name}-pose-service-test:cpu"
        place = ("--workdir", "/app/tests", "--env", "PYTHONPATH=/opt/tests:/app")
        argv = ("docker", "run", "--rm", "--init", "--network", "none", *place, image)
        ended = command.run((*argv, "python", "-m", "hostile.fuzz", "--seconds", str(FUZZ_SECONDS)))
    # 1 says that it found something, and the last line what.
    result = json.loads((ended if ended.exit_code == 1 else ended.require()).stdout.strip().splitlines()[-1])
    counts = ", ".join(f"{name} {count:,}" for name, count in result["outcomes"].items())
    findings = "\n".join(result["findings"])
    return Measurement(Samples((float(len(result["findings"])),)), (f"in {FUZZ_SECONDS} s: {counts}",), findings)


def _bare_video(stack: PoseStack) -> tuple[float, int]:
    result = stack.inside("bare_video.py", "/media/ride.mp4")
    if result["found"] < result["frames"] - 1:
        raise CheckFailed(f"the bare loop found somebody in {result['found']} of {result['frames']} frames")
    return float(result["seconds"]), int(result["frames"])


def _post_video(stack: PoseStack, frame_count: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=VIDEO_TIMEOUT_SECONDS)
    body = form((stack.media / "ride.mp4").read_bytes(), "video", "ride.mp4")
    began = perf_counter()
    connection.request("POST", "/pose/video", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    lines = connection.getresponse().read().splitlines()
    seconds = perf_counter() - began
    connection.close()
    found = sum(bool(json.loads(line).get("people")) for line in lines)
    if found < frame_count - 1:
        raise CheckFailed(f"the service found somebody in {found} of {frame_count} frames: {lines[-1][:200]!r}")
    return seconds
