"""Matches the steps of a Dockerfile stage before and now, and finds the other changes between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from layerstack.dockerfile.recipe_stage import RecipeLine, RecipeStage

# Instructions that only describe the image: a change of theirs runs no step again.
DESCRIBING = ("LABEL", "CMD", "ENTRYPOINT", "EXPOSE", "VOLUME", "HEALTHCHECK", "STOPSIGNAL", "MAINTAINER", "ONBUILD")

Opcode = tuple[str, int, int, int, int]


@dataclass(frozen=True)
class Change:
    """Lines that were removed and lines that were added in the same place."""

    gone: tuple[RecipeLine, ...]
    come: tuple[RecipeLine, ...]

    def __bool__(self) -> bool:
        return bool(self.gone or self.come)


@dataclass(frozen=True)
class StageDiff:
    """Steps are matched by their text, in order; `number` counts the steps of the stage now, from 0."""

    old: RecipeStage
    new: RecipeStage

    def before(self, number: int) -> RecipeLine | None:
        """The same step as it stood in the old stage; None for one that is new or has another text."""
        index = self._pairs.get(number)
        return None if index is None else self.old.steps[index]

    def replaced(self, number: int) -> RecipeLine | None:
        """The old step whose place a new one took; None when it came in addition."""
        return self._replaced.get(number)

    def was_elsewhere(self, number: int) -> bool:
        """Whether a step without a match stood in another place."""
        kept = set(self._pairs.values())
        gone = [_key(one) for index, one in enumerate(self.old.steps) if index not in kept]
        return _key(self.new.steps[number]) in gone

    def removed_before(self, number: int) -> tuple[RecipeLine, ...]:
        """Old steps that stood between this step and the one before it, and that are nowhere now."""
        index = self._pairs.get(number)
        previous = -1 if number == 0 else self._pairs.get(number - 1)
        if index is None or previous is None:
            return ()
        now = {_key(one) for one in self.new.steps}
        return tuple(one for one in self.old.steps[previous + 1 : index] if _key(one) not in now)

    def gap(self, number: int) -> Change:
        """Settings (ARG, ENV, USER, …) that changed between a matched step and the step before it."""
        index = self._pairs.get(number)
        return _change((), ()) if index is None else _change(_gap(self.old, index), _gap(self.new, number))

    def settings(self, number: int | None = None) -> Change:
        """Settings that changed anywhere before a step; with None anywhere in the stage."""
        index = None if number is None else self._pairs.get(number, len(self.old.steps))
        return _change(settings_before(self.old, index), settings_before(self.new, number))

    @cached_property
    def _opcodes(self) -> Sequence[Opcode]:
        return _opcodes(self.old.steps, self.new.steps)

    @cached_property
    def _pairs(self) -> dict[int, int]:
        equal = (code for code in self._opcodes if code[0] == "equal")
        return {start + offset: first + offset for _, first, last, start, _ in equal for offset in range(last - first)}

    @cached_property
    def _replaced(self) -> dict[int, RecipeLine]:
        replaced = (code for code in self._opcodes if code[0] == "replace")
        return {
            start + offset: self.old.steps[first + offset]
            for _, first, last, start, end in replaced
            for offset in range(min(last - first, end - start))
        }


def settings_before(stage: RecipeStage, number: int | None) -> list[RecipeLine]:
    """Lines before a step that change what later steps see; with None all lines that are no steps."""
    if number is None:
        return [one for one in stage.lines if not one.is_step]
    end = stage.lines.index(stage.steps[number]) if number < len(stage.steps) else len(stage.lines)
    return [one for one in stage.lines[:end] if not one.is_step and one.keyword not in DESCRIBING]


def _gap(stage: RecipeStage, number: int) -> list[RecipeLine]:
    earlier = len(settings_before(stage, number - 1)) if number else 0
    return settings_before(stage, number)[earlier:]


def _change(old: Sequence[RecipeLine], new: Sequence[RecipeLine]) -> Change:
    differing = [code for code in _opcodes(old, new) if code[0] != "equal"]
    gone = tuple(one for _, first, last, _, _ in differing for one in old[first:last])
    return Change(gone, tuple(one for _, _, _, first, last in differing for one in new[first:last]))


def _opcodes(old: Sequence[RecipeLine], new: Sequence[RecipeLine]) -> Sequence[Opcode]:
    # Without `autojunk`, which ignores frequent elements in sequences of 200 and more.
    return SequenceMatcher(None, [_key(one) for one in old], [_key(one) for one in new], False).get_opcodes()


def _key(line: RecipeLine) -> tuple[str, str]:
    return line.keyword, line.text
