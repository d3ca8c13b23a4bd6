"""Why a step was executed again: two manifests and a report in, one named cause per step out."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any, Literal

from layerstack import context
from layerstack.buildlog import Step
from layerstack.inputs import Manifest, StepInputs
from layerstack.progress import short

Kind = Literal[
    "file-content",
    "file-mode",
    "file-added",
    "file-removed",
    "ignore-rules",
    "build-arg",
    "instruction",
    "parent-image",
    "parent-step",
    "cache-evicted",
    "forced",
    "first-build",
    "unknown",
]
SHOWN_FILES = 3
# Instructions that only describe the image: a change of theirs runs no step again.
DESCRIBING = ("LABEL", "CMD", "ENTRYPOINT", "EXPOSE", "VOLUME", "HEALTHCHECK", "STOPSIGNAL", "MAINTAINER", "ONBUILD")
_SECRET = re.compile(r"secret|token|passw|credential|api_?key|private", re.IGNORECASE)


@dataclass(frozen=True)
class Cause:
    """The reason in one word of the vocabulary, and the detail that a person can act on."""

    kind: Kind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else self.kind

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "detail": self.detail}


@dataclass(frozen=True)
class ImageCauses:
    """What is known of one image's rebuild: both manifests, its executed steps, and how its parents fared."""

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
        now = self._find(step)
        if now is None:
            return Cause("unknown", "this step is not in the Dockerfile that was read")
        questions: tuple[Callable[[StepInputs], Cause | None], ...] = (
            self._instruction,
            self._argument,
            self._files,
            self._step_before,
            self._sources,
            self._neighbours,
        )
        found = (question(now) for question in questions)
        return next((cause for cause in found if cause), None) or self._unexplained()

    def _unexplained(self) -> Cause:
        if self.doubt:
            return Cause("unknown", self.doubt)
        return Cause("cache-evicted", "nothing it depends on changed: BuildKit no longer had its result")

    def _find(self, step: Step) -> StepInputs | None:
        line = step.place.rsplit(":", 1)[-1]
        same = (one for one in self.new.steps if str(one.line) == line and one.stage.lower() == step.stage.lower())
        return next(same, None)

    @cached_property
    def _executed_lines(self) -> dict[str, Step]:
        return {step.place.rsplit(":", 1)[-1]: step for step in self.executed}

    @cached_property
    def _before(self) -> dict[tuple[str, int], StepInputs]:
        """(stage, index now) → the same step in the old manifest."""
        assert self.old
        pairs = {}
        for stage in {step.stage for step in self.new.steps}:
            new, old = _of_stage(self.new, stage), _of_stage(self.old, stage)
            matcher = SequenceMatcher(None, [_text(one) for one in old], [_text(one) for one in new], autojunk=False)
            for block in matcher.get_matching_blocks():
                for offset in range(block.size):
                    pairs[(stage, block.b + offset)] = old[block.a + offset]
        return pairs

    def _instruction(self, now: StepInputs) -> Cause | None:
        assert self.old
        if (now.stage, now.index) in self._before:
            return None
        place = f"{self.new.dockerfile}:{now.line}"
        matched = {one.index for (stage, _), one in self._before.items() if stage == now.stage}
        replaced = [
            one for one in _of_stage(self.old, now.stage) if one.index == now.index and one.index not in matched
        ]
        if replaced:
            return Cause("instruction", f"{place}: {_shown(replaced[0])} → {_shown(now)}")
        return Cause("instruction", f"{place}: new {_shown(now)}")

    def _argument(self, now: StepInputs) -> Cause | None:
        changed = [name for name in now.arguments if name in self._changed_arguments]
        if not changed:
            return None
        return Cause("build-arg", "; ".join(self._changed_arguments[name] for name in changed))

    @cached_property
    def _changed_arguments(self) -> dict[str, str]:
        assert self.old
        old, new = self.old.arguments, self.new.arguments
        names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        return {name: f"{name}: {_value(name, old)} → {_value(name, new)}" for name in names}

    def _files(self, now: StepInputs) -> Cause | None:
        assert self.old
        before = self._before[(now.stage, now.index)]
        old = {name: self.old.files.get(name, "") for name in before.files}
        new = {name: self.new.files.get(name, "") for name in now.files}
        return self._ignore_cause(old, new) or _file_cause(old, new)

    def _ignore_cause(self, old: Mapping[str, str], new: Mapping[str, str]) -> Cause | None:
        """Files that came or went only because the rules let them in or out."""
        assert self.old
        appeared = [name for name in new if name not in old and self._was_ignored(self.old.ignore_rules, name)]
        vanished = [name for name in old if name not in new and self._was_ignored(self.new.ignore_rules, name)]
        if self.old.ignore_rules == self.new.ignore_rules or not (appeared or vanished):
            return None
        parts = [f"lets in {_names(appeared)}"] if appeared else []
        parts += [f"keeps out {_names(vanished)}"] if vanished else []
        return Cause("ignore-rules", f".dockerignore now {' and '.join(parts)}")

    def _was_ignored(self, rules: Mapping[str, str], name: str) -> bool:
        source, _, path = name.partition(":")
        return context.is_ignored(rules.get(source, ""), path)

    def _step_before(self, now: StepInputs) -> Cause | None:
        if now.index == 0:
            return self._source(self.new.stages[now.stage], now) or self._base(now)
        before = next(one for one in self.new.steps if one.stage == now.stage and one.index == now.index - 1)
        return self._caused_by(before)

    def _caused_by(self, before: StepInputs) -> Cause | None:
        step = self._executed_lines.get(str(before.line))
        return Cause("parent-step", f"{_shown(before)} ({self.of(step)})") if step else None

    def _base(self, now: StepInputs) -> Cause | None:
        """A stage whose FROM itself says something else than before."""
        assert self.old
        old, new = self.old.stages.get(now.stage), self.new.stages[now.stage]
        if old is None or old == new:
            return None
        detail = f"FROM {old} → {new}"
        argument = next(
            (text for name, text in self._changed_arguments.items() if self.new.arguments.get(name, "") in new), ""
        )
        return Cause("build-arg", f"{argument} ({detail})") if argument else Cause("instruction", detail)

    def _sources(self, now: StepInputs) -> Cause | None:
        found = (self._source(source, now) for source in now.sources)
        return next((cause for cause in found if cause), None)

    def _source(self, source: str, now: StepInputs) -> Cause | None:
        """What a FROM or --from reads: another stage, an image of the project, or a system image."""
        assert self.old
        stage = next((name for name in self.new.stages if name.lower() == source.lower() and name != now.stage), None)
        if stage:
            steps = _of_stage(self.new, stage)
            ran = [one for one in steps if str(one.line) in self._executed_lines]
            return self._caused_by(ran[-1]) if ran else self._below(stage)
        if source in self.parent_causes:
            return Cause("parent-image", f"{source} was rebuilt ({self.parent_causes[source]})")
        old, new = self.old.parents.get(source), self.new.parents.get(source)
        if old and new and old != new:
            return Cause("parent-image", f"{source}: {old[:19]} → {new[:19]}")
        return None

    def _below(self, stage: str) -> Cause | None:
        """A stage without executed steps of its own may still stand on something that changed."""
        first = StepInputs(stage, 0, 0, "FROM", "")
        return self._source(self.new.stages[stage], first) or self._base(first)

    def _neighbours(self, now: StepInputs) -> Cause | None:
        """Instructions before this step that are no steps themselves, and steps that were taken out."""
        assert self.old
        place = f"{self.new.dockerfile}:{now.line}"
        old, new = (list(_settings(manifest, now.stage)) for manifest in (self.old, self.new))
        gone, come = [one for one in old if one not in new], [one for one in new if one not in old]
        if gone or come:
            return Cause(
                "instruction", f"before {place}: {'; '.join(gone) or 'nothing'} → {'; '.join(come) or 'nothing'}"
            )
        kept = {one.index for (stage, _), one in self._before.items() if stage == now.stage}
        removed = [one for one in _of_stage(self.old, now.stage) if one.index not in kept]
        if removed:
            return Cause("instruction", f"before {place}: removed {_shown(removed[0])}")
        order = [self._before[(now.stage, one.index)].index for one in _of_stage(self.new, now.stage)]
        return Cause("instruction", f"before {place}: steps stand in another order") if order != sorted(order) else None


