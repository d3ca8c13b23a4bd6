"""Where the time of a missed goal went: the top of a Python profile, or the longest steps of the last build."""

import cProfile
import io
import pstats
from collections.abc import Callable
from pathlib import Path

from benchmarks.scratch import Scratch
from layerstack.build import history

TOP_LINES = 14
TOP_STEPS = 8
# Not the interpreter's and Invoke's own frames around everything.
WORTH_READING = r"^(?!.*(<frozen|built-in|<string>|program\.py|executor\.py|__main__\.py|task\.py|plain_invoke\.py))"


def of_task(copy: Scratch, *words: str) -> str:
    """cProfile of one whole process, by cumulative time; time in docker shows as waiting for its output."""
    output = copy.root / "task.prof"
    python, *rest = copy.layerstack_argv(*words)
    copy.run(python, "-m", "cProfile", "-o", str(output), *rest)
    text = _top(pstats.Stats(str(output), stream=io.StringIO()))
    output.unlink()
    return f"layerstack {' '.join(words)}\n{text}"


def of_call(function: Callable[[], object]) -> str:
    """cProfile of one call in this process."""
    profiler = cProfile.Profile()
    profiler.runcall(function)
    return _top(pstats.Stats(profiler, stream=io.StringIO()))


def of_last_build(root: Path) -> str:
    """The longest steps of the last build of this folder, in seconds."""
    record = list(history.read(root, "build"))[-1]
    steps = [(step["seconds"], image["image"], step["step"]) for image in record["images"] for step in image["steps"]]
    lines = [f"{seconds:8.2f} s  {image}: {step[:90]}" for seconds, image, step in sorted(steps, reverse=True)]
    return "\n".join([f"{record['seconds']:8.2f} s  the whole call", *lines[:TOP_STEPS]])


def _top(stats: pstats.Stats) -> str:
    """Without folders: a document must not depend on where the project lies."""
    stats.strip_dirs().sort_stats("cumulative").print_stats(WORTH_READING, TOP_LINES)
    stream: io.StringIO = stats.stream  # type: ignore[attr-defined]
    text = stream.getvalue()
    lines = [line.rstrip() for line in text[text.index("ncalls") - 3 :].splitlines() if line.strip()]
    return "\n".join([f"{stats.total_tt:.3f} s under the profiler", *lines])  # type: ignore[attr-defined]
