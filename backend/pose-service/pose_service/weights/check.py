"""Which files are there, and are they what they should be? Weights are pickles: a wrong one may run any program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose_service.contract.engine import EngineUnavailableError
from pose_service.weights.asset import Asset
from pose_service.weights.ledger import Ledger
from pose_service.weights.manifest import assets_for

DEFAULT_FOLDER = "/models"


@dataclass(frozen=True)
class Finding:
    """state: present, missing, too-small or wrong-hash."""

    asset: Asset
    path: Path
    state: str
    detail: str = ""

    @property
    def is_good(self) -> bool:
        """May it be loaded?"""
        return self.state == "present"

    def to_json(self) -> dict[str, Any]:
        """For people and for /health."""
        return {
            "name": self.asset.name,
            "path": str(self.path),
            "needed_for": list(self.asset.uses),
            "state": self.state,
            "detail": self.detail,
            "licence": self.asset.licence,
            "how_to_get": self.asset.how_to_get,
        }


class MissingWeightsError(EngineUnavailableError):
    """Files that an engine needs are missing or wrong; `findings` are those."""

    def __init__(self, use: str, findings: tuple[Finding, ...]) -> None:
        names = ", ".join(f"{one.asset.name} ({one.state})" for one in findings)
        super().__init__(f"{use} lacks {len(findings)} model files: {names}. `invoke weights` tells how to get them")
        self.use = use
        self.findings = findings


def look(folder: Path, assets: tuple[Asset, ...]) -> tuple[Finding, ...]:
    """What can be told without reading the files: missing, too small, or there."""
    return tuple(_look_at(folder, asset) for asset in assets)


def check(folder: Path, assets: tuple[Asset, ...]) -> tuple[Finding, ...]:
    """The same with hashes; a file that was read before and is unchanged is not read again."""
    ledger = Ledger(folder)
    return tuple(_verify(finding, ledger) if finding.is_good else finding for finding in look(folder, assets))


def require(folder: Path, use: str) -> dict[str, Path]:
    """Name → file, all of them verified, for one of USES. Raises MissingWeightsError."""
    findings = check(folder, assets_for(use))
    bad = tuple(finding for finding in findings if not finding.is_good)
    if bad:
        raise MissingWeightsError(use, bad)
    return {finding.asset.name: finding.path for finding in findings}


def _look_at(folder: Path, asset: Asset) -> Finding:
    path = folder / asset.path
    if not path.is_file():
        return Finding(asset, path, "missing")
    size_bytes = path.stat().st_size
    if size_bytes < asset.min_bytes:
        return Finding(asset, path, "too-small", f"{size_bytes} bytes, at least {asset.min_bytes} expected")
    return Finding(asset, path, "present")


def _verify(finding: Finding, ledger: Ledger) -> Finding:
    """A published hash counts; without one, what was fetched or installed must not have changed since."""
    published = None if finding.asset.member else finding.asset.sha256
    wanted = published or ledger.accepted(finding.path)
    if wanted is None:
        detail = "put there by hand: no hash is known, and none was recorded"
        return Finding(finding.asset, finding.path, "present", detail)
    found = ledger.sha256(finding.path)
    if found == wanted:
        return finding
    return Finding(finding.asset, finding.path, "wrong-hash", f"sha256 {found}, not {wanted}")
