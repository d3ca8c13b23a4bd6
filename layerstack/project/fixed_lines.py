"""Published ports that a variable sets, and hard-coded ports, names and tags, over which two stacks would collide."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from layerstack.project.compose_source import ComposeSource
from layerstack.project.env_file import expand, sole_variable


@dataclass(frozen=True)
class PublishedPort:
    """An entry of `ports:` as it is written; `variable` is "" where the number is not one variable's alone."""

    service: str
    variable: str
    number: int
    place: str


@dataclass(frozen=True)
class FixedLine:
    """A line that means the same in every folder, and what to write instead."""

    place: str
    words: str
    instead: str

    def __str__(self) -> str:
        return f"{self.place}: {self.words} → `{self.instead}`"


def read_ports(source: ComposeSource, variables: Mapping[str, str]) -> list[PublishedPort]:
    """Every published port, of inactive services too, except those that are random at each start."""
    return [
        port
        for service in source.services()
        for entry, place in source.entries("services", service, "ports")
        if (port := _read_port(service, entry, place, variables))
    ]


def fixed_lines(source: ComposeSource, variables: Mapping[str, str]) -> Iterator[FixedLine]:
    """The lines that would make the stacks of two folders collide."""
    for port in read_ports(source, variables):
        if not port.variable:
            name = re.sub(r"\W+", "_", port.service).upper()
            yield FixedLine(port.place, f"port {port.number} of {port.service}", f"${{{name}_PORT:-{port.number}}}")
    for service in source.services():
        name = source.value("services", service, "container_name")
        if name and "$" not in str(name):
            words = f"{service} has the container name {name}"
            place = source.place("services", service, "container_name")
            yield FixedLine(place, words, f"container_name: ${{COMPOSE_PROJECT_NAME}}-{name}")
        image = source.value("services", service, "image")
        # Each folder would build its own image under this tag; a tag that is only pulled is the same for both.
        if image and "$" not in str(image) and source.value("services", service, "build"):
            place = source.place("services", service, "image")
            yield FixedLine(place, f"{service} is built as {image}", f"image: ${{COMPOSE_PROJECT_NAME}}-{image}")
    yield from _fixed_volumes(source)


def _fixed_volumes(source: ComposeSource) -> Iterator[FixedLine]:
    for key in source.value("volumes") or ():
        volume = source.value("volumes", key) or {}
        # An external volume belongs to no stack, so that sharing it is intended.
        name = volume.get("name") if isinstance(volume, dict) and not volume.get("external") else None
        if name and "$" not in str(name):
            instead = f"name: ${{COMPOSE_PROJECT_NAME}}-{name}"
            yield FixedLine(source.place("volumes", key, "name"), f"the volume {key} is called {name}", instead)


def _read_port(service: str, entry: Any, location: str, variables: Mapping[str, str]) -> PublishedPort | None:
    published, _ = split_port(entry)
    number = expand(published, variables)
    if not number.isdigit() or number == "0":
        # A range, or a number that Docker chooses.
        first = re.match(r"\d+", number)
        return PublishedPort(service, "", int(first[0]), location) if first and number != "0" else None
    return PublishedPort(service, sole_variable(published), int(number), location)


def split_port(entry: Any) -> tuple[str, str]:
    """(published port, container port) of an entry of `ports:`, as written: `127.0.0.1:${PORT:-80}:80/tcp`."""
    if isinstance(entry, dict):
        return str(entry.get("published") or ""), str(entry.get("target") or "")
    parts, depth = [""], 0
    # Colons in braces part nothing.
    for character in str(entry):
        depth += (character in "{[") - (character in "}]")
        if character == ":" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts[-2] if len(parts) > 1 else "", parts[-1].partition("/")[0]
