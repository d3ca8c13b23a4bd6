"""The Compose files as written: the places of services, keys and variables, before Compose resolves them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from layerstack.errors import UsageError
from layerstack.project.yaml_documents import read_documents

MERGE_TAG = "tag:yaml.org,2002:merge"
# `$TAG`, `${TAG:-latest}`, `${TAG?set it}`; `$$` is a dollar
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<braced>[A-Za-z_]\w*)(?P<operator>:?[-+?])?|(?P<plain>[A-Za-z_]\w*))")


class ComposeLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads values as Compose does, and what a tag of Compose precedes as if the tag were not there."""

    # YAML 1.1 has more: `2222:22` would be a number of base 60, `no` false, and 2026-13-45 no date at all.
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for _kind, _pattern, _beginnings in (
    ("merge", r"<<", "<"),
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0x[0-9a-fA-F]+|0o?[0-7]+|0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _matcher = re.compile(rf"(?:{_pattern})\Z")
    ComposeLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", _matcher, list(_beginnings))


@dataclass(frozen=True)
class Variable:
    """One use of a variable; `operator` is what follows its name (`:-`, `-`, `:?`, `?`, `:+`, `+`), "" for nothing."""

    name: str
    operator: str
    place: str
    keys: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether Compose has no replacement when it is unset."""
        return self.operator == ""

    @property
    def is_demanded(self) -> bool:
        """Whether Compose fails when it is unset."""
        return self.operator in ("?", ":?")


@dataclass(frozen=True)
class Declaration:
    """Something that a file declares: its place, and all that is written there, variables not filled in."""

    place: str
    text: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables in it, outermost first."""
        return tuple(name for _, name, _ in variables_in(self.text))

    @property
    def bare_variables(self) -> tuple[str, ...]:
        """Those without a default or another rule for being unset."""
        return tuple(name for _, name, operator in variables_in(self.text) if not operator)


@dataclass(frozen=True)
class ComposeSource:
    """The YAML documents of each file, in the order in which Compose merges them."""

    files: tuple[tuple[str, yaml.Node], ...]

    def place(self, *keys: str | int) -> str:
        """`FILE:LINE` of a key, or of the nearest existing part of its path; the last file counts."""
        best, depth = (f"{self.files[-1][0]}:1" if self.files else ""), 0
        for name, root in self.files:
            found = _descend(root, keys)
            # `>=`, because a later file overrides the earlier ones.
            if len(found) >= max(depth, 1):
                best, depth = f"{name}:{found[-1][0]}", len(found)
        return best

    def find(self, *keys: str | int) -> Declaration | None:
        """What is written under a path; the last file counts."""
        for name, node in reversed(self._nodes(keys)):
            text = " ".join(one.value for _, one in _scalars(node, (), set()))
            return Declaration(f"{name}:{node.start_mark.line + 1}", text)
        return None

    def entries(self, *keys: str | int) -> Iterator[tuple[Any, str]]:
        """Every item of the list under a path, with its place; files one after the other."""
        for name, node in self._nodes(keys):
            for item in node.value if isinstance(node, yaml.SequenceNode) else ():
                yield _plain(item), f"{name}:{item.start_mark.line + 1}"

    def value(self, *keys: str | int) -> Any:
        """The plain data under a path, None for none; the last file counts."""
        found = self._nodes(keys)
        return _plain(found[-1][1]) if found else None

    def services(self) -> tuple[str, ...]:
        """Names of all services, including those in profiles."""
        return tuple(dict.fromkeys(name for _, node in self._nodes(("services",)) for name in _keys_of(node)))

    def texts(self, *keys: str | int) -> Iterator[tuple[str, str]]:
        """Every value below a path as written, with its place."""
        for name, below in self._nodes(keys):
            for _, node in _scalars(below, (), set()):
                yield node.value, f"{name}:{node.start_mark.line + 1}"

    def words(self, *keys: str | int) -> Iterator[tuple[str, str]]:
        """As `texts`, and the keys that stand below the path as well."""
        for name, below in self._nodes(keys):
            for inner, node in _scalars(below, (), set()):
                yield " ".join((*inner, node.value)), f"{name}:{node.start_mark.line + 1}"

    def _nodes(self, keys: Sequence[str | int]) -> list[tuple[str, yaml.Node]]:
        """(file, node) of a path in every file that counts."""
        found: list[tuple[str, yaml.Node]] = []
        for name, root in self.files:
            if node := _find(root, keys):
                # These tags take the place of what earlier files say.
                found = [] if node.tag in ("!reset", "!override") else found
                found += [(name, node)] if node.tag != "!reset" else []
        return found

    def variables(self) -> Iterator[Variable]:
        """Every variable that Compose expands."""
        for name, root in self.files:
            for keys, node in _scalars(root, (), set()):
                for start, variable, operator in variables_in(node.value):
                    line = node.start_mark.line + 1 + node.value[:start].count("\n")
                    yield Variable(variable, operator, f"{name}:{line}", keys)


def variables_in(text: str) -> Iterator[tuple[int, str, str]]:
    """(where it begins, name, operator) of every variable in a text, outermost first."""
    for match in _VARIABLE.finditer(text):
        if name := match["braced"] or match["plain"]:
            yield match.start(), name, match["operator"] or ""


def read_source(root: Path, files: Sequence[Path]) -> ComposeSource:
    """The Compose files with places. Raises UsageError with file and line for invalid YAML."""
    found: list[tuple[str, yaml.Node]] = []
    for path in files:
        name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
        try:
            found += [(name, node) for node in read_documents(path.read_text(encoding="utf-8"), ComposeLoader)]
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            msg = f"{name}:{line}: this is not YAML: {error.problem or error.context}"
            raise UsageError(msg, f"Look at line {line} of {name} and the one above it.") from error
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise UsageError(f"{name} cannot be read: {error}", f"Correct {name}.") from error
    return ComposeSource(tuple(found))


def _descend(node: yaml.Node, keys: Sequence[str | int]) -> list[tuple[int, yaml.Node]]:
    """(line, node) of each part of the path that there is."""
    found: list[tuple[int, yaml.Node]] = []
    for key in keys:
        below = _child(node, key)
        if below is None:
            break
        found.append(below)
        node = below[1]
    return found


def _find(root: yaml.Node, keys: Sequence[str | int]) -> yaml.Node | None:
    """The node of a whole path."""
    found = [root, *(node for _, node in _descend(root, keys))]
    return found[-1] if len(found) == len(keys) + 1 else None


def _child(node: yaml.Node, key: str | int) -> tuple[int, yaml.Node] | None:
    """(line, node) below a node; its own keys override those of a merge key."""
    if isinstance(node, yaml.SequenceNode):
        # The short form of `environment:` and the like is a list of NAME=value.
        items = [one for at, one in enumerate(node.value) if key in (at, _name(one))]
        return (items[0].start_mark.line + 1, items[0]) if items else None
    if not isinstance(node, yaml.MappingNode):
        return None
    for name, value in node.value:
        if name.value == key:
            return name.start_mark.line + 1, value
    return next((found for part in _merged(node) if (found := _child(part, key))), None)


def _keys_of(node: yaml.Node) -> Iterator[str]:
    """The keys of a mapping, with those that merge keys bring."""
    if isinstance(node, yaml.MappingNode):
        yield from (str(name.value) for name, _ in node.value if name.tag != MERGE_TAG)
        for part in _merged(node):
            yield from _keys_of(part)


def _merged(node: yaml.MappingNode) -> Iterator[yaml.Node]:
    for name, value in node.value:
        if name.tag == MERGE_TAG:
            yield from value.value if isinstance(value, yaml.SequenceNode) else [value]


def _name(node: yaml.Node) -> str:
    return str(node.value).partition("=")[0] if isinstance(node, yaml.ScalarNode) else ""


def _scalars(
    node: yaml.Node, keys: tuple[str, ...], seen: set[int]
) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    """Every value with its keys; values that an alias repeats come once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield keys, node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item, keys, seen)
    elif isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _scalars(value, (*keys, str(name.value)), seen)


def _untagged(loader: ComposeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


ComposeLoader.add_multi_constructor("!", _untagged)
# As a value `<<` is a text; as a key it is looked for before.
ComposeLoader.add_constructor(MERGE_TAG, lambda _, node: node.value)


def _plain(node: yaml.Node) -> Any:
    loader = ComposeLoader("")
    try:
        return loader.construct_document(node)
    except yaml.YAMLError:
        return None
    finally:
        loader.dispose()
