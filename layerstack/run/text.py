"""A start, its addresses and its volumes in words."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from layerstack.report import print_table, say
from layerstack.wording import duration, megabytes

if TYPE_CHECKING:
    from layerstack.run.stack import Volume
    from layerstack.run.startup import StartObserver, UpResult


def start_observer() -> StartObserver:
    """A live line per service on a terminal, one line a change elsewhere."""
    from layerstack.run.startup import ChangeLog, LiveServices

    return LiveServices() if sys.stderr.isatty() else ChangeLog(say)


def print_start(result: UpResult) -> None:
    if result.was_running:
        say(f"everything was up and healthy already ({duration(result.seconds)})")
    else:
        say(f"healthy after {duration(result.seconds)}: {', '.join(one.service for one in result.services)}")


def print_addresses(addresses: Mapping[str, str]) -> None:
    print_table(("service", "address"), addresses.items())


def say_tunnel(command: str) -> None:
    """The way to ports that only the engine's machine reaches, if there are any."""
    if command:
        say(f"ports on 127.0.0.1 of the engine's machine, brought here by\n  {command}")


def volume_text(volume: Volume) -> str:
    return volume.name + (f", {megabytes(volume.size_bytes)}" if volume.size_bytes is not None else "")
