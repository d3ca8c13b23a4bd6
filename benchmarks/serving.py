"""Rows about a running stack: an edit answered, a start with nothing to do, a start without the build cache."""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial

import requests

from benchmarks import profile_text
from benchmarks.options import Options
from benchmarks.samples import Goal, Measurement, Samples, alternate, profile_if_missed
from benchmarks.scratch import Scratch, scratch
from layerstack import command
from layerstack.engine import images
from layerstack.errors import CheckFailed
from layerstack.wait import wait_until

SERVICE, PORT = "backend-api", "API_PORT"
EDITED = "backend/src/application.js"
HEADER = "X-Benchmark"
ANSWER_TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 0.02
REQUEST_TIMEOUT_SECONDS = 1.0
# The source is in the image only: hot reload would answer before any build began.
OVERRIDE = f"services:\n  {SERVICE}:\n    volumes: !override []\n    command: [node, src/server.js]\n"
_ANCHOR = "  response.set('X-Content-Type-Options', 'nosniff');\n"
_BUILD_AND_UP = ("build", SERVICE, "--device", "cpu", "up", SERVICE)
_MARK_LINE = re.compile(rf"  response\.set\('{HEADER}', '\w+'\);\n")


def measure_answer(options: Options, goal: Goal) -> Measurement:
    """`layerstack build X up X` until the new code answers, against the return of Compose's one call."""
    ours: list[float] = []
    theirs: list[float] = []
    notes: list[str] = []
    with scratch(_write_override) as copy:
        copy.layerstack("build")
        # Each side once untimed: Compose and bake reach the bases in two ways and share no cache above them.
        _compose_up(copy)
        _build_and_recreate(copy)
        for _ in range(options.run_count):
            answered, whole = _until_answered(copy, partial(_build_and_recreate, copy))
            ours.append(answered)
            notes[:1] = [f"ours answered after {answered:.2f} s, the call was back after {whole:.2f} s"]
            answered, whole = _until_answered(copy, partial(_compose_up, copy))
            theirs.append(whole)
            notes[1:] = [f"theirs answered after {answered:.2f} s, the call was back after {whole:.2f} s"]
        samples = Samples(tuple(ours), tuple(theirs))
        profile = profile_if_missed(samples, goal, partial(_profile, copy))
        inner = _seconds_until_served(copy, options.run_count)
    inner_note = f"`layerstack time-rebuild {SERVICE} --until-served`, which starts no process anew, says {inner:.2f} s"
    return Measurement(samples, (*(f"in the last run {note}" for note in notes), inner_note), profile)


def measure_start(options: Options, goal: Goal) -> Measurement:
    """`layerstack start` against Compose's one call, both on a stack that is up and has nothing to do."""
    with scratch() as own, scratch() as other:
        own.layerstack("start")
        other.layerstack("start")
        # Compose builds its own images once, as it reaches the bases in another way.
        _compose_up(other)
        samples = alternate(
            options.run_count, lambda: own.layerstack("start").seconds, lambda: _compose_up(other).seconds
        )
        profile = profile_if_missed(samples, goal, partial(profile_text.of_task, own, "start"))
    return Measurement(samples, profile=profile)


def measure_start_without_cache(_options: Options, _goal: Goal) -> Measurement:
    """How many bases `layerstack start` builds after the whole build cache was removed."""
    with scratch() as copy:
        copy.layerstack("start")
        before = _base_ids(copy)
        copy.run("docker", "buildx", "prune", "--all", "--force")
        seconds = copy.layerstack("start").seconds
        after = _base_ids(copy)
    changed = [name for name in before if before[name] != after[name]]
    return Measurement(Samples((float(len(changed)),)), (f"`layerstack start` after the pruning took {seconds:.1f} s",))


def mark_source(source: str, mark: str) -> str:
    """The source with an answer header that was never there before."""
    return _MARK_LINE.sub("", source).replace(_ANCHOR, f"{_ANCHOR}  response.set('{HEADER}', '{mark}');\n")


def _write_override(copy: Scratch) -> None:
    (copy.root / "docker-compose.override.yml").write_text(OVERRIDE)


def _until_answered(copy: Scratch, serve: Callable[[], object]) -> tuple[float, float]:
    """Seconds from an edit to the first answer of the new code, and to the return of the call that serves it."""
    mark = uuid.uuid4().hex
    copy.rewrite(EDITED, lambda source: mark_source(source, mark))
    began = time.monotonic()
    answered: list[float] = []

    def watch() -> None:
        if wait_until(partial(_answers, copy.ports[PORT], mark), ANSWER_TIMEOUT_SECONDS, POLL_SECONDS):
            answered.append(time.monotonic() - began)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    serve()
    whole = time.monotonic() - began
    watcher.join()
    if not answered:
        raise CheckFailed(f"the new code did not answer within {ANSWER_TIMEOUT_SECONDS:.0f} s")
    return answered[0], whole


def _answers(port: int, mark: str) -> bool:
    try:
        answer = requests.get(f"http://127.0.0.1:{port}/health", timeout=REQUEST_TIMEOUT_SECONDS)
    except requests.RequestException:
        return False
    return answer.headers.get(HEADER) == mark


def _build_and_recreate(copy: Scratch) -> None:
    copy.layerstack(*_BUILD_AND_UP)


def _seconds_until_served(copy: Scratch, run_count: int) -> float:
    """Median of what layerstack itself measures: from the start of the build to the answer of the new container."""
    result = copy.layerstack("time-rebuild", SERVICE, "--until-served", "--runs", str(run_count), "--json")
    return float(json.loads(result.stdout)["rebuilds"][0]["served_median_seconds"])


def _compose_up(copy: Scratch) -> command.CommandResult:
    return copy.compose("up", "--detach", "--build", "--wait")


def _profile(copy: Scratch) -> str:
    copy.rewrite(EDITED, lambda source: mark_source(source, uuid.uuid4().hex))
    return profile_text.of_task(copy, *_BUILD_AND_UP)


def _base_ids(copy: Scratch) -> dict[str, str]:
    tags = [f"{copy.name}-base-node:latest", f"{copy.name}-base-python:latest", f"{copy.name}-base-python-pose:cpu"]
    stored = images.find_all(tags)
    return {tag: stored[tag].id for tag in tags}
