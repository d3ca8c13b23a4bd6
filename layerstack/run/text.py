"""Starts, addresses and volumes as text."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerstack.report import print_table, say
from layerstack.wording import duration, megabytes

if TYPE_CHECKING:
    from layerstack.run.stack import Volume
    from layerstack.run.startup import StartObserver, UpResult


def start_observer(root: Path) -> StartObserver:
    """A live line per service on a terminal, else a line per change; with the usual time of each."""
    from layerstack.run.startup import ChangeLog, LiveServices
    from layerstack.run.usual_seconds import read_usual_seconds

    usual = read_usual_seconds(root)
    return LiveServices(usual) if sys.stderr.isatty() else ChangeLog(say, usual)


def print_start(result: UpResult) -> None:
    if result.was_running:
        say(f"already up and healthy ({duration(result.seconds)})")
        return
    healthy = [one.service for one in result.services if one.words == "healthy"]
    running = [one.service for one in result.services if one.words.startswith("running")]
    ended = [one.service for one in result.services if one.service not in (*healthy, *running)]
    groups = {"healthy": healthy, "running": running, "finished": ended}
    parts = [f"{word} {', '.join(names)}" for word, names in groups.items() if names]
    say(f"up after {duration(result.seconds)}: {'; '.join(parts)}")


def print_addresses(addresses: Mapping[str, str]) -> None:
    print_table(("service", "address"), addresses.items())


def say_tunnel(command: str) -> None:
    """Print how to reach ports that only the engine's machine reaches, if there are any."""
    if command:
        say(f"ports on 127.0.0.1 of the engine's machine, brought here by\n  {command}")


def volume_text(volume: Volume) -> str:
    return volume.name + (f", {megabytes(volume.size_bytes)}" if volume.size_bytes is not None else "")
