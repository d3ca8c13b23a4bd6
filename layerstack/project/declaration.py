"""Where to change something: the line of a Compose file that declares it, or the variable in .env behind it."""

import re
from contextlib import suppress

from layerstack.errors import UsageError
from layerstack.project.compose_source import ComposeSource, Declaration, read_source
from layerstack.project.fixed_lines import split_port
from layerstack.project.project import Port, Project, Service


def find_declaration(project: Project, service: str, *keys: str) -> Declaration | None:
    """Where a service declares something (`environment`, `MONGO_URL`); the last Compose file that does counts.

    None when no file does, or where no single line does.
    """
    return _source(project).find("services", service, *keys)


def find_text(project: Project, service: str, key: str, word: "str | re.Pattern[str]") -> Declaration | None:
    """The line below a service's key that contains a word: the target of a mount, a host in a health check."""
    texts = reversed(list(_source(project).texts("services", service, key)))
    pattern = re.compile(re.escape(word)) if isinstance(word, str) else word
    return next((Declaration(place, text) for text, place in texts if pattern.search(text)), None)


def find_texts(project: Project, service: str, *keys: str) -> list[Declaration]:
    """Every key and value below a path of a service, with its line."""
    return [Declaration(place, text) for text, place in _source(project).words("services", service, *keys)]


def source_of(project: Project, service: Service, port: Port) -> str:
    """Where to change a published port: a variable, or a line of the Compose file."""
    for entry, place in reversed(list(_source(project).entries("services", service.name, "ports"))):
        published, target = split_port(entry)
        if target == str(port.target) and (names := Declaration(place, published).variables):
            return f"{names[0]} in .env"
        if target == str(port.target) and published == str(port.published):
            return f"the ports of {service.name} in {place}"
    return f"the ports of {service.name} in {project.compose_files[0].name}"


def how_to_change(what: str, declared: Declaration | None) -> str:
    """`MONGO_PASSWORD in .env`, `MONGO_URL in docker-compose.yml:73`."""
    if declared is None:
        return what
    if declared.variables:
        return f"{' or '.join(declared.variables)} in .env ({declared.place})"
    return f"{what} in {declared.place}"


def _source(project: Project) -> ComposeSource:
    """What is written now, without the files that cannot be read."""
    found = ComposeSource(())
    for path in project.written_files:
        with suppress(UsageError):
            found = ComposeSource((*found.files, *read_source(project.root, [path]).files))
    return found
