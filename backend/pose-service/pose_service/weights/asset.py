"""One file that an engine needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Asset:
    """path: below the model folder. uses: the engines that cannot load without it. min_bytes: smaller is broken.

    url: where we fetch it, None when only its user may. member: its name in the archive that lies at `url`. sha256: of
    the file, or of the archive, where it is known.
    """

    name: str
    path: str
    uses: tuple[str, ...]
    min_bytes: int
    licence: str
    how_to_get: str
    url: Optional[str] = None
    member: str = ""
    sha256: Optional[str] = None
