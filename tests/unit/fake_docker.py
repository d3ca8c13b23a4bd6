"""A `docker` program of the tests' own: answers by a table and writes down how it was called."""

from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from layerstack.engine import local


@dataclass
class FakeDocker:
    """Put first on PATH. A call that no pattern of the table matches ends with exit code 99."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    _cases: list[str] = field(default_factory=list)

    def answers(self, pattern: str, stdout: str = "", stderr: str = "", exit_code: int = 0) -> None:
        """Calls whose words match the shell pattern (the latest one first) print this."""
        number = len(self._cases)
        for name, text in (("out", stdout), ("err", stderr)):
            (self.folder / f"{number}.{name}").write_text(text)
        case = (
            f'  {pattern.replace(" ", "?")}) cat "$here/{number}.out"; cat "$here/{number}.err" >&2; exit {exit_code};;'
        )
        self._cases.insert(0, case)
        self._write()

    def holds(self, *images: dict[str, Any]) -> None:
        """The engine, asked over its socket, has these images as `inspect` describes them, and no others."""
        tags = {tag: one for one in images for tag in one["RepoTags"] or ()}
        known = {one["Id"]: one for one in images} | tags | {tag.removesuffix(":latest"): tags[tag] for tag in tags}

        def ask(*addresses: str) -> list[Any]:
            return [known.get(one.removeprefix("/images/").removesuffix("/json")) for one in addresses]

        self.monkeypatch.setattr(local, "ask", ask)

    @property
    def calls(self) -> list[str]:
        """All calls so far, oldest first, without the word `docker`."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def _write(self) -> None:
        lines = ["#!/bin/sh", f"here={quote(str(self.folder))}", 'echo "$*" >> "$here/calls"', 'case "$*" in']
        end = ["esac", 'echo "unexpected: $*" >&2', "exit 99"]
        program = self.folder / "docker"
        program.write_text("\n".join([*lines, *self._cases, *end]) + "\n")
        program.chmod(0o755)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """Make one in `folder/bin` and put it before everything else on PATH."""
    place = folder / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    docker = FakeDocker(place, monkeypatch)
    docker._write()
    return docker
