"""What happened when in the builds that history tells of: a lane per image, a bar per step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from layerstack.build import history
from layerstack.build.step_text import instruction_of, stage_of
from layerstack.errors import UsageError

BarKind = Literal["run", "cached", "transfer", "pull", "export"]
WORK_TEXTS: Mapping[str, str] = {"transfer": "send context", "pull": "pull", "export": "export image"}


@dataclass(frozen=True)
class Bar:
    """A step, or BuildKit's own work. `started` and `ended` are seconds from the beginning of the build.

    `seconds` is its own running time, `text` what a label says, `detail` all that is known, `is_critical` whether the
    end of the build waited for it.
    """

    kind: BarKind
    text: str
    started: float
    ended: float
    seconds: float
    is_critical: bool = False
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "text": self.text,
            "started_seconds": round(self.started, 3),
            "seconds": round(self.seconds, 3),
            "critical": self.is_critical,
        }


@dataclass(frozen=True)
class Lane:
    """One image: what was done, and why."""

    image: str
    action: str
    cause: str
    seconds: float
    bars: tuple[Bar, ...]

    @property
    def cached(self) -> tuple[Bar, ...]:
        return tuple(bar for bar in self.bars if bar.kind == "cached")

    @property
    def worked(self) -> tuple[Bar, ...]:
        """Everything that took time: executed steps, transfers, pulls and exports."""
        return tuple(bar for bar in self.bars if bar.kind != "cached")

    @property
    def reason(self) -> str:
        """Why it was built, or that it was not."""
        return "fresh: nothing changed since it was built" if self.action == "fresh" else self.cause

    def to_json(self) -> dict[str, Any]:
        bars = [bar.to_json() for bar in self.bars]
        return {"image": self.image, "action": self.action, "cause": self.cause, "bars": bars}


@dataclass(frozen=True)
class Timeline:
    """One build. `began` is seconds since the epoch, `seconds` the whole of it."""

    began: float
    seconds: float
    commit: str
    is_dirty: bool
    lanes: tuple[Lane, ...]

    @property
    def critical(self) -> list[tuple[Lane, Bar]]:
        """The chain that the end waited for, first to last."""
        found = [(lane, bar) for lane in self.lanes for bar in lane.worked if bar.is_critical]
        return sorted(found, key=lambda pair: (pair[1].started, pair[1].ended))

    def to_json(self) -> dict[str, Any]:
        return {
            "began": round(self.began, 3),
            "seconds": round(self.seconds, 3),
            "commit": self.commit,
            "dirty": self.is_dirty,
            "lanes": [lane.to_json() for lane in self.lanes],
        }


def read_timelines(root: Path, count: int) -> list[Timeline]:
    """The last `count` builds that did something, oldest first; empty before the first. Raises UsageError."""
    if count < 1:
        raise UsageError(f"--last is 1 or more, not {count}.")
    found = [timeline for record in history.read(root, "build") if (timeline := read_timeline(record))]
    return found[-count:]


def read_timeline(record: Mapping[str, Any]) -> Timeline | None:
    """A build from its line of history; None when the line does not tell when its steps ran."""
    try:
        images = [image for image in record["images"] if image.get("image")]
        began = float(record["started"])
        lanes = _with_joined_path(tuple(_lane(image, began) for image in images))
        ended = max((bar.ended for lane in lanes for bar in lane.bars), default=0.0)
        return Timeline(
            began=began,
            seconds=max(float(record.get("seconds") or 0), ended),
            commit=str(record.get("commit") or ""),
            is_dirty=bool(record.get("dirty")),
            lanes=lanes,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # a line of another version, or damaged


def _with_joined_path(lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
    """Each bar of the critical path ends when the next begins, also when a slower image reports the same step later."""
    moments = sorted({bar.started for lane in lanes for bar in lane.worked if bar.is_critical})
    return tuple(replace(lane, bars=tuple(_until_next(bar, moments) for bar in lane.bars)) for lane in lanes)


def _until_next(bar: Bar, moments: Sequence[float]) -> Bar:
    following = next((moment for moment in moments if moment > bar.started), bar.ended)
    return replace(bar, ended=min(bar.ended, following)) if bar.is_critical else bar


def _lane(image: Mapping[str, Any], began: float) -> Lane:
    bars = list(_step_bars([step for step in image["steps"] if step.get("started")], began))
    bars += [_work_bar(work, began) for work in image.get("works") or () if work.get("started")]
    return Lane(
        image=str(image["image"]),
        action=str(image["action"]),
        cause=str(image.get("cause") or ""),
        seconds=float(image.get("seconds") or 0),
        bars=tuple(sorted(bars, key=lambda bar: (bar.started, bar.ended))),
    )


def _step_bars(steps: Sequence[Mapping[str, Any]], began: float) -> Iterator[Bar]:
    """Images that share a step report it once each, not quite alike: it ends when the next of its stage begins."""
    bars = [_step_bar(step, began) for step in steps]
    stages = [stage_of(str(step["step"])) for step in steps]
    for number, bar in enumerate(bars):
        following = bars[number + 1] if stages[number : number + 1] == stages[number + 1 : number + 2] else None
        if following and following.kind == "run" and following.started > bar.started:
            bar = replace(bar, ended=min(bar.ended, following.started))
        yield bar


def _step_bar(step: Mapping[str, Any], began: float) -> Bar:
    name, started = str(step["step"]), max(0.0, float(step["started"]) - began)
    lines = [name, str(step.get("place") or ""), _cause_text(step.get("cause") or {})]
    return Bar(
        kind="cached" if step["cached"] else "run",
        text=str(step.get("text") or instruction_of(name)),
        started=started,
        ended=started + float(step["seconds"]),
        seconds=float(step["seconds"]),
        is_critical=bool(step.get("critical")),
        detail="\n".join(line for line in lines if line),
    )


def _work_bar(work: Mapping[str, Any], began: float) -> Bar:
    started = max(0.0, float(work["started"]) - began)
    return Bar(
        kind=work["kind"],
        text=WORK_TEXTS[work["kind"]],
        started=started,
        ended=started + float(work["seconds"]),
        seconds=float(work["seconds"]),
        is_critical=bool(work.get("critical")),
    )


def _cause_text(cause: Mapping[str, Any]) -> str:
    return ": ".join(str(cause[key]) for key in ("kind", "detail") if cause.get(key))


def summary(timelines: Sequence[Timeline]) -> dict[str, Any]:
    """The JSON document of the task."""
    return {"builds": [timeline.to_json() for timeline in timelines]}
