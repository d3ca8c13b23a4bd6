"""A copy of the project under names of its own, so that a measurement never touches the user's images or containers.

Every image of the stack is renamed, in all files that name one: Dockerfiles, bake, Compose and the script. BuildKit
does not look at names, so the steps of the user's own images stay cached for the copy.
"""

import compileall
import itertools
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import build_cache
from layerstack import command
from layerstack.errors import CheckFailed
from layerstack.project.project import find_compose_files
from layerstack.run.rehearsal import free_port

ROOT = Path(__file__).parents[1]
LABEL = "layerstack.benchmark"
DEFINITIONS = ("docker-bake.hcl", "docker-compose*.yml", "docker/**/Dockerfile", "backend/**/Dockerfile", "**/*.sh")
LEFT_OUT = ("node_modules", ".git", ".layerstack", "__pycache__", ".*_cache", ".hypothesis", ".venv", ".nox", "dist")
TAKES_NO_DEVICE = ("verify",)
GIT_IDENTITY = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
_IMAGE_NAME = re.compile(r"\b(base-(?:node|python)|snowboarding-)")
_PORT = re.compile(r"\$\{(\w+_PORT)\b")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Scratch:
    """One copy. Calls run whole processes in its root and give their wall time in seconds."""

    root: Path
    name: str
    ports: dict[str, int]

    @property
    def environment(self) -> dict[str, str]:
        """The CPU stack on every machine: the same work with and without a GPU."""
        files = os.pathsep.join(path.name for path in find_compose_files(self.root, "cpu"))
        ports = {name: str(port) for name, port in self.ports.items()}
        return {"DEVICE": "cpu", "COMPOSE_PROJECT_NAME": self.name, "COMPOSE_FILE": files, **ports}

    def layerstack(self, *words: str) -> command.CommandResult:
        """Tasks of the copy as one process, on the CPU. Raises CommandFailed."""
        return self.run(*self.layerstack_argv(*words))

    def layerstack_argv(self, *words: str) -> tuple[str, ...]:
        device = () if words[-1] in TAKES_NO_DEVICE else ("--device", "cpu")
        return (sys.executable, "-m", "layerstack", *words, *device)

    def compose(self, *words: str) -> command.CommandResult:
        """`docker compose` with the files of the CPU stack. Raises CommandFailed."""
        return self.run("docker", "compose", *words)

    def script(self, *parts: str) -> command.CommandResult:
        """Parts of build-and-start.sh. Raises CommandFailed."""
        return self.run("bash", "benchmarks/build-and-start.sh", *parts)

    def run(self, *argv: str) -> command.CommandResult:
        """Any command in the copy. Raises CommandFailed."""
        return command.run(argv, cwd=self.root, env=self.environment).require()

    def rewrite(self, path: str, change: Callable[[str], str]) -> None:
        """Change the text of a file. Raises CheckFailed when the change leaves it as it is."""
        file = self.root / path
        before = file.read_text()
        after = change(before)
        if after == before:
            raise CheckFailed(f"{path} holds nothing of what a benchmark changes in it")
        file.write_text(after)

    def base(self, name: str) -> str:
        """The Dockerfile of a base image, below the copy's root."""
        return f"docker/{renamed(name, self.name)}/Dockerfile"


@contextmanager
def scratch(prepare: Callable[[Scratch], None] | None = None) -> Iterator[Scratch]:
    """A copy of the project; `prepare` changes it before it is committed. Nothing of it is left afterwards."""
    name = f"bench{os.getpid()}n{next(_numbers)}"
    folder = Path(tempfile.mkdtemp(prefix="layerstack-benchmark-"))
    copy = Scratch(folder / name, name, {})
    try:
        shutil.copytree(ROOT, copy.root, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
        _rename_everything(copy)
        # As pip leaves it, or the first run in a checkout; this machine's settings may forbid to write it then.
        compileall.compile_dir(copy.root / "layerstack", quiet=1)
        copy.ports.update(_free_ports((copy.root / "docker-compose.yml").read_text()))
        if prepare:
            prepare(copy)
        _commit(copy)
        yield copy
    finally:
        _remove(copy)
        shutil.rmtree(folder, ignore_errors=True)


def renamed(text: str, name: str) -> str:
    """The same text with every image of this stack under another name."""
    return _IMAGE_NAME.sub(rf"{name}-\1", text)


def _rename_everything(copy: Scratch) -> None:
    for path in (copy.root, *copy.root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o200 | path.stat().st_mode)  # copied from a checkout that may be read-only
    for pattern in DEFINITIONS:
        for path in copy.root.glob(pattern):
            path.write_text(re.sub(r"(?m)^name: .*$", f"name: {copy.name}", renamed(path.read_text(), copy.name)))
    for folder in sorted((copy.root / "docker").glob("base-*")):
        moved = folder.rename(folder.with_name(renamed(folder.name, copy.name)))
        dockerfile = moved / "Dockerfile"
        # A label is inherited by every image above and changes no step.
        dockerfile.write_text(re.sub(r"(?m)^(FROM .*)$", rf"\1\nLABEL {LABEL}={copy.name}", dockerfile.read_text()))


def _free_ports(compose_text: str) -> dict[str, int]:
    ports: dict[str, int] = {}
    for variable in sorted(set(_PORT.findall(compose_text))):
        ports[variable] = next(port for port in iter(free_port, None) if port not in ports.values())
    return ports


def _commit(copy: Scratch) -> None:
    """A checkout like the user's own: a build asks Git what state it was made from."""
    for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "copy")):
        copy.run("git", *GIT_IDENTITY, *words)


def _remove(copy: Scratch) -> None:
    """Containers, volumes, images and cache records of the copy; what was never made is passed over."""
    if (copy.root / "docker-compose.yml").is_file():
        down = ("docker", "compose", "--progress", "quiet", "down", "--volumes", "--remove-orphans", "--timeout", "2")
        command.run(down, cwd=copy.root, env=copy.environment)
    listed = command.run(("docker", "image", "ls", "--quiet", "--filter", f"label={LABEL}={copy.name}"))
    if found := sorted(set(listed.stdout.split())):
        command.run(("docker", "image", "rm", "--force", *found))
    build_cache.remove_below(copy.name)
