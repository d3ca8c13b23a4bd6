"""Stand-ins for system images, built on Debian root file systems where no container registry responds.

They are declared in the project's `docker/system/docker-bake.hcl`, one target for each variable.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack import command
from layerstack.build.elsewhere import own_builder
from layerstack.engine.engine import client
from layerstack.errors import BuildFailed, CommandFailed, EngineError
from layerstack.report import Say
from layerstack.setup.apt import (
    KEYRING,
    Mirror,
    download_settings,
    install_packages,
    is_debian,
    missing_packages,
    read_mirror,
)
from layerstack.temporary_folder import temporary_folder

BAKE_FILE = Path("docker/system/docker-bake.hcl")
ROOT_CONTEXT = "debian-root"
IMAGE_SCHEME = "docker-image://"
HOST_CERTIFICATES = Path("/usr/local/share/ca-certificates")
# `#12 [base 2/4] RUN apt-get …`, a step of `--progress=plain`.
STEP_HEADING = re.compile(r"#\d+ (\[.*\d+/\d+\] (?:RUN|COPY|ADD) .*)")
HEADING_CHARACTERS = 110
TOOLS = ("mmdebstrap", KEYRING.stem)
# Documentation and translations that no container needs. Licences stay.
LEFT_OUT = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
)
# Security lists of a release past its end of life have expired; their signature is still checked.
OUTDATED_LISTS = 'Acquire::Check-Valid-Until "false";'


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
            env={"HOST_CA": str(certificates), **own_builder()},
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


def make_roots(references: Sequence[str], say: Say) -> None:
    """Make each missing image, two at a time; the tag of a reference is its Debian suite.

    Raises EngineError when mmdebstrap is missing and cannot be installed, or when it fails.
    """
    missing = [reference for reference in references if not client().images.list(name=reference)]
    if not missing:
        return
    mirror, settings = read_mirror(), download_settings()
    _require_tools(mirror, say)
    # A root takes 15 to 23 s on two cores.
    with ThreadPoolExecutor(max_workers=2) as workers:
        list(workers.map(lambda reference: _make_root(reference, mirror, settings, say), missing))


def _require_tools(mirror: Mirror, say: Say) -> None:
    missing = missing_packages(TOOLS) if is_debian() else TOOLS
    if not missing:
        return
    if not is_debian() or os.geteuid() != 0:
        msg = f"Stand-ins for system images need the Debian packages {' '.join(missing)}."
        raise EngineError(msg, f"On Debian, as root: `apt-get install {' '.join(missing)}`. Or connect to a registry.")
    say(f"installing {' '.join(missing)} from this machine's own Debian release")
    install_packages(missing, mirror, say)


def _make_root(reference: str, mirror: Mirror, settings: Sequence[str], say: Say) -> None:
    suite = reference.rpartition(":")[2]
    say(f"making a Debian {suite} root")
    with temporary_folder("root") as folder:
        archive = folder / "root.tar"
        made = command.run(_mmdebstrap(suite, archive, mirror, settings))
        if not made.ok:
            raise _failure(suite, made)
        # An imported file system has no command of its own.
        command.run(["docker", "import", "--change", 'CMD ["bash"]', str(archive), reference]).require()
    say(f"made {reference} in {made.seconds:.0f} s")


def _mmdebstrap(suite: str, archive: Path, mirror: Mirror, settings: Sequence[str]) -> list[str]:
    options = [f"--aptopt={setting}" for setting in (*settings, OUTDATED_LISTS)]
    options += [f"--dpkgopt={setting}" for setting in LEFT_OUT]
    return [
        "mmdebstrap",
        "--variant=minbase",
        # With this package the recipes can add the machine's extra certificates, which a company's proxy needs.
        "--include=ca-certificates",
        *options,
        suite,
        str(archive),
        *mirror.sources(suite),
    ]


def _failure(suite: str, result: command.CommandResult) -> EngineError:
    failure = CommandFailed(("mmdebstrap", suite), result.exit_code, result.stderr)
    return EngineError(str(failure), "Check that this machine reaches its Debian mirror, then run this again.")
