"""A second Docker engine for one test: with the NVIDIA hook and the CDI devices that the test wants, and restarts."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docker
from layerstack.project import choices
from layerstack.wait import wait_until

ROOT = Path(__file__).parents[2]
OFFICIAL_PYTHON_IMAGE = "python:3.9-slim-bullseye"
PYTHON_IMAGE = "layerstack-test/python"
PID_FILE = Path("/var/run/docker.pid")
HOOK = "nvidia-container-runtime-hook"
START_SECONDS = 30.0
SEEN_SECONDS = 3.0
# What the toolkit's hook does when all is well: nothing that the engine sees.
FINE = "cat >/dev/null"


def python_source() -> str:
    """This machine's system image of Python."""
    return os.environ.get("PYTHON_IMAGE") or choices.read(ROOT).get("PYTHON_IMAGE") or OFFICIAL_PYTHON_IMAGE


def find_dockerd() -> tuple[str, str] | None:
    """(program, PATH) of the engine that runs here, or of an installed one; None without."""
    try:
        pid = int(PID_FILE.read_text())
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        path = next(word.partition(b"=")[2].decode() for word in words if word.startswith(b"PATH="))
        return str(Path(f"/proc/{pid}/exe").readlink()), path
    except (OSError, ValueError, StopIteration):
        program = shutil.which("dockerd")
        return (program, os.environ["PATH"]) if program else None


class OwnEngine:
    """The engine; `hook` and `describe_devices` change what it can do. It does not see the folder `hidden`.

    `options` are more words for dockerd.
    """

    def __init__(
        self, folder: Path, program: str, path: str, hidden: Path | None = None, options: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.hidden = hidden
        self._options = options
        self.host = f"unix://{folder}/docker.sock"
        self._program, self._path = program, path
        self._process: subprocess.Popen[bytes] | None = None
        self._knows_hook = False
        for part in ("cdi", "programs"):
            (folder / part).mkdir()

    @property
    def client(self) -> Any:
        return docker.DockerClient(base_url=self.host)

    @property
    def process_id(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        options = {
            "data-root": "data",
            "exec-root": "run",
            "pidfile": "docker.pid",
            "cdi-spec-dir": "cdi",
        }
        words = [word for name, part in options.items() for word in (f"--{name}", str(self.folder / part))]
        # Containerd keeps what two engines have apart by these names: one process may start several. In digits, as it
        # refuses a name that ends with the "_" of a random folder, and the engine then only fails to pull.
        own = f"layerstack-{os.getpid()}-{self.folder.name.encode().hex()}"
        # In a network of its own: an engine without a bridge removes docker0, which belongs to the machine's engine.
        argv = ["unshare", "--net", self._program, *words, "--host", self.host]
        if self.hidden:
            # As on another machine: what is mounted over the folder is seen by this engine only.
            hide = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(self.hidden)]
            argv = [*hide, *argv]
        argv += ["--bridge", "none", "--iptables=false", "--ip6tables=false"]
        argv += ["--containerd-namespace", own, "--containerd-plugins-namespace", f"{own}-plugins", *self._options]
        self._knows_hook = (self.folder / "programs" / HOOK).exists()
        environment = {**os.environ, "PATH": f"{self.folder}/programs:{self._path}"}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                argv, cwd="/", env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        assert wait_until(self._answers, START_SECONDS), (self.folder / "log").read_text()[-3000:]

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(START_SECONDS)

    def restart(self) -> None:
        self.stop()
        self.start()

    def take_python(self, other: Any) -> None:
        """Copy this machine's system image of Python from the other engine; `invoke setup` provides it."""
        self.take(other, python_source(), PYTHON_IMAGE)

    def take(self, other: Any, source: str, tag: str) -> None:
        """Copy an image from the other engine."""
        (image,) = self.client.images.load(b"".join(other.images.get(source).save()))
        image.tag(tag)

    def reset(self) -> None:
        """No way to a GPU. A restart takes a second or two: only where the engine knows a hook."""
        self.set_hook(None)
        (self.folder / "cdi" / "nvidia.json").unlink(missing_ok=True)
        if self._knows_hook or not self._answers() or not wait_until(lambda: not self._devices(), SEEN_SECONDS):
            self.restart()

    def set_hook(self, script: str | None) -> None:
        """The NVIDIA toolkit as far as the engine sees it; it looks for the hook when it starts."""
        self.set_program(HOOK, script)

    def describe_devices(self, devices: dict[str, Any]) -> None:
        """Cards with CDI names: the engine sees the file soon, an old one at its next start."""
        (self.folder / "cdi" / "nvidia.json").write_text(json.dumps(devices))
        if not wait_until(self._devices, SEEN_SECONDS):
            self.restart()

    def _devices(self) -> bool:
        return bool(self.client.info().get("DiscoveredDevices"))

    def set_program(self, name: str, script: str | None) -> None:
        program = self.folder / "programs" / name
        if script is None:
            program.unlink(missing_ok=True)
            return
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def _answers(self) -> bool:
        assert self._process
        if self._process.poll() is not None:
            return False
        with contextlib.suppress(docker.errors.DockerException):
            return bool(self.client.ping())
        return False


@contextlib.contextmanager
def own_engine(hidden: Path | None = None, options: Sequence[str] = ()) -> Iterator[OwnEngine]:
    """Started, and gone afterwards with all it holds; `options` are more words for dockerd."""
    found = find_dockerd()
    assert found, "there is no dockerd on this machine"
    # A short path: a socket's name has at most 107 characters.
    with TemporaryDirectory(prefix="gpu-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        engine = OwnEngine(Path(folder), *found, hidden, options)
        engine.start()
        try:
            yield engine
        finally:
            with contextlib.suppress(docker.errors.DockerException):
                for container in engine.client.containers.list(all=True):
                    container.remove(force=True)
            engine.stop()
            _unmount_below(folder)


def _unmount_below(folder: str) -> None:
    """The network namespace of containers without a network stays mounted when an engine ends."""
    places = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((place for place in places if place.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False)
