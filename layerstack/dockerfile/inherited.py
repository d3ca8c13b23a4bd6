"""What an image hands on to the stages that are built on it: its variables, and the instructions of its ONBUILD."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from layerstack.dockerfile.instruction import Instruction, read_trigger
from layerstack.dockerfile.variables import Variables

# BuildKit sets it where an image has none.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Inherited:
    """`unknown` are variables whose values are not known; unless `is_known` nothing of the image is."""

    environment: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[Instruction, ...] = ()
    unknown: frozenset[str] = frozenset()
    is_known: bool = True
    doubts: tuple[str, ...] = ()


NOTHING_KNOWN = Inherited(is_known=False)


def from_config(name: str, config: Mapping[str, Any]) -> Inherited:
    """Of an image that is there; `config` is the `Config` that `docker image inspect` shows."""
    environment = dict(entry.partition("=")[::2] for entry in config.get("Env") or ())
    triggers: list[Instruction] = []
    doubts: list[str] = []
    for expression in config.get("OnBuild") or ():
        try:
            triggers.append(read_trigger(expression, 0))
        except ValueError as error:
            doubts.append(f"ONBUILD of {name}: {error}")
    return Inherited(environment, tuple(triggers), doubts=tuple(doubts))


def triggers_of(instructions: Iterable[Instruction]) -> tuple[Instruction, ...]:
    """What the ONBUILD instructions among these hold."""
    return tuple(one.trigger for one in instructions if one.trigger)


def with_environment(before: Inherited, declared: Mapping[str, str | None]) -> Inherited:
    """What remains of an image's variables after every ENV of a stage; None stands for a value that is not known."""
    known = {name: value for name, value in declared.items() if value is not None}
    unknown = (before.unknown | declared.keys()) - known.keys()
    kept = {name: value for name, value in before.environment.items() if name not in unknown}
    return Inherited({**kept, **known}, (), frozenset(unknown), before.is_known)


def variables_from(image: Inherited, escape: str) -> Variables:
    """What a stage begins with."""
    # An unknown image may set a PATH of its own.
    path = {"PATH": DEFAULT_PATH} if image.is_known else {}
    return Variables({**path, **image.environment}, set(image.unknown), image.is_known, escape)
