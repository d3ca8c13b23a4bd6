"""What a Compose file takes for granted and is not there: a volume or a network of somebody else, a platform, an
image, a file of a secret."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from os.path import normpath, relpath
from pathlib import Path

from layerstack.dockerfile.references import normal_platform
from layerstack.engine.client import EngineClient
from layerstack.errors import NotInEngine, StartFailed
from layerstack.project.compose_source import read_source
from layerstack.project.declaration import find_declaration
from layerstack.project.dependency import dependencies
from layerstack.project.project import Project
from layerstack.run.conflict import service_of
from layerstack.wording import nearest

# `external volume "shop_data" not found`, `network proxy declared as external, but could not be found`
EXTERNAL = (
    ("volume", re.compile(r"external volume \"?([\w.-]+)\"? not found")),
    ("network", re.compile(r"network ([\w.-]+) declared as external, but could not be found")),
)

# `invalid mount config for type "bind": bind source path does not exist: /srv/shop/token.txt`
NO_SOURCE = re.compile(r"bind source path does not exist: (?P<path>/.+)$", re.MULTILINE)
# `failed to create network shop_default: Error response from daemon: invalid pool request: Pool overlaps with …`
NOT_MADE = re.compile(
    r"failed to create (?P<kind>network|volume) (?P<name>\S+): (?:Error response from daemon: )?(?P<why>.+)"
)
# `container shop-db-1 has no healthcheck configured`
NO_HEALTH_CHECK = re.compile(r"container (\S+) has no healthcheck configured")


@dataclass(frozen=True)
class EndlessWait:
    """A service that waits for something that never comes: `change` is what a person edits."""

    service: str
    words: str
    change: str


def waits_in_vain(project: Project, without_check: str, among: Sequence[str]) -> EndlessWait | None:
    """The service that waits for the health of one without a health check, which Compose refuses."""
    for name in among:
        if dependencies(project.services[name]).get(without_check) == "service_healthy":
            waiting = find_declaration(project, name, "depends_on", without_check)
            there = find_declaration(project, without_check)
            where, place = (f" in {one.place}" if one else "" for one in (waiting, there))
            return EndlessWait(
                name,
                f"waits until {without_check} is healthy, and {without_check} has no health check",
                f"write `condition: service_started`{where}, or give {without_check} a healthcheck{place}",
            )
    return None


def unmet(client: EngineClient, project: Project, services: Sequence[str], said: str) -> StartFailed | None:
    """The error, from the output of a failed `docker compose up`; None for another reason."""
    for kind, pattern in EXTERNAL:
        if match := pattern.search(said):
            words = f"The external {kind} {match[1]} does not exist, and Compose makes none that is external."
            create = f"`docker {kind} create {match[1]} && invoke up`"
            return StartFailed(words, f"{create}, or remove `external: true` from {project.compose_files[0].name}.")
    if match := NOT_MADE.search(said):
        return _not_made(client, project, match)
    match = NO_HEALTH_CHECK.search(said)
    # Compose names only the container.
    if match and (wait := waits_in_vain(project, service_of(project, match[1]), services)):
        change = f"{wait.change[0].upper()}{wait.change[1:]}"
        return StartFailed(f"{wait.service} {wait.words}.", f"{change}, then `invoke up`.")
    if match := NO_SOURCE.search(said):
        return _missing_source(project, Path(match["path"].strip()))
    for name in services:
        if found := _other_platform(client, project, name):
            return found
    return None


def _not_made(client: EngineClient, project: Project, match: "re.Match[str]") -> StartFailed:
    """A network or a volume that the engine refuses to make, with the network that has its addresses already."""
    kind, why = match["kind"], match["why"].strip()
    key = match["name"].removeprefix(f"{project.name}_")
    place = read_source(project.root, project.written_files).place(f"{kind}s", key, "ipam")
    if "overlap" not in why.lower():
        return StartFailed(f"The engine refuses to make the {kind} {key}: {why}", f"Correct {place}, then `invoke up`.")
    taken = ", ".join(_with_subnets(client, project, key))
    words = f"The network {key} cannot be made: its addresses belong to another network already"
    return StartFailed(
        f"{words}{f' ({taken})' if taken else ''}.", f"Choose another subnet in {place}, then `invoke up`."
    )


def _with_subnets(client: EngineClient, project: Project, key: str) -> Iterator[str]:
    """The networks of this engine whose addresses overlap with those that the Compose files declare."""
    declared = read_source(project.root, project.written_files).texts("networks", key, "ipam")
    wanted = [found for text, _ in declared if (found := _subnet(text))]
    for one in client.api.networks():
        configs = (one.get("IPAM") or {}).get("Config") or ()
        subnets = [found for config in configs if (found := _subnet(str(config.get("Subnet"))))]
        if any(mine.version == other.version and mine.overlaps(other) for mine in wanted for other in subnets):
            yield str(one["Name"])


def _subnet(text: str) -> "IPv4Network | IPv6Network | None":
    try:
        return ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _missing_source(project: Project, path: Path) -> StartFailed:
    """A file that a secret, a config or a mount names: Docker makes none for these."""
    name, texts = relpath(path, project.root), read_source(project.root, project.written_files).texts()
    places = (place for text, place in texts if Path(normpath(project.root / text.partition(":")[0])) == path)
    place = next(places, "")
    return StartFailed(
        f"{name} does not exist{f', and {place} mounts it' if place else ''}.",
        f"Make {name}{f', or correct {place}' if place else ''}, then `invoke up`.",
    )


def misspelt(client: "EngineClient", project: Project, name: str) -> str:
    """The correction when this engine has an image with nearly the same name, "" for none."""
    image = project.services[name].image
    tags = [tag.removesuffix(":latest") for one in client.api.images() for tag in one.get("RepoTags") or ()]
    near = nearest(image.removesuffix(":latest"), tags, 0.85)
    if not near:
        return ""
    declared = find_declaration(project, name, "image")
    where = declared.place if declared else f"the image of {name}"
    return f"Correct {where} (did you mean {near}, which is here?), then `invoke up {name}`."


def _other_platform(client: EngineClient, project: Project, name: str) -> StartFailed | None:
    # When an image has another platform than its service wants, Compose tries to pull one that has it.
    wanted, image = str(project.services[name].definition.get("platform") or ""), project.services[name].image
    if not wanted:
        return None
    with suppress(NotInEngine):
        facts = client.api.inspect_image(image)
        here = f"{facts.get('Os')}/{facts.get('Architecture')}"
        if normal_platform(wanted).split("/")[:2] != here.split("/"):
            declared = find_declaration(project, name, "platform")
            where = f" ({declared.place})" if declared else ""
            own = f"`invoke build {name} && invoke up`" if project.services[name].is_built else f"`docker pull {image}`"
            return StartFailed(
                f"{name} is to run on {wanted}{where}, and {image} is for {here}.",
                f"Remove `platform`{where}, then `invoke up {name}`; or {own} where the image exists for {wanted}.",
            )
    return None
