"""What a request may ask for: fields of the form or of the address."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pose_service.finding.people_finder import FindOptions
from pose_service.measuring.stance import CHOICES
from pose_service.settings import WHOLE, Settings
from pose_service.web.problem import ProblemError

Number = TypeVar("Number", int, float)
# As JSON writes numbers, and as programs print them: `0.6702986005577222`, `1e-05`.
_REAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Options:
    """find: what to look for. stance: auto, regular or goofy. is_drawing, is_mesh: answer with these."""

    find: FindOptions
    stance: str
    is_drawing: bool
    is_mesh: bool


def parse_options(fields: Mapping[str, str], settings: Settings) -> Options:
    """Read max_people, min_score, stance, draw, mesh and small; absent ones get their defaults.

    Raises ProblemError 400 bad-option that names the field and what it may hold.
    """
    most = settings.max_people
    people = _number(fields, "max_people", int, (1, most), most)
    score = _number(fields, "min_score", float, (0.0, 1.0), FindOptions.min_score)
    is_drawing, is_mesh, is_small = (_choice(fields, name, ("0", "1")) == "1" for name in ("draw", "mesh", "small"))
    return Options(
        find=FindOptions(people, score, settings.max_passes, is_small),
        stance=_choice(fields, "stance", CHOICES),
        is_drawing=is_drawing,
        is_mesh=is_mesh,
    )


def _number(
    fields: Mapping[str, str],
    name: str,
    convert: Callable[[str], Number],
    limits: tuple[Number, Number],
    default: Number,
) -> Number:
    text = fields.get(name)
    if text is None:
        return default
    # int() and float() themselves read more than a number is written with (settings.WHOLE).
    is_number = (WHOLE if convert is int else _REAL).fullmatch(text)
    number = convert(text) if is_number else None
    if number is None or not limits[0] <= number <= limits[1]:
        kind = "whole number" if convert is int else "number"
        raise _bad(name, text, f"a {kind} from {limits[0]} to {limits[1]}")
    return number


def _choice(fields: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of them; the first one when the field is absent."""
    text = fields.get(name, choices[0])
    if text not in choices:
        raise _bad(name, text, " or ".join(choices))
    return text


def _bad(name: str, text: str, wanted: str) -> ProblemError:
    return ProblemError(400, "bad-option", f"{name}={text[:40]!r}: use {wanted}.")
