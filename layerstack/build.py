"""One bake call for everything that is stale, and what came of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from layerstack import command, history, images
from layerstack.buildlog import BuildLog, BuildReport, Step, Vertex
from layerstack.cause import Cause, ImageCauses, root_causes
from layerstack.errors import BuildFailed, EngineError, StackError
from layerstack.placement import Placement
from layerstack.plan import INPUTS_LABEL, Plan, PlannedImage, make_plan
from layerstack.progress import BuildObserver, Silent
from layerstack.project import Project, bake_arguments
from layerstack.state import ImageState, StateStore

PROJECT_LABEL = "layerstack.project"
TICK_SECONDS = 0.25
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
    seconds: float = 0.0
    steps: tuple[Step, ...] = ()
    causes: tuple[Cause | None, ...] = ()
    cause: str = ""
    inputs: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "image": self.image,
            "action": self.action,
            "cause": self.cause,
            "seconds": round(self.seconds, 3),
            "inputs": self.inputs,
            "steps": [_step_json(step, cause) for step, cause in zip(self.steps, self.causes, strict=True)],
        }


@dataclass(frozen=True)
class BuildResult:
    """The outcome of `build`; `seconds` is the wall time of the bake call, 0 when everything was fresh."""

    seconds: float
    images: tuple[ImageResult, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"ok": True, "seconds": round(self.seconds, 3), "images": [image.to_json() for image in self.images]}


class CacheEvicted(Exception):
    """BuildKit began to execute a step of an image that is fresh: its cache is gone, the image is not."""

    def __init__(self, image: str) -> None:
        super().__init__(image)
        self.image = image


def build(
    project: Project,
    names: Sequence[str],
    observer: BuildObserver | None = None,
    options: BuildOptions | None = None,
    store: StateStore | None = None,
) -> BuildResult:
    """Build what is stale among the named images and everything they are built on, in one solve.

    Raises BuildFailed with the failed step, its last lines and the place in the Dockerfile; UsageError.
    """
    options, store = options or BuildOptions(), store or StateStore(project.root)
    plan = make_plan(project, names, store, is_forced=options.is_forced or options.pulls)
    if not plan.stale:
        return BuildResult(0.0, tuple(_fresh_result(one) for one in plan.images))
    report = _solve(project, plan, observer or Silent(), options, store)
    result = BuildResult(report.seconds, _results(plan, report, options))
    _remember(plan, result, store)
    history.append(project.root, "build", result.to_json())
    return result


def bake(
    project: Project,
    names: Sequence[str],
    observer: BuildObserver,
    options: BuildOptions,
    fresh: frozenset[str] = frozenset(),
) -> BuildReport:
    """One `docker buildx bake` call read as it goes.

    Raises BuildFailed, and CacheEvicted as soon as a step of one of the `fresh` images is executed.
    """
    wanted = project.with_parents(names)
    log = BuildLog((image.name for image in wanted), Placement(project.root, wanted).place)

    def take(_: command.Stream, line: str) -> None:
        changed = log.feed(line)
        _require_cached(log, changed, fresh)
        observer.update(log, changed)
        observer.tick()

    result = command.stream(
        bake_argv(project, names, options),
        take,
        cwd=project.root,
        env=project.environment,
        tick_seconds=TICK_SECONDS,
        on_tick=observer.tick,
    )
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


def image_contexts(project: Project, names: Sequence[str], evicted: frozenset[str]) -> tuple[str, ...]:
    """Overrides that build the named images on the stored images of parents whose build cache is gone."""
    return tuple(
        f"{name}.contexts.{context}=docker-image://{project.image(value.removeprefix('target:')).tag}"
        for name in names
        for context, value in project.image(name).contexts.items()
        if value.startswith("target:") and value.removeprefix("target:") in evicted
    )


def _solve(
    project: Project, plan: Plan, observer: BuildObserver, options: BuildOptions, store: StateStore
) -> BuildReport:
    """Parents that are fresh stay `target:` contexts, so their cached steps keep the cache keys of what follows.

    When BuildKit begins to execute one of them its cache was evicted: the call is ended at once and repeated with
    the stored image instead, and that is remembered until the parent is built again.
    """
    names = [one.name for one in plan.stale]
    fresh = {one.name: one for one in plan.fresh}
    evicted = frozenset(name for name, one in fresh.items() if one.last and one.last.is_cache_evicted)
    observer.begin(names, history.usual_seconds(project.root, tuple(names)))
    while True:
        sets = (*options.sets, *_labels(project, plan), *image_contexts(project, names, evicted))
        try:
            return bake(project, names, observer, replace(options, sets=sets), frozenset(fresh) - evicted)
        except CacheEvicted as found:
            lost = _with_descendants(project, found.image) & set(fresh)
            evicted |= lost
            for name in lost:
                if (last := fresh[name].last) is not None:
                    store.write(replace(last, is_cache_evicted=True))


def _with_descendants(project: Project, name: str) -> set[str]:
    return {
        image.name
        for image in project.images.values()
        if name in {one.name for one in project.with_parents([image.name])}
    }


def _require_cached(log: BuildLog, changed: Sequence[Vertex], fresh: frozenset[str]) -> None:
    if not fresh:
        return
    for vertex in changed:
        if vertex.is_running and (step := log.step(vertex)) and step.is_counted and step.image in fresh:
            raise CacheEvicted(step.image)


def _labels(project: Project, plan: Plan) -> list[str]:
    sets = [f"{one.name}.labels.{INPUTS_LABEL}={one.manifest.digest}" for one in plan.stale]
    sets += [f"{one.name}.labels.{PROJECT_LABEL}={project.name}" for one in plan.stale]
    # A Compose service without `image:` gets the name that Compose itself would give it.
    return sets + [f"{one.name}.tags={one.image.tag}" for one in plan.stale if not one.image.definition.get("tags")]


def _results(plan: Plan, report: BuildReport, options: BuildOptions) -> tuple[ImageResult, ...]:
    results: dict[str, ImageResult] = {}
    for one in plan.images:
        results[one.name] = _fresh_result(one) if one.is_fresh else _built_result(one, report, results, options)
    return tuple(results.values())


def _fresh_result(one: PlannedImage) -> ImageResult:
    return ImageResult(one.name, "fresh", inputs=one.manifest.digest)


def _built_result(
    one: PlannedImage, report: BuildReport, earlier: Mapping[str, ImageResult], options: BuildOptions
) -> ImageResult:
    steps = report.of(one.name)
    executed = [step for step in steps if not step.is_cached]
    causes = ImageCauses(
        new=one.manifest,
        old=one.last.manifest if one.last else None,
        executed=executed,
        parent_causes=_parent_causes(one, earlier),
        is_forced=options.is_forced,
        doubt=_doubt(one),
    )
    named = tuple(None if step.is_cached else causes.of(step) for step in steps)
    roots = root_causes(cause for cause in named if cause)
    seconds = sum(step.seconds for step in executed)
    seconds += report.transfer_seconds.get(one.name, 0.0) + report.export_seconds.get(one.name, 0.0)
    cause = "; ".join(str(root) for root in roots) or f"{one.reason}; every step was cached"
    return ImageResult(one.name, "built", seconds, steps, named, cause, one.manifest.digest)


def _parent_causes(one: PlannedImage, earlier: Mapping[str, ImageResult]) -> dict[str, str]:
    """Context name → cause, for parents that this build really changed."""
    pairs = ((context, value.removeprefix("target:")) for context, value in one.image.contexts.items())
    known = {context: earlier[name] for context, name in pairs if name in earlier}
    return {context: result.cause for context, result in known.items() if any(result.causes)}


def _doubt(one: PlannedImage) -> str:
    """Why the record of the last build may not tell what BuildKit compares with; empty when it does."""
    if one.last is None:
        return "there is no record of the build before this one" if one.stored else ""
    if one.stored and one.stored.id != one.last.image_id:
        return "something else built this image since the last build here"
    return ""


def _remember(plan: Plan, result: BuildResult, store: StateStore) -> None:
    built = {one.image: one for one in result.images if one.action == "built"}
    stored = images.find_all(plan.of(name).image.tag for name in built)
    for name, one in built.items():
        planned = plan.of(name)
        image = stored.get(planned.image.tag)
        store.write(
            ImageState(
                tag=planned.image.tag,
                manifest=planned.manifest,
                image_id=image.id if image else "",
                steps=tuple(one.to_json()["steps"]),
                seconds=one.seconds,
                cause=one.cause,
            )
        )


def _step_json(step: Step, cause: Cause | None) -> dict[str, Any]:
    return {
        "step": step.name,
        "cached": step.is_cached,
        "seconds": round(step.seconds, 3),
        "cause": cause.to_json() if cause else None,
        "place": step.place,
        "started": round(step.started, 3) if step.started else None,
    }


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
