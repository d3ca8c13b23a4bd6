"""What a project takes for granted beside itself: files of secrets and configs, external volumes and networks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from os.path import expanduser, relpath
from pathlib import Path
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.place import find_place
from layerstack.errors import NotInEngine
from layerstack.finding import Finding, error, or_ok
from layerstack.presence import is_present
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project, Service

FILE, DEVICE, EXTERNAL = "secret-file", "device", "external"


@or_ok(FILE, "every file of a secret or a config is there")
def check_files(project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Is every file there that a secret or a config of an active service names?"""
    for service in project.services.values():
        for section in ("secrets", "configs"):
            for name in _named(service.definition.get(section)):
                yield from _missing(project, source, service, (section, name, "file"))


def _missing(project: Project, source: ComposeSource, service: Service, keys: tuple[str, ...]) -> Iterator[Finding]:
    written, place = source.value(*keys), source.place(*keys)
    # A secret may come from a variable instead of a file, and a file's name may contain one, which Compose fills in.
    if not isinstance(written, str) or "$" in written:
        return
    # A file that is included names its files from its own folder.
    folders = {project.root, (project.root / place.rpartition(":")[0]).parent}
    # Compose takes `~` for the home folder; Path.expanduser raises where there is none.
    path = expanduser(written)  # noqa: PTH111
    # One in a folder that is closed to this user is not closed to the engine.
    if all(is_present(folder / path) is False for folder in folders):
        name = relpath(project.root / path, project.root)
        detail = f"{service.name} needs the file {name} ({keys[0]}: {keys[1]}), which does not exist"
        yield error(FILE, detail, f"Make {name}, or correct {place}.", service.name, place)


@or_ok(DEVICE, "every device that a service asks for is there")
def check_devices(project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Does this machine have the devices that active services name by their paths?"""
    # The devices are those of the engine's machine.
    for service in () if find_place().is_remote else project.services.values():
        for device in service.definition.get("devices") or ():
            path = str(device.get("source") or "")
            # Others are names of CDI, which the check of GPUs asks Docker for.
            if path.startswith("/") and is_present(Path(path)) is False:
                place = source.place("services", service.name, "devices")
                detail = f"{service.name} asks for the device {path}, which this machine does not have"
                yield error(DEVICE, detail, f"Connect it, or remove it from {place}.", service.name, place)


@or_ok(EXTERNAL, "every external volume and network is there")
def check_external(client: EngineClient, project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Is every volume and network there that somebody else makes? Raises EngineError."""
    api = client.api
    look: dict[str, Callable[[str], Any]] = {"volumes": api.inspect_volume, "networks": api.inspect_network}
    for section, keys in (("volumes", _volumes(project)), ("networks", _networks(project))):
        for key, service in keys.items():
            declared = source.value(section, key)
            if not isinstance(declared, Mapping) or not declared.get("external"):
                continue
            name = _external_name(declared, key)
            try:
                # A name with a variable in it is Compose's to fill in.
                _ = "$" in name or look[section](name)
            except NotInEngine:
                kind = section.removesuffix("s")
                detail = f"{service} needs the external {kind} {name}, which does not exist"
                yield error(EXTERNAL, detail, f"docker {kind} create {name}", service, source.place(section, key))


def _external_name(declared: Mapping[str, Any], key: str) -> str:
    """Of `external: true` with `name: NAME`, or of the old form `external: { name: NAME }`."""
    old = declared["external"]
    return str(declared.get("name") or (old.get("name") if isinstance(old, Mapping) else "") or key)


def _named(entries: Any) -> Iterable[str]:
    """The names of a list of secrets or configs, in either form."""
    return (str(one.get("source") if isinstance(one, Mapping) else one) for one in entries or ())


def _volumes(project: Project) -> dict[str, str]:
    """Volume of the Compose file → a service that mounts it."""
    mounts = ((name, mount) for name, one in project.services.items() for mount in one.definition.get("volumes") or ())
    return {
        str(mount["source"]): name
        for name, mount in mounts
        if isinstance(mount, Mapping) and mount.get("type") == "volume" and mount.get("source")
    }


def _networks(project: Project) -> dict[str, str]:
    return {str(key): name for name, one in project.services.items() for key in one.definition.get("networks") or ()}
