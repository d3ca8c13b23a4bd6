"""The package source of this Debian machine, used without touching its apt configuration or lists."""

import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from layerstack import command
from layerstack.errors import EngineError, quoted_end
from layerstack.report import Say
from layerstack.temporary_folder import temporary_folder

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Unattended upgrades may hold the lock for minutes.
LOCK_WAIT_SECONDS = 600
# needrestart would ask which services to restart.
# The locale keeps apt's messages, some of which are recognised below, in English.
UNATTENDED = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "NEEDRESTART_SUSPEND": "1"}
# `Acquire::http::Proxy "http://proxy:3128";`: the apt settings that say how to reach the mirror.
DOWNLOAD_SETTINGS = re.compile(r"Acquire::(Check-\S+|(http|https|ftp)::\S*|ForceIPv\d) \".*\";")


@dataclass(frozen=True)
class Mirror:
    """Where this machine gets Debian from. `security_uri` is None when its sources name none."""

    codename: str
    uri: str
    security_uri: str | None

    def sources(self, suite: str) -> list[str]:
        """The sources.list lines of a suite, signed by Debian's own keyring: main, and security where it is known."""
        signed = f" [signed-by={KEYRING}]" if KEYRING.exists() else ""
        places = [f"{self.uri} {suite}"]
        if self.security_uri:
            places.append(f"{self.security_uri} {suite}-security")
        return [f"deb{signed} {place} main" for place in places]


@dataclass(frozen=True)
class PackageSource:
    """apt-get with separate package lists and cache."""

    options: tuple[str, ...]

    def run(self, arguments: Sequence[str], say: Say, cwd: Path | None = None) -> None:
        """Run apt-get and report only when it waits for a lock. Raises EngineError with its last lines."""
        said: set[str] = set()

        def on_line(_stream: command.Stream, line: str) -> None:
            if line.startswith("Waiting for cache lock") and line not in said:
                said.add(line)
                say(f"waiting for another package manager: {line.partition(': ')[2]}")

        argv = ["apt-get", "-q", *self.options, "-o", f"DPkg::Lock::Timeout={LOCK_WAIT_SECONDS}", *arguments]
        result = command.stream(argv, on_line, cwd=cwd, env=UNATTENDED)
        if not result.ok:
            raise _apt_failure(arguments[0], result)


def is_debian() -> bool:
    """Whether this machine is Debian itself (Ubuntu and others have other releases and mirrors)."""
    return _os_release().get("ID") == "debian"


def read_mirror() -> Mirror:
    """From the machine's apt sources. Raises EngineError when they name no Debian mirror for its release."""
    codename = _os_release().get("VERSION_CODENAME", "")
    # Asked of apt, which reads its sources in both formats, one-line and deb822.
    asked = ["apt-get", "indextargets", "-o", "APT::Get::IndexTargets::ReleaseInfo=false"]
    targets = command.run([*asked, "--format", "$(BASE_URI) $(REPO_URI)", "Identifier: Packages"]).require().stdout
    bases = dict(line.split(" ", 1) for line in targets.splitlines() if " " in line)
    main = _repository(bases, f"/dists/{codename}/")
    if not codename or not main:
        msg = f"This machine's apt sources name no Debian mirror for its release ({codename or 'unknown'})."
        raise EngineError(msg, "Add its main archive to /etc/apt/sources.list and run this again.")
    return Mirror(codename, main, _repository(bases, f"/dists/{codename}-security/"))


def missing_packages(names: Sequence[str]) -> tuple[str, ...]:
    """The packages that are not installed."""
    asked = command.run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names])
    installed = {line.split()[0] for line in asked.stdout.splitlines() if line.endswith(" installed")}
    return tuple(name for name in names if name not in installed)


@contextmanager
def package_source(say: Say, sources: Sequence[str]) -> Iterator[PackageSource]:
    """A package source with fresh lists of these sources.list lines. Raises EngineError for an unreachable one."""
    with temporary_folder("apt") as folder:
        # apt downloads as its own user, which must be able to reach the files.
        folder.chmod(0o755)
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        source = PackageSource(tuple(_options(folder, sources)))
        source.run(["update"], say)
        yield source


def install_packages(names: Sequence[str], mirror: Mirror, say: Say) -> None:
    """Install packages of the machine's release without recommended ones; finishes an interrupted dpkg run first."""
    if command.run(["dpkg", "--audit"]).stdout.strip():
        say("finishing an interrupted package installation (dpkg --configure -a)")
        command.run(["dpkg", "--configure", "-a"], env=UNATTENDED).require()
    with package_source(say, mirror.sources(mirror.codename)) as source:
        source.run(["install", "--yes", "--no-install-recommends", *names], say)


def download_settings() -> tuple[str, ...]:
    """This machine's apt settings for reaching a mirror (proxy, clock checks), one `Name "value";` each."""
    settings = command.run(["apt-config", "dump"]).stdout.splitlines()
    return tuple(line for line in settings if DOWNLOAD_SETTINGS.fullmatch(line))


def _options(folder: Path, sources: Sequence[str]) -> Iterator[str]:
    listed = folder / "sources.list"
    listed.write_text("".join(f"{line}\n" for line in sources))
    settings = {
        "Dir::Etc::SourceList": listed,
        # No file of /etc/apt/sources.list.d is read.
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "Acquire::Languages": "none",
        # Otherwise `apt-get update` succeeds although a list could not be fetched.
        "APT::Update::Error-Mode": "any",
    }
    for name, value in settings.items():
        yield from ("-o", f"{name}={value}")


def _repository(bases: dict[str, str], ending: str) -> str | None:
    return next((repository.rstrip("/") for base, repository in bases.items() if base.endswith(ending)), None)


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _apt_failure(action: str, result: command.CommandResult) -> EngineError:
    lines = (result.stdout + "\n" + result.stderr).splitlines()
    problems = quoted_end([line for line in lines if line.startswith(("E:", "W:", "Err"))])
    return EngineError(
        f"`apt-get {action}` ended with exit code {result.exit_code}:\n{problems}",
        "Check that this machine reaches its Debian mirror (apt-get update), then run this again.",
    )
