"""Where to change something: the line of a Compose file that declares it, or the variable in .env behind it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from layerstack.project.compose_source import child
from layerstack.project.project import Port, Project, Service

# `${PORT:-80}`
VARIABLE = re.compile(r"\$\{?(\w+)(:?[-?+])?")


@dataclass(frozen=True)
class Declaration:
    """One value as it is written: `text` with its variables not filled in."""

    path: Path
    line: int
    text: str
    root: Path

    @property
    def place(self) -> str:
        """`docker-compose.yml:73`, relative to the project's folder if inside."""
        shown = self.path.relative_to(self.root) if self.path.is_relative_to(self.root) else self.path.name
        return f"{shown}:{self.line}"

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables in it, outermost first."""
        # `$$` is a dollar sign and begins no variable.
        return tuple(match[1] for match in VARIABLE.finditer(self.text.replace("$$", "")))

    @property
    def bare_variables(self) -> tuple[str, ...]:
        """Those without a default or another rule for being unset."""
        return tuple(match[1] for match in VARIABLE.finditer(self.text.replace("$$", "")) if not match[2])


def find_declaration(project: Project, service: str, *keys: str) -> Declaration | None:
    """Where a service declares something (`environment`, `MONGO_URL`); the last Compose file that does counts.

    None when no file does, or where no single line does.
    """
    for path in reversed(project.written_files):
        for node in _service_nodes(path, service):
            if found := _below(node, keys):
                return Declaration(path, found.start_mark.line + 1, _text(found), project.root)
    return None


def find_text(project: Project, service: str, key: str, word: str) -> Declaration | None:
    """The line below a service's key that contains a word: the target of a mount, a host in a health check."""
    for path in reversed(project.written_files):
        for node in _service_nodes(path, service):
            for scalar in _scalars(_below(node, (key,))):
                if word in scalar.value:
                    return Declaration(path, scalar.start_mark.line + 1, scalar.value, project.root)
    return None


def source_of(project: Project, service: Service, port: Port) -> str:
    """Where to change a published port: a variable, or a line of the Compose file."""
    for path in reversed(project.written_files):
        for node in _service_nodes(path, service.name):
            entries = _child(node, "ports")
            for entry in entries.value if isinstance(entries, yaml.SequenceNode) else ():
                published, target = _published(entry)
                if target == str(port.target) and (variable := VARIABLE.search(published)):
                    return f"{variable[1]} in .env"
                # An address may precede the published port: `127.0.0.1:8080`.
                if target == str(port.target) and published.rpartition(":")[2] == str(port.published):
                    place = Declaration(path, entry.start_mark.line + 1, "", project.root).place
                    return f"the ports of {service.name} in {place}"
    return f"the ports of {service.name} in {project.compose_files[0].name}"


def how_to_change(what: str, declared: Declaration | None) -> str:
    """`MONGO_PASSWORD in .env`, `MONGO_URL in docker-compose.yml:73`."""
    if declared is None:
        return what
    if declared.variables:
        return f"{' or '.join(declared.variables)} in .env ({declared.place})"
    return f"{what} in {declared.place}"


def _service_nodes(path: Path, service: str) -> Iterator[yaml.Node]:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError):
        return
    if node := _below(root, ("services", service)):
        yield node


def _below(node: yaml.Node | None, keys: Sequence[str]) -> yaml.Node | None:
    for key in keys:
        node = _child(node, key)
    return node


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode):
        # The short form of `environment:` is a list of NAME=value.
        return next((one for one in _scalars(node) if one.value.partition("=")[0] == key), None)
    found = child(node, key) if node else None
    return found[1] if found else None


def _published(entry: yaml.Node) -> tuple[str, str]:
    """(published port, container port) of one entry of `ports:`, short or long form."""
    if isinstance(entry, yaml.MappingNode):
        published, target = (_text(node) if (node := _child(entry, key)) else "" for key in ("published", "target"))
        return published, target
    published, _, target = str(entry.value).rpartition(":")
    return published, target.partition("/")[0]


def _scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _scalars(one)
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _scalars(value)


def _text(node: yaml.Node) -> str:
    return " ".join(one.value for one in _scalars(node))
