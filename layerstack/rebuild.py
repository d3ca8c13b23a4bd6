"""A timed code-change rebuild, made in a copy of the service's build context: the working tree is never written."""

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from layerstack import context, history, images
from layerstack.build import BuildOptions, bake
from layerstack.buildlog import BuildReport
from layerstack.errors import UsageError
from layerstack.progress import BuildObserver, Silent
from layerstack.project import Image, Project, Service

LABEL = "layerstack.rebuild"
REPOSITORY = "layerstack-rebuild"
# What fetches packages. A code change must never run one of these again.
INSTALLERS = re.compile(
    r"\b(pip3?|uv|poetry|npm|yarn|pnpm|apt-get|apt|apk|dnf|yum|bundle|composer|cargo|go mod|conda|mamba)\b"
    r"[^|;&]*\b(install|sync|ci|add|download|fetch|update)\b"
)
COMMENTS = {
    "#": (".py", ".sh", ".rb", ".yml", ".yaml", ".toml", ".conf", ".pl", ".r", ".txt"),
    "//": (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".go", ".rs", ".java", ".kt", ".c", ".cc", ".cpp", ".php"),
    "/* */": (".css", ".scss"),
    "<!-- -->": (".html", ".htm", ".xml", ".svg", ".vue", ".md"),
}


@dataclass(frozen=True)
class Run:
    """One rebuild after one change. Seconds of the whole bake call, and of its parts in the service's image."""

    seconds: float
    context_seconds: float
    steps_seconds: float
    export_seconds: float
    cached: tuple[str, ...]
    executed: tuple[str, ...]
    unexpected: tuple[str, ...]
    image_id: str


@dataclass(frozen=True)
class Rebuild:
    """All runs of one service and what they prove."""

    service: str
    edited: str
    runs: tuple[Run, ...]
    budget_seconds: float | None
    is_base_unchanged: bool
    is_image_changed: bool

    @property
    def median_seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def unexpected_steps(self) -> list[str]:
        return sorted({step for run in self.runs for step in run.unexpected})

    @property
    def failures(self) -> list[str]:
        """What is not as it must be, in words; empty when all is well."""
        found = []
        if self.budget_seconds is not None and self.median_seconds > self.budget_seconds:
            found.append(f"took {self.median_seconds:.1f} s, the budget is {self.budget_seconds:g} s")
        if self.unexpected_steps:
            found.append(f"ran dependency steps again: {'; '.join(self.unexpected_steps)}")
        if not self.is_base_unchanged:
            found.append("a base image changed")
        if not self.is_image_changed:
            found.append("the service image did not change: the edited file is not in it")
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "ok": not self.failures,
            "median_seconds": round(self.median_seconds, 3),
            "budget_seconds": self.budget_seconds,
            "edited": self.edited,
            "runs": [_run_json(run) for run in self.runs],
            "base_unchanged": self.is_base_unchanged,
            "image_changed": self.is_image_changed,
            "unexpected_steps": self.unexpected_steps,
            "failures": self.failures,
        }


def time_rebuilds(project: Project, names: Sequence[str], run_count: int, say: Callable[[str], None]) -> list[Rebuild]:
    """Time the named services one after the other; by default all that are built here and have a file to edit.

    Raises as `time_rebuild` does.
    """
    if run_count < 1:
        raise UsageError(f"--runs is 1 or more, not {run_count}.")
    editable = [
        service.name for service in project.services.values() if service.is_built and "edit" in service.settings
    ]
    wanted = [project.service(name).name for name in names] or editable
    if not wanted:
        raise UsageError(
            "No service of this project says which file a rebuild should change.",
            "Name one below its build context: `x-layerstack: { edit: src/main.py }` in the Compose file.",
        )
    return [time_rebuild(project, name, run_count, Silent(), say) for name in wanted]


def summary(rebuilds: Sequence[Rebuild]) -> dict[str, Any]:
    """The JSON document of the task."""
    return {"ok": not any(one.failures for one in rebuilds), "rebuilds": [one.to_json() for one in rebuilds]}


def time_rebuild(
    project: Project, service_name: str, run_count: int, observer: BuildObserver, say: Callable[[str], None]
) -> Rebuild:
    """Time `run_count` rebuilds of one service, each after a change of content in a copy of its context.

    Raises UsageError when the service is not built here or the file to edit cannot be changed; BuildFailed.
    """
    service, image = project.service(service_name), project.image(service_name)
    edited = edited_file(project, service, image)
    remove_leftovers(project)
    with _copied_context(project, image) as copy, _throw_away_tag(image) as tag:
        options = _options(image, copy, tag)
        say(f"{service.name}: a first build of the copy, not timed")
        bake(project, [image.name], observer, options)
        bases, before = _ids(project, image), images.find(tag)
        runs = []
        for number in range(1, run_count + 1):
            say(f"{service.name}: rebuild {number} of {run_count} after a change in {edited}")
            change(copy / edited)
            report = bake(project, [image.name], observer, options)
            runs.append(_run(report, image, images.find(tag)))
        ids = [before.id if before else "", *(run.image_id for run in runs)]
        result = Rebuild(
            service=service.name,
            edited=edited,
            runs=tuple(runs),
            budget_seconds=service.settings.get("budget_seconds"),
            is_base_unchanged=bases == _ids(project, image),
            is_image_changed=len(set(ids)) == len(ids),
        )
    history.append(project.root, "rebuild", result.to_json())
    return result


