"""Changed instructions, build arguments and definitions in the words of a cause, with secrets masked."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from layerstack.build.file_diff import printable
from layerstack.build.inputs import Manifest
from layerstack.build.record import Cause
from layerstack.build.stage_diff import Change, StageDiff
from layerstack.build.step_text import bare
from layerstack.dockerfile.recipe_stage import RecipeLine
from layerstack.secret_text import SECRET_NAME
from layerstack.wording import short

SHOWN_CHARACTERS = 60
# `NODE_ENV=production`
_ASSIGNMENT = re.compile(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S+)")


def shown(line: RecipeLine) -> str:
    """An instruction in a few words."""
    return _in_short(str(line))


def shown_step(line: RecipeLine) -> str:
    """The same for a step that another one follows from: what it does, without its mounts."""
    return _in_short(bare(str(line)))


def new_text(diff: StageDiff, number: int) -> str:
    """What became of a step that has no match in the old stage."""
    now, replaced = diff.new.steps[number], diff.replaced(number)
    if diff.was_elsewhere(number):
        return f"{shown(now)} moved"
    if replaced is None:
        return f"new {shown(now)}"
    return _from_to((replaced,), (now,))


def noticed_by(line: RecipeLine, change: Change) -> Change:
    """The part of a change of settings that a step can notice: RUN sees all, others what they name."""
    if line.keyword == "RUN":
        return change
    names = [f"{name}=" for name in line.variables]
    gone, come = (
        tuple(one for one in lines if any(name in one.text for name in names)) for lines in (change.gone, change.come)
    )
    return Change(gone, come)


def settings_cause(change: Change, location: str) -> Cause:
    """A build argument with another value, or other instructions."""
    old, new = _arguments(change.gone), _arguments(change.come)
    # It is a build argument only if nothing but values changed: any other line is an edit of the Dockerfile.
    if len(old) == len(change.gone) and old.keys() == new.keys() and len(new) == len(change.come):
        return Cause("build-arg", "; ".join(f"{name}: {old[name]} → {new[name]}" for name in old))
    return Cause("instruction", f"{location}: {_from_to(change.gone, change.come)}")


def _from_to(gone: Sequence[RecipeLine], come: Sequence[RecipeLine]) -> str:
    """Both sides in a few words; what is hidden in these is told."""
    if len(gone) == len(come) == 1:
        was, now = _apart(*(_with_masks(str(one)) for one in (*gone, *come)))
    else:
        was, now = ("; ".join(map(shown, lines)) or "nothing" for lines in (gone, come))
    if was != now:
        return f"{was} → {now}"
    old, new = (" ".join(" ".join(map(str, lines)).split()) for lines in (gone, come))
    return f"{now}: {'only blanks' if old == new else 'what is not shown of it'} changed"


def _apart(was: str, now: str) -> tuple[str, str]:
    """Two instructions in a few words: of long ones that in which they differ, after the last word before it."""
    if max(len(was), len(now)) <= SHOWN_CHARACTERS:
        return _in_short(was), _in_short(now)
    old, new = was.split(), now.split()
    head = _equal_at_start(old, new)
    tail = min(_equal_at_start(old[::-1], new[::-1]), len(old) - head, len(new) - head)
    # The keyword stays.
    start = max(1, head - 1)

    def part(words: Sequence[str]) -> str:
        kept = [*words[:1], *(["…"] if start > 1 else []), *words[start : len(words) - tail], *(["…"] if tail else [])]
        return _in_short(" ".join(kept))

    return part(old), part(new)


def _equal_at_start(old: Sequence[str], new: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def base_cause(old: Manifest, new: Manifest, stage: str) -> Cause | None:
    """A stage that FROM puts on something else."""
    was, now = old.stage(stage), new.stage(stage)
    if was is None or now is None or (was.base, was.platform) == (now.base, now.platform):
        return None
    detail = f"FROM {was.base} → {now.base}"
    changed = [
        f"{name}: {old.arguments[name]} → {value}"
        for name, value in new.arguments.items()
        if name in old.arguments and old.arguments[name] != value
    ]
    # If FROM is written as before, an argument in it has another value.
    if changed and was.written == now.written:
        return Cause("build-arg", f"{'; '.join(changed)} ({detail})")
    return Cause("instruction", f"{new.dockerfile}: {detail}")


def definition_cause(old: Manifest, new: Manifest, unnoticed: Collection[str] = ()) -> Cause | None:
    """What the Compose or bake file says of the image besides its arguments and contexts, those keys left out."""
    was, now = (
        _flat({"platform": one.platform, **{key: one.settings[key] for key in one.settings if key not in unnoticed}})
        for one in (old, new)
    )
    changed = [name for name in (*was, *(now.keys() - was.keys())) if was.get(name) != now.get(name)]
    words = (f"{name}: {' → '.join(_masked(name, one.get(name, 'not set')) for one in (was, now))}" for name in changed)
    return Cause("instruction", f"the definition of {new.image}: {'; '.join(words)}") if changed else None


def _arguments(lines: Iterable[RecipeLine]) -> dict[str, str]:
    """name → masked value of the ARG lines among these."""
    pairs = (one.text.partition("=") for one in lines if one.keyword == "ARG")
    return {name: _masked(name, value) if equals else "not set" for name, equals, value in pairs}


def _flat(settings: Mapping[str, Any]) -> dict[str, str]:
    """`labels.name` → value for a mapping, `name` → value for the rest."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        below = value if isinstance(value, Mapping) else None
        found |= {key: str(value)} if below is None else {f"{key}.{name}": str(one) for name, one in below.items()}
    return found


def _masked(name: str, value: str) -> str:
    return "***" if SECRET_NAME.search(name) else value


def _in_short(text: str) -> str:
    # Masked before it is cut: a cut value would no longer look like one.
    return printable(short(_with_masks(text), SHOWN_CHARACTERS))


def _with_masks(text: str) -> str:
    return _ASSIGNMENT.sub(lambda match: f"{match[1]}={_masked(match[1], match[2])}", text)
