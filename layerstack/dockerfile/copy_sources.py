"""What one Dockerfile instruction reads: paths of a build context, of another stage or of another image."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerstack.dockerfile import ignore_rules
from layerstack.dockerfile.ignore_rules import Pattern, is_valid
from layerstack.dockerfile.instruction import Instruction
from layerstack.dockerfile.variables import Variables

EVERYTHING = "."
# `https://example.com/x.tar.gz`, `git@github.com:owner/name.git`
_REMOTE = re.compile(r"^(https?|ftp|git|ssh)://|^git@|^oci-layout://")
# A whole commit after `#`, or a digest at the end: what such an address leads to cannot change.
_PINNED = re.compile(r"#[0-9a-f]{40}\b|@sha256:[0-9a-f]{64}$")
# `<<EOF`
_HEREDOC = re.compile(r"^\d*<<")
# `https://user:token@example.com/x`
_LOGIN = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True)
class Source:
    """`origin` is a context, a stage or an image, "" for the build context; `pattern` a path in it, "." for everything.

    `excludes` and `only` are the patterns of `--exclude` and `--parents`, relative to what `pattern` names.
    `is_mounted` says that a RUN reads it and no layer holds it.
    """

    origin: str
    pattern: str
    excludes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    is_mounted: bool = False


def read_sources(instruction: Instruction, values: Variables) -> Iterator[Source]:
    """Every source of an instruction; a pattern that cannot be known here becomes everything."""
    if instruction.keyword == "RUN":
        yield from _mounts(instruction, values)
    elif instruction.keyword in ("COPY", "ADD"):
        # BuildKit refuses the whole build over another one.
        excludes = tuple(filter(is_valid, instruction.flag_values("exclude")))
        has_parents = instruction.flag("parents").lower() == "true"
        for operand in _operands(instruction):
            pattern = _pattern(operand, values)
            # What is downloaded is no file of a context: `downloads` gives the address.
            if is_remote(pattern):
                continue
            only: tuple[str, ...] = ()
            if has_parents and pattern != EVERYTHING:
                # With `--parents` the folders of a path are kept, from a `/./` on where there is one.
                before, pivot, after = pattern.partition("/./")
                pattern, only = (before or EVERYTHING, (_clean(after),)) if pivot else (EVERYTHING, (_clean(pattern),))
            yield Source(instruction.flag("from"), pattern, excludes, only)


def downloads(instruction: Instruction, values: Variables) -> Iterator[str]:
    """Addresses that ADD reads from and whose content may change without a word in the Dockerfile."""
    if instruction.keyword == "ADD" and not instruction.flag("checksum"):
        # With an unknown variable as it is written: it is certain that something is downloaded.
        filled = (_filled(operand, values) or operand for operand in _operands(instruction))
        yield from (without_login(one) for one in filled if is_remote(one) and not is_pinned(one))


def without_login(address: str) -> str:
    """An address as it may be shown."""
    return _LOGIN.sub("", address)


def is_remote(text: str) -> bool:
    return _REMOTE.match(text) is not None


def is_pinned(address: str) -> bool:
    """Whether an address names one commit or one digest."""
    return _PINNED.search(address) is not None


def follow_links(pattern: str, links: Mapping[str, str]) -> tuple[str, ...]:
    """The pattern and where it leads when its parts are links (path → target), as BuildKit follows them."""
    found: dict[str, None] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(_clean(pattern) or EVERYTHING, frozenset())]
    while waiting:
        wanted, followed = waiting.pop(0)
        if wanted in found:
            continue
        found[wanted] = None
        for path, rest in _links_in(wanted, links):
            if path not in followed:  # a circle of links leads nowhere
                # The root of an absolute link is the context.
                beside = "" if links[path].startswith("/") else path.rpartition("/")[0]
                waiting.append((_clean("/".join((beside, links[path], rest))) or EVERYTHING, followed | {path}))
    return tuple(found)


def covered(paths: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """Those of the paths that a pattern names or that lie below one."""
    expressions = [ignore_rules.covering(pattern) for pattern in dict.fromkeys(patterns)]
    if len(expressions) > 1:
        return [path for path in paths if any(one.match(path) for one in expressions)]
    return [path for path in paths if expressions[0].match(path)] if expressions else []


def read_by(paths: Iterable[str], sources: Iterable[Source]) -> list[str]:
    """Those of the paths that one of the sources brings, `--exclude` and `--parents` included."""
    sources = list(dict.fromkeys(sources))
    whole = list(dict.fromkeys(one.pattern for one in sources if not one.excludes and not one.only))
    partial = [one for one in sources if one.excludes or one.only]
    if not partial:
        return covered(paths, whole)
    paths = list(paths)
    wanted = set(covered(paths, whole)).union(*(_filtered(paths, one) for one in partial))
    return [path for path in paths if path in wanted]


def excluding(path: str, source: Source) -> str:
    """The `--exclude` that leaves out a path which the source names otherwise; empty when none does."""
    if not source.excludes or not covered([path], [source.pattern]) or path in _filtered([path], source):
        return ""
    return next((one for one in source.excludes if _is_matched(_patterns((one,)), path, source.pattern)), "")


def _filtered(paths: Sequence[str], source: Source) -> set[str]:
    named = covered(paths, [source.pattern])
    excludes, only = _patterns(source.excludes), _patterns(source.only)
    kept = {path for path in named if not excludes or not _is_matched(excludes, path, source.pattern)}
    if only:
        kept = {path for path in kept if _is_matched(only, path, source.pattern)}
        # Folders above what is kept come along with their modes.
        kept |= {path for path in named if any(other.startswith(path + "/") for other in kept)}
    return kept


def _patterns(texts: Iterable[str]) -> list[Pattern]:
    return [ignore_rules.parse_pattern(text) for text in texts]


def _is_matched(patterns: Sequence[Pattern], path: str, root: str) -> bool:
    """Whether patterns match a path or a folder above it, counted from the parts that the source names."""
    parts = path.split("/")
    depth = _depth(parts, root)
    # BuildKit compares what a wildcard names itself as the empty path: `--exclude=*.md` does not exclude the files that
    # `COPY *.md` names, only what lies below them.
    is_matched, matches = ignore_rules.match(patterns, "", ())
    for count in range(depth + 1, len(parts) + 1):
        is_matched, matches = ignore_rules.match(patterns, "/".join(parts[depth:count]), matches)
    return is_matched


def _depth(parts: Sequence[str], root: str) -> int:
    """How many parts of a path the source names itself."""
    wanted = _clean(root)
    if not wanted:
        return 0
    expression = ignore_rules.wildcard(wanted)
    return next((n for n in range(1, len(parts) + 1) if expression.match("/".join(parts[:n]))), len(parts))


def _links_in(wanted: str, links: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(link, what follows it) for every part of a path that is a link."""
    parts = wanted.split("/")
    for depth in range(1, len(parts) + 1):
        start, rest = "/".join(parts[:depth]), "/".join(parts[depth:])
        if not ignore_rules.is_wildcard(start):
            if start in links:
                yield start, rest
            continue
        expression = ignore_rules.wildcard(start)
        yield from ((path, rest) for path in links if path.count("/") + 1 == depth and expression.match(path))


def _mounts(instruction: Instruction, values: Variables) -> Iterator[Source]:
    for options in instruction.mounts:
        kind = (_filled(options.get("type", "bind"), values) or "bind").lower()
        # Without `from=` a cache mount begins empty, and tmpfs and secrets have no files of a context.
        if kind == "bind" or (kind == "cache" and "from" in options):
            path = options.get("source") or options.get("src") or EVERYTHING
            yield Source(options.get("from", ""), _pattern(path, values), is_mounted=True)


def _pattern(operand: str, values: Variables) -> str:
    return _filled(operand, values) or EVERYTHING


def _filled(word: str, values: Variables) -> str | None:
    try:
        return values.fill(word)
    except ValueError:
        return None


def _operands(instruction: Instruction) -> list[str]:
    """The sources of a COPY or ADD, without heredocs."""
    words = instruction.words[:-1]
    # In the JSON form no word is a heredoc.
    return [word for word in words if instruction.is_json or not _HEREDOC.match(word)]


def _clean(path: str) -> str:
    return os.path.normpath(f"/{path}").lstrip("/")
