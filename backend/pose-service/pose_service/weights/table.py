"""The files as a table for people."""

from __future__ import annotations

from collections.abc import Iterable

from pose_service.weights.check import Finding

MARKS = {"present": "✓", "missing": "-", "too-small": "✗", "wrong-hash": "✗"}


def text(findings: Iterable[Finding]) -> str:
    """One line a file, then for each use whether it is complete, then how to get what is missing, each way once."""
    found = list(findings)
    width = max(len(one.asset.name) for one in found)
    lines = [f"{MARKS[one.state]} {one.asset.name:<{width}}  {_state(one):<12} {one.asset.path}" for one in found]
    for use in dict.fromkeys(use for one in found for use in one.asset.uses):
        lacking = [one.asset.name for one in found if use in one.asset.uses and not one.is_good]
        lines.append(f"{use}: {'complete' if not lacking else f'lacks {len(lacking)} files'}")
    for way in dict.fromkeys(one.asset.how_to_get for one in found if not one.is_good):
        names = [one.asset.name for one in found if not one.is_good and one.asset.how_to_get == way]
        lines.append(f"→ {way}\n  for {', '.join(names)}")
    for one in found:
        if one.detail:
            lines.append(f"{one.asset.name}: {one.detail}")
    return "\n".join(lines)


def _state(finding: Finding) -> str:
    return f"{finding.path.stat().st_size / 1e6:,.1f} MB" if finding.is_good else finding.state
