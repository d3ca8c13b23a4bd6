"""The part of a service that a build needs; the rest may hold passwords and is read from Compose on demand."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

# What planning and building read. Nothing here holds a password unless its key does.
KEPT_KEYS = (
    *("image", "ports", "deploy", "gpus", "runtime", "devices", "depends_on", "restart", "scale"),
    *("platform", "profiles", "container_name", "hostname", "networks"),
)


class KeptDefinition(Mapping[str, Any]):
    """All keys of a service, the values of KEPT_KEYS; reading another value calls `read_all` once."""

    def __init__(self, kept: Mapping[str, Any], keys: tuple[str, ...], read_all: Callable[[], Mapping[str, Any]]):
        self._kept = kept
        self._keys = keys
        self._read_all = read_all

    def __getitem__(self, key: str) -> Any:
        if key in self._kept:
            return self._kept[key]
        if key not in self._keys:
            raise KeyError(key)
        return self._read_all()[key]

    def read_rest(self) -> None:
        """Ask now for what is not kept. Raises UsageError."""
        self._read_all()

    # Mapping's own method would read the value, and so ask Compose.
    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def kept_part(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a definition that may be stored."""
    kept = {key: value for key, value in definition.items() if key in KEPT_KEYS}
    return {"keys": list(definition), "kept": kept}
