"""Scripts with Windows line ends, found before a build; and files that a container was to run and could not."""

import io
import tarfile
from pathlib import Path
from typing import Any, Literal

import pytest
from compose_project import load
from verify_parts import make_container

from layerstack.doctor.context_lint import check_scripts
from layerstack.engine.api import ObjectMissing
from layerstack.engine.container import Mount
from layerstack.run.cause import find_cause
from layerstack.run.script_file import find_scripts, interpreter_of

DOCKERFILE = 'FROM debian\nCOPY . /app/\nENTRYPOINT ["/app/run"]\n'
REFUSED = ("exec /app/run: no such file or directory",)


@pytest.mark.parametrize(
    ("head", "interpreter"),
    [
        (b"#!/bin/sh\r\nexec true\r\n", "/bin/sh"),
        (b"#!/usr/bin/env python3\r\n", "/usr/bin/env python3"),
        (b"#!/bin/sh\nprintf 'a\r\n'", ""),
        (b"echo\r\n", ""),
        (b"#!/bin/sh\r", ""),
        (b"\x7fELF\r\n", ""),
    ],
)
def test_only_a_first_line_that_names_an_interpreter_counts(head: bytes, interpreter: str) -> None:
    assert interpreter_of(head) == interpreter


def scripts(root: Path, dockerfile: str = DOCKERFILE) -> list[tuple[str, bool]]:
    for name in ("run", "tool.sh", "notes.txt"):
        (root / name).write_bytes(b"#!/bin/sh\r\nexec true\r\n")
    (root / "fine.sh").write_bytes(b"#!/bin/sh\nexec true\n")
    (root / "Dockerfile").write_text(dockerfile)
    project, _ = load(root, "services: { api: { build: . } }")
    return list(find_scripts(root, project.images["api"], [project.services["api"].definition]))


def test_what_starts_the_container_is_told_from_other_scripts(tmp_path: Path) -> None:
    assert sorted(scripts(tmp_path)) == [("run", True), ("tool.sh", False)]


@pytest.mark.parametrize(
    "dockerfile",
    [
        DOCKERFILE.replace("COPY . /app/", "COPY fine.sh /app/run"),
        DOCKERFILE + "RUN sed -i 's/\\r$//' /app/*\n",
        DOCKERFILE + "RUN apt-get install dos2unix && dos2unix /app/run\n",
    ],
)
def test_what_is_not_copied_or_is_converted_is_left_alone(tmp_path: Path, dockerfile: str) -> None:
    assert scripts(tmp_path, dockerfile) == []


def test_doctor_calls_the_one_that_starts_an_error(tmp_path: Path) -> None:
    scripts(tmp_path)
    found = {one.place: one.severity for one in check_scripts(load(tmp_path, "services: { api: { build: . } }")[0])}
    assert found == {"run": "error", "tool.sh": "warning"}


class Engine:
    """One container with these files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.api = self
        self._files = files

    def inspect_container(self, name: str) -> dict[str, Any]:
        return {"Path": "./run", "Args": ["--port=1"], "Config": {"WorkingDir": "/app"}}

    def inspect_image(self, name: str) -> dict[str, str]:
        return {"Architecture": "amd64"}

    def get_archive(self, name: str, path: str, chunk_size: int | None = 0) -> tuple[list[bytes], dict[str, Any]]:
        if path not in self._files:
            raise ObjectMissing(path)
        data, content = io.BytesIO(), self._files[path]
        with tarfile.open(fileobj=data, mode="w") as archive:
            member = tarfile.TarInfo(path.rpartition("/")[2])
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        return [data.getvalue()], {"size": len(content)}


@pytest.mark.parametrize("log", [REFUSED, ("env: 'bash\\r': No such file or directory",)])
def test_a_container_that_ended_so_is_explained(tmp_path: Path, log: tuple[str, ...]) -> None:
    scripts(tmp_path)
    project, _ = load(tmp_path, "services: { api: { build: . } }")
    client: Any = Engine({"/app/run": b"#!/bin/sh\r\n"})
    cause = find_cause(client, project, make_container("api", status="exited", exit_code=1), log)
    assert cause
    assert (cause.kind, cause.repair) == (
        "windows-line-ends",
        "sed -i 's/\\r$//' run && invoke build api && invoke up",
    )


def test_a_mounted_script_needs_no_build(tmp_path: Path) -> None:
    scripts(tmp_path)
    project, _ = load(tmp_path, "services: { api: { build: . } }")
    client: Any = Engine({"/app/run": b"#!/bin/sh\r\n"})
    one = make_container("api", status="exited", mounts=(Mount("bind", str(tmp_path), "/app", True),))
    cause = find_cause(client, project, one, REFUSED)
    assert cause
    assert cause.repair == "sed -i 's/\\r$//' run && invoke up api"


def test_a_device_that_the_engine_does_not_find_is_named_with_its_line(tmp_path: Path) -> None:
    text = "services:\n  api:\n    image: api\n    devices: [/dev/ttyUSB0]\n"
    said = 'error gathering device information while adding custom device "/dev/ttyUSB0": no such file or directory'
    client: Any = Engine({})
    cause = find_cause(client, load(tmp_path, text)[0], make_container("api", status="created", error=said), ())
    assert cause
    assert (cause.kind, cause.repair) == ("device-missing", "invoke up api")
    assert "compose.yaml:4" in (cause.change or "")


def elf(machine: int, order: Literal["little", "big"] = "little") -> bytes:
    return b"\x7fELF\2" + (b"\1" if order == "little" else b"\2") + bytes(12) + machine.to_bytes(2, order) + bytes(40)


@pytest.mark.parametrize(
    ("files", "exit_code", "words"),
    [
        ({}, 127, ""),
        ({"/app/run": b"#!/bin/missing -e\n"}, 127, "names /bin/missing, which its image does not have"),
        ({"/app/run": b"#!/bin/sh\n", "/bin/sh": b""}, 127, ""),
        ({"/app/run": b"#!/bin/missing\n"}, 1, "names /bin/missing"),
        ({"/app/run": elf(183)}, 255, "is made for arm64, and its image is for amd64"),
        ({"/app/run": elf(22, "big")}, 255, "is made for s390x"),
        ({"/app/run": elf(62)}, 255, ""),
        ({"/app/run": elf(3)}, 255, ""),
    ],
)
def test_a_file_that_is_there_and_does_not_run(
    tmp_path: Path, files: dict[str, bytes], exit_code: int, words: str
) -> None:
    scripts(tmp_path)
    project, _ = load(tmp_path, "services: { api: { build: . } }")
    client: Any = Engine(files)
    found = find_cause(client, project, make_container("api", status="exited", exit_code=exit_code), REFUSED)
    assert (found.kind, found.repair) == ("command-missing", "invoke build api && invoke up") if found else not words
    assert words in (found.cause if found else "")
    assert not found or "first line" not in found.cause or "first line of run," in found.change


def test_the_argument_of_a_program_that_misses_something_else_is_not_accused(tmp_path: Path) -> None:
    scripts(tmp_path)
    project, _ = load(tmp_path, "services: { api: { build: . } }")
    client: Any = Engine({"/app/run": b"#!/bin/missing\n"})
    said = ("FileNotFoundError: No such file or directory: 'settings.json'",)
    assert find_cause(client, project, make_container("api", status="exited", exit_code=1), said) is None
