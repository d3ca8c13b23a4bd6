"""Scripts with Windows line ends: the carriage return becomes part of the interpreter's name."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from layerstack.dockerfile import context, copy_sources
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.instruction import Instruction
from layerstack.dockerfile.recipe import parse_dockerfile
from layerstack.dockerfile.variables import Variables
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.files import read_head

MOST_BYTES = 1 << 20
# Linux reads as much of a `#!` line.
HEAD_BYTES = 256
# The machine field of a Linux program (ELF), and the machines that Docker has names for.
ELF_MACHINE = slice(18, 20)
BIG_ENDIAN = 2
MACHINES = {3: "386", 21: "ppc64le", 22: "s390x", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64", 258: "loong64"}
SHELL_ENDS = (".sh", ".bash")
# `exec /entrypoint.sh: no such file or directory`
_NOT_FOUND = re.compile(r"no such file or directory|not found|exec format error", re.IGNORECASE)
# `exec /entrypoint.sh: no such file or directory`
_REFUSED = re.compile(r"exec:? \"?(/[^\s:\"]+)\"?:")
# A build that converts such lines itself needs no advice.
_CONVERTS = re.compile(r"dos2unix|\\r")


def interpreter_of(head: bytes) -> str:
    """The interpreter of a script whose first line ends as on Windows; "" for any other file."""
    first, is_line, _ = head.partition(b"\n")
    if not (is_line and first.startswith(b"#!") and first.endswith(b"\r")):
        return ""
    return first[2:].strip().decode(errors="replace")


def interpreter_in(head: bytes) -> str:
    """The program that the first line of a script names; "" for any other file."""
    words = head.partition(b"\n")[0][2:].decode(errors="replace").split() if head.startswith(b"#!") else []
    return words[0] if words else ""


def machine_of(head: bytes) -> str:
    """The architecture of a program, as images name it; "" for a script or an unknown one."""
    is_elf = head.startswith(b"\x7fELF") and len(head) > ELF_MACHINE.stop
    # Byte 5 of an ELF file is its byte order.
    order: Literal["little", "big"] = "big" if is_elf and head[5] == BIG_ENDIAN else "little"
    return MACHINES.get(int.from_bytes(head[ELF_MACHINE], order), "") if is_elf else ""


def find_refused(client: EngineClient, container: Container, log: Iterable[str]) -> tuple[str, bytes] | None:
    """(path in the container, its first bytes) of the file that it was to run, when it complains that it cannot.

    Raises EngineError.
    """
    said = "\n".join((*log, container.error))
    if not _NOT_FOUND.search(said):
        return None
    data = client.api.inspect_container(container.id)
    folder = data["Config"].get("WorkingDir") or "/"
    words = [data.get("Path") or "", *(data.get("Args") or ())]
    named = [posixpath.normpath(posixpath.join(folder, word)) for word in words if "/" in word]
    # The file in the message goes first: an argument of the program may be a file, too.
    for path in dict.fromkeys([*_REFUSED.findall(said), *named]):
        if head := read_head(client, container.id, path, HEAD_BYTES):
            return path, head
    return None


def find_scripts(root: Path, image: Image, definitions: Iterable[Mapping[str, Any]] = ()) -> Iterator[tuple[str, bool]]:
    """(path from the root, whether a container starts with it) of such scripts that a build copies in.

    `definitions` are services that run the image. Raises UsageError when the Dockerfile or the context is not readable.
    """
    if copy_sources.is_remote(image.context):
        return
    steps = [one for stage in parse_dockerfile(root, image).reachable(image.target) for one in stage.instructions]
    # A step converts the line ends itself.
    if any(_CONVERTS.search("\n".join((one.text, *one.heredocs))) for one in steps if one.keyword == "RUN"):
        return
    sources = [source for one in steps for source in copy_sources.read_sources(one, Variables()) if not source.origin]
    starts = {name for name in (*map(_program, steps), *_programs(definitions)) if name}
    folder = root / image.context
    names = {
        entry.path: posixpath.basename(entry.path)
        for entry in (context.Context(folder, image.dockerfile).walk() if sources else ())
        if entry.is_file and entry.size <= MOST_BYTES
    }
    # Only likely files are opened: a context may have thousands.
    likely = [path for path, name in names.items() if name in starts or name.endswith(SHELL_ENDS)]
    for path in copy_sources.read_by(likely, sources):
        if interpreter_of(_head(folder / path)):
            yield posixpath.normpath(posixpath.join(image.context, path)), names[path] in starts


def _program(instruction: Instruction) -> str:
    """The file that an ENTRYPOINT or CMD runs."""
    words = _first_words(list(instruction.words) if instruction.is_json else instruction.text)
    return words if instruction.keyword in ("ENTRYPOINT", "CMD") else ""


def _programs(definitions: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for definition in definitions:
        yield from (_first_words(definition.get(key)) for key in ("entrypoint", "command"))


def _first_words(written: Sequence[str] | str | None) -> str:
    words = written.split() if isinstance(written, str) else written
    return posixpath.basename(str(words[0])) if words else ""


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""
