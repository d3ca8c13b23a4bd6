"""The usual time until each service is ready, from its last starts here."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from layerstack.run.startup import UpResult
from layerstack.state_folder import read_json, state_folder, update_json

FILE = "start-seconds.json"
# For a median that one slow start does not move, and that follows a change after three.
COUNTED_STARTS = 5
# A shorter start needs no estimate.
SHORTEST_SECONDS = 1.0


def read_usual_seconds(root: Path) -> dict[str, float]:
    """Service → the median of its last starts, where that is worth a word."""
    medians = {service: median(starts) for service, starts in _valid(read_json(state_folder(root) / FILE)).items()}
    return {service: seconds for service, seconds in medians.items() if seconds >= SHORTEST_SECONDS}


def remember_start(root: Path, result: UpResult) -> None:
    """Keep how long the services took that were started now."""
    # A service that was already running took no time to start.
    seconds = {one.service: round(one.seconds, 1) for one in result.services if one.service in result.started}

    def add(found: Mapping[str, Any]) -> dict[str, list[float]]:
        starts = _valid(found)
        added = {name: [*starts.get(name, []), took][-COUNTED_STARTS:] for name, took in seconds.items()}
        return {**starts, **added}

    if seconds:
        update_json(state_folder(root) / FILE, add)


def _valid(found: Mapping[str, Any]) -> dict[str, list[float]]:
    numbers = {
        service: [float(one) for one in starts if isinstance(one, int | float)]
        for service, starts in found.items()
        if isinstance(starts, list)
    }
    return {service: starts for service, starts in numbers.items() if starts}
