"""Runs a container's own health check now, instead of waiting for Docker's next run."""

import time
from dataclasses import dataclass, replace

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.inside import run_inside
from layerstack.errors import EngineError

# A health check may have minutes; nobody waits that long for a second look.
LONGEST_SECONDS = 15.0


@dataclass(frozen=True)
class Probe:
    """The outcome of one health check; `has_answered` is False when it was ended for taking too long."""

    is_ok: bool
    output: str
    has_answered: bool = True


def probe_health(client: EngineClient, container: Container) -> Probe | None:
    """Run the health check once; None without one, or when it cannot be run."""
    argv = _argv(container.health_command, container.shell)
    if not argv or not container.is_running:
        return None
    timeout_seconds = min(container.health_timeout_seconds, LONGEST_SECONDS)
    try:
        answer = run_inside(client, container.id, argv, timeout_seconds)
    except TimeoutError as error:
        return Probe(False, str(error), has_answered=False)
    # It may have ended meanwhile, which is no word on its health.
    except (EngineError, OSError):
        return None
    return Probe(answer.exit_code == 0, answer.output)


def time_health(client: EngineClient, container: Container) -> float | None:
    """The seconds that a health check takes to pass without a timeout; None when it fails even then."""
    started = time.monotonic()
    probe = probe_health(client, replace(container, health_timeout_seconds=LONGEST_SECONDS))
    return time.monotonic() - started if probe and probe.is_ok else None


def _argv(test: tuple[str, ...], shell: tuple[str, ...]) -> tuple[str, ...]:
    if test[:1] == ("CMD",):
        return test[1:]
    # As the engine does: in the shell that SHELL of the Dockerfile names.
    return (*(shell or ("/bin/sh", "-c")), *test[1:]) if test[:1] == ("CMD-SHELL",) else ()
