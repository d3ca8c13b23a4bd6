"""Times rebuilds after a code change, in a copy of the build context: the working tree is never written."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from layerstack.build import build, history, plan
from layerstack.build.bake import BakeCall
from layerstack.build.buildlog import BuildReport, Step
from layerstack.build.keep import Keeper
from layerstack.build.progress import Silent
from layerstack.build.state import StateStore
from layerstack.dockerfile.image import Image
from layerstack.engine import images
from layerstack.engine.abandoned_images import OWNER_LABEL, throw_away_tag
from layerstack.errors import UsageError
from layerstack.junit import Case, Outcome
from layerstack.owner import own_mark
from layerstack.project.project import Project, Service
from layerstack.rebuild.context_copy import change, comment_style, copied_context
from layerstack.rebuild.edited_file import EditedFile, choose_edited_file
from layerstack.rebuild.leftovers import find_leftovers, remove_leftovers
from layerstack.rebuild.regression import find_regression
from layerstack.rebuild.served import ServedCopy
from layerstack.registry.origin import INPUTS_LABEL
from layerstack.report import Say
from layerstack.run import rehearsal
from layerstack.wording import short

# Commands that fetch packages. A code change must never run one of these again.
INSTALLERS = re.compile(
    r"\b(pip3?|uv|poetry|npm|yarn|pnpm|apt-get|apt|apk|dnf|yum|bundle|composer|cargo|go mod|conda|mamba)\b"
    r"[^|;&]*\b(install|sync|ci|add|download|fetch|update)\b"
)


@dataclass(frozen=True)
class RebuildOptions:
    """`edit_command` changes the file in the copy, instead of an appended comment."""

    run_count: int = 3
    is_until_served: bool = False
    edit_command: str = ""


@dataclass(frozen=True)
class Run:
    """One rebuild after one change. Seconds of the whole bake call, and of its parts in the service's image.

    `served_seconds` last from the start of the build until the recreated container responds; None when not measured.
    """

    seconds: float
    context_seconds: float
    steps_seconds: float
    export_seconds: float
    cached: tuple[Step, ...]
    executed: tuple[Step, ...]
    unexpected: tuple[str, ...]
    image_id: str
    served_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 3),
            "context_seconds": round(self.context_seconds, 3),
            "steps_seconds": round(self.steps_seconds, 3),
            "export_seconds": round(self.export_seconds, 3),
            "served_seconds": None if self.served_seconds is None else round(self.served_seconds, 3),
            "cached": len(self.cached),
            "executed": len(self.executed),
            "cached_steps": [f"{step.image}: {short(step.name, 100)}" for step in self.cached],
            "executed_steps": [
                {"step": step.name, "place": step.place, "seconds": round(step.seconds, 3)} for step in self.executed
            ],
        }


@dataclass(frozen=True)
class Rebuild:
    """All runs of one service and what they prove."""

    service: str
    edited: str
    runs: tuple[Run, ...]
    budget_seconds: float | None
    is_base_unchanged: bool
    is_image_changed: bool
    regression: str = ""
    edited_reason: str = ""

    @property
    def median_seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def spread_seconds(self) -> float:
        """From the fastest run to the slowest."""
        return max(run.seconds for run in self.runs) - min(run.seconds for run in self.runs)

    @property
    def served_seconds(self) -> float | None:
        """Median until the new code responded; None when not measured."""
        served = [run.served_seconds for run in self.runs if run.served_seconds is not None]
        return median(served) if served else None

    @property
    def unexpected_steps(self) -> list[str]:
        return sorted({step for run in self.runs for step in run.unexpected})

    @property
    def failures(self) -> list[str]:
        """One sentence for each failed condition."""
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

    def case(self) -> Case:
        """The median as a test case of a JUnit file."""
        message = "; ".join(self.failures)
        outcome: Outcome = "failure" if self.failures else "passed"
        return Case("time-rebuild", self.service, self.median_seconds, outcome, message, "rebuild", self.edited)

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "ok": not self.failures,
            "median_seconds": round(self.median_seconds, 3),
            "budget_seconds": self.budget_seconds,
            "edited": self.edited,
            "edited_reason": self.edited_reason or None,
            "spread_seconds": round(self.spread_seconds, 3),
            "served_median_seconds": None if self.served_seconds is None else round(self.served_seconds, 3),
            "regression": self.regression or None,
            "runs": [run.to_json() for run in self.runs],
            "base_unchanged": self.is_base_unchanged,
            "image_changed": self.is_image_changed,
            "unexpected_steps": self.unexpected_steps,
            "failures": self.failures,
        }


def time_rebuilds(project: Project, names: Sequence[str], options: RebuildOptions, say: Say) -> list[Rebuild]:
    """Time the named services one after the other; by default all that are built and have a file to edit.

    Raises as `time_rebuild` does.
    """
    if options.run_count < 1:
        raise UsageError(f"--runs is 1 or more, not {options.run_count}.")
    wanted = [project.service(name).name for name in names] or _editable(project, say)
    if not wanted:
        raise UsageError(
            "No service of this project has a file that a rebuild could change.",
            "Name one below its build context: `x-layerstack: { edit: src/main.py }` in the Compose file.",
        )
    return [time_rebuild(project, name, options, say) for name in wanted]


def summary(rebuilds: Sequence[Rebuild]) -> dict[str, Any]:
    """The JSON document of the task."""
    return {"ok": not any(one.failures for one in rebuilds), "rebuilds": [one.to_json() for one in rebuilds]}


def time_rebuild(project: Project, service_name: str, options: RebuildOptions, say: Say) -> Rebuild:
    """Time rebuilds of one service, each after a change in a copy of its context.

    Raises UsageError when the service is not built here or the file to edit cannot be changed; BuildFailed.
    """
    service, image = project.service(service_name), project.image(service_name)
    choice = edited_file(project, service, image)
    edited = choice.path
    if choice.reason:
        say(f"{service.name}: no `x-layerstack.edit`, so {edited} is changed, {choice.reason}")
    remove_leftovers(find_leftovers(project))
    if image.parents:
        build.build(project, image.parents)
    bases = _ids(project, image)
    with ExitStack() as stack:
        copy, tag = stack.enter_context(copied_context(project, image)), stack.enter_context(_throw_away_tag(image))
        _require_sent(copy, edited, service)
        rebuild = _Rebuilder(project, image, copy, tag)
        # BuildKit has not received this context before: the first build would time its transfer.
        say(f"{service.name}: a first build of the copy, not timed")
        rebuild.build()
        before = images.find(tag)
        served = stack.enter_context(_served(project, service, tag, say)) if options.is_until_served else None
        runs = _runs(rebuild, served, copy / edited, options, say)
        ids = [before.id if before else "", *(run.image_id for run in runs)]
        result = Rebuild(
            service=service.name,
            edited=edited,
            runs=runs,
            budget_seconds=service.settings.budget_seconds,
            is_base_unchanged=bases == _ids(project, image),
            # An image may get another id although no step ran: BuildKit can hold a cached step twice.
            is_image_changed=len(set(ids)) == len(ids) and all(run.executed for run in runs),
            regression=find_regression(
                project.root, service.name, median(run.seconds for run in runs), runs[-1].executed
            ),
            edited_reason=choice.reason,
        )
    history.append(project.root, "rebuild", result.to_json())
    return result


def _runs(
    rebuild: "_Rebuilder", served: ServedCopy | None, edited: Path, options: RebuildOptions, say: Say
) -> tuple[Run, ...]:
    """One build after each change of the edited file."""
    runs = []
    for number in range(1, options.run_count + 1):
        say(f"{rebuild.image.name}: rebuild {number} of {options.run_count} after a change in {edited.name}")
        change(edited, options.edit_command)
        runs.append(rebuild.run(served))
    return tuple(runs)


def edited_file(project: Project, service: Service, image: Image) -> EditedFile:
    """The file to change: `x-layerstack.edit` of the service, else one of the last COPY. Raises UsageError."""
    edited = service.settings.edit
    if not edited:
        return choose_edited_file(project, image)
    path = project.root / image.context / edited
    if not path.is_file():
        raise UsageError(f"The file that a rebuild of {service.name} should change does not exist: {path}.")
    comment_style(path)
    return EditedFile(str(edited), "")


def _editable(project: Project, say: Say) -> list[str]:
    """Services that are built and have a file to change; others are reported and skipped."""
    found = []
    for service in project.services.values():
        if not service.is_built:
            continue
        try:
            if not service.settings.edit:
                choose_edited_file(project, project.image(service.name))
            found.append(service.name)
        except UsageError as error:
            say(f"{service.name} is skipped: {error.args[0]}")
    return found


@dataclass
class _Rebuilder:
    """Builds one service's image from the copy, under a temporary tag, on the stored parents."""

    project: Project
    image: Image
    copy: Path
    tag: str
    kept: frozenset[str] = frozenset()

    def build(self) -> BuildReport:
        outside = self._outside_dockerfile()
        values = [f"context={self.copy}", f"tags={self.tag}", f"labels.{OWNER_LABEL}={own_mark()}"]
        values += [f"dockerfile={path}" for path in outside]
        call = BakeCall(
            names=(self.image.name,),
            labels=self._labels,
            kept=self.kept,
            sets=tuple(f"{self.image.name}.{value}" for value in values),
            allowed_paths=(self.copy, *outside),
        )
        # Only parents may be kept: the image of the copy differs on purpose.
        parents = list(self.image.parents)
        keeper = Keeper(lambda: plan.make_plan(self.project, parents, StateStore(self.project.root)))
        report, done = build.solve(self.project, call, Silent(), keeper)
        self.kept = done.kept
        return report

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        # With other labels than those of the stored bases, the service would be built on other images than before.
        found = images.find_all(image.tag for image in self.project.with_parents(self.image.parents))
        stored = {image.name: found.get(image.tag) for image in self.project.with_parents(self.image.parents)}
        labels = {name: one.labels.get(INPUTS_LABEL) for name, one in stored.items() if one}
        return {name: {INPUTS_LABEL: label} for name, label in labels.items() if label}

    def _outside_dockerfile(self) -> tuple[Path, ...]:
        """The Dockerfile when it is outside the build context, and thus not in the copy."""
        folder = (self.project.root / self.image.context).resolve()
        path = Path(os.path.normpath(folder / self.image.dockerfile))
        return () if path.is_relative_to(folder) or not path.is_file() else (path,)

    def run(self, served: ServedCopy | None) -> Run:
        report = self.build()
        stored = images.find(self.tag)
        seconds = report.seconds + served.seconds_until_answer() if served else None
        return _run(report, self.image, stored.id if stored else "", seconds)


