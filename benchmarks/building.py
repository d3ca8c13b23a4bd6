"""Rows about building: nothing to do, one edit, a large base, a large context, everything cold."""

import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from statistics import median

from benchmarks import profile_text
from benchmarks.options import Options
from benchmarks.samples import Goal, Measurement, alternate, profile_if_missed
from benchmarks.scratch import LABEL, ROOT, Scratch, scratch
from layerstack.errors import CheckFailed
from layerstack.project import choices

# Per service a file that is in its image, and how a comment begins there.
EDITED = {
    "backend-api": ("backend/src/server.js", "//"),
    "pose-service": ("backend/pose-service/pose_service/__init__.py", "#"),
    "frontend": ("backend/web/src/main.jsx", "//"),
}
SCRIPT_BUILDS = ("bases", "services")
BALLAST_FILE_BYTES = 50_000_000
CONTEXT_FILES, CONTEXT_FOLDERS = 100_000, 100
LARGE_DOCKERFILE = "FROM {image}\nCOPY . /srv/\n"
# The layer itself, its checksum, and what the disk must keep for everybody else.
DISK_NEED = 1.2
DISK_RESERVE_BYTES = 10_000_000_000

Build = Callable[[Scratch, str], float]


def measure_unchanged_bases(options: Options, goal: Goal) -> Measurement:
    """`layerstack build-bases` with nothing to do against the three builds of the script with nothing to do."""
    with _two_copies() as (own, other):
        own.layerstack("build-bases")
        other.script("bases")
        samples = alternate(
            options.run_count, lambda: own.layerstack("build-bases").seconds, lambda: other.script("bases").seconds
        )
        profile = profile_if_missed(samples, goal, partial(profile_text.of_task, own, "build-bases"))
    return Measurement(samples, profile=profile)


def measure_unchanged(options: Options, goal: Goal) -> Measurement:
    """`layerstack build` with nothing to do against `docker compose build` with nothing to do."""
    with _two_copies() as (own, other):
        _fill_cache(own)
        _fill_cache(other)
        return _nothing_to_do(own, other, options, goal)


def measure_large_context(options: Options, goal: Goal) -> Measurement:
    """The same for one service whose context is 100,000 files of a few bytes."""
    with scratch(_become_large) as own, scratch(_become_large) as other:
        own.layerstack("build")
        found = _nothing_to_do(own, other, options, goal)
    return replace(found, notes=(f"{CONTEXT_FILES:,} files in {CONTEXT_FOLDERS} folders",))


def _nothing_to_do(own: Scratch, other: Scratch, options: Options, goal: Goal) -> Measurement:
    other.compose("build")
    samples = alternate(
        options.run_count, lambda: own.layerstack("build").seconds, lambda: other.compose("build").seconds
    )
    profile = profile_if_missed(samples, goal, partial(profile_text.of_task, own, "build"))
    return Measurement(samples, profile=profile)


def measure_code_change(service: str, build: Build, options: Options, goal: Goal) -> Measurement:
    """`layerstack build SERVICE` after an edit against bake's or Compose's own build after another edit."""
    with _two_copies() as (own, other):
        _fill_cache(other)
        _rebuild(own, service)
        build(other, service)
        samples = alternate(options.run_count, partial(_rebuild, own, service), partial(build, other, service))
        unchanged = own.layerstack("build", service).seconds
        _edit(own, service)
        profile = profile_if_missed(samples, goal, partial(profile_text.of_task, own, "build", service))
    overhead = median(ours - theirs for ours, theirs in zip(samples.ours, samples.theirs, strict=True))
    notes = (
        f"the constant overhead is {overhead:.2f} s (median of the differences)",
        f"with nothing to do `layerstack build {service}` takes {unchanged:.2f} s",
    )
    return Measurement(samples, notes, profile)


def measure_ballast(gigabytes: float, options: Options, goal: Goal) -> Measurement:
    """`layerstack build SERVICE` after an edit, with and without a layer of random bytes in its base image."""
    service = next(iter(EDITED))
    with _two_copies(partial(_add_ballast, gigabytes)) as (heavy, plain):
        for copy in (heavy, plain):
            _rebuild(copy, service)
        samples = alternate(options.run_count, partial(_rebuild, heavy, service), partial(_rebuild, plain, service))
        _edit(heavy, service)
        profile = profile_if_missed(samples, goal, partial(profile_text.of_task, heavy, "build", service))
        size = heavy.run("docker", "image", "inspect", "--format", "{{.Size}}", f"{heavy.name}-base-node").stdout
    return Measurement(samples, (f"{service} on a base image of {int(size) / 1e9:.1f} GB",), profile)


