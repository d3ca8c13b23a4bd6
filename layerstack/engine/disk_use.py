"""Disk use by kind, as the engine's `/system/df` lists it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from layerstack.engine import engine, local

Kind = Literal["build-cache", "container", "image", "volume"]
# Where the list of each kind stands: since API 1.53, and until 1.51. Of both in 1.52, `verbose` leaves the newer one.
_LISTS = {
    "build-cache": ("BuildCacheUsage", "BuildCache"),
    "container": ("ContainerUsage", "Containers"),
    "image": ("ImageUsage", "Images"),
    "volume": ("VolumeUsage", "Volumes"),
}


def read_disk_use(*kinds: Kind) -> dict[Kind, Sequence[dict[str, Any]]]:
    """Kind → its entries. Raises EngineError."""
    address = f"/system/df?{'&'.join(f'type={kind}' for kind in kinds)}&verbose=1"
    (answer,) = local.ask(address) or (None,)
    if answer is None:
        # The SDK reaches engines on other machines, and reports the reason of a refusal.
        answer = engine.client().disk_use(address)
    return {kind: _entries(answer, *_LISTS[kind]) for kind in kinds}


def _entries(answer: Mapping[str, Any], newer: str, older: str) -> Sequence[dict[str, Any]]:
    return (answer.get(newer) or {}).get("Items") or answer.get(older) or ()