@contextmanager
def _served(project: Project, service: Service, tag: str, say: Say) -> Iterator[ServedCopy]:
    """The service and its dependencies, running from the temporary image as a separate project."""
    with rehearsal.rehearsal(project, "rebuild", {service.name: rehearsal.from_image(service, tag)}) as copy:
        say(f"{service.name}: starting a copy of the stack as {copy.name}, not timed")
        yield ServedCopy.start(copy, service.name)


def _require_sent(copy: Path, edited: str, service: Service) -> None:
    if not (copy / edited).is_file():
        raise UsageError(
            f"The file that a rebuild of {service.name} should change is not in the build context: {edited}.",
            "Name one in `x-layerstack.edit` that .dockerignore does not exclude.",
        )


@contextmanager
def _throw_away_tag(image: Image) -> Iterator[str]:
    """A temporary tag; the tag and every image that it ever named are removed at the end."""
    tag = throw_away_tag("rebuild", image.name)
    try:
        yield tag
    finally:
        own = [one for one in images.with_label(f"{OWNER_LABEL}={own_mark()}") if not one.tags or tag in one.tags]
        images.remove([tag, *(one.id for one in own if tag not in one.tags)])


def _run(report: BuildReport, image: Image, image_id: str, served_seconds: float | None = None) -> Run:
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
        cached=report.cached,
        executed=report.executed,
        unexpected=tuple(unexpected),
        image_id=image_id,
        served_seconds=served_seconds,
    )


def _ids(project: Project, image: Image) -> Sequence[str]:
    """Ids of the images this one is built on."""
    tags = [parent.tag for parent in project.with_parents(image.parents)]
    found = images.find_all(tags)
    return [found[tag].id if tag in found else "" for tag in tags]
