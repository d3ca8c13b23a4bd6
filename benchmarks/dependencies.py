"""Rows about one more package: the project's install step against the same step without cache mount and without uv."""

import json
import re
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from benchmarks import profile_text
from benchmarks.options import Options
from benchmarks.samples import Goal, Measurement, Samples, profile_if_missed
from benchmarks.scratch import Scratch, scratch
from layerstack.errors import CheckFailed

PYTHON_LOCK = "requirements/pose-base-cpu.txt"
# A lock for the same Python; what it holds beyond the base's own lock is a package to add.
SPARE_LOCK = "requirements/pose-tests.txt"
NODE_FOLDER = "backend"
# The system's pip: the service's environment, first in PATH, has none.
PLAIN_PIP = "PATH=${PATH#*:} python3 -m pip install --no-cache-dir --target /opt/venv/lib/python3.9/site-packages"
_CACHE_MOUNT = re.compile(r"--mount=type=cache,\S+ \\\n\s*")
_LOCKED = re.compile(r"(?m)^([\w.-]+)==\S+(?: \\\n    --hash=\S+)+\n")


@dataclass(frozen=True)
class Install:
    """One install step: how to build it, where it stands, how to write it plainly, how to give it one package more.

    Every `add` takes the next package, the same on both sides.
    """

    words: tuple[str, ...]
    dockerfile: Callable[[Scratch], str]
    step: re.Pattern[str]
    plain: Callable[[str], str]
    add: Callable[[Scratch], None]


@dataclass(frozen=True)
class InstallTime:
    """Seconds of the install step alone, and of the whole process."""

    step_seconds: float
    process_seconds: float


def measure_python(options: Options, goal: Goal) -> Measurement:
    """One more package in the lock of the CPU base image."""
    return _measure(PYTHON, options, goal)


def measure_node(options: Options, goal: Goal) -> Measurement:
    """One more production dependency of the API."""
    return _measure(NODE, options, goal)


def without_cache(text: str) -> str:
    """A RUN instruction without its cache mounts."""
    return _CACHE_MOUNT.sub("", text)


def with_plain_pip(text: str) -> str:
    return without_cache(text).replace("uv pip install", PLAIN_PIP)


def add_locked_package(lock: str, spare: str) -> str:
    """The lock with the first package of `spare` that it lacks, and a line that was never there before."""
    known = {match[1] for match in _LOCKED.finditer(lock)}
    missing = [match[0] for match in _LOCKED.finditer(spare) if match[1] not in known]
    return lock.rstrip("\n") + "\n" + "".join(missing[:1]) + f"# {uuid.uuid4().hex}\n"


def promote_package(package: dict[str, Any], lock: dict[str, Any]) -> None:
    """Make a development dependency that needs no other package a production one, in both documents."""
    entries = lock["packages"]
    leaves = [name for name in package["devDependencies"] if not entries[f"node_modules/{name}"].get("dependencies")]
    for name in leaves[:1]:
        for document in (package, entries[""]):
            document["dependencies"][name] = document["devDependencies"].pop(name)
        entries[f"node_modules/{name}"].pop("dev", None)
    package["description"] = uuid.uuid4().hex


def _measure(install: Install, options: Options, goal: Goal) -> Measurement:
    ours: list[InstallTime] = []
    theirs: list[InstallTime] = []
    with ExitStack() as stack:
        cached = stack.enter_context(scratch(partial(_prepare, install, lambda text: text)))
        plain = stack.enter_context(scratch(partial(_prepare, install, install.plain)))
        for copy in (cached, plain):
            copy.layerstack(*install.words)
        for _ in range(options.run_count):
            ours.append(_time(install, cached))
            theirs.append(_time(install, plain))
        samples = Samples(tuple(one.step_seconds for one in ours), tuple(one.step_seconds for one in theirs))
        profile = profile_if_missed(samples, goal, partial(profile_text.of_last_build, cached.root))
    task, whole = install.words[0], [median(one.process_seconds for one in side) for side in (ours, theirs)]
    notes = (
        f"seconds of the install step; the whole `layerstack {task}`: {whole[0]:.1f} s and {whole[1]:.1f} s",
        "the cache mount is warm; whether the added package is in it already depends on earlier builds",
    )
    return Measurement(samples, notes, profile)


def _prepare(install: Install, write: Callable[[str], str], copy: Scratch) -> None:
    """Write the step one way or the other, after a mark that tells whose layers these are."""
    place = install.dockerfile(copy)
    copy.rewrite(place, lambda text: install.step.sub(lambda match: f"RUN : {copy.name}\n{write(match[0])}", text))


def _time(install: Install, copy: Scratch) -> InstallTime:
    install.add(copy)
    result = copy.layerstack(*install.words)
    steps = [step for image in json.loads(result.stdout)["images"] for step in image["steps"]]
    own = [step["seconds"] for step in steps if not step["cached"] and re.search(r"pip install|npm ci", step["step"])]
    if len(own) != 1:
        raise CheckFailed(f"one install step should have been executed, not {len(own)}")
    return InstallTime(own[0], result.seconds)


def _add_python(copy: Scratch) -> None:
    spare = (copy.root / SPARE_LOCK).read_text()
    copy.rewrite(PYTHON_LOCK, lambda lock: add_locked_package(lock, spare))


def _add_node(copy: Scratch) -> None:
    paths = [copy.root / NODE_FOLDER / name for name in ("package.json", "package-lock.json")]
    package, lock = (json.loads(path.read_text()) for path in paths)
    promote_package(package, lock)
    for path, document in zip(paths, (package, lock), strict=True):
        path.write_text(json.dumps(document, indent=2) + "\n")


PYTHON = Install(
    words=("build-bases", "--json"),
    dockerfile=lambda copy: copy.base("base-python-pose"),
    step=re.compile(r"RUN (?:--mount=\S+ \\\n\s*)+uv pip install[^\n]*pose-base-cpu\.txt"),
    plain=with_plain_pip,
    add=_add_python,
)
NODE = Install(
    words=("build", "backend-api", "--json"),
    dockerfile=lambda _copy: f"{NODE_FOLDER}/Dockerfile",
    step=re.compile(r"RUN (?:--mount=\S+ \\\n\s*)+npm ci --omit=dev[^\n]*"),
    plain=without_cache,
    add=_add_node,
)
