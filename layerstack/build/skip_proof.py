"""Proves our reading: builds what it calls unchanged under a temporary tag, and compares the two images.

Only an image that is read as unchanged can be kept without asking BuildKit; this shows whether it might be.
"""

import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from layerstack import command
from layerstack.build.bake import BakeCall, bake
from layerstack.build.buildlog import EMPTY_REPORT, BuildReport, Step
from layerstack.build.elsewhere import require_own_builder
from layerstack.build.keep import Evidence
from layerstack.build.layer_content import read_content
from layerstack.build.plan import Plan, PlannedImage, make_plan
from layerstack.build.progress import BuildObserver
from layerstack.build.state import StateStore
from layerstack.engine import abandoned_images, images
from layerstack.engine.cache_records import read_cache
from layerstack.engine.images import StoredImage
from layerstack.errors import CheckFailed
from layerstack.project.project import Project
from layerstack.registry.origin import INPUTS_LABEL
from layerstack.state_folder import state_folder, write_atomically

OWN_LABELS = "layerstack."

Verdict = Literal["right", "wrong", "evicted"]


@dataclass(frozen=True)
class Audit:
    """One skip: right, wrong, or not to be compared because BuildKit's cache of it is gone."""

    image: str
    verdict: Verdict
    detail: str

    def to_json(self) -> dict[str, Any]:
        return {"image": self.image, "verdict": self.verdict, "detail": self.detail}


def audit_skips(project: Project, names: Sequence[str], store: StateStore) -> tuple[Audit, ...]:
    """Build every fresh image among the named ones and their parents, and compare. Nothing of it is left.

    Raises BuildFailed. Manifests of wrong readings are kept in the state folder, under `audit/`.
    """
    fresh = {one.name: one for one in make_plan(project, names, store).fresh}
    if not fresh:
        return ()
    require_own_builder(project, "--verify-skip")
    abandoned_images.remove_abandoned()
    run = uuid.uuid4().hex[:12]
    tags = {name: abandoned_images.throw_away_tag("audit", name, run) for name in fresh}
    evidence = Evidence(Plan(tuple(fresh.values())), read_cache().records)
    gone = frozenset(name for name, one in fresh.items() if one.last and one.last.is_cache_gone)
    # Images that BuildKit has lost cannot be compared, so they are not built.
    sets = tuple(f"{name}.tags={tag}" for name, tag in tags.items() if name not in gone)
    try:
        call = BakeCall(tuple(fresh), labels=_labels(fresh.values()), kept=gone, sets=sets)
        report = bake(project, call, BuildObserver()) if sets else EMPTY_REPORT
        again = images.find_all(tags.values())
        found = tuple(_judge(one, again.get(tags[name]), report, evidence) for name, one in fresh.items())
    finally:
        # Its errors are expected: images that were not built have no such tag.
        command.run(("docker", "image", "rm", "--force", *tags.values()))
    for audit in found:
        if audit.verdict == "wrong":
            _keep(store, fresh[audit.image], audit)
    return found


def require_right(audits: Iterable[Audit]) -> None:
    """Raises CheckFailed that names the wrong skips."""
    wrong = [audit for audit in audits if audit.verdict == "wrong"]
    if wrong:
        lines = "\n".join(f"  {audit.image}: {audit.detail}" for audit in wrong)
        raise CheckFailed(f"verify-skip: images considered unchanged that a build made differently:\n{lines}", ADVICE)


ADVICE = "Both manifests are in the state folder, under audit/: please report them."


def _labels(fresh: Iterable[PlannedImage]) -> dict[str, dict[str, str]]:
    # What is built on a base inherits its labels: the comparison needs those of the stored images.
    labels = {one.name: one.stored.labels.get(INPUTS_LABEL) for one in fresh if one.stored and one.is_base}
    return {name: {INPUTS_LABEL: label} for name, label in labels.items() if label}


