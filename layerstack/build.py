"""One bake call for everything that must be built, and what came of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerstack import command, history
from layerstack.buildlog import BuildLog, BuildReport, Step
from layerstack.errors import BuildFailed, EngineError, StackError
from layerstack.placement import Placement
from layerstack.progress import BuildObserver, Silent
from layerstack.project import Image, Project, bake_arguments

TICK_SECONDS = 0.5
LOG_TAIL_LINES = 10


@dataclass(frozen=True)
class BuildOptions:
    """`is_forced` ignores the cache; `pulls` asks the registry for newer system images; `sets` are bake overrides."""

    is_forced: bool = False
    pulls: bool = False
    sets: tuple[str, ...] = ()
    allowed_paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class ImageResult:
    """What happened to one image. `seconds` counts its own executed steps, context transfer and export."""

    image: str
    action: str
    seconds: float
    steps: tuple[Step, ...] = ()
    cause: str = ""
    inputs: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "image": self.image,
            "action": self.action,
            "cause": self.cause,
            "seconds": round(self.seconds, 3),
            "inputs": self.inputs,
            "steps": [
                {"step": step.name, "cached": step.is_cached, "seconds": round(step.seconds, 3), "cause": None}
                for step in self.steps
            ],
        }


@dataclass(frozen=True)
class BuildResult:
    """The outcome of `build`; `seconds` is the wall time of the bake call."""

    seconds: float
    images: tuple[ImageResult, ...] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        return {"ok": True, "seconds": round(self.seconds, 3), "images": [image.to_json() for image in self.images]}


def build(
    project: Project, names: Sequence[str], observer: BuildObserver | None = None, options: BuildOptions | None = None
) -> BuildResult:
    """Build the named images and everything they are built on in one solve, and write it to the history.

    Raises BuildFailed with the failed step, its last lines and the place in the Dockerfile.
    """
    images = project.with_parents(names)
    usual = history.usual_seconds(project.root, tuple(image.name for image in images))
    report = bake(project, names, observer or Silent(), options or BuildOptions(), usual)
    result = BuildResult(report.seconds, tuple(_image_result(image, report) for image in images))
    history.append(project.root, "build", result.to_json())
    return result


def bake(
    project: Project,
    names: Sequence[str],
    observer: BuildObserver,
    options: BuildOptions,
    usual_seconds: Mapping[str, float] | None = None,
) -> BuildReport:
    """One `docker buildx bake` call read as it goes. Raises BuildFailed."""
    images = project.with_parents(names)
    log = BuildLog((image.name for image in images), Placement(project.root, images).place)
    observer.begin([image.name for image in images], usual_seconds or {})

    def take(_: command.Stream, line: str) -> None:
        changed = log.feed(line)
        observer.update(log, changed)
        observer.tick()

    result = _stream(bake_argv(project, names, options), take, observer, project)
    report = log.report(result.ok, result.seconds)
    observer.end(report)
    if not result.ok:
        raise _failure(report)
    return report


def bake_argv(project: Project, names: Sequence[str], options: BuildOptions) -> tuple[str, ...]:
    """The exact argument list, to be run in the project's root."""
    flags = [*(["--no-cache"] if options.is_forced else []), *(["--pull"] if options.pulls else [])]
    allowed = [f"--allow=fs.read={path}" for path in options.allowed_paths]
    sets = [part for value in options.sets for part in ("--set", value)]
    files = (*project.compose_files, *project.bake_files)
    return (*bake_arguments(project.root, files), "--progress=rawjson", *flags, *allowed, *sets, *names)


def _stream(
    argv: tuple[str, ...], take: Callable[[command.Stream, str], None], observer: BuildObserver, project: Project
) -> command.CommandResult:
    return command.stream(
        argv, take, cwd=project.root, env=project.environment, tick_seconds=TICK_SECONDS, on_tick=observer.tick
    )


def _image_result(image: Image, report: BuildReport) -> ImageResult:
    steps = report.of(image.name)
    executed = [step for step in steps if not step.is_cached]
    seconds = sum(step.seconds for step in executed)
    seconds += report.transfer_seconds.get(image.name, 0.0) + report.export_seconds.get(image.name, 0.0)
    return ImageResult(image.name, "built" if executed else "fresh", seconds, steps)


def _failure(report: BuildReport) -> StackError:
    if "annot connect to the Docker daemon" in report.message:
        return EngineError("The Docker engine stopped answering.", "`invoke doctor` tells what is wrong.")
    step = report.failed
    if step is None:
        return BuildFailed(f"The build failed:\n{_indent(report.message)}", _advice(report.message))
    tail = report.failed_log.strip().splitlines()[-LOG_TAIL_LINES:]
    excerpt = "\n".join(line for line in report.message.splitlines() if re.match(r"^\s*\d+ \|", line))
    parts = [
        f"The build of {step.image} failed in step {step.name}",
        f"  at {step.place or 'an unknown line'}: {step.error}",
        _indent(excerpt),
        *(["  Its last lines:", _indent("\n".join(tail))] if tail else []),
    ]
    return BuildFailed("\n".join(part for part in parts if part), _advice(report.message + report.failed_log))


ADVICE = (
    (
        r"no space left on device",
        "The disk is full: `invoke clean` frees this project's cache, `df -h` shows the rest.",
    ),
    (
        r"failed to resolve source metadata|pull access denied|no such host|i/o timeout",
        "A system image is missing and no registry answers: `invoke setup` pulls it or builds a stand-in.",
    ),
    (
        r"certificate verify failed|self.signed certificate|unable to get local issuer",
        "See TLS in docs/build-guide.md.",
    ),
)


def _advice(text: str) -> str:
    return next((advice for pattern, advice in ADVICE if re.search(pattern, text, re.IGNORECASE)), "")


def _indent(text: str) -> str:
    return "\n".join(f"  | {line}" for line in text.strip("\n").splitlines())
