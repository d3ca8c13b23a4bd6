"""Debian root file systems as local images, which stand-ins for system images are built on."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from layerstack import command
from layerstack.engine.engine import client
from layerstack.errors import CommandFailed, EngineError
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


def make_roots(references: Sequence[str], say: Say) -> None:
    """Make each missing image, two at a time; the tag of a reference is its Debian suite.

    Raises EngineError when mmdebstrap is missing and cannot be installed, or when it fails.
    """
    missing = [reference for reference in references if not _is_present(reference)]
    if not missing:
        return
    mirror, settings = read_mirror(), download_settings()
    _require_tools(mirror, say)
    with ThreadPoolExecutor(max_workers=2) as workers:
        list(workers.map(lambda reference: _make_root(reference, mirror, settings, say), missing))


def _is_present(reference: str) -> bool:
    return bool(client().images.list(name=reference))


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
        command.run(["docker", "import", "--change", 'CMD ["bash"]', str(archive), reference]).require()
    say(f"made {reference} in {made.seconds:.0f} s")


def _mmdebstrap(suite: str, archive: Path, mirror: Mirror, settings: Sequence[str]) -> list[str]:
    options = [f"--aptopt={setting}" for setting in (*settings, OUTDATED_LISTS)]
    options += [f"--dpkgopt={setting}" for setting in LEFT_OUT]
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--include=ca-certificates",
        *options,
        suite,
        str(archive),
        *mirror.sources(suite),
    ]


def _failure(suite: str, result: command.CommandResult) -> EngineError:
    failure = CommandFailed(("mmdebstrap", suite), result.exit_code, result.stderr)
    return EngineError(str(failure), "Check that this machine reaches its Debian mirror, then run this again.")
