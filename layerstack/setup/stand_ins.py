"""Stand-ins for system images, built from Debian packages where no container registry responds.

They are declared in the project's `docker/system/docker-bake.hcl`, one target for each variable.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack import command
from layerstack.errors import BuildFailed, CommandFailed
from layerstack.report import Say
from layerstack.setup.debian_roots import make_roots
from layerstack.temporary_folder import temporary_folder

BAKE_FILE = Path("docker/system/docker-bake.hcl")
ROOT_CONTEXT = "debian-root"
IMAGE_SCHEME = "docker-image://"
HOST_CERTIFICATES = Path("/usr/local/share/ca-certificates")
# `#12 [base 2/4] RUN apt-get …`, a step of `--progress=plain`.
STEP_HEADING = re.compile(r"#\d+ (\[.*\d+/\d+\] (?:RUN|COPY|ADD) .*)")
HEADING_CHARACTERS = 110


@dataclass(frozen=True)
class StandIn:
    """The bake target that replaces the image of one variable, and its tag."""

    variable: str
    target: str
    tag: str


def read_stand_ins(root: Path) -> dict[str, StandIn]:
    """The stand-ins that the project declares, by variable: target node-image replaces NODE_IMAGE."""
    if not (root / BAKE_FILE).is_file():
        return {}
    targets = _resolve(root, ["default"])
    found = (
        StandIn(name.replace("-", "_").upper(), name, target["tags"][0])
        for name, target in targets.items()
        if target.get("tags")
    )
    return {stand_in.variable: stand_in for stand_in in found}


def build_stand_ins(root: Path, stand_ins: Sequence[StandIn], say: Say) -> None:
    """Make the Debian roots and build the stand-ins, in one bake call. Raises EngineError or BuildFailed."""
    names = [stand_in.target for stand_in in stand_ins]
    make_roots(_roots_of(_resolve(root, names)), say)
    headings: set[str] = set()

    def on_line(_stream: command.Stream, line: str) -> None:
        match = STEP_HEADING.match(line)
        if match and match.group(1) not in headings:
            headings.add(match.group(1))
            say(f"  {match.group(1)[:HEADING_CHARACTERS]}")

    with _host_certificates() as certificates:
        # Buildx 0.37.2 and newer refuse contexts outside the working directory without it.
        arguments = [f"--allow=fs.read={certificates}", "--progress=plain", *names]
        result = command.stream(
            ["docker", "buildx", "bake", "--file", str(BAKE_FILE), *arguments],
            on_line,
            cwd=root,
            env={"HOST_CA": str(certificates)},
        )
    if not result.ok:
        failure = CommandFailed(("docker", "buildx", "bake", *names), result.exit_code, result.stderr)
        raise BuildFailed(f"A stand-in could not be built. {failure}", "Run this again: finished steps are kept.")


def _resolve(root: Path, names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """The named targets and what they are built on, as bake resolves them."""
    answer = command.run(["docker", "buildx", "bake", "--file", str(BAKE_FILE), "--print", *names], cwd=root)
    targets: Mapping[str, Mapping[str, Any]] = json.loads(answer.require().stdout)["target"]
    return targets


def _roots_of(targets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    contexts = (target.get("contexts", {}).get(ROOT_CONTEXT) for target in targets.values())
    return sorted({context.removeprefix(IMAGE_SCHEME) for context in contexts if context})


@contextmanager
def _host_certificates() -> Iterator[Path]:
    """The folder of this machine's extra certificates, an empty one without any."""
    configured = Path(os.environ.get("HOST_CA") or HOST_CERTIFICATES)
    if configured.is_dir():
        yield configured
        return
    with temporary_folder("no-certificates") as empty:
        yield empty
