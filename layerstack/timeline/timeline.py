"""The recorded builds over time: a lane per image, a bar per step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from layerstack.build import history
from layerstack.build.record import ImageRecord, LoggedBuild, StepRecord, WorkRecord
from layerstack.build.step_text import instruction_of, stage_of
from layerstack.errors import UsageError

BarKind = Literal["run", "cached", "transfer", "pull", "export"]
WORK_TEXTS: Mapping[str, str] = {"transfer": "send context", "pull": "pull", "export": "export image"}


@dataclass(frozen=True)
class Bar:
    """A step, or BuildKit's own work. `started` and `ended` are seconds from the start of the build.

    `seconds` is its own running time, `text` its label, `detail` its tooltip. `is_critical`: on the critical path.
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
    """The work for one image, and its cause."""

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
        """The bars that took time: executed steps, transfers, pulls and exports."""
        return tuple(bar for bar in self.bars if bar.kind != "cached")

    @property
    def reason(self) -> str:
        """Why it was built, or not."""
        return "fresh: nothing changed since it was built" if self.action == "fresh" else self.cause

    def to_json(self) -> dict[str, Any]:
        bars = [bar.to_json() for bar in self.bars]
        return {"image": self.image, "action": self.action, "cause": self.cause, "bars": bars}


@dataclass(frozen=True)
class Timeline:
    """One build. `began` is seconds since 1970, `seconds` its duration."""

    began: float
    seconds: float
    commit: str
    is_dirty: bool
    lanes: tuple[Lane, ...]

    @property
    def critical(self) -> list[tuple[Lane, Bar]]:
        """The critical path, first to last."""
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
    """The last `count` builds that did something, oldest first. Raises UsageError."""
    if count < 1:
        raise UsageError(f"--last is 1 or more, not {count}.")
    # Builds without times are left out before counting, so that as many are shown as were asked for.
    found = [timeline for record in history.read_builds(root) if (timeline := read_timeline(record))]
    return found[-count:]


def read_timeline(record: LoggedBuild) -> Timeline | None:
    """A build from its record; None when that has no times."""
    if not record.started:
        return None
    lanes = _with_joined_path(tuple(_lane(image, record.started) for image in record.images))
    ended = max((bar.ended for lane in lanes for bar in lane.bars), default=0.0)
    return Timeline(
        began=record.started,
        # The end of the last step may be reported after the end of the build.
        seconds=max(record.seconds, ended),
        commit=record.commit,
        is_dirty=record.is_dirty,
        lanes=lanes,
    )


def _with_joined_path(lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
    # An image may report the end of a shared step late: each bar of the critical path ends when the next begins.
    moments = sorted({bar.started for lane in lanes for bar in lane.worked if bar.is_critical})
    return tuple(replace(lane, bars=tuple(_until_next(bar, moments) for bar in lane.bars)) for lane in lanes)


def _until_next(bar: Bar, moments: Sequence[float]) -> Bar:
    following = next((moment for moment in moments if moment > bar.started), bar.ended)
    return replace(bar, ended=min(bar.ended, following)) if bar.is_critical else bar


def _lane(image: ImageRecord, began: float) -> Lane:
    bars = list(_step_bars([step for step in image.steps if step.started], began))
    bars += [_work_bar(work, began) for work in image.works]
    return Lane(
        image=image.image,
        action=image.action,
        cause=image.cause,
        seconds=image.seconds,
        bars=tuple(sorted(bars, key=lambda bar: (bar.started, bar.ended))),
    )


def _step_bars(steps: Sequence[StepRecord], began: float) -> Iterator[Bar]:
    # Images that share a step report slightly different times for it: it ends when the next of its stage begins.
    bars = [_step_bar(step, began) for step in steps]
    stages = [stage_of(step.step) for step in steps]
    for number, bar in enumerate(bars):
        following = bars[number + 1] if stages[number : number + 1] == stages[number + 1 : number + 2] else None
        if following and following.kind == "run" and following.started > bar.started:
            bar = replace(bar, ended=min(bar.ended, following.started))
        yield bar


def _step_bar(step: StepRecord, began: float) -> Bar:
    started = max(0.0, (step.started or began) - began)
    lines = [step.step, step.place, str(step.cause or "")]
    return Bar(
        kind="cached" if step.is_cached else "run",
        text=step.text or instruction_of(step.step),
        started=started,
        ended=started + step.seconds,
        seconds=step.seconds,
        is_critical=step.is_critical,
        detail="\n".join(line for line in lines if line),
    )


def _work_bar(work: WorkRecord, began: float) -> Bar:
    started = max(0.0, work.started - began)
    return Bar(
        kind=work.kind,
        text=WORK_TEXTS[work.kind],
        started=started,
        ended=started + work.seconds,
        seconds=work.seconds,
        is_critical=work.is_critical,
    )


def summary(timelines: Sequence[Timeline]) -> dict[str, Any]:
    """The JSON document of the task."""
    return {"builds": [timeline.to_json() for timeline in timelines]}
