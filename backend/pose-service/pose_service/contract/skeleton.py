"""Which keypoints a line joins; a line whose ends a skeleton does not have is left out."""

from __future__ import annotations

LEFT, RIGHT, MIDDLE = "left", "right", "middle"
_CHAINS = (
    ("shoulder", "elbow", "wrist", "index"),
    ("shoulder", "hip", "knee", "ankle"),
    ("ankle", "heel", "foot_index", "ankle"),
    ("heel", "big_toe"),
    ("ankle", "big_toe", "small_toe"),
)


def bones(names: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Pairs of indices into `names` and the side of each: left, right or middle."""
    lines = [("left_shoulder", "right_shoulder", MIDDLE), ("left_hip", "right_hip", MIDDLE)]
    for side in (LEFT, RIGHT):
        lines += [
            (f"{side}_{start}", f"{side}_{end}", side) for chain in _CHAINS for start, end in zip(chain, chain[1:])
        ]
        lines += [("nose", f"{side}_eye", side), (f"{side}_eye", f"{side}_ear", side)]
    return [(names.index(start), names.index(end), side) for start, end, side in lines if {start, end} <= set(names)]
