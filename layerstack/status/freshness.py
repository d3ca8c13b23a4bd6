"""Whether one service runs the current working tree: what can be compared, and what cannot."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from layerstack.build.plan import Plan, make_plan
from layerstack.build.state import StateStore
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.named_context import find_context
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.errors import NotInEngine, RefusedByEngine, StackError
from layerstack.project.dependency import is_one_shot
from layerstack.project.project import Project, Service
from layerstack.status import anonymous_volume, compose_hash, mount_staleness, mounted_files
from layerstack.status.copied_files import ContainerFiles
from layerstack.status.image_staleness import ImageStaleness
from layerstack.status.mounted_files import BindMount
from layerstack.status.staleness import Stale, with_repair


@dataclass(frozen=True)
class Inputs:
    """Digests of what an image is made of: under the tag, in the container, and in the working tree; "" if unknown."""

    image: str = ""
    container: str = ""
    now: str = ""


@dataclass(frozen=True)
class Freshness:
    """`stale` are reasons to act, `unknown` what could not be compared, `notes` what explains more.

    `image` is what `invoke build` calls the image of the service.
    """

    stale: tuple[Stale, ...]
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    inputs: Inputs = Inputs()
    image: str = ""

    @property
    def is_stale(self) -> bool:
        return any(one.is_certain for one in self.stale)

    def to_json(self) -> dict[str, Any]:
        return {
            "stale": [one.to_json() for one in self.stale],
            "repair": self.stale[0].repair if self.stale else None,
            "unknown": list(self.unknown),
            "notes": list(self.notes),
            "image_inputs": {name: digest or None for name, digest in vars(self.inputs).items()},
        }


class FreshnessReader:
    """Reads plan and definitions of a project once, for all of its services."""

    def __init__(self, client: EngineClient, project: Project, containers: Mapping[str, Sequence[Container]]) -> None:
        self._client = client
        self._project = project
        with ThreadPoolExecutor(2) as pool:
            # Compose answers while the plan is made.
            plans = pool.submit(_read_plans, project)
            self._hashes = compose_hash.read_hashes(project) if containers else {}
            self._redefined = compose_hash.find_changed(project, self._hashes, containers)
            self._plans, self._problems = plans.result()

    def of_absent(self, service: Service) -> Freshness:
        """A service without a container."""
        image = self._image(service, mounted_files.declared_binds(service.definition))
        absent = Stale("not-running", "it has no container", "recreate")
        found = [absent, *(image.find() if image else ())]
        return self._result(service, image, found, [], "")

    def of(self, service: Service, container: Container) -> Freshness:
        """Raises EngineGone when the engine does not answer, ObjectMissing when the container is gone."""
        data = self._client.api.inspect_container(container.id)
        state = StateStore(self._project.root).of_image(container.image_id)
        made_of = state.manifest.digest if state else ""
        image = self._image(service, mounted_files.read_binds(data), container.id)
        found = [*self._ended(service, container), *self._definition(service, container, data)]
        found += self._of_image(container, image, made_of)
        unknown = [] if self._hashes else ["whether its definition changed: Compose does not say"]
        try:
            found += self._volumes(container, data, image)
        except RefusedByEngine as error:
            unknown.append(f"whether its volumes hold old packages: {error.args[0]}")
        if container.is_running:
            mounts, hidden = mount_staleness.find(self._client, container, data)
            found, unknown = [*found, *mounts], [*unknown, *hidden]
        return self._result(service, image, found, unknown, made_of)

    def _result(
        self, service: Service, image: ImageStaleness | None, found: Iterable[Stale], unknown: list[str], made_of: str
    ) -> Freshness:
        name = image.one.name if image else service.name
        problem = self._problems.get(service.name, "")
        unknown = [*unknown, *(image.unknown() if image else ()), *([problem] if problem else [])]
        inputs = Inputs(image.made_of, made_of, image.one.manifest.digest) if image else Inputs()
        stale = with_repair(self._project, service.name, name, found)
        return Freshness(stale, tuple(unknown), tuple(image.notes(made_of)) if image else (), inputs, name)

    def _image(self, service: Service, binds: Sequence[BindMount], container_id: str = "") -> ImageStaleness | None:
        plan, built = self._plans.get(service.name), self._project.image_of(service)
        if not plan or not built:
            return None
        one, root, find_folder = plan.of(built.name), self._project.root, partial(self._working_folder, built)
        files = ContainerFiles(self._client, container_id, built, one.manifest, root, find_folder)
        return ImageStaleness(one, plan, root, binds, files)

    def _working_folder(self, image: Image, name: str) -> str:
        """The working directory of an image that another one is built on."""
        value = find_context(image, name) or f"docker-image://{name}"
        if value.startswith("target:"):
            reference = self._project.image(value.removeprefix("target:")).tag
        else:
            reference = value.removeprefix("docker-image://")
        found = _inspect_image(self._client, reference) or {}
        return str((found.get("Config") or {}).get("WorkingDir") or "/")

    def _ended(self, service: Service, container: Container) -> Iterator[Stale]:
        if container.status in ("running", "restarting", "paused"):
            return
        if container.status == "exited" and container.exit_code == 0 and is_one_shot(self._project, service):
            return
        told = {"exited": f"exited with code {container.exit_code}", "created": "was never started"}
        detail = f"its container {told.get(container.status, f'is {container.status}')}"
        yield Stale("not-running", detail, "recreate")

    def _definition(self, service: Service, container: Container, data: Mapping[str, Any]) -> Iterator[Stale]:
        parts = ", ".join(compose_hash.differences(data, service))
        # `up` also replaces a container whose image is new: without a part that differs, the definition is not the
        # reason.
        if container.name not in self._redefined or not (parts or container.is_newest(self._client)):
            return
        files = compose_hash.other_files(container, self._project)
        where = f"; it was created from {' and '.join(files)}" if files else ""
        detail = f"its definition changed since the container was created{f': {parts}' if parts else ''}{where}"
        yield Stale("definition-changed", detail, "recreate")

    def _of_image(self, container: Container, image: ImageStaleness | None, made_of: str) -> Iterator[Stale]:
        tagged = _inspect_image(self._client, container.image)
        if image and image.one.stored is None:
            yield Stale("image-missing", f"{image.one.image.tag} is gone; the container runs on without it", "build")
            return
        if tagged is None:
            # A container that was created from an image's id has no tag that could be gone.
            if not container.image.startswith("sha256:"):
                yield Stale("image-missing", f"{container.image} is gone; the container runs on without it", "recreate")
            return
        is_tagged = _is_same_image(_inspect_image(self._client, container.image_id), tagged)
        if image and not is_tagged and made_of == image.one.manifest.digest != image.made_of:
            # The tag holds a build of something else, the container one of what is here now.
            return
        if not is_tagged:
            yield Stale("old-image", f"the container still runs the previous {container.image}", "recreate")
        yield from image.find() if image else ()

    def _volumes(self, container: Container, data: Mapping[str, Any], image: ImageStaleness | None) -> Iterator[Stale]:
        volumes = anonymous_volume.read_volumes(data)
        if not volumes or _inspect_image(self._client, container.image) is None:
            return
        # The next build installs other packages, and the volume will hide them, whatever it holds now.
        if image and image.changes and image.changes.changes_dependencies():
            folders = ", ".join(one.folder for one in volumes)
            yield Stale("old-volume", f"the anonymous volume over {folders} keeps the old packages", "renew")
            return
        yield from anonymous_volume.find_old(self._client, self._project.root, volumes, container.image)


def _read_plans(project: Project) -> tuple[dict[str, Plan], dict[str, str]]:
    """Service → plan of its image, and service → why there is none."""
    named = {service.name: project.image_of(service) for service in project.services.values()}
    built = {service: image.name for service, image in named.items() if image}
    store = StateStore(project.root)
    try:
        plan = make_plan(project, list(built.values()), store)
    except StackError:
        return _read_one_by_one(project, built, store)
    return dict.fromkeys(built, plan), {}


def _read_one_by_one(
    project: Project, built: Mapping[str, str], store: StateStore
) -> tuple[dict[str, Plan], dict[str, str]]:
    # An image that cannot be read must not hide the others.
    plans, problems = {}, {}
    for service, name in built.items():
        try:
            plans[service] = make_plan(project, [name], store)
        except StackError as error:
            problems[service] = f"what its image is made of cannot be read: {error.args[0]}"
    return plans, problems


def _inspect_image(client: EngineClient, reference: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = client.api.inspect_image(reference)
    except NotInEngine:
        return None
    return found


def _is_same_image(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    """Whether two images have the same content, whatever their labels and times are."""
    return one is not None and (one["Id"] == other["Id"] or _essence(one) == _essence(other))


def _essence(image: Mapping[str, Any]) -> tuple[Any, Any]:
    # Two builds from the same files differ in their labels and times only.
    config = {key: value for key, value in (image.get("Config") or {}).items() if key not in ("Labels", "Image")}
    return (image.get("RootFS") or {}).get("Layers"), config
