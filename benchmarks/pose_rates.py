"""Rows about the speed of estimates: against a bare MediaPipe loop, what the service adds, flat memory."""

import os
import re
from collections.abc import Sequence
from functools import partial
from statistics import median, quantiles

from benchmarks.options import Options
from benchmarks.pose_load import Client, Timing
from benchmarks.pose_stack import PHOTO, PoseStack, running_pose
from benchmarks.samples import Goal, Measurement, Samples, alternate
from layerstack.errors import CheckFailed

IMAGE_COUNT = 240
WARM_UP_COUNT = 40
STEADY_SECONDS = 20.0
MEMORY_ESTIMATES, MEMORY_WARM_UP = 10_000, 1_000
MEBIBYTE = 1024 * 1024
# cgroup 2 says "anon", cgroup 1 "total_rss": what processes hold, without the file cache.
MEMORY_FILE = "cat /sys/fs/cgroup/memory.stat 2>/dev/null || cat /sys/fs/cgroup/memory/memory.stat"
_RESIDENT = re.compile(r"(?m)^(?:anon|total_rss) (\d+)$")


def measure_throughput(options: Options, _goal: Goal) -> Measurement:
    """Seconds for the same photos: the service with all its engines, and as many processes with MediaPipe alone."""
    cores = os.cpu_count() or 1
    with running_pose() as stack:
        client = _client(stack)
        samples = alternate(
            options.run_count,
            partial(client.send_all, IMAGE_COUNT, cores + 2),
            partial(_bare_loop, stack, cores),
        )
    ours, theirs = (IMAGE_COUNT / median(side) for side in (samples.ours, samples.theirs))
    notes = (
        f"{IMAGE_COUNT} JPEGs of 512 x 512 to 1920 x 1280 with one person each, max_people=1, {cores} processes each",
        f"{ours:.1f} and {theirs:.1f} photos a second: {ours / theirs:.2f} x the bare loop",
        "the clients run on the same cores and are counted against ours",
    )
    return Measurement(samples, notes)


def measure_latency(share: int, options: Options, goal: Goal) -> Measurement:
    """Milliseconds that a photo takes longer than its engine call, at half load; `share` is the percentile."""
    with running_pose() as stack:
        client = _client(stack)
        seconds = client.send_all(IMAGE_COUNT, (os.cpu_count() or 1) + 2)
        per_second = IMAGE_COUNT / seconds / 2
        count = max(100, round(STEADY_SECONDS * per_second))
        runs = [client.send_steadily(count, per_second) for _ in range(options.run_count)]
    samples = Samples(tuple(percentile([one.added_seconds * 1000 for one in run], share) for run in runs))
    notes = (
        f"{count} photos a run, evenly spaced, {per_second:.1f} a second: half of what {seconds:.1f} s for "
        f"{IMAGE_COUNT} allow",
        "added is what the client waited less what the engine says it decoded and estimated",
    )
    return Measurement(samples, notes, "" if samples.meets(goal) else _where(runs[-1]))


def measure_memory(_options: Options, _goal: Goal) -> Measurement:
    """MiB that all processes hold after 10,000 estimates, against those after the first 1,000."""
    with running_pose() as stack:
        client = _client(stack)
        connections = (os.cpu_count() or 1) + 2
        held = [_resident_mib(stack)]
        for _ in range(MEMORY_ESTIMATES // MEMORY_WARM_UP):
            client.send_all(MEMORY_WARM_UP, connections)
            held.append(_resident_mib(stack))
    growth = ", ".join(f"{value:.0f}" for value in held)
    note = f"MiB before and after every {MEMORY_WARM_UP:,} estimates: {growth}"
    return Measurement(Samples((held[-1],), (held[1],)), (note,))


def percentile(values: list[float], share: int) -> float:
    """The value that `share` percent of the values do not exceed."""
    return quantiles(values, n=100, method="inclusive")[share - 1]


def _client(stack: PoseStack) -> Client:
    stack.inside("make_images.py", PHOTO, "/media")
    client = Client(stack.port, stack.media)
    client.send_all(WARM_UP_COUNT, 4)
    return client


def _bare_loop(stack: PoseStack, process_count: int) -> float:
    result = stack.inside("bare_loop.py", "/media", str(IMAGE_COUNT), str(process_count))
    if result["found"] != IMAGE_COUNT:
        raise CheckFailed(f"the bare loop found somebody in {result['found']} of {IMAGE_COUNT} photos")
    return float(result["seconds"])


def _resident_mib(stack: PoseStack) -> float:
    found = _RESIDENT.search(stack.in_container("sh", "-c", MEMORY_FILE))
    if found is None:
        raise CheckFailed("the container's memory.stat holds neither anon nor total_rss")
    return int(found[1]) / MEBIBYTE


def _where(timings: Sequence[Timing]) -> str:
    waited = median(one.seconds for one in timings) * 1000
    engine = median(one.engine_seconds for one in timings) * 1000
    worst = sorted((one.added_seconds * 1000 for one in timings), reverse=True)[:10]
    return "\n".join(
        (
            f"{waited:8.1f} ms  the client waited (median)",
            f"{engine:8.1f} ms  the engine decoded and estimated (median)",
            "the longest additions in ms: " + ", ".join(f"{value:.1f}" for value in worst),
        )
    )
