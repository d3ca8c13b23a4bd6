"""What a run of the benchmarks was asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`run_count` pairs per row, fewer for cold builds; pruning empties the build cache of every project here.

    photos: a folder of labelled photos, for the row that needs one.
    """

    run_count: int
    may_prune: bool = False
    photos: Path | None = None
