"""Messages of Compose and bake that name neither line nor repair: names, files and files in files."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from layerstack.errors import UsageError
from layerstack.project.compose_source import ComposeSource, read_source
from layerstack.wording import did_you_mean, nearest, path_below

# (place, advice); "" where the message says all that is known.
Reading = tuple[str, str]


def read_refusal(said: str, source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading | None:
    """None for a message of another kind."""
    for pattern, read in _KINDS:
        if match := re.search(pattern, said, re.MULTILINE):
            return read(match, source, root, files)
    return None


def _no_name(_: re.Match[str], source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading:
    advice = "Name the project: `name:` at the top of the Compose file, or COMPOSE_PROJECT_NAME in .env."
    return f"the folder {root.name} gives it no name", advice


def _bad_name(match: re.Match[str], source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading:
    written = match["name"]
    # Compose allows lower-case letters, digits, hyphens and underscores, beginning with a letter or a digit.
    valid = re.sub(r"[^a-z0-9_-]+", "-", written.lower()).strip("-_")
    place = source.place("name") if source.value("name") else "COMPOSE_PROJECT_NAME in .env"
    if os.environ.get("COMPOSE_PROJECT_NAME") == written:
        place = "COMPOSE_PROJECT_NAME in the environment"
    return place, f"Write `{valid}` there." if valid else f"Correct {place}."


def _nothing_to_run(match: re.Match[str], source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading:
    return source.place("services", match["service"]), f"Give {match['service']} an `image:` or a `build:`."


def _twice(match: re.Match[str], source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading:
    advice = f"Keep one `{match['key']}:`, of line {match['first']} or of line {match['line']}."
    return f"{path_below(Path(match['path']), root)}:{match['line']}", advice


def _no_file(match: re.Match[str], source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading:
    """A file of `include:` or `extends:` that is not there."""
    path = Path(match["path"])
    shown = path_below(path, root)
    texts = ((text, place) for text, place in source.texts() if Path(text).name == path.name)
    place = next((place for _, place in texts), "")
    names = [one.name for one in path.parent.iterdir() if one.is_file()] if path.parent.is_dir() else []
    near = nearest(path.name, names)
    advice = (
        f"Did you mean {path_below(path.with_name(near), root)}?" if near else f"There is no {shown}: correct the path."
    )
    return place or f"{shown} does not exist", advice


def _no_service(match: re.Match[str], source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading:
    """The service of an `extends:` that its file does not have."""
    own, extended = Path(match["own"]), Path(match["file"])
    known: Iterable[str] = ()
    place = f"{path_below(own, root)}:1"
    try:
        place = read_source(root, [own]).place("services", match["service"], "extends", "service")
        known = read_source(root, [own.parent / extended]).services()
    # One of the two files cannot be read: then no similar name is known.
    except UsageError:
        pass
    return place, did_you_mean(match["name"], known, f"There is no service {match['name']} in {extended}.")


def _circle(_: re.Match[str], source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading:
    return source.place("include"), "Take one of these out of `include:`."


def _empty(_: re.Match[str], source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading:
    empty = next((one for one in files if one.is_file() and not one.read_bytes().strip()), None)
    return f"{path_below(empty, root)}:1" if empty else "", "Begin it with `services:`."


def _in_bake_file(match: re.Match[str], source: ComposeSource, root: Path, files: Sequence[Path]) -> Reading:
    return match["place"], ""


_Read = Callable[[re.Match[str], ComposeSource, Path, Sequence[Path]], Reading]
# Seen with Compose 2.40 and Buildx 0.29.
_KINDS: tuple[tuple[str, _Read], ...] = (
    (r"project name must not be empty", _no_name),
    (r'invalid project name "(?P<name>[^"]*)"', _bad_name),
    (r'service "(?P<service>[^"]+)" has neither an image nor a build context', _nothing_to_run),
    (
        r"failed to parse (?P<path>.+?): line (?P<line>\d+): "
        r'mapping key "(?P<key>.+)" already defined at line (?P<first>\d+)',
        _twice,
    ),
    (
        r'cannot extend service "(?P<service>[^"]+)" in (?P<own>.+?): '
        r'service "(?P<name>[^"]+)" not found in (?P<file>.+)$',
        _no_service,
    ),
    (r"^(?:\S+: )?open (?P<path>/[^\n:]+): no such file or directory", _no_file),
    (r"include cycle detected", _circle),
    (r"empty compose file", _empty),
    (r"^(?P<place>\S+\.(?:hcl|json):\d+)$", _in_bake_file),
)
