"""The results of a build for each image, step by step, with causes: from the stream and the plan to a `BuildRecord`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerstack.build.bake import BakeCall
from layerstack.build.buildlog import BuildReport, Step, Work
from layerstack.build.cause import ImageCauses
from layerstack.build.plan import Plan, PlannedImage, layers_identity
from layerstack.build.record import Action, Cause, ImageRecord, StepRecord, WorkRecord, root_causes
from layerstack.dockerfile.image import target_of
from layerstack.engine.images import StoredImage
from layerstack.registry.origin import read_origin

KEPT_CAUSE = "its steps are no longer cached and nothing they depend on changed: the stored image is used"


@dataclass(frozen=True)
class Outcome:
    """What is known once the bake calls are over.

    `changed` are images whose tags name another image than before, `kept` those that were used as they are stored.
    `call` is what was asked for, `stored` maps tags to the images that are there now.
    """

    plan: Plan
    report: BuildReport
    changed: frozenset[str]
    kept: frozenset[str]
    call: BakeCall
    stored: Mapping[str, StoredImage]

    def records(self) -> tuple[ImageRecord, ...]:
        """One record an image, parents first."""
        found: dict[str, ImageRecord] = {}
        for one in self.plan.images:
            found[one.name] = self._record(one, found)
        return tuple(found.values())

    def _record(self, planned: PlannedImage, earlier: Mapping[str, ImageRecord]) -> ImageRecord:
        # A tag that names another image counts as a build even if every step was cached.
        is_built = planned.name in self.changed or not all(step.is_cached for step in self.report.of(planned.name))
        action: Action = "fresh"
        cause = ""
        if planned.name in self.call.pulled:
            action, cause = "pulled", self._origin(planned)
        elif planned.name in self.kept:
            action, cause = "kept", KEPT_CAUSE
        elif is_built:
            return self._built(planned, self._parent_causes(planned, earlier))
        return ImageRecord(
            image=planned.name,
            action=action,
            cause=cause,
            inputs=planned.manifest.digest,
            parents=tuple(planned.image.parents),
        )

    def _origin(self, planned: PlannedImage) -> str:
        """Who built a pulled image, when and why."""
        stored = self.stored.get(planned.image.tag)
        origin = read_origin(stored.labels) if stored else None
        if origin is None:
            return "from the registry"
        return f"{origin}{f': {origin.cause}' if origin.cause else ''}"

    def _built(self, planned: PlannedImage, parent_causes: Mapping[str, str]) -> ImageRecord:
        steps = self.report.of(planned.name)
        causes = ImageCauses(
            new=planned.manifest,
            old=planned.last.manifest if planned.last else None,
            executed=self.report.executed,
            parent_causes=parent_causes,
            is_forced=planned.name in self.call.without_cache,
            doubt=_doubt(planned),
        )
        named = tuple(None if step.is_cached else causes.of(step) for step in steps)
        seconds = sum(step.seconds for step in steps if not step.is_cached)
        seconds += self.report.work_seconds(planned.name, "transfer", "export")
        roots = root_causes(cause for cause in named if cause)
        return ImageRecord(
            image=planned.name,
            action="built",
            cause="; ".join(str(root) for root in roots) or self._without_root(planned, causes, named),
            seconds=round(seconds, 3),
            inputs=planned.manifest.digest,
            parents=tuple(planned.image.parents),
            steps=tuple(self._step(step, cause) for step, cause in zip(steps, named, strict=True)),
            works=tuple(self._work(work) for work in self.report.works if work.image == planned.name),
        )

    def _parent_causes(self, planned: PlannedImage, earlier: Mapping[str, ImageRecord]) -> dict[str, str]:
        """Context name → cause, for parents that changed since this image was last built."""
        found: dict[str, str] = {}
        for context, value in planned.image.contexts.items():
            if (name := target_of(value)) and planned.last:
                parent, result = self.plan.of(name), earlier[name]
                before, now = planned.last.parent_layers.get(name), layers_identity(self.stored.get(parent.image.tag))
                # Layers are not recorded of a base that the image does not stand on: only executed steps show a change.
                is_other = bool(result.executed) if before is None else before != now
                if is_other or planned.last.manifest.parents.get(context) != planned.manifest.parents.get(context):
                    last = parent.last.record.cause if parent.last else ""
                    found[context] = result.cause or last or "its inputs changed"
        return found

    def _without_root(self, planned: PlannedImage, causes: ImageCauses, named: Sequence[Cause | None]) -> str:
        """Why the image differs although the changed step did not run, or none did."""
        if any(named) and (cause := causes.of_cached()):
            return f"{cause}; BuildKit had that step's result, not those of the steps after it"
        # BuildKit reports a step that images share for only one of them.
        sharing = {
            step.image for step in self.report.executed if step.place.startswith(f"{planned.manifest.dockerfile}:")
        }
        how = f"its steps ran with {', '.join(sorted(sharing))}" if sharing else "every step was cached"
        if planned.stored is None:
            return f"{'first-build' if planned.last is None else 'the image was gone'}; {how}"
        cause = causes.of_cached() or causes.of_description()
        return f"{cause or planned.reason or 'unknown: its tag named another image'}; {how}"

    def _step(self, step: Step, cause: Cause | None) -> StepRecord:
        return StepRecord(
            step=step.name,
            is_cached=step.is_cached,
            seconds=round(step.seconds, 3),
            cause=cause,
            place=step.place,
            started=round(step.started, 3) if step.started else None,
            is_critical=step.digest in self.report.critical,
        )

    def _work(self, work: Work) -> WorkRecord:
        return WorkRecord(
            kind=work.kind,
            seconds=round(work.seconds, 3),
            started=round(work.started, 3),
            is_critical=work.digest in self.report.critical,
        )


def _doubt(planned: PlannedImage) -> str:
    """Why the record of the last build may differ from what BuildKit compares with; "" when it does not."""
    if planned.last is None:
        return "there is no record of the build before" if planned.stored else ""
    return "this image was built since then, without a record" if planned.stored and not planned.is_recorded else ""
