"""Reads an ELF file without loading it: the libraries that it needs, and its GPU code."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal

MAGIC = b"\x7fELF"
# nvcc keeps GPU code in these sections: containers (magic, version, header length, payload length), each with entries
# (kind, version, header length, payload length, …, architecture at byte 28), padded to 8 bytes.
FATBIN_SECTIONS = (".nv_fatbin", "__nv_relfatbin")
FATBIN_MAGIC = 0xBA55ED50
CONTAINER = struct.Struct("<IHHQ")
ENTRY = struct.Struct("<HHIQ")
ARCHITECTURE = struct.Struct("<I")
ARCHITECTURE_OFFSET = 28
ALIGNMENT = 8
KINDS: dict[int, Literal["ptx", "sass"]] = {1: "ptx", 2: "sass"}
MARK_CHUNK_BYTES = 1 << 20
# Code without functions is small: larger code is not examined.
MOST_EMPTY_BYTES = 4096


@dataclass(frozen=True, order=True)
class GpuCode:
    """Machine code (`sass`) or portable code (`ptx`) for one compute capability; 8.6 is 86."""

    architecture: int
    kind: Literal["ptx", "sass"]

    @property
    def text(self) -> str:
        return f"{'compute' if self.kind == 'ptx' else 'sm'}_{self.architecture}"

    def runs_on(self, card: int) -> bool:
        """Machine code runs on the same major version from its own minor on; PTX is compiled for any newer card."""
        if self.kind == "ptx":
            return self.architecture <= card
        return self.architecture // 10 == card // 10 and self.architecture <= card


@dataclass(frozen=True)
class ElfFacts:
    """`needed` are sonames; `code` is empty without GPU code; `problem` says why the file could not be read."""

    needed: tuple[str, ...] = ()
    code: frozenset[GpuCode] = frozenset()
    problem: str = ""


def is_elf(stream: IO[bytes]) -> bool:
    """Whether the stream starts with the ELF magic number; rewinds it."""
    head = stream.read(len(MAGIC))
    stream.seek(0)
    return head == MAGIC


def read_elf(stream: IO[bytes]) -> ElfFacts:
    """Read a seekable ELF file; a damaged one is described in `problem` instead of raising."""
    # Imported here, as only images with shared objects need it.
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        elf = ELFFile(stream)
        sections = [section for section in elf.iter_sections() if section.name in FATBIN_SECTIONS]
        code = frozenset(one for section in sections for one in _containers(stream, section))
        return ElfFacts(tuple(_needed(elf)), code)
    except (ELFError, ValueError, OSError, struct.error, UnicodeDecodeError) as error:
        return ElfFacts(problem=str(error) or type(error).__name__)


def holds(stream: IO[bytes], *marks: bytes) -> set[bytes]:
    """The marks that occur anywhere in the stream."""
    found: set[bytes] = set()
    longest = max(map(len, marks))
    tail = b""
    stream.seek(0)
    while len(found) < len(marks) and (chunk := stream.read(MARK_CHUNK_BYTES)):
        # A mark may begin in one chunk and end in the next.
        window = tail + chunk
        found |= {mark for mark in marks if mark in window}
        tail = window[-longest:]
    return found


def _needed(elf: Any) -> Iterator[str]:
    dynamic = elf.get_section_by_name(".dynamic")
    if dynamic is None:
        return
    for tag in dynamic.iter_tags("DT_NEEDED"):
        yield str(tag.needed)


def _containers(stream: IO[bytes], section: Any) -> Iterator[GpuCode]:
    position, end = int(section["sh_offset"]), int(section["sh_offset"] + section["sh_size"])
    while position + CONTAINER.size <= end:
        stream.seek(position)
        magic, _, header_bytes, payload_bytes = CONTAINER.unpack(stream.read(CONTAINER.size))
        if magic == 0:
            position += ALIGNMENT
            continue
        if magic != FATBIN_MAGIC or header_bytes < CONTAINER.size:
            raise ValueError(f"unknown container {magic:#x} of GPU code")
        start = position + header_bytes
        yield from _entries(stream, start, min(start + payload_bytes, end))
        position = start + payload_bytes
        position += -position % ALIGNMENT


def _entries(stream: IO[bytes], position: int, end: int) -> Iterator[GpuCode]:
    while position + ARCHITECTURE_OFFSET + ARCHITECTURE.size <= end:
        stream.seek(position)
        head = stream.read(ARCHITECTURE_OFFSET + ARCHITECTURE.size)
        kind, _, header_bytes, payload_bytes = ENTRY.unpack_from(head)
        if kind not in KINDS or header_bytes < ENTRY.size:
            raise ValueError(f"unknown entry {kind} of GPU code")
        if payload_bytes > MOST_EMPTY_BYTES or not _is_empty(stream, position + header_bytes, payload_bytes):
            yield GpuCode(ARCHITECTURE.unpack_from(head, ARCHITECTURE_OFFSET)[0], KINDS[kind])
        position += header_bytes + payload_bytes


def _is_empty(stream: IO[bytes], position: int, length: int) -> bool:
    # Machine code is an ELF file of its own: without a text section it has no function, as in NVIDIA's libcufftw.
    from elftools.elf.elffile import ELFFile

    stream.seek(position)
    payload = stream.read(length)
    if not payload.startswith(MAGIC):
        return False
    return not any(section.name.startswith(".text") for section in ELFFile(io.BytesIO(payload)).iter_sections())
