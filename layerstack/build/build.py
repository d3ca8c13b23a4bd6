"""One bake call for everything that is stale, and what came of it."""

import json
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layerstack import command
from layerstack.build import history
from layerstack.build.build_result import BuildResult, read_results
from layerstack.build.buildlog import BuildLog, BuildReport
from layerstack.build.cache_watch import CacheEvicted, CacheWatch
from layerstack.build.estimate import read_estimate
from layerstack.build.image_sizes import remember_sizes
from layerstack.build.placement import Placement
from layerstack.build.plan import INPUTS_LABEL, Plan, PlannedImage, make_plan, parent_layers
from layerstack.build.progress import BuildObserver, Silent
from layerstack.build.state import ImageState, StateStore
from layerstack.dockerfile.image import Image
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.errors import BuildFailed, EngineError, StackError
from layerstack.project import missing_base
from layerstack.project.project import Project

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
    plan = make_plan(project, names, store, options.is_forced, options.pulls)
    if not plan.stale:
        return BuildResult(0.0, read_results(plan, BuildReport(True, 0.0, (), {}, {}), {}))
    stale, fresh = [one.name for one in plan.stale], {one.name: one for one in plan.fresh}
    observer = observer or Silent()
    observer.begin(stale, read_estimate(project.root, stale))
    options = replace(options, sets=(*options.sets, *_overrides(project, plan)), is_forced=False)
    report = solve(project, stale, fresh, observer, options, store)
    ended = time.time()
    stored = images.find_all(one.image.tag for one in plan.images)
    result = BuildResult(report.seconds, read_results(plan, report, stored), ended - report.seconds)
    _remember(plan, result, stored, store)
    remember_sizes(project.root, stored)
    history.append(project.root, "build", history.compact(result.to_json()))
    return result


def bake(
    project: Project,
    names: Sequence[str],
    observer: BuildObserver,
    options: BuildOptions,
    fresh: frozenset[str] = frozenset(),
) -> BuildReport:
    """One `docker buildx bake` call read as it goes.

    Raises BuildFailed, and CacheEvicted when a step of one of the `fresh` images is executed.
    """
    wanted = project.with_parents(names)
    log = BuildLog((image.name for image in wanted), Placement(project.root, wanted).place)

    watch = CacheWatch(log, fresh)

    def take(_: command.Stream, line: str) -> None:
        changed = log.feed(line)
        watch.take(changed)
        observer.update(log, changed)
        tick()

    def tick() -> None:
        watch.check()
        observer.tick()

    result = command.stream(
        bake_argv(names, options),
        take,
        cwd=project.root,
        stdin=bake_document(wanted),
        env=project.environment,
        tick_seconds=TICK_SECONDS,
        on_tick=tick,
    )
    report = log.report(result.ok, result.seconds)
    if result.ok:
        watch.finish(report)
    observer.end(report)
    if not result.ok:
        raise _failure(report, project)
    return report


def bake_document(images: Iterable[Image]) -> str:
    """What bake is given: the definitions that it resolved itself."""
    return json.dumps({"target": {image.name: dict(image.definition) for image in images}})


def bake_argv(names: Sequence[str], options: BuildOptions) -> tuple[str, ...]:
    """The exact argument list, to be run in the project's root with `bake_document` as its input."""
    flags = [*(["--no-cache"] if options.is_forced else []), *(["--pull"] if options.pulls else [])]
    allowed = [f"--allow=fs.read={path}" for path in options.allowed_paths]
    sets = [part for value in options.sets for part in ("--set", value)]
    return ("docker", "buildx", "bake", "--file", "-", "--progress=rawjson", *flags, *allowed, *sets, *names)


def image_contexts(project: Project, names: Sequence[str], evicted: frozenset[str]) -> tuple[str, ...]:
    """Overrides that build the named images on the stored images of parents whose build cache is gone.

    What stands between them is built on the same, or its steps would get other cache keys than they had.
    """
    return tuple(
        f"{image.name}.contexts.{context}=docker-image://{project.image(value.removeprefix('target:')).tag}"
        for image in project.with_parents(names)
        for context, value in image.contexts.items()
        if value.startswith("target:") and value.removeprefix("target:") in evicted
    )


# BuildKit collected a record of its cache between the plan and its use; the next call plans without it.
CACHE_RACE = "failed to get dead record"


