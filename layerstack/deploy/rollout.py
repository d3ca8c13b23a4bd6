"""Waits until a swarm runs what was deployed, or has rolled it back."""

import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from layerstack.deploy.swarm import SwarmService, read_services, read_task_log
from layerstack.engine.client import EngineClient
from layerstack.errors import StartFailed, quoted_end
from layerstack.report import Say
from layerstack.wait import wait_until

POLL_SECONDS = 0.5
WORDS = {"updating": "updated", "rollback_started": "rolled back"}
ENDED = "its program ended, by itself or because its health check failed"
GONE_BACK = ("rollback_completed", "rollback_paused", "paused")


@dataclass(frozen=True)
class Replicas:
    """The desired and the running replicas of a service: none is `broken`, too few are `degraded`."""

    service: str
    asked: int
    running: int

    @property
    def state(self) -> Literal["fine", "degraded", "broken"]:
        if self.running >= self.asked:
            return "fine"
        return "degraded" if self.running else "broken"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state}


def wait_for(
    client: EngineClient, stack: str, names: Collection[str], known: Collection[str], seconds: float, say: Say
) -> tuple[Replicas, ...]:
    """The replicas of each service once all run, or when the time is up. `known` are the tasks of before.

    Raises StartFailed with the failing task's last lines when Swarm has rolled an update back or paused it, or when no
    replica of a service runs.
    """
    said: dict[str, str] = {}

    def look() -> Mapping[str, SwarmService] | None:
        found = {name: one for name, one in read_services(client, stack).items() if name in names}
        for one in found.values():
            _tell(one, said, say)
            if one.update in GONE_BACK:
                raise _gone_back(one, known)
        is_done = len(found) == len(names) and all(_is_done(one) for one in found.values())
        return found if is_done else None

    services = wait_until(look, seconds, POLL_SECONDS) or read_services(client, stack)
    replicas = tuple(Replicas(name, services[name].asked, services[name].running) for name in names)
    for one in replicas:
        if one.state == "broken":
            raise _broken(services[one.service], stack, known, seconds)
    return replicas


def _is_done(one: SwarmService) -> bool:
    return one.update not in WORDS and one.running >= one.asked


def _tell(one: SwarmService, said: dict[str, str], say: Say) -> None:
    what = "succeeded" if one.is_job else WORDS.get(one.update, "running")
    text = f"{one.name}: {one.running} of {one.asked} {what}"
    if said.get(one.name) != text:
        said[one.name] = text
        say(text)


def _gone_back(one: SwarmService, known: Collection[str]) -> StartFailed:
    what = "is only partly updated: Swarm paused the update" if one.update == "paused" else "was rolled back"
    return StartFailed(f"{one.name} {what}{failure_words(one, known)}", "Fix it, then run `invoke deploy` again.")


def _broken(one: SwarmService, stack: str, known: Collection[str], seconds: float) -> StartFailed:
    msg = f"{one.name}: none of {one.asked} replicas is running after {seconds:.0f} s{failure_words(one, known)}"
    return StartFailed(
        msg, f"`docker service ps --no-trunc {stack}_{one.name}` shows every try; --timeout waits longer."
    )


def failure_words(one: SwarmService, known: Collection[str]) -> str:
    """Why the last of its tasks failed, with its last lines."""
    failed = one.failures(known)
    waiting = next((task.error for task in one.tasks if task.error and task.id not in known), one.message)
    if not failed:
        return f": {waiting}" if waiting else ""
    time.sleep(POLL_SECONDS)  # its node passes on the last lines a moment later
    lines = quoted_end(read_task_log(failed[0]))
    return f": {failed[0].error or ENDED}" + (f"\n{lines}" if lines else "")