def _judge(planned: PlannedImage, again: StoredImage | None, report: BuildReport, evidence: Evidence) -> Audit:
    assert planned.stored
    if again is None:
        return Audit(planned.name, "evicted", "cannot be compared, cache evicted before: it is kept as it is stored")
    executed = [step for step in report.executed if step.image == planned.name]
    # Unlike layers, the configuration never depends on the day of the build: any difference counts.
    if difference := _config_difference(planned.stored, again):
        return Audit(planned.name, "wrong", difference)
    if planned.stored.layers == again.layers:
        return Audit(planned.name, "right", f"same {len(again.layers)} layers, {len(executed)} steps executed")
    if difference := _copy_difference(planned, again):
        return Audit(planned.name, "wrong", difference)
    if unexplained := [step for step in _first(executed, report) if not evidence.is_gone(planned, step.place)]:
        return Audit(
            planned.name, "wrong", f"executed, and no cache record of it is known to be gone: {unexplained[0].name}"
        )
    why = f"{len(executed)} steps executed again" if executed else "BuildKit holds another result of the same steps"
    return Audit(planned.name, "evicted", f"cannot be compared, cache evicted: {why}")


def _config_difference(stored: StoredImage, again: StoredImage) -> str:
    old, new = (_read_config(image.id) for image in (stored, again))
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return "; ".join(f"{key}: {old.get(key)} → {new.get(key)}" for key in changed)


def _read_config(image_id: str) -> dict[str, Any]:
    """Environment, command, user and so on, without our own labels."""
    result = command.run(("docker", "image", "inspect", "--format", "{{json .Config}}", image_id)).require()
    config: dict[str, Any] = json.loads(result.stdout)
    labels: Mapping[str, str] = config.get("Labels") or {}
    config["Labels"] = {name: value for name, value in labels.items() if not name.startswith(OWN_LABELS)}
    return config


def _copy_difference(planned: PlannedImage, again: StoredImage) -> str:
    # Layers that only hold context files cannot depend on the day they were built: any difference counts.
    assert planned.stored
    old, new = planned.stored.layers, again.layers
    if len(old) != len(new):
        return f"{len(old)} layers → {len(new)}"
    differing = [index for index, (before, now) in enumerate(zip(old, new, strict=True)) if before != now]
    contents = [read_content(image.id, [image.layers[n] for n in differing]) for image in (planned.stored, again)]
    copies = _context_copies(planned)
    for index in differing:
        text = contents[1].history[index] if index < len(contents[1].history) else ""
        before, now = (
            content.layers.get(image[index], {}) for content, image in zip(contents, (old, new), strict=True)
        )
        # BuildKit appends `# buildkit` to each instruction in the history of an image.
        if before != now and _text(text.removesuffix(" # buildkit")) in copies:
            paths = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
            return f"{text}: {', '.join(paths[:3])}"
    return ""


def _context_copies(planned: PlannedImage) -> set[str]:
    """COPY and ADD instructions whose sources are all in a context."""
    return {
        _text(str(line))
        for stage in planned.manifest.stages
        for line in stage.lines
        if line.keyword in ("COPY", "ADD") and all(source.origin in planned.manifest.files for source in line.sources)
    }


def _first(executed: Sequence[Step], report: BuildReport) -> list[Step]:
    """Executed steps whose predecessor in the stage was not executed."""
    known = {(step.image, step.stage, step.number) for step in report.executed}
    return [step for step in executed if (step.image, step.stage, step.number - 1) not in known]


def _text(instruction: str) -> str:
    """The words of an instruction without flags, which all tools print alike."""
    return " ".join(word for word in instruction.split() if not word.startswith("--"))


def _keep(store: StateStore, planned: PlannedImage, audit: Audit) -> None:
    folder = state_folder(store.root) / "audit"
    then = planned.last.manifest.to_json() if planned.last else None
    document = {**audit.to_json(), "then": then, "now": planned.manifest.to_json()}
    write_atomically(folder / f"{planned.name}-{int(time.time())}.json", json.dumps(document, indent=1))