def edited_file(project: Project, service: Service, image: Image) -> str:
    """The file a rebuild changes, relative to the build context: `x-layerstack.edit` of the service."""
    edited = service.settings.get("edit")
    if not edited:
        raise UsageError(
            f"Nothing says which file a rebuild of {service.name} should change.",
            "Name one below the build context: `x-layerstack: { edit: src/main.py }` in the Compose file.",
        )
    path = project.root / image.context / edited
    if not path.is_file():
        raise UsageError(f"The file that a rebuild of {service.name} should change is not there: {path}.")
    _comment(path)
    return str(edited)


def change(path: Path) -> None:
    """Append a comment that was never there before; a new time stamp alone would change nothing for BuildKit."""
    opening, _, closing = _comment(path).partition(" ")
    with path.open("a") as file:
        file.write(f"\n{opening} rebuild {uuid.uuid4().hex} {closing}".rstrip() + "\n")


def remove_leftovers(project: Project) -> None:
    """Remove what killed runs left: their context copies and images."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_folder_prefix(project)}*"):
        if not _is_running(folder.name.rsplit("-", 1)[0].rsplit("-", 1)[-1]):
            shutil.rmtree(folder, ignore_errors=True)
    stale = [image for image in images.with_label(LABEL) if not _is_running(image.labels.get(LABEL, ""))]
    images.remove(reference for image in stale for reference in (image.tags or (image.id,)))


def _comment(path: Path) -> str:
    for mark, suffixes in COMMENTS.items():
        if path.suffix.lower() in suffixes:
            return mark
    raise UsageError(
        f"{path.name} cannot be changed without knowing its comments.", "Name a source file in `x-layerstack.edit`."
    )


@contextmanager
def _copied_context(project: Project, image: Image) -> Iterator[Path]:
    """A copy of what the engine would receive, plus the Dockerfile and its ignore file."""
    source = (project.root / image.context).resolve()
    copy = Path(tempfile.mkdtemp(prefix=f"{_folder_prefix(project)}{os.getpid()}-"))
    try:
        ignored_by = context.ignore_file(source, image.dockerfile)
        for entry in context.walk(source, context.read_patterns(ignored_by)):
            _copy_entry(source, copy, entry)
        for path in filter(None, (source / image.dockerfile, ignored_by)):
            target = copy / os.path.relpath(path, source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _copy_entry(source: Path, copy: Path, entry: context.Entry) -> None:
    target = copy / entry.path
    if entry.is_folder:
        target.mkdir()
        target.chmod(entry.mode & 0o7777 | 0o700)
    elif entry.is_file or entry.is_link:
        shutil.copy2(source / entry.path, target, follow_symlinks=False)


@contextmanager
def _throw_away_tag(image: Image) -> Iterator[str]:
    """A tag of this run's own; the tag and every image it ever named are removed at the end."""
    tag = f"{REPOSITORY}/{image.name}:{os.getpid()}"
    try:
        yield tag
    finally:
        own = [image for image in images.with_label(f"{LABEL}={os.getpid()}") if not image.tags or tag in image.tags]
        images.remove([tag, *(image.id for image in own if tag not in image.tags)])


def _options(image: Image, copy: Path, tag: str) -> BuildOptions:
    sets = (f"{image.name}.context={copy}", f"{image.name}.tags={tag}", f"{image.name}.labels.{LABEL}={os.getpid()}")
    return BuildOptions(sets=sets, allowed_paths=(copy,))


def _run(report: BuildReport, image: Image, stored: images.StoredImage | None) -> Run:
    own = [step for step in report.of(image.name) if not step.is_cached]
    unexpected = [
        f"{step.image}: {step.name}"
        for step in report.executed
        if step.image != image.name or step.stage == "deps" or INSTALLERS.search(step.instruction)
    ]
    return Run(
        seconds=report.seconds,
        context_seconds=report.transfer_seconds.get(image.name, 0.0),
        steps_seconds=sum(step.seconds for step in own),
        export_seconds=report.export_seconds.get(image.name, 0.0),
        cached=tuple(step.name for step in report.cached),
        executed=tuple(step.name for step in report.executed),
        unexpected=tuple(unexpected),
        image_id=stored.id if stored else "",
    )


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "seconds": round(run.seconds, 3),
        "context_seconds": round(run.context_seconds, 3),
        "steps_seconds": round(run.steps_seconds, 3),
        "export_seconds": round(run.export_seconds, 3),
        "cached": len(run.cached),
        "executed": len(run.executed),
        "cached_steps": list(run.cached),
        "executed_steps": list(run.executed),
    }


def _ids(project: Project, image: Image) -> Sequence[str]:
    """Ids of the images this one is built on."""
    parents = project.with_parents(image.parents)
    return [stored.id if (stored := images.find(parent.tag)) else "" for parent in parents]


def _folder_prefix(project: Project) -> str:
    return f"layerstack-rebuild-{sha256(str(project.root).encode()).hexdigest()[:8]}-"


def _is_running(process_id: str) -> bool:
    if not process_id.isdigit():
        return False
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
