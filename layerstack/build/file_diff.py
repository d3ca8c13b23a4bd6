"""The differences between the files that a step read before and reads now."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from layerstack.build.record import Cause
from layerstack.dockerfile import ignore_rules
from layerstack.wording import listed


def compare(
    old: Mapping[str, str], new: Mapping[str, str], old_rules: Mapping[str, str], new_rules: Mapping[str, str]
) -> list[Cause]:
    """All changes between two sets of files (`path` or `context:path` → `mode digest`), the plainest first."""
    appeared, vanished = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    let_in, kept_out = _left_out(old_rules, new_rules, appeared), _left_out(new_rules, old_rules, vanished)
    added = [path for path in appeared if path not in let_in]
    removed = [path for path in vanished if path not in kept_out]
    return [
        *_in_place(old, new),
        *_moved([path for path in removed if old[path]], added, old, new),
        *_by_rules(sorted(let_in), sorted(kept_out)),
    ]


def printable(path: str) -> str:
    """A path for a terminal or a log: line breaks and undecodable bytes as escapes."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in path)


def _in_place(old: Mapping[str, str], new: Mapping[str, str]) -> list[Cause]:
    changed = sorted(path for path in old.keys() & new.keys() if old[path] != new[path])
    # An identity is `0644 DIGEST`.
    content = [path for path in changed if old[path][4:] != new[path][4:]]
    mode = [
        f"{printable(path)} {old[path][:4]} → {new[path][:4]}" for path in changed if old[path][:4] != new[path][:4]
    ]
    found = [Cause("file-content", f"{_names(content)} changed")] if content else []
    return found + ([Cause("file-mode", listed(mode))] if mode else [])


def _moved(removed: Sequence[str], added: Sequence[str], old: Mapping[str, str], new: Mapping[str, str]) -> list[Cause]:
    """Added, removed and renamed files; a renamed one has the content of a removed one."""
    # Indexed by identity: a renamed folder may hold thousands of files.
    waiting: dict[str, list[str]] = {}
    for path in added:
        # All folders are equal: any two would count as one that was renamed.
        if not new[path].endswith(" dir"):
            waiting.setdefault(new[path], []).append(path)
    renamed = [(path, waiting[old[path]].pop(0)) for path in removed if waiting.get(old[path])]
    gone, come = {before for before, _ in renamed}, {now for _, now in renamed}
    added, removed = [path for path in added if path not in come], [path for path in removed if path not in gone]
    found = []
    if renamed:
        shown = [f"{printable(before)} renamed to {printable(now)}" for before, now in renamed]
        found.append(Cause("file-added", listed(shown)))
    if added:
        found.append(Cause("file-added", f"{_names(added)} added"))
    if removed:
        found.append(Cause("file-removed", f"{_names(removed)} removed"))
    return found


def _by_rules(let_in: Sequence[str], kept_out: Sequence[str]) -> list[Cause]:
    parts = [f"lets in {_names(let_in)}"] if let_in else []
    parts += [f"keeps out {_names(kept_out)}"] if kept_out else []
    return [Cause("ignore-rules", f".dockerignore now {' and '.join(parts)}")] if parts else []


def _left_out(rules: Mapping[str, str], others: Mapping[str, str], paths: Sequence[str]) -> set[str]:
    """The paths that these rules exclude from their context, when the other rules differ."""
    found: set[str] = set()
    for name in {*rules, *others}:
        # Only rules that changed can have let a file in or kept one out.
        if rules.get(name, "") != others.get(name, ""):
            patterns = ignore_rules.parse_patterns(rules.get(name, ""), Path(".dockerignore"))
            prefix = f"{name}:" if name else ""
            own = (path for path in paths if path.startswith(prefix))
            found |= {path for path in own if ignore_rules.is_left_out(patterns, path.removeprefix(prefix))}
    return found


def _names(paths: Sequence[str]) -> str:
    return listed([printable(path) for path in paths])
