"""What it takes to serve a saved file, for each service: nothing, a restart, or a build."""

from collections.abc import Iterator
from contextlib import suppress

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_all
from layerstack.errors import EngineError
from layerstack.project.project import Project
from layerstack.status import mounted_files, reloading


def forecast(client: EngineClient, project: Project) -> Iterator[str]:
    """A line for each way, about the running services that have sources here."""
    found = read_all(client, project.name)
    ways: dict[str, list[str]] = {"reload": [], "restart": [], "watch": [], "build": []}
    for name, service in project.services.items():
        if running := [one for one in found.get(name, ()) if one.is_running]:
            with suppress(EngineError):  # it ended a moment ago
                way = _way(client, running[0], service.is_built)
                is_watched = way == "build" and (service.definition.get("develop") or {}).get("watch")
                ways.get("watch" if is_watched else way, []).append(name)
    if ways["reload"]:
        yield f"reloads after a save: {', '.join(ways['reload'])}"
    if ways["restart"]:
        yield f"sees a save after `invoke restart {' '.join(ways['restart'])}`"
    if ways["watch"]:
        yield f"takes a save while `docker compose watch {' '.join(ways['watch'])}` runs"
    for name in ways["build"]:
        image = project.image_of(project.services[name])
        yield f"has its sources in its image: `invoke build {image.name if image else name} up {name}` after a save"


def _way(client: EngineClient, container: Container, is_built: bool) -> str:
    data = client.api.inspect_container(container.id)
    pid, environment = int(data["State"].get("Pid") or 0), data["Config"].get("Env") or ()
    processes = reloading.read_processes(client, container.id, pid, environment)
    binds = mounted_files.read_binds(data)
    # From the epoch on: the question is whether there are such files at all.
    if any(mounted_files.written_since(binds, 0, (ending,)) for ending in processes.loaded):
        return "reload" if processes.restart or processes.read_again else "restart"
    return "build" if is_built else ""
