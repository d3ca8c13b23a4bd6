"""Amounts, long texts and mistyped names in readable form."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path


def short(text: str, width: int) -> str:
    """One line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def megabytes(size_bytes: float) -> str:
    """`7 kB`, `12 MB`, `3.40 GB`: decimal units, as Docker prints them."""
    if 0 < size_bytes < 1e6:
        return f"{size_bytes / 1e3:.0f} kB"
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def gibibytes(size_bytes: int | None) -> str:
    """`8.0 GiB`: the units in which cards are sold and `8g` is read."""
    return "an unknown size" if size_bytes is None else f"{size_bytes / 2**30:.1f} GiB"


def counted(number: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def path_below(path: Path, root: Path) -> str:
    """The path from the project's root; whole for one outside it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def nearest(name: str, known: Iterable[str], least_likeness: float = 0.6) -> str:
    """The known name of which this may be a typo; "" for none."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=least_likeness)), "")


def near_path(path: Path, is_wanted: Callable[[Path], bool] = Path.is_file, least_likeness: float = 0.6) -> Path | None:
    """What is there instead of a path that may be misspelt in its last part; None for nothing, or a closed folder."""
    try:
        names = [one.name for one in path.parent.iterdir() if is_wanted(one)]
    except OSError:
        return None
    near = nearest(path.name, names, least_likeness)
    return path.with_name(near) if near else None


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """`Did you mean NAME?`, or the other advice where nothing known is alike."""
    near = nearest(name, known)
    return f"Did you mean {near}?" if near else otherwise


def listed(texts: Sequence[str], most: int = 3, separator: str = ", ") -> str:
    """The first few of many, and how many more there are."""
    rest = f" and {len(texts) - most} more" if len(texts) > most else ""
    return separator.join(texts[:most]) + rest
