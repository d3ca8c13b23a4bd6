"""Waits until a swarm runs what was deployed, or has rolled it back."""

import time
from collections.abc import Collection, Mapping

from layerstack.deploy.swarm import SwarmService, read_services, read_task_log
from layerstack.engine.client import EngineClient
from layerstack.errors import StartFailed, quoted_end
from layerstack.report import Say
from layerstack.wait import wait_until

POLL_SECONDS = 0.5
WORDS = {"updating": "updated", "rollback_started": "rolled back"}
ENDED = "its program ended, by itself or because its health check failed"
# `paused`: what Docker does by default after a failure; the other replicas keep the old version.
GONE_BACK = ("rollback_completed", "rollback_paused", "paused")


def wait_for(
    client: EngineClient, stack: str, names: Collection[str], known: Collection[str], seconds: float, say: Say
) -> tuple[SwarmService, ...]:
    """Each service once all its replicas run, or when the time is up. `known` are the tasks of before.

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
        is_done = all(one.update not in WORDS and one.running >= one.asked for one in found.values())
        return found if is_done and len(found) == len(names) else None

    services = wait_until(look, seconds, POLL_SECONDS) or read_services(client, stack)
    if gone := next((name for name in names if name not in services), ""):
        raise StartFailed(f"{gone}: the stack {stack} has no such service any more.", "`invoke deploy` makes it again.")
    waited = tuple(services[name] for name in names)
    for one in waited:
        if one.state == "broken":
            raise _broken(one, stack, known, seconds)
    return waited


def _tell(service: SwarmService, said: dict[str, str], say: Say) -> None:
    what = "succeeded" if service.is_job else WORDS.get(service.update, "running")
    text = f"{service.name}: {service.running} of {service.asked} {what}"
    if said.get(service.name) != text:
        said[service.name] = text
        say(text)


def _gone_back(service: SwarmService, known: Collection[str]) -> StartFailed:
    what = "is only partly updated: Swarm paused the update" if service.update == "paused" else "was rolled back"
    return StartFailed(
        f"{service.name} {what}{failure_words(service, known)}", "Fix it, then run `invoke deploy` again."
    )


def _broken(service: SwarmService, stack: str, known: Collection[str], seconds: float) -> StartFailed:
    why = failure_words(service, known)
    msg = f"{service.name}: none of {service.asked} replicas is running after {seconds:.0f} s{why}"
    shown = f"`docker service ps --no-trunc {stack}_{service.name}` shows every try"
    return StartFailed(msg, f"{shown}; --timeout waits longer.")


def failure_words(service: SwarmService, known: Collection[str]) -> str:
    """Why the last of its tasks failed, with its last lines."""
    failed = service.failures(known)
    # A task that no node takes never starts: its error says why, for example that resources are missing.
    waiting = next((task.error for task in service.tasks if task.error and task.id not in known), service.message)
    if not failed:
        return f": {waiting}" if waiting else ""
    time.sleep(POLL_SECONDS)  # its node passes on the last lines a moment later
    lines = quoted_end(read_task_log(failed[0]))
    return f": {failed[0].error or ENDED}" + (f"\n{lines}" if lines else "")