def root_causes(causes: Iterable[Cause]) -> list[Cause]:
    """The causes that are not the consequence of another step of the same image."""
    own = [cause for cause in causes if cause.kind != "parent-step"]
    return list(dict.fromkeys(own))


def _file_cause(old: Mapping[str, str], new: Mapping[str, str]) -> Cause | None:
    removed, added = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    renamed = [(one, other) for one in removed for other in added if old[one] == new[other] and "dir" not in old[one]]
    for one, other in renamed[:]:
        if one in removed and other in added:
            removed.remove(one)
            added.remove(other)
        else:
            renamed.remove((one, other))
    common = [name for name in old if name in new and old[name] != new[name]]
    content = [name for name in common if old[name].split(" ", 1)[1] != new[name].split(" ", 1)[1]]
    mode = [f"{_name(name)} {old[name][:4]} → {new[name][:4]}" for name in common if name not in content]
    found: list[tuple[Kind, str]] = []
    if content:
        found.append(("file-content", f"{_names(content)} changed"))
    if mode:
        found.append(("file-mode", _names(mode)))
    if renamed:
        found.append(
            ("file-added", "; ".join(f"{_name(one)} renamed to {_name(other)}" for one, other in renamed[:SHOWN_FILES]))
        )
    if added:
        found.append(("file-added", f"{_names(added)} added"))
    if removed:
        found.append(("file-removed", f"{_names(removed)} removed"))
    return Cause(found[0][0], "; ".join(detail for _, detail in found)) if found else None


def _settings(manifest: Manifest, stage: str) -> Iterator[str]:
    for one in manifest.other_instructions:
        owner, _, text = one.partition(": ")
        if not text:
            yield one
        elif owner == stage and not text.startswith(DESCRIBING):
            yield text


def _of_stage(manifest: Manifest, stage: str) -> list[StepInputs]:
    return [one for one in manifest.steps if one.stage == stage]


def _text(step: StepInputs) -> tuple[str, str]:
    return step.keyword, step.text


def _shown(step: StepInputs) -> str:
    return short(f"{step.keyword} {step.text}", 60)


def _value(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        return "not set"
    return "***" if _SECRET.search(name) else values[name]


def _name(file: str) -> str:
    return file.removeprefix(":")


def _names(files: Sequence[str]) -> str:
    shown = ", ".join(_name(file) for file in files[:SHOWN_FILES])
    return f"{shown} and {len(files) - SHOWN_FILES} more" if len(files) > SHOWN_FILES else shown
