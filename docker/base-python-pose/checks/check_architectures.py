"""Fail unless the extensions of installed packages hold code for every GPU architecture that was asked for.

Usage: check_architectures.py "7.0;8.0;9.0+PTX" PACKAGE ...

nvcc stores its code in the ELF section .nv_fatbin: containers (magic, version, header length, payload length), each
with entries (kind, header length, payload length, architecture). No GPU and no CUDA toolkit is needed to read it.
"""

from __future__ import annotations

import struct
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile

SECTIONS = (".nv_fatbin", "__nv_relfatbin")
MAGIC = 0xBA55ED50
KINDS = {1: "ptx", 2: "sass"}
CONTAINER = struct.Struct("<IHHQ")
ENTRY = struct.Struct("<HHIQ")
ARCHITECTURE_OFFSET = 28
ALIGNMENT = 8

Code = tuple[str, int]


def parse_wanted(text: str) -> set[Code]:
    """TORCH_CUDA_ARCH_LIST syntax ("7.0;9.0+PTX") to {("sass", 70), ("sass", 90), ("ptx", 90)}."""
    wanted: set[Code] = set()
    for item in text.replace(" ", ";").split(";"):
        if not item:
            continue
        number = int(item.replace("+PTX", "").replace(".", ""))
        wanted.add(("sass", number))
        if item.endswith("+PTX"):
            wanted.add(("ptx", number))
    return wanted


def read_architectures(path: str) -> set[Code]:
    """Every (kind, architecture) in an ELF file; empty for a file without GPU code."""
    with Path(path).open("rb") as stream:
        elf = ELFFile(stream)
        sections = [elf.get_section_by_name(name) for name in SECTIONS]
        return {code for section in sections if section for code in walk_containers(section.data())}


def walk_containers(data: bytes) -> Iterator[Code]:
    """Codes of all containers in a section. Raises ValueError when the layout is not the known one."""
    position = 0
    while position + CONTAINER.size <= len(data):
        magic, _version, header_bytes, payload_bytes = CONTAINER.unpack_from(data, position)
        if magic == 0:
            position += ALIGNMENT
            continue
        if magic != MAGIC:
            raise ValueError(f"unknown container {magic:#x} at byte {position}")
        start = position + header_bytes
        yield from walk_entries(data, start, start + payload_bytes)
        position = start + payload_bytes
        position += -position % ALIGNMENT


def walk_entries(data: bytes, position: int, end: int) -> Iterator[Code]:
    """Codes of the entries of one container, between two byte positions."""
    while position + ENTRY.size <= end:
        kind, _version, header_bytes, payload_bytes = ENTRY.unpack_from(data, position)
        if kind not in KINDS:
            raise ValueError(f"unknown entry {kind} at byte {position}")
        (architecture,) = struct.unpack_from("<I", data, position + ARCHITECTURE_OFFSET)
        yield KINDS[kind], architecture
        position += header_bytes + payload_bytes


def main(wanted_text: str, packages: list[str]) -> int:
    """Print what each extension holds; 1 when one lacks an architecture, or a package has no extension."""
    wanted = parse_wanted(wanted_text)
    failed = not (packages and wanted)
    for package in packages:
        paths = sorted((Path(sysconfig.get_path("platlib")) / package).rglob("*.so"))
        if not paths:
            failed = True
            sys.stdout.write(f"{package}: NO EXTENSION\n")
        for path in paths:
            found = read_architectures(str(path))
            missing = wanted - found
            failed = failed or bool(missing)
            sys.stdout.write(f"{path}: {_text(found)}" + (f" MISSING {_text(missing)}\n" if missing else "\n"))
    return int(failed)


def _text(codes: set[Code]) -> str:
    return " ".join(f"{kind}_{architecture}" for kind, architecture in sorted(codes)) or "no GPU code"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