def solve(
    project: Project,
    names: Sequence[str],
    fresh: Mapping[str, PlannedImage],
    observer: BuildObserver,
    options: BuildOptions,
    store: StateStore,
) -> BuildReport:
    """Build the named images on parents that are `fresh`.

    Those stay `target:` contexts, so their cached steps keep the cache keys of what follows. When BuildKit begins to
    execute one of them its cache was evicted: the call is ended at once and repeated with the stored image instead,
    and that is remembered until the parent is built again. A call that lost a race with BuildKit's own collection is
    repeated once.
    """
    evicted = frozenset(name for name, one in fresh.items() if one.last and one.last.is_cache_evicted)
    is_repeated = False
    while True:
        sets = (*options.sets, *image_contexts(project, names, evicted))
        try:
            return bake(project, names, observer, replace(options, sets=sets), frozenset(fresh) - evicted)
        except BuildFailed as error:
            if is_repeated or CACHE_RACE not in str(error):
                raise
            is_repeated = True
        except CacheEvicted as found:
            lost = _with_descendants(project, found.images) & set(fresh)
            evicted |= lost
            for name in lost:
                if (last := fresh[name].last) is not None:
                    store.write(replace(last, is_cache_evicted=True))


def _with_descendants(project: Project, names: Collection[str]) -> set[str]:
    return {
        image.name
        for image in project.images.values()
        if any(one.name in names for one in project.with_parents([image.name]))
    }


def _overrides(project: Project, plan: Plan) -> list[str]:
    """Labels of what is stale, a name for what has none, and no cache for what is forced: never for its parents."""
    sets = [f"{one.name}.no-cache=true" for one in plan.stale if one.is_forced]
    sets += [f"{one.name}.labels.{INPUTS_LABEL}={one.manifest.digest}" for one in plan.stale]
    sets += [f"{one.name}.labels.{PROJECT_LABEL}={project.name}" for one in plan.stale]
    # A Compose service without `image:` gets the name that Compose itself would give it.
    return sets + [f"{one.name}.tags={one.image.tag}" for one in plan.stale if not one.image.definition.get("tags")]


def _remember(plan: Plan, result: BuildResult, stored: Mapping[str, StoredImage], store: StateStore) -> None:
    for one in result.images:
        planned = plan.of(one.image)
        image = stored.get(planned.image.tag)
        if one.action != "built":
            continue
        # Another build may have taken the tag meanwhile: its image is not what this manifest describes.
        is_ours = image is not None and image.labels.get(INPUTS_LABEL) == planned.manifest.digest
        store.write(
            ImageState(
                tag=planned.image.tag,
                manifest=planned.manifest,
                image_id=image.id if image and is_ours else "",
                steps=tuple(one.to_json()["steps"]),
                seconds=one.seconds,
                cause=one.cause,
                # The cache holds the steps from before, too, and would go on with them.
                is_cache_evicted=planned.is_forced,
                parent_layers=parent_layers(planned, stored, plan),
            )
        )


def _failure(report: BuildReport, project: Project) -> StackError:
    if "annot connect to the Docker daemon" in report.message:
        return EngineError("The Docker engine stopped answering.", "`invoke doctor` tells what is wrong.")
    step = report.failed
    if step is None:
        return BuildFailed(f"The build failed:\n{_indent(report.message)}", _advice(report.message, project))
    # The frames of a JavaScript stack would push the message itself out of the tail.
    lines = [line for line in report.failed_log.strip().splitlines() if not re.match(r"^\s+at ", line)]
    tail = lines[-LOG_TAIL_LINES:]
    excerpt = "\n".join(line for line in report.message.splitlines() if re.match(r"^\s*\d+ \|", line))
    parts = [
        f"The build of {step.image} failed in step {step.name}",
        f"  at {step.place or 'an unknown line'}: {step.error}",
        _indent(excerpt),
        *(["  Its last lines:", _indent("\n".join(tail))] if tail else []),
    ]
    return BuildFailed("\n".join(part for part in parts if part), _advice(report.message + report.failed_log, project))


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
        r"invalid UTF-8",
        "A file name in the build context is not UTF-8, which BuildKit does not take: rename the file or ignore it.",
    ),
    (
        r"certificate verify failed|self.signed certificate|unable to get local issuer",
        "See TLS in docs/build-guide.md.",
    ),
)


def _advice(text: str, project: Project) -> str:
    return missing_base.advice_for(project, text) or next(
        (advice for pattern, advice in ADVICE if re.search(pattern, text, re.IGNORECASE)), ""
    )


def _indent(text: str) -> str:
    return "\n".join(f"  | {line}" for line in text.strip("\n").splitlines())
