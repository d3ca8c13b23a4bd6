"""A second copy of the stack beside the user's own: another project name, free ports, volumes of its own, removed
at the end."""

import json
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from layerstack import command
from layerstack.project import Project, with_overlay


@contextmanager
def rehearsal(
    project: Project, purpose: str, changes: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[Project]:
    """The project under its own name, `NAME-PURPOSE-PID`; `changes` are further Compose keys per service.

    Nothing is started. Whatever was started under that name is removed at the end, volumes included.
    """
    name = f"{project.name}-{purpose}-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="layerstack-rehearsal-") as folder:
        overlay = Path(folder) / "overlay.yml"
        overlay.write_text(_overlay(project, changes or {}))
        copy = with_overlay(project, name, overlay)
        try:
            yield copy
        finally:
            command.run(
                copy.compose("--progress", "quiet", "down", "--volumes", "--remove-orphans", "--timeout", "2"),
                cwd=copy.root,
                env=copy.environment,
            )


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _overlay(project: Project, changes: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["services:"]
    for service in project.services.values():
        ports = [f"127.0.0.1:{free_port()}:{port.target}" for port in service.ports]
        lines += [f"  {json.dumps(service.name)}:", f"    ports: !override {json.dumps(ports)}", "    restart: 'no'"]
        lines += ["    container_name: !reset null"] if "container_name" in service.definition else []
        lines += [f"    {key}: {value}" for key, value in changes.get(service.name, {}).items()]
    return "\n".join(lines) + "\n"
