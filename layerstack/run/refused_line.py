"""The line of a service's definition that the engine refuses, found by the engine's own words."""

import re

from layerstack.project.compose_source import Declaration
from layerstack.project.declaration import find_declaration, find_texts, how_to_change
from layerstack.project.project import Project
from layerstack.run.declared import in_brackets
from layerstack.wording import short

# What the program and Compose read, and not the engine: a word of it in a refusal is a chance.
NOT_OF_ENGINE = frozenset(
    {
        *("command", "entrypoint", "environment", "env_file", "healthcheck", "labels", "build", "depends_on"),
        *("image", "container_name", "profiles", "secrets", "configs", "restart", "stop_grace_period", "extends"),
    }
)
LONGEST = 60
WORD = re.compile(r"[\w./-]{3,}")


def find_refused(project: Project, service: str, said: str) -> Declaration | None:
    """The line whose value the engine repeats, else the one whose key it writes out; None for neither."""
    keys = [key for key in project.services[service].definition if key not in NOT_OF_ENGINE]
    told = set(WORD.findall(said))
    best, longest = None, 0
    for key in keys:
        for declared in find_texts(project, service, key):
            # `container:vpn`, `/dev/ttyUSB0:/dev/ttyUSB0`: a part of a value counts, and the longest is the surest.
            parts = {part for word in WORD.findall(declared.text) for part in (word, word.strip("./"))}
            length = max((len(part) for part in parts & told), default=0)
            if length > longest:
                best, longest = Declaration(declared.place, f"{key}: {declared.text}"), length
    told_keys = ((key, find_declaration(project, service, key)) for key in keys if _is_written_out(key, said))
    by_key = next(((key, found) for key, found in told_keys if found), None)
    return best or (Declaration(by_key[1].place, f"{by_key[0]}: {by_key[1].text}") if by_key else None)


def refused_place(project: Project, service: str, said: str) -> str:
    """That line in words, else the whole definition of the service."""
    if declared := find_refused(project, service, said):
        return how_to_change(f"`{short(declared.text, LONGEST)}`", declared)
    return f"the definition of {service}{in_brackets(find_declaration(project, service))}"


def _is_written_out(key: str, said: str) -> bool:
    """Whether a refusal has each word of a key: `Minimum memory limit allowed` those of `mem_limit`."""
    return all(re.search(rf"\b{re.escape(part)}", said, re.IGNORECASE) for part in key.split("_"))
