"""The pose service of a copy of the project: running, and its image for scripts that run beside it."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks.scratch import ROOT, Scratch, scratch
from layerstack.errors import CheckFailed
from layerstack.wait import wait_until

SERVICE, PORT = "pose-service", "POSE_PORT"
READY_SECONDS = 120.0
POLL_SECONDS = 0.02
REQUEST_TIMEOUT_SECONDS = 2.0
SCRIPTS = ROOT / "benchmarks" / "inside"
PHOTOS = ROOT / "backend" / "pose-service" / "tests" / "data"
PHOTO = "/photos/astronaut.jpg"


@dataclass(frozen=True)
class PoseStack:
    """`media` is a folder that scripts inside the image see as /media."""

    copy: Scratch
    media: Path

    @property
    def port(self) -> int:
        return self.copy.ports[PORT]

    @property
    def image(self) -> str:
        return f"{self.copy.name}-pose-service:cpu"

    def inside(self, script: str, *words: str) -> Any:
        """Run one of benchmarks/inside in the service's image; what its last line says. Raises CommandFailed."""
        mounts = ("-v", f"{SCRIPTS}:/inside:ro", "-v", f"{PHOTOS}:/photos:ro", "-v", f"{self.media}:/media")
        argv = ("docker", "run", "--rm", "--network", "none", *mounts, self.image, "python", f"/inside/{script}")
        return self.last_line(*argv, *words)

    def last_line(self, *argv: str) -> Any:
        """Run a command; the JSON of its last line, None without any. Raises CommandFailed."""
        lines = self.copy.run(*argv).stdout.strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    def compose(self, *words: str) -> str:
        return self.copy.run("docker", "compose", "--progress", "quiet", *words).stdout

    def in_container(self, *words: str) -> str:
        """What a command in the running container prints."""
        return self.compose("exec", "--no-TTY", SERVICE, *words)

    def get(self, path: str) -> Any:
        """The JSON at a path; None while there is none."""
        try:
            answer = requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=REQUEST_TIMEOUT_SECONDS)
            return answer.json() if answer.ok else None
        except requests.RequestException:
            return None

    def seconds_until(self, is_so: Callable[[], bool], what: str) -> float:
        """Poll, and tell how long it took. Raises CheckFailed with `what` when it never came."""
        began = time.monotonic()
        if not wait_until(is_so, READY_SECONDS, POLL_SECONDS):
            raise CheckFailed(f"{what} did not come within {READY_SECONDS:.0f} s")
        return time.monotonic() - began

    def is_ready(self) -> bool:
        """All engines answer; the service itself says ready with the first of them."""
        engines = (self.get("/health") or {}).get("engines", {})
        return bool(engines) and engines["ready"] == engines["total"]


@contextmanager
def built_pose(**environment: str) -> Iterator[PoseStack]:
    """A copy with its image; nothing runs yet. `environment` goes into the copy's .env."""

    def write_settings(copy: Scratch) -> None:
        settings = copy.root / ".env"
        before = settings.read_text() if settings.is_file() else ""
        settings.write_text(before + "".join(f"\n{name}={value}\n" for name, value in environment.items()))

    with scratch(write_settings) as copy, tempfile.TemporaryDirectory(prefix="layerstack-benchmark-") as folder:
        media = Path(folder)
        # The service's user writes here too.
        media.chmod(0o777)
        copy.layerstack("build", SERVICE)
        yield PoseStack(copy, media)


@contextmanager
def running_pose(**environment: str) -> Iterator[PoseStack]:
    """The same, with the service alone up and ready."""
    with built_pose(**environment) as stack:
        stack.compose("up", "--detach", "--wait", SERVICE)
        stack.seconds_until(stack.is_ready, "a ready pose service")
        yield stack
