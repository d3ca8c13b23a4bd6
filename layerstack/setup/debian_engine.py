"""Installs and starts a container engine on a Debian machine that has none."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from layerstack import command
from layerstack.engine import engine
from layerstack.engine.unusable import HOW_TO_GET_ONE, HOW_TO_START
from layerstack.errors import EngineError
from layerstack.report import Say
from layerstack.setup import daemon
from layerstack.setup.apt import (
    Mirror,
    install_packages,
    is_debian,
    missing_packages,
    package_source,
    read_mirror,
)
from layerstack.temporary_folder import temporary_folder

PREFIX = Path("/opt/layerstack-engine")
# Written last: without it the installation was interrupted and is repeated.
COMPLETE = PREFIX / ".complete"
LOCK = Path("/run/lock/layerstack-engine.lock")
# The engines of Debian 12 and 13 are too old: 13 has Buildx 0.13 and Compose 2.26. These packages run with the libc of
# Debian 12 and are unpacked beside the machine's packages; runc needs a newer libc (2.38) and is installed from the
# machine's release.
NEWER_SUITE = "forky"
NEWER_PACKAGES = ("containerd", "docker.io", "docker-cli", "docker-buildx", "docker-compose")
OWN_PACKAGES = ("ca-certificates", "iptables", "runc", "tini")
CLIENT_LINK = Path("/usr/local/bin/docker")
PLUGIN_FOLDER = Path("/usr/local/lib/docker/cli-plugins")
PLUGIN_PROGRAMS = {
    PLUGIN_FOLDER / name: PREFIX / "usr/libexec/docker/cli-plugins" / name
    for name in ("docker-buildx", "docker-compose")
}


def install_engine(say: Say) -> engine.EngineFacts:
    """Install and start an engine, announcing every change; does nothing where one is ready.

    Raises EngineError on other systems, without root, without a reachable mirror, or when the daemon does not start.
    """
    usable = _usable_engine()
    if usable:
        return usable
    _require_debian_root()
    # Two setups at once would unpack into one folder.
    with FileLock(LOCK):
        if not _is_installed():
            _install(say)
        # Every time: a link that somebody removed comes back without another installation.
        _link()
        start_engine(say)
    facts = engine.read_facts()
    engine.require_ready(facts, min_free_bytes=0)
    return facts


def start_engine(say: Say) -> None:
    """Start the installed engine and wait until it responds; does nothing when one already does.

    Raises EngineError with the last lines of the daemon's log when it exits or does not respond.
    """
    if engine.daemon_answers():
        return
    program = _find_daemon()
    if os.geteuid() != 0:
        raise EngineError("The engine is installed but not running.", HOW_TO_START)
    daemon.start(program, PREFIX, say)


def _usable_engine() -> engine.EngineFacts | None:
    try:
        facts = engine.read_facts()
        # An engine with a full disk needs space, and not another engine.
        engine.require_ready(facts, min_free_bytes=0)
    except EngineError:
        return None
    return facts


def _require_debian_root() -> None:
    if not is_debian():
        msg = "An engine can be installed for you on Debian only."
        raise EngineError(msg, "Follow https://docs.docker.com/engine/install, then `invoke setup`.")
    if os.geteuid() != 0:
        raise EngineError("Installing an engine needs root.", "Run this as root, or ask your administrator.")


def _is_installed() -> bool:
    programs = (PREFIX / "usr/sbin/dockerd", PREFIX / "usr/bin/containerd", PREFIX / "usr/bin/docker")
    return COMPLETE.exists() and all(program.exists() for program in (*programs, *PLUGIN_PROGRAMS.values()))


def _install(say: Say) -> None:
    mirror = read_mirror()
    needed = missing_packages(OWN_PACKAGES)
    for line in _announce(mirror, needed):
        say(line)
    if needed:
        say(f"installing {' '.join(needed)}")
        install_packages(needed, mirror, say)
    say(f"downloading {' '.join(NEWER_PACKAGES)}")
    # A future release gets its fixes in the main archive; its security archive may not exist yet.
    newer = replace(mirror, security_uri=None)
    with temporary_folder("engine") as folder:
        with package_source(say, newer.sources(NEWER_SUITE)) as source:
            source.run(["download", *NEWER_PACKAGES], say, cwd=folder)
        say(f"unpacking them under {PREFIX}")
        _unpack(folder)
    COMPLETE.write_text("".join(f"{name}\n" for name in NEWER_PACKAGES))


def _announce(mirror: Mirror, needed: tuple[str, ...]) -> Iterator[str]:
    yield "no usable container engine here; this will be changed on this machine:"
    if needed:
        yield f"  packages from Debian {mirror.codename}: {' '.join(needed)} and what they depend on"
    yield f"  packages from Debian {NEWER_SUITE}, unpacked under {PREFIX} only: {' '.join(NEWER_PACKAGES)}"
    if _foreign_client():
        yield f"  {_foreign_client()} is kept and used"
    else:
        yield f"  link {CLIENT_LINK}"
    yield f"  links {', '.join(map(str, PLUGIN_PROGRAMS))}"
    yield f"  dockerd started, its log in {daemon.LOG}; images and containers in /var/lib/docker"


def _unpack(folder: Path) -> None:
    PREFIX.mkdir(parents=True, exist_ok=True)
    for archive in sorted(folder.glob("*.deb")):
        command.run(["dpkg-deb", "--extract", str(archive), str(PREFIX)]).require()
    # The link in the package points to a file of another package.
    _replace_link(PREFIX / "usr/bin/docker-init", Path("/usr/bin/tini-static"))
    # The newer suite may come to need a newer libc than this machine has.
    for program in (PREFIX / "usr/sbin/dockerd", PREFIX / "usr/bin/containerd"):
        _require_runs(program)


def _require_runs(program: Path) -> None:
    result = command.run([str(program), "--version"])
    if not result.ok:
        msg = f"Debian {NEWER_SUITE}'s {program.name} does not run on this machine: {result.stderr.strip()}"
        raise EngineError(msg, "Follow https://docs.docker.com/engine/install, then `invoke setup`.")


def _link() -> None:
    PLUGIN_FOLDER.mkdir(parents=True, exist_ok=True)
    for link, program in PLUGIN_PROGRAMS.items():
        _replace_link(link, program)
    if not _foreign_client():
        _replace_link(CLIENT_LINK, PREFIX / "usr/bin/docker")


def _replace_link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _foreign_client() -> str | None:
    """The docker command on PATH that was not installed by setup."""
    # A client may be here without plugins and without a daemon (seen with 28.2.2). It may belong to another package and
    # is not replaced.
    found = shutil.which("docker")
    return found if found and PREFIX not in Path(found).resolve().parents else None


def _find_daemon() -> Path:
    own = PREFIX / "usr/sbin/dockerd"
    found = str(own) if _is_installed() else shutil.which("dockerd")
    if not found:
        raise EngineError("There is no dockerd to start.", HOW_TO_GET_ONE)
    return Path(found)
