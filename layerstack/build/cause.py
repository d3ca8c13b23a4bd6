"""Why a step was executed again: two manifests and a report in, one named cause per step out."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from layerstack.build import file_diff
from layerstack.build.buildlog import Step
from layerstack.build.inputs import Manifest
from layerstack.build.placement import is_same_text, literal_text
from layerstack.build.record import Cause, Kind
from layerstack.build.stage_diff import Change, StageDiff
from layerstack.dockerfile.recipe import NO_CACHE, SECRET, RecipeLine, RecipeStage
from layerstack.wording import short

SHOWN_CHARACTERS = 60
# Keys of a definition that no step notices.
ONLY_DESCRIBED = ("labels", "annotations")
_ASSIGNMENT = re.compile(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S+)")


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
            return Cause("forced", "asked for with --force")
        if self.old is None:
            return Cause("unknown", self.doubt) if self.doubt else Cause("first-build")
        found = self._find(step)
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
        for stage in self.new.stages:
            old = self.old.stage(stage.name)
            if old and (change := StageDiff(old, stage).settings()):
                return _settings_cause(change, self.new.dockerfile)
        if cause := self._definition():
            return cause
        changed = sorted(name for name in self.new.parents if name in self.parent_causes)
        return self._parent(changed[0]) if changed else None

    def _find(self, step: Step) -> tuple[RecipeStage, int] | None:
        written = step.place.rsplit(":", 1)[-1]
        alike = [
            (stage, number)
            for stage in self.new.stages
            for number, line in enumerate(stage.steps)
            if str(line.line) == written
        ]
        # The only stage of a Dockerfile wears no name.
        alike = [one for one in alike if one[0].shown_name.lower() == step.stage.lower()] or (
            [] if step.stage else alike
        )
        # All that an image's ONBUILD brings stands on the line of FROM.
        same = [one for one in alike if is_same_text(step, one[0].steps[one[1]])]
        return max(same or alike[:1], key=lambda one: len(literal_text(one[0].steps[one[1]])), default=None)

    def _of(self, stage: RecipeStage, number: int) -> Cause:
        own = list(self._own(stage, number))
        if own:
            return Cause(own[0].kind, "; ".join([own[0].detail, *(f"also {cause}" for cause in own[1:])]))
        return (
            self._step_before(stage, number)
            or self._base(stage)
            or self._sources(stage.steps[number])
            or self._settings_before(stage, number)
            or self._cached_before(stage, number)
            or self._definition(ONLY_DESCRIBED)
            or self._unexplained(stage.steps[number])
        )

    def _definition(self, unnoticed: Collection[str] = ()) -> Cause | None:
        """What the Compose or bake file says of the image besides its arguments and contexts, those keys left out."""
        assert self.old
        old, new = (
            _flat(
                {"platform": one.platform, **{key: one.settings[key] for key in one.settings if key not in unnoticed}}
            )
            for one in (self.old, self.new)
        )
        changed = [name for name in (*old, *(new.keys() - old.keys())) if old.get(name) != new.get(name)]
        words = (
            f"{name}: {' → '.join(_masked(name, one.get(name, 'not set')) for one in (old, new))}" for name in changed
        )
        return Cause("instruction", f"the definition of {self.new.image}: {'; '.join(words)}") if changed else None

    def _unexplained(self, line: RecipeLine) -> Cause:
        if line.remote:
            return Cause("remote-content", f"what {', '.join(line.remote)} holds may have changed")
        if NO_CACHE in self.new.volatile:
            return Cause("forced", NO_CACHE)
        if self.doubt:
            return Cause("unknown", self.doubt)
        return Cause("cache-evicted", "nothing it depends on changed: its result was no longer cached")

    def _own(self, stage: RecipeStage, number: int) -> Iterator[Cause]:
        """Changes of the step itself: its text, the settings right before it, the files it reads."""
        diff = self._diff(stage)
        line = stage.steps[number]
        place = f"{self.new.dockerfile}:{line.line}"
        if diff is None:
            yield Cause("instruction", f"{place}: new stage {stage.name}")
            return
        before = diff.before(number)
        if before is None:
            yield Cause("instruction", f"{place}: {_new_text(diff, number)}")
            return
        if removed := diff.removed_before(number):
            yield Cause("instruction", f"before {place}: removed {', '.join(_shown(one) for one in removed)}")
        if change := _concerning(line, diff.gap(number)):
            yield _settings_cause(change, f"before {place}")
        yield from self._files(before, line)

    def _files(self, before: RecipeLine, now: RecipeLine) -> Iterator[Cause]:
        assert self.old
        old, new = self.old.files_of(before.sources), self.new.files_of(now.sources)
        for change in file_diff.compare(old, new, self.old.ignore_rules, self.new.ignore_rules):
            yield Cause(cast("Kind", change.kind), change.detail)

    def _step_before(self, stage: RecipeStage, number: int) -> Cause | None:
        if number == 0 or not self._was_executed(stage.steps[number - 1]):
            return None
        return self._caused_by(stage, number - 1)

    def _caused_by(self, stage: RecipeStage, number: int) -> Cause:
        """The cause of a step that another one follows from; of a chain the first is named."""
        cause = self._of(stage, number)
        if cause.kind == "parent-step":
            return cause
        return Cause("parent-step", f"{_shown(stage.steps[number])} ({cause})")

    def _base(self, stage: RecipeStage) -> Cause | None:
        """What a stage stands on: its FROM says something else, or what it names changed."""
        old = self.old.stage(stage.name) if self.old else None
        if old and (old.base, old.platform) != (stage.base, stage.platform):
            return self._other_base(old, stage)
        if stage.lines and stage.lines[0].keyword == "FROM":
            files = list(self._files(old.lines[0], stage.lines[0])) if old and old.lines else []
            return files[0] if files else None
        return self._source(stage.base) if stage.is_on_stage else self._parent(stage.base)

    def _other_base(self, old: RecipeStage, new: RecipeStage) -> Cause:
        assert self.old
        values = {name: (self.old.arguments.get(name), value) for name, value in self.new.arguments.items()}
        changed = [f"{name}: {was} → {now}" for name, (was, now) in values.items() if was is not None and was != now]
        detail = f"FROM {old.base} → {new.base}"
        if changed and old.written == new.written:
            return Cause("build-arg", f"{'; '.join(changed)} ({detail})")
        return Cause("instruction", f"{self.new.dockerfile}: {detail}")

    def _sources(self, line: RecipeLine) -> Cause | None:
        found = (self._source(source.origin) for source in line.sources)
        return next((cause for cause in found if cause), None)

    def _source(self, name: str) -> Cause | None:
        """What a FROM or `from=` names: a stage here, an image of the project, or another image."""
        stage = self.new.stage(name)
        if stage is None or name in self.new.parents:
            return self._parent(name)
        executed = [number for number, one in enumerate(stage.steps) if self._was_executed(one)]
        return self._caused_by(stage, executed[-1]) if executed else self._base(stage)

    def _parent(self, name: str) -> Cause | None:
        assert self.old
        if name in self.parent_causes:
            return Cause("parent-image", f"{name} was rebuilt ({self.parent_causes[name]})")
        old, new = self.old.parents.get(name), self.new.parents.get(name)
        if old and new and old != new:
            return Cause("parent-image", f"{name} is a different image now ({old[:19]} → {new[:19]})")
        return None

    def _settings_before(self, stage: RecipeStage, number: int) -> Cause | None:
        """Settings further up, in this stage or in one it is built on: a cached COPY may stand in between."""
        diff = self._diff(stage)
        if diff and (change := diff.settings(number)):
            return _settings_cause(change, f"stage {stage.name} of {self.new.dockerfile}")
        below = self.new.stage(stage.base) if stage.is_on_stage else None
        return self._settings_before(below, len(below.steps)) if below else None

    def _cached_before(self, stage: RecipeStage, number: int) -> Cause | None:
        """A step further up that changed into something that BuildKit had built before."""
        for earlier in reversed(range(number)):
            if own := next(self._own(stage, earlier), None):
                return Cause("parent-step", f"{_shown(stage.steps[earlier])} ({own})")
        below = self.new.stage(stage.base) if stage.is_on_stage else None
        return self._cached_before(below, len(below.steps)) if below else None

    def _diff(self, stage: RecipeStage) -> StageDiff | None:
        if stage.name not in self._diffs:
            old = self.old.stage(stage.name) if self.old else None
            self._diffs[stage.name] = StageDiff(old, stage) if old else None
        return self._diffs[stage.name]

    @cached_property
    def _diffs(self) -> dict[str, StageDiff | None]:
        return {}

    @cached_property
    def _executed_lines(self) -> set[str]:
        return {step.place for step in self.executed}

    def _was_executed(self, line: RecipeLine) -> bool:
        return f"{self.new.dockerfile}:{line.line}" in self._executed_lines


def _new_text(diff: StageDiff, number: int) -> str:
    now, replaced = diff.new.steps[number], diff.replaced(number)
    if diff.was_elsewhere(number):
        return f"{_shown(now)} moved"
    if replaced is None:
        return f"new {_shown(now)}"
    if _shown(replaced) == _shown(now):
        return f"{_shown(now)}: its text further on changed"
    return f"{_shown(replaced)} → {_shown(now)}"


def _concerning(line: RecipeLine, change: Change) -> Change:
    """The part of a change of settings that a step can notice: RUN sees all, others what they name."""
    if line.keyword == "RUN":
        return change
    names = [f"{name}=" for name in line.variables]
    gone, come = (
        tuple(one for one in lines if any(name in one.text for name in names)) for lines in (change.gone, change.come)
    )
    return Change(gone, come)


def _settings_cause(change: Change, place: str) -> Cause:
    """A build argument with another value, or other instructions."""
    old, new = _arguments(change.gone), _arguments(change.come)
    if len(old) == len(change.gone) and old.keys() == new.keys() and len(new) == len(change.come):
        return Cause("build-arg", "; ".join(f"{name}: {old[name]} → {new[name]}" for name in old))
    sides = ("; ".join(_shown(one) for one in lines) or "nothing" for lines in (change.gone, change.come))
    return Cause("instruction", f"{place}: {' → '.join(sides)}")


def _arguments(lines: Iterable[RecipeLine]) -> dict[str, str]:
    """name → value, masked, of the ARG lines among these."""
    pairs = (one.text.partition("=") for one in lines if one.keyword == "ARG")
    return {name: _masked(name, value) if equals else "not set" for name, equals, value in pairs}


def _flat(settings: Mapping[str, Any]) -> dict[str, str]:
    """`labels.name` → value for what is a mapping, `name` → value for the rest."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        below = value if isinstance(value, Mapping) else None
        found |= {key: str(value)} if below is None else {f"{key}.{name}": str(one) for name, one in below.items()}
    return found


def _masked(name: str, value: str) -> str:
    return "***" if SECRET.search(name) else value


def _shown(line: RecipeLine) -> str:
    text = _ASSIGNMENT.sub(lambda match: f"{match[1]}={_masked(match[1], match[2])}", str(line))
    return file_diff.printable(short(text, SHOWN_CHARACTERS))
