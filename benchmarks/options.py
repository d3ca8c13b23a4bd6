"""What a run of the benchmarks was asked for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`run_count` pairs per row, fewer for cold builds; pruning empties the build cache of every project here."""

    run_count: int
    may_prune: bool = False
