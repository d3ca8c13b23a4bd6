"""Rows about the pose service's code and start: a saved file, a restart, the parts of an image."""

import re
import time
import uuid
from functools import partial

from benchmarks.options import Options
from benchmarks.pose_stack import PHOTO, SERVICE, PoseStack, built_pose, running_pose
from benchmarks.samples import Goal, Measurement, Samples, alternate
from layerstack.engine import images
from layerstack.errors import CheckFailed

EDITED = "backend/pose-service/pose_service/web/openapi.py"
WARM = f"saved: `{EDITED.partition('/')[2]}`; the engines are the same processes before and after, models loaded"
_VERSION = re.compile(r'"version": "[^"]*"')
MEGABYTE = 1_000_000
LIST_PROCESSES = "for p in /proc/[0-9]*; do echo ${p#/proc/} $(tr '\\0' ' ' < $p/cmdline) $(grep VmRSS $p/status); done"
# An engine process holds a model: nothing else in the container comes near.
ENGINE_KIB = 150_000
_PROCESS = re.compile(r"(?m)^(\d+) .*VmRSS: (\d+) kB$")


def measure_reload(options: Options, _goal: Goal) -> Measurement:
    """Seconds from saving a file of pose_service/ to the new code's answer."""
    with running_pose(POSE_GUNICORN_ARGS="--reload") as stack:
        _reload(stack)
        samples = Samples(tuple(_reload(stack) for _ in range(options.run_count)))
    return Measurement(samples, (WARM,))


def measure_reload_ratio(options: Options, _goal: Goal) -> Measurement:
    """The same against a restart of the container until all engines are ready."""
    with running_pose(POSE_GUNICORN_ARGS="--reload") as stack:
        _reload(stack)
        samples = alternate(options.run_count, partial(_reload, stack), partial(_restart, stack))
    return Measurement(samples, (WARM,))


def measure_restart(options: Options, _goal: Goal) -> Measurement:
    """Seconds of `docker compose restart` until all engines are ready, and what an engine does in them."""
    with running_pose() as stack:
        samples = Samples(tuple(_restart(stack) for _ in range(options.run_count)))
        split = stack.inside("start_split.py", PHOTO)
    parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in split.items())
    return Measurement(samples, (f"of one engine alone: {parts}",))


def measure_image(_options: Options, _goal: Goal) -> Measurement:
    """Megabytes of the service's image on the CPU base, and the share of its parts."""
    with built_pose() as stack:
        sizes = stack.inside("package_sizes.py")
        layers = _layers(stack)
    shares = ", ".join(f"{name} {bytes_ / MEGABYTE:.0f}" for name, bytes_ in layers.items())
    packages = ", ".join(f"{name} {bytes_ / MEGABYTE:.0f}" for name, bytes_ in sizes.items())
    whole = sum(layers.values()) / MEGABYTE
    return Measurement(Samples((whole,)), (f"MB by image: {shares}", f"MB of the largest parts: {packages}"))


def _reload(stack: PoseStack) -> float:
    mark, before = uuid.uuid4().hex, _engines(stack)
    stack.copy.rewrite(EDITED, lambda text: _VERSION.sub(f'"version": "{mark}"', text))
    seconds = stack.seconds_until(lambda: _version(stack) == mark, "the saved code")
    if not before or _engines(stack) != before:
        raise CheckFailed("the engines changed with the code: their models were loaded again")
    return seconds


def _restart(stack: PoseStack) -> float:
    """The service is ready again in a container that was restarted: an answer of the old one does not count."""
    began = time.monotonic()
    stack.compose("restart", SERVICE)
    stack.seconds_until(stack.is_ready, "a ready pose service")
    return time.monotonic() - began


def _version(stack: PoseStack) -> str:
    document = stack.get("/openapi.json") or {}
    return str(document.get("info", {}).get("version"))


def _engines(stack: PoseStack) -> set[str]:
    found = _PROCESS.findall(stack.in_container("sh", "-c", LIST_PROCESSES))
    return {pid for pid, kib in found if int(kib) > ENGINE_KIB}


def _layers(stack: PoseStack) -> dict[str, int]:
    """Bytes that each image of the chain adds to the one below it."""
    names = ("base-python:latest", "base-python-pose:cpu", "pose-service:cpu")
    stored = images.find_all([f"{stack.copy.name}-{name}" for name in names])
    sizes = [stored[f"{stack.copy.name}-{name}"].size_bytes for name in names]
    return dict(zip(names, (after - before for before, after in zip((0, *sizes), sizes, strict=False)), strict=True))
