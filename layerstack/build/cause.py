"""Why a step ran again: from two manifests and a report to one named cause per step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from layerstack.build import changed_text, file_diff
from layerstack.build.buildlog import Step
from layerstack.build.inputs import Manifest
from layerstack.build.placement import is_same_text, literal_text
from layerstack.build.record import Cause
from layerstack.build.stage_diff import StageDiff
from layerstack.dockerfile.recipe import NO_CACHE, runs_always, what_may_change
from layerstack.dockerfile.recipe_stage import RecipeLine, RecipeStage

# Keys of a definition that no step notices.
ONLY_DESCRIBED = ("labels", "annotations")


@dataclass(frozen=True)
class ImageCauses:
    """What is known of one image's rebuild.

    `executed` are all executed steps of the call (images of one Dockerfile share steps), `parent_causes` says of each
    parent image that changed since the last build why it did, `doubt` why the old manifest may not be what BuildKit
    compared with.
    """

    new: Manifest
    old: Manifest | None
    executed: Sequence[Step]
    parent_causes: Mapping[str, str]
    is_forced: bool = False
    doubt: str = ""

    def of(self, step: Step) -> Cause:
        """The cause of one executed step."""
        if self.is_forced:
            # Without the cache every step runs, whatever else has changed.
            return Cause("forced", "asked for with --force")
        if self.old is None:
            return Cause("unknown", self.doubt) if self.doubt else Cause("first-build")
        found = self._find(step)
        if found is None and not self.new.stages and self.new.volatile:
            return Cause("remote-content", "; ".join(self.new.volatile))
        if found is None:
            return Cause("unknown", "this step is not in the Dockerfile that was read")
        cause = self._of(*found)
        if self.doubt and cause.kind != "unknown":
            return replace(cause, detail=f"{cause.detail}; compared with the last build here, but {self.doubt}")
        return cause

    def of_cached(self) -> Cause | None:
        """The change that led to results which BuildKit had already."""
        for stage in self.new.stages if self.old else ():
            for number in range(len(stage.steps)):
                if own := next(self._own(stage, number), None):
                    return own
            if base := self._base(stage):
                return base
        return None

    def of_description(self) -> Cause | None:
        """What changed when no step had to run: labels, CMD, ENV at the end, and the like."""
        if self.old is None:
            return None
        for diff in self._diffs.values():
            if change := diff.settings():
                return changed_text.settings_cause(change, self.new.dockerfile)
        if cause := changed_text.definition_cause(self.old, self.new):
            return cause
        changed = sorted(name for name in self.new.parents if name in self.parent_causes)
        return self._parent(changed[0]) if changed else None

    def _find(self, step: Step) -> tuple[RecipeStage, int] | None:
        written = step.place.rsplit(":", 1)[-1]
        steps = ((stage, number) for stage in self.new.stages for number in range(len(stage.steps)))
        alike = [(stage, number) for stage, number in steps if str(stage.steps[number].line) == written]
        # All that an image's ONBUILD brings stands on the line of FROM.
        same = [one for one in alike if is_same_text(step, one[0].steps[one[1]])]
        # `RUN a` and `RUN a b`, both brought by one FROM, fit the step `RUN a b`: the longest match is the right one.
        return max(same or alike[:1], key=lambda one: len(literal_text(one[0].steps[one[1]])), default=None)

    def _of(self, stage: RecipeStage, number: int) -> Cause:
        own = list(self._own(stage, number))
        if own:
            return Cause(own[0].kind, "; ".join([own[0].detail, *(f"also {cause}" for cause in own[1:])]))
        # The nearest change comes first: one further up reaches a step only through what is in between.
        return (
            self._step_before(stage, number)
            or self._base(stage)
            or self._sources(stage.steps[number])
            or self._settings_before(stage, number)
            or self._cached_before(stage, number)
            or (self.old and changed_text.definition_cause(self.old, self.new, ONLY_DESCRIBED))
            or self._unexplained(stage, stage.steps[number])
        )

    def _unexplained(self, stage: RecipeStage, line: RecipeLine) -> Cause:
        # BuildKit asks a remote address in every build, and the manifest does not hold its content.
        if line.remote:
            return Cause("remote-content", f"what {', '.join(line.remote)} holds may have changed")
        read = {what_may_change(name) for name in (stage.base, *(source.origin for source in line.sources))}
        if changing := [reason for reason in self.new.volatile if reason in read]:
            return Cause("remote-content", "; ".join(changing))
        if (reason := runs_always(self._lowest(stage).base)) in self.new.unknown:
            return Cause("forced", reason)
        if NO_CACHE in self.new.volatile:
            return Cause("forced", NO_CACHE)
        if self.doubt:
            return Cause("unknown", self.doubt)
        return Cause("cache-evicted", "nothing it depends on changed: its result was no longer cached")

    def _own(self, stage: RecipeStage, number: int) -> Iterator[Cause]:
        """Changes of the step itself: its text, the settings just before it, the files it reads."""
        diff = self._diffs.get(stage.name)
        line = stage.steps[number]
        place = f"{self.new.dockerfile}:{line.line}"
        if diff is None:
            yield Cause("instruction", f"{place}: new stage {stage.shown_name}")
            return
        before = diff.before(number)
        if before is None:
            yield Cause("instruction", f"{place}: {changed_text.new_text(diff, number)}")
            return
        if removed := diff.removed_before(number):
            yield Cause("instruction", f"before {place}: removed {', '.join(map(changed_text.shown, removed))}")
        if change := changed_text.noticed_by(line, diff.gap(number)):
            yield changed_text.settings_cause(change, f"before {place}")
        yield from self._files(before, line)

    def _files(self, before: RecipeLine, now: RecipeLine) -> Iterator[Cause]:
        assert self.old
        old, new = self.old.files_of(before.sources), self.new.files_of(now.sources)
        yield from file_diff.compare(old, new, self.old.ignore_rules, self.new.ignore_rules)

    def _step_before(self, stage: RecipeStage, number: int) -> Cause | None:
        if number == 0 or not self._was_executed(stage.steps[number - 1]):
            return None
        return self._caused_by(stage, number - 1)

    def _caused_by(self, stage: RecipeStage, number: int) -> Cause:
        """The cause of a step that follows from another one: the first of the chain."""
        cause = self._of(stage, number)
        if cause.kind == "parent-step":
            return cause
        return Cause("parent-step", f"{changed_text.shown_step(stage.steps[number])} ({cause})")

    def _base(self, stage: RecipeStage) -> Cause | None:
        """The base of a stage: its FROM changed, or the image that it names."""
        if self.old and (cause := changed_text.base_cause(self.old, self.new, stage.name)):
            return cause
        if stage.lines and stage.lines[0].keyword == "FROM":
            diff = self._diffs.get(stage.name)
            return next(self._files(diff.old.lines[0], stage.lines[0]), None) if diff and diff.old.lines else None
        return self._source(stage.base) if stage.is_on_stage else self._parent(stage.base)

    def _sources(self, line: RecipeLine) -> Cause | None:
        found = (self._source(source.origin) for source in line.sources)
        return next((cause for cause in found if cause), None)

    def _source(self, name: str) -> Cause | None:
        """What a FROM or `from=` refers to: a stage, an image of the project, or another image."""
        stage = self.new.stage(name)
        # A named context takes precedence over a stage of the same name.
        if stage is None or name in self.new.parents:
            return self._parent(name)
        executed = [number for number, one in enumerate(stage.steps) if self._was_executed(one)]
        if executed:
            return self._caused_by(stage, executed[-1])
        return self._base(stage) or self._cached_before(stage, len(stage.steps))

    def _parent(self, name: str) -> Cause | None:
        assert self.old
        if name in self.parent_causes:
            return Cause("parent-image", f"{name} was rebuilt ({self.parent_causes[name]})")
        old, new = self.old.parents.get(name), self.new.parents.get(name)
        if old and new and old != new:
            # `sha256:` and the twelve digits that Docker shows of an id.
            return Cause("parent-image", f"{name} is a different image now ({old[:19]} → {new[:19]})")
        return None

    def _settings_before(self, stage: RecipeStage, number: int) -> Cause | None:
        """Settings further up, in this stage or a base: a cached COPY may be in between."""
        diff = self._diffs.get(stage.name)
        if diff and (change := diff.settings(number)):
            return changed_text.settings_cause(change, f"stage {stage.shown_name} of {self.new.dockerfile}")
        below = self._below(stage)
        return self._settings_before(below, len(below.steps)) if below else None

    def _cached_before(self, stage: RecipeStage, number: int) -> Cause | None:
        """An earlier step that changed into one that BuildKit had built before."""
        for earlier in reversed(range(number)):
            if own := next(self._own(stage, earlier), None):
                return Cause("parent-step", f"{changed_text.shown_step(stage.steps[earlier])} ({own})")
            if source := self._sources(stage.steps[earlier]):
                return source
        below = self._below(stage)
        return self._cached_before(below, len(below.steps)) if below else None

    @cached_property
    def _diffs(self) -> dict[str, StageDiff]:
        """The differences of the stages that existed before."""
        both = [(self.old.stage(stage.name), stage) for stage in self.new.stages] if self.old else []
        return {now.name: StageDiff(was, now) for was, now in both if was}

    def _below(self, stage: RecipeStage) -> RecipeStage | None:
        return self.new.stage(stage.base) if stage.is_on_stage else None

    def _lowest(self, stage: RecipeStage) -> RecipeStage:
        below = self._below(stage)
        return self._lowest(below) if below else stage

    @cached_property
    def _executed_lines(self) -> set[str]:
        return {step.place for step in self.executed}

    def _was_executed(self, line: RecipeLine) -> bool:
        return f"{self.new.dockerfile}:{line.line}" in self._executed_lines
