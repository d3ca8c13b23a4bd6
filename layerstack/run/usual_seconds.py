"""The usual time until each service is ready, from its last starts here."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from layerstack.run.startup import UpResult
from layerstack.state_folder import read_json, state_folder, write_json

FILE = "start-seconds.json"
# For a median that one slow start does not move, and that follows a change after three.
COUNTED_STARTS = 5
# A shorter start needs no estimate.
SHORTEST_SECONDS = 1.0


def read_usual_seconds(root: Path) -> dict[str, float]:
    """Service → the median of its last starts, where that is worth a word."""
    medians = {service: median(starts) for service, starts in _read(root).items()}
    return {service: seconds for service, seconds in medians.items() if seconds >= SHORTEST_SECONDS}


def remember_start(root: Path, result: UpResult) -> None:
    """Keep how long the services took that were started now."""
    starts = _read(root)
    for one in result.services:
        # A service that was already running took no time to start.
        if one.service in result.started:
            starts[one.service] = [*starts.get(one.service, []), round(one.seconds, 1)][-COUNTED_STARTS:]
    if result.started:
        write_json(state_folder(root) / FILE, starts)


def _read(root: Path) -> dict[str, list[float]]:
    found: Mapping[str, Any] = read_json(state_folder(root) / FILE)
    numbers = {
        service: [float(one) for one in starts if isinstance(one, int | float)]
        for service, starts in found.items()
        if isinstance(starts, list)
    }
    return {service: starts for service, starts in numbers.items() if starts}
