"""Project name and ports of a linked worktree, so that its stack runs beside those of other worktrees."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from layerstack import private_file
from layerstack.engine import engine, ports
from layerstack.engine.container import FOLDER_LABEL, read_all
from layerstack.errors import StackError, StartFailed
from layerstack.owner import own_mark
from layerstack.project import choices
from layerstack.project.compose_files import choose_files
from layerstack.project.compose_source import ComposeSource, read_source
from layerstack.project.env_file import expand, read_env_file
from layerstack.project.fixed_lines import fixed_lines, read_ports
from layerstack.project.project import BAKE_NAMES, Port, find_reached_files
from layerstack.project.worktree import Worktree, find_worktree
from layerstack.report import Say
from layerstack.state_folder import shared_folder
from layerstack.wait import wait_until

NAME = "COMPOSE_PROJECT_NAME"
# Steps of a hundred keep the numbers recognisable: 3001 becomes 3101.
STEP, MOST_STEPS = 100, 300
LOCK_SECONDS = 60.0
LONGEST_LABEL = 30


@dataclass(frozen=True)
class Claims:
    """Names and ports of the other worktrees, each with its folder."""

    names: Mapping[str, Path]
    ports: Mapping[int, Path]


def settle_worktree(root: Path, device: str, say: Say) -> None:
    """Give a linked worktree a unique name and ports, once; does nothing elsewhere.

    They are written into `.env`. Values of the environment or of the user stay, unless another worktree has the same.
    Raises StartFailed when no ports are free.
    """
    worktree = find_worktree(root)
    if worktree is None:
        return
    source = read_source(root, find_reached_files(root, "gpu" if device == "gpu" else "cpu").sources)
    with _one_at_a_time():
        claims = _read_claims(worktree, root, source)
        freed = _free_copied(root, source, claims, worktree)
        if freed:
            say(f".env: {', '.join(freed)} as in another worktree: now comments")
        wanted = {**_choose_name(root, source, claims, worktree), **_choose_ports(root, source, claims, worktree)}
        _remember(root, wanted)
    variables = _variables(root)
    name = _name_in(root, source, variables)
    numbers = ", ".join(f"{one.variable or one.service} {one.number}" for one in read_ports(source, variables))
    say(f"worktree {worktree.label}: project {name}" + (f", ports {numbers}" if numbers else ""))
    for line in fixed_lines(source, variables):
        say(f"  the same in every worktree: {line}")


def _remember(root: Path, wanted: Mapping[str, str]) -> None:
    texts = ((root / name).read_text(errors="replace") for name in BAKE_NAMES if (root / name).is_file())
    is_bakes = any(NAME in text for text in texts)
    # Ports mean nothing to bake, and the name only where one of its files uses it.
    choices.remember(root, {name: value for name, value in wanted.items() if name != NAME}, reaches_bake=False)
    if NAME in wanted:
        choices.remember(root, {NAME: wanted[NAME]}, reaches_bake=is_bakes)


def _read_claims(worktree: Worktree, root: Path, source: ComposeSource) -> Claims:
    # From the `.env` of each folder: the environment of this process does not apply to them.
    names: dict[str, Path] = {}
    numbers: dict[int, Path] = {}
    for folder in worktree.projects:
        if folder != root.resolve():
            variables = _written_in(folder)
            names.setdefault(_name_in(folder, source, variables), folder)
            for port in read_ports(source, variables):
                numbers.setdefault(port.number, folder)
    return Claims(names, numbers)


def _free_copied(root: Path, source: ComposeSource, claims: Claims, worktree: Worktree) -> list[str]:
    """Comment out lines copied from another worktree or the example, which would collide."""
    own = choices.own_values(root)
    variables = {port.variable for port in read_ports(source, _defaults(root, worktree, {})) if port.variable}
    copied = [name for name in sorted(variables) if own.get(name, "").isdigit() and int(own[name]) in claims.ports]
    copied += [NAME] if own.get(NAME) in claims.names else []
    choices.comment_out(root, copied)
    return copied


def _choose_name(root: Path, source: ComposeSource, claims: Claims, worktree: Worktree) -> dict[str, str]:
    if NAME in os.environ or NAME in choices.own_values(root):
        return {}
    given = choices.read(root).get(NAME)
    default = _name_in(root, source, {})
    if given and given != default and _is_free_name(root, given, claims):
        return {}
    # Without `name:` in its file Compose names the project after the folder, and that may already be unique.
    if _is_free_name(root, default, claims):
        return {NAME: default} if given else {}
    stem = next((name for name, folder in claims.names.items() if folder == worktree.main), default)
    wished = f"{stem}-{_slug(worktree.label[-LONGEST_LABEL:])}".strip("-_")
    numbered = (wished if number == 1 else f"{wished}-{number}" for number in range(1, 1000))
    return {NAME: next(name for name in numbered if _is_free_name(root, name, claims))}


def _is_free_name(root: Path, name: str, claims: Claims) -> bool:
    if name in claims.names:
        return False
    found = (one for containers in read_all(engine.client(), name).values() for one in containers)
    folders = {folder for one in found if (folder := (one.labels or {}).get(FOLDER_LABEL))}
    return folders <= {str(root), str(root.resolve())}


def _choose_ports(root: Path, source: ComposeSource, claims: Claims, worktree: Worktree) -> dict[str, str]:
    """Variable → number for the ports to change; {} when the current ones are free."""
    # What a user or the shell sets would override our choice.
    own = {**choices.own_values(root), **os.environ}
    block = choices.chosen(root)
    name = _name_in(root, source, _variables(root))
    before = {port.variable: port.number for port in read_ports(source, _defaults(root, worktree, block))}
    movable = {variable: number for variable, number in before.items() if variable and variable not in own}
    if not movable:
        return {}
    now = {variable: int(block[variable]) for variable in movable if block.get(variable, "").isdigit()}
    if now.keys() == movable.keys() and _are_free(now.values(), claims, name):
        return {}
    for step in range(1, MOST_STEPS):
        # All ports move by the same distance, so that they stay recognisable together.
        wished = {variable: number + step * STEP for variable, number in movable.items()}
        if max(wished.values()) < 2**16 and _are_free(wished.values(), claims, name):
            return {variable: str(number) for variable, number in wished.items()}
    numbers = ", ".join(map(str, movable.values()))
    raise StartFailed(f"No free ports beside {numbers} for this worktree.", "Choose some in .env; `invoke stacks`.")


def _are_free(numbers: Iterable[int], claims: Claims, name: str) -> bool:
    """Claimed by no other worktree, and free or held by this stack itself."""
    wanted = list(numbers)
    if len(set(wanted)) < len(wanted) or claims.ports.keys() & set(wanted):
        return False
    client = engine.client()
    holders = (ports.find_holder(client, Port("", number, number)) for number in wanted)
    return all(holder is None or holder.project == name for holder in holders)


def _name_in(folder: Path, source: ComposeSource, variables: Mapping[str, str]) -> str:
    """The project name as Compose derives it: variable, `name:` of the file, folder."""
    written = expand(str(source.value("name") or ""), variables)
    # What compose-go makes of a folder's name (NormalizeProjectName).
    return variables.get(NAME) or written or re.sub(r"[^a-z0-9_-]", "", folder.resolve().name.lower()).lstrip("_-")


def _variables(root: Path) -> dict[str, str]:
    return choose_files(root).variables()


def _defaults(root: Path, worktree: Worktree, block: Mapping[str, str]) -> dict[str, str]:
    """The values without our own choices; the main worktree provides numbers that have no default."""
    example = read_env_file(root / choices.ENV_EXAMPLE).resolved({})
    found = example | (_written_in(worktree.main) if worktree.main else {})
    return found | {name: value for name, value in _variables(root).items() if block.get(name) != value}


def _written_in(folder: Path) -> dict[str, str]:
    """The values in another folder's `.env`, or in the example that it will be copied from."""
    path = folder / choices.ENV_FILE
    return read_env_file(path if path.is_file() else folder / choices.ENV_EXAMPLE).resolved({})


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    # Two simultaneous setups would choose the same. Without a writable state folder there is no lock.
    path = shared_folder() / "worktrees.lock"
    try:
        lock = wait_until(lambda: private_file.take_lock(path, own_mark().encode()), LOCK_SECONDS, 0.1)
    except OSError:
        yield
        return
    if lock is None:
        raise StackError("Another setup has been choosing names and ports for a minute.", "Wait for it, or end it.")
    with lock:
        yield
