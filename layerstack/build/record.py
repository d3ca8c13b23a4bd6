"""The record of one build: the same types from the stream to state, history and JSON."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from layerstack.build.buildlog import WorkKind
from layerstack.junit import Case

Action = Literal["fresh", "built", "kept", "pulled"]
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
    "remote-content",
    "cache-evicted",
    "forced",
    "first-build",
    "unknown",
]


@dataclass(frozen=True)
class Cause:
    """The reason in one word of the vocabulary, and the detail that a person can act on."""

    kind: Kind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


def root_causes(causes: Iterable[Cause]) -> list[Cause]:
    """The causes that are not the consequence of another step of the same image."""
    return list(dict.fromkeys(cause for cause in causes if cause.kind != "parent-step"))


# Other programs read the documents by these names: fields are added, never renamed.
class StepRecord(msgspec.Struct, frozen=True, kw_only=True, rename={"is_cached": "cached", "is_critical": "critical"}):
    """One Dockerfile step. `seconds` is its own running time, `started` seconds since the epoch.

    `is_critical` says that the end of the build waited for it. `text` is the instruction without its mounts, where the
    history has cut a long name.
    """

    step: str
    is_cached: bool
    seconds: float
    cause: Cause | None = None
    place: str = ""
    started: float | None = None
    is_critical: bool = False
    text: str | msgspec.UnsetType = msgspec.UNSET


class WorkRecord(msgspec.Struct, frozen=True, kw_only=True, rename={"is_critical": "critical"}):
    """BuildKit's own work for an image: a context sent, a system image pulled, a result exported."""

    kind: WorkKind
    seconds: float
    started: float
    is_critical: bool = False


class ImageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a build did to one image. `seconds` counts its own executed steps, context transfer and export."""

    image: str
    action: Action
    cause: str = ""
    seconds: float = 0.0
    inputs: str = ""
    parents: tuple[str, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    works: tuple[WorkRecord, ...] = ()

    @property
    def executed(self) -> tuple[StepRecord, ...]:
        return tuple(step for step in self.steps if not step.is_cached)


class BuildRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one build. `seconds` is the wall time of its bake calls, `started` seconds since the epoch."""

    ok: bool = True
    seconds: float = 0.0
    started: float = 0.0
    images: tuple[ImageRecord, ...] = ()

    @property
    def is_all_fresh(self) -> bool:
        return all(image.action == "fresh" for image in self.images)

    def cases(self) -> list[Case]:
        """For a JUnit file: a case an image, with its cause."""
        return [
            Case(
                "build",
                image.image,
                image.seconds,
                text=": ".join(part for part in (image.action, image.cause) if part),
            )
            for image in self.images
        ]

    def to_json(self) -> dict[str, Any]:
        """The JSON document of the tasks that build."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document


class LoggedBuild(BuildRecord, frozen=True, kw_only=True, rename={"is_dirty": "dirty"}):
    """A line of history: a build, when it ended (seconds since the epoch) and on which commit."""

    kind: Literal["build"] = "build"
    time: float = 0.0
    commit: str = ""
    is_dirty: bool = False
