"""Small ELF files in memory: needed libraries, GPU code in the layout that nvcc writes, any further bytes."""

import struct
from collections.abc import Sequence

ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
DYNAMIC = struct.Struct("<QQ")
STRING_TABLE, PROGRAM_DATA, DYNAMIC_TABLE = 3, 1, 6
NEEDED, END = 1, 0


def shared_object(
    needed: Sequence[str] = (), code: Sequence[tuple[str, int]] = (), data: bytes = b"", payload: bytes = b"code" * 16
) -> bytes:
    """An ELF64 file; `code` are pairs such as ("sass", 80), `payload` what each of them holds, `data` plain bytes."""
    strings = b"\0"
    entries = b""
    for name in needed:
        entries += DYNAMIC.pack(NEEDED, len(strings))
        strings += name.encode() + b"\0"
    sections = [
        (".dynstr", STRING_TABLE, strings, 0),
        (".dynamic", DYNAMIC_TABLE, entries + DYNAMIC.pack(END, 0), 1),
        (".rodata", PROGRAM_DATA, data, 0),
    ]
    if code:
        sections.append((".nv_fatbin", PROGRAM_DATA, fat_binary(code, payload), 0))
    return _assemble(sections)


def fat_binary(code: Sequence[tuple[str, int]], payload: bytes) -> bytes:
    """One container for each piece of code, padded to 8 bytes."""
    return b"".join(_container(kind, architecture, payload) for kind, architecture in code)


def cubin(section: str) -> bytes:
    """Machine code as nvcc stores it uncompressed: an ELF file with one section of that name."""
    return _assemble([(section, PROGRAM_DATA, b"\x01\x02\x03\x04", 0)])


def _container(kind: str, architecture: int, payload: bytes) -> bytes:
    header = struct.pack("<HHIQIIII", {"ptx": 1, "sass": 2}[kind], 0x101, 64, len(payload), 0, 0, 0, architecture)
    entry = header.ljust(64, b"\0") + payload
    whole = struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(entry)) + entry
    return whole + b"\0" * (-len(whole) % 8)


def _assemble(sections: Sequence[tuple[str, int, bytes, int]]) -> bytes:
    """`sections`: (name, type, content, number of the string table it refers to)."""
    names = b"\0"
    places = []
    body = b"\0" * ELF_HEADER.size
    for name, _, content, _ in sections:
        body += b"\0" * (-len(body) % 8)
        places.append((len(names), len(body)))
        names += name.encode() + b"\0"
        body += content
    own_name = len(names)
    names += b".shstrtab\0"
    names_at = len(body)
    body += names + b"\0" * (-(len(body) + len(names)) % 8)
    headers = SECTION_HEADER.pack(*(0,) * 10)
    for (_, kind, content, link), (name_at, place) in zip(sections, places, strict=True):
        headers += SECTION_HEADER.pack(
            name_at, kind, 0, 0, place, len(content), link, 0, 8, 16 if kind == DYNAMIC_TABLE else 0
        )
    headers += SECTION_HEADER.pack(own_name, STRING_TABLE, 0, 0, names_at, len(names), 0, 0, 1, 0)
    count = len(sections) + 2
    identity = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head = ELF_HEADER.pack(identity, 3, 62, 1, 0, 0, len(body), 0, ELF_HEADER.size, 0, 0, 64, count, count - 1)
    return head + body[ELF_HEADER.size :] + headers
