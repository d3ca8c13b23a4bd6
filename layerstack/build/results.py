"""The results of a build for each image, step by step, with causes: from the stream and the plan to a `BuildRecord`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerstack.build.bake import BakeCall
from layerstack.build.buildlog import BuildReport, Step, Work
from layerstack.build.cause import ImageCauses
from layerstack.build.plan import Plan, PlannedImage, layers_identity
from layerstack.build.record import Cause, ImageRecord, StepRecord, WorkRecord, root_causes
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

    def _record(self, one: PlannedImage, earlier: Mapping[str, ImageRecord]) -> ImageRecord:
        parents = tuple(one.image.parents)
        if one.name in self.call.pulled:
            return ImageRecord(
                image=one.name, action="pulled", cause=self._origin(one), inputs=one.manifest.digest, parents=parents
            )
        if one.name in self.kept:
            return ImageRecord(
                image=one.name, action="kept", cause=KEPT_CAUSE, inputs=one.manifest.digest, parents=parents
            )
        if one.name not in self.changed and not any(not step.is_cached for step in self.report.of(one.name)):
            return ImageRecord(image=one.name, action="fresh", inputs=one.manifest.digest, parents=parents)
        return self._built(one, self._parent_causes(one, earlier))

    def _origin(self, one: PlannedImage) -> str:
        """Who built a pulled image, when and why."""
        stored = self.stored.get(one.image.tag)
        origin = read_origin(stored.labels) if stored else None
        if origin is None:
            return "from the registry"
        return f"{origin}{f': {origin.cause}' if origin.cause else ''}"

    def _built(self, one: PlannedImage, parent_causes: Mapping[str, str]) -> ImageRecord:
        steps = self.report.of(one.name)
        causes = ImageCauses(
            new=one.manifest,
            old=one.last.manifest if one.last else None,
            executed=self.report.executed,
            parent_causes=parent_causes,
            is_forced=one.name in self.call.without_cache,
            doubt=_doubt(one),
        )
        named = tuple(None if step.is_cached else causes.of(step) for step in steps)
        seconds = sum(step.seconds for step in steps if not step.is_cached)
        seconds += self.report.transfer_seconds.get(one.name, 0.0) + self.report.export_seconds.get(one.name, 0.0)
        roots = root_causes(cause for cause in named if cause)
        return ImageRecord(
            image=one.name,
            action="built",
            cause="; ".join(str(root) for root in roots) or self._without_root(one, causes, named),
            seconds=round(seconds, 3),
            inputs=one.manifest.digest,
            parents=tuple(one.image.parents),
            steps=tuple(self._step(step, cause) for step, cause in zip(steps, named, strict=True)),
            works=tuple(self._work(work) for work in self.report.works if work.image == one.name),
        )

    def _parent_causes(self, one: PlannedImage, earlier: Mapping[str, ImageRecord]) -> dict[str, str]:
        """Context name → cause, for parents that changed since this image was last built."""
        found: dict[str, str] = {}
        for context, value in one.image.contexts.items():
            name = value.removeprefix("target:")
            if value.startswith("target:") and one.last:
                parent, result = self.plan.of(name), earlier[name]
                before, now = one.last.parent_layers.get(name), layers_identity(self.stored.get(parent.image.tag))
                is_other = bool(result.executed) if before is None else before != now
                if is_other or one.last.manifest.parents.get(context) != one.manifest.parents.get(context):
                    last = parent.last.record.cause if parent.last else ""
                    found[context] = result.cause or last or "its inputs changed"
        return found

    def _without_root(self, one: PlannedImage, causes: ImageCauses, named: Sequence[Cause | None]) -> str:
        """Why the image differs although the changed step did not run, or none did."""
        if any(named) and (cause := causes.of_cached()):
            return f"{cause}; BuildKit had that step's result, not those of the steps after it"
        sharing = {step.image for step in self.report.executed if step.place.startswith(f"{one.manifest.dockerfile}:")}
        how = f"its steps ran with {', '.join(sorted(sharing))}" if sharing else "every step was cached"
        if one.stored is None:
            return f"{'first-build' if one.last is None else 'the image was gone'}; {how}"
        cause = causes.of_cached() or causes.of_description()
        return f"{cause or one.reason or 'unknown: its tag named another image'}; {how}"

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


def _doubt(one: PlannedImage) -> str:
    """Why the record of the last build may differ from what BuildKit compares with; "" when it does not."""
    if one.last is None:
        return "there is no record of the build before" if one.stored else ""
    return "this image was built since then, without a record" if one.stored and not one.is_recorded else ""