def fits_on_disk(gigabytes: float) -> bool:
    """Whether a base of this size fits where temporary files and, by default, the engine's data lie."""
    return shutil.disk_usage("/").free > gigabytes * 1e9 * DISK_NEED + DISK_RESERVE_BYTES


def measure_cold(options: Options, goal: Goal) -> Measurement:
    """All images from their first step, in one `layerstack build` against the script's builds one after the other."""
    profiles: list[str] = []
    samples = alternate(options.run_count, partial(_cold_build, profiles), _cold_script)
    notes = (
        "every step is executed because each base begins with a step that was never there before; "
        "the system images are there and cache mounts (apt, uv, npm) are kept, on both sides",
    )
    return Measurement(samples, notes, "" if samples.meets(goal) else profiles[-1])


@contextmanager
def _two_copies(prepare: Callable[[Scratch], None] | None = None) -> Iterator[tuple[Scratch, Scratch]]:
    """One for each side: an image that the other side built lacks the label that makes it fresh."""
    with scratch(prepare) as first, scratch() as second:
        yield first, second


def _cold_build(profiles: list[str]) -> float:
    """Raises CheckFailed when a step was not executed: the build was not cold."""
    with scratch(_begin_anew) as copy:
        result = copy.layerstack("build", "--json")
        steps = [step for image in json.loads(result.stdout)["images"] for step in image["steps"]]
        if warm := [step["step"] for step in steps if step["cached"]]:
            raise CheckFailed(f"a cold build found {len(warm)} steps in the cache: {warm[0]}")
        profiles.append(profile_text.of_last_build(copy.root))
    return result.seconds


def _cold_script() -> float:
    with scratch(_begin_anew) as copy:
        return copy.script(*SCRIPT_BUILDS).seconds


def _edit(copy: Scratch, service: str) -> None:
    path, comment = EDITED[service]
    copy.rewrite(path, lambda text: f"{text}{comment} {uuid.uuid4().hex}\n")


def _rebuild(copy: Scratch, service: str) -> float:
    _edit(copy, service)
    return copy.layerstack("build", service).seconds


def bake(copy: Scratch, service: str) -> float:
    """Seconds of bare `docker buildx bake SERVICE` after an edit."""
    _edit(copy, service)
    return copy.run("docker", "buildx", "bake", service).seconds


def compose_build(copy: Scratch, service: str) -> float:
    """Seconds of `docker compose build SERVICE` after an edit."""
    _edit(copy, service)
    return copy.compose("build", service).seconds


def _fill_cache(copy: Scratch) -> None:
    """The bases of a copy under their tags: Compose takes them from the engine."""
    copy.layerstack("build")


def _become_large(copy: Scratch) -> None:
    """In place of the stack one service, on the stack's own system image."""
    image = choices.read(ROOT).get("NODE_IMAGE", "node:18-alpine")
    for path in (*copy.root.glob("docker-compose*.yml"), *copy.root.glob("docker-bake*")):
        path.unlink()
    (copy.root / "docker-compose.yml").write_text(f"name: {copy.name}\nservices:\n  large:\n    build: large\n")
    for number in range(CONTEXT_FILES):
        folder = copy.root / "large" / str(number % CONTEXT_FOLDERS)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(str(number))
    label = f"LABEL {LABEL}={copy.name}\n"
    (copy.root / "large" / "Dockerfile").write_text(LARGE_DOCKERFILE.format(image=image) + label)


def _add_ballast(gigabytes: float, copy: Scratch) -> None:
    count = round(gigabytes * 1e9 / BALLAST_FILE_BYTES)
    loop = f"for i in $(seq {count}); do head -c {BALLAST_FILE_BYTES} /dev/urandom > /opt/ballast/$i; done"
    step = f"RUN : {copy.name} && mkdir /opt/ballast && {loop}\n"
    copy.rewrite(copy.base("base-node"), lambda text: text.rstrip("\n") + "\n" + step)


def _begin_anew(copy: Scratch) -> None:
    """A first step in each base that keeps the cache out, without emptying it for everybody else."""
    names = [path.name for path in (ROOT / "docker").glob("base-*")]
    for name in names:
        copy.rewrite(copy.base(name), lambda text: re.sub(r"(?m)^(LABEL .*)$", rf"\1\nRUN : {copy.name}", text))
