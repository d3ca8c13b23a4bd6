"""Definitions that were edited since their containers were made, and that nobody has applied yet."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.errors import StackError
from layerstack.moment import epoch_seconds, written_at
from layerstack.project.project import Project

if TYPE_CHECKING:
    from layerstack.run.fault import FaultKind
    from layerstack.verify.diagnosis import Diagnosis

# These keep any container from being made: something else comes first.
IN_THE_WAY: "frozenset[FaultKind]" = frozenset(
    {"image-missing", "base-missing", "port-held", "name-taken", "network-missing", "not-started"}
)


@dataclass(frozen=True)
class Unapplied:
    """`detail` says what differs, "" where that cannot be told."""

    service: str
    detail: str

    @property
    def repair(self) -> str:
        return f"invoke up {self.service}"

    def to_json(self) -> dict[str, str]:
        return {"service": self.service, "detail": self.detail, "repair": self.repair}

    @property
    def words(self) -> str:
        return f"has changed since its container was made{f' ({self.detail})' if self.detail else ''}"


def find_unapplied(
    client: EngineClient, project: Project, containers: Mapping[str, Container]
) -> tuple[Unapplied, ...]:
    """The edited definitions. Compose is asked only about containers older than its files or with other variables."""
    # `.env` is none of the Compose files, but its values are part of the definitions.
    newest = max((written_at(path) for path in (*project.written_files, project.root / ".env")), default=0.0)
    suspects = {
        name: (one,)
        for name, one in containers.items()
        if epoch_seconds(one.created_at) < newest or _has_other_variables(project, one)
    }
    if not suspects:
        return ()
    # Loaded only here: a stack that is as its files say needs none of it.
    from layerstack.status import compose_hash
    from layerstack.status.status import as_started

    try:
        started = as_started(project, suspects)
        changed = compose_hash.find_changed(started, compose_hash.read_hashes(started), suspects)
    except StackError:
        return ()  # the files as they are now cannot be read in the way that it was started
    ones = [one for (one,) in suspects.values() if one.name in changed and one.service in started.services]
    found = []
    for one in ones:
        parts = compose_hash.differences(client.api.inspect_container(one.id), started.services[one.service])
        # A digest may differ without an edit (see find_changed), and `up` would replace the container for its newer
        # image, too: then only a difference that has a name counts.
        if parts or one.is_newest(client):
            found.append(Unapplied(one.service, ", ".join(parts)))
    return tuple(found)


def apply_first(diagnosis: "Diagnosis", unapplied: tuple[Unapplied, ...]) -> "Diagnosis":
    """What was edited may be the repair already: it is applied before anything else is looked for."""
    mine = next((one for one in unapplied if one.service == diagnosis.service), None)
    if mine is None or diagnosis.kind in IN_THE_WAY:
        return diagnosis
    return replace(diagnosis, cause=f"{diagnosis.cause}; its definition {mine.words}", repair=mine.repair, change="")


def _has_other_variables(project: Project, container: Container) -> bool:
    declared = project.services[container.service].definition.get("environment") or {}
    return any(container.environment.get(name) != str(value) for name, value in declared.items() if value is not None)
