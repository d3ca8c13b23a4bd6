"""The project: images, services and the graph between them, as Compose and bake resolve them."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from os.path import relpath
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from layerstack.command import printable
from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError
from layerstack.project import answers
from layerstack.project.compose_files import (
    COMPOSE_NAMES,
    ComposeFiles,
    Device,
    choose_files,
    find_compose_files,
    find_root,
)
from layerstack.project.device_memory import remembered_device
from layerstack.project.discovery import discover
from layerstack.project.env_example import copy_that_sets
from layerstack.project.image_name import full_name
from layerstack.project.kept_definition import KeptDefinition, kept_part
from layerstack.project.question import Answer, Question, compose_arguments, target_name
from layerstack.project.service import Port, Service, read_service
from layerstack.project.settings import BUILDER_VARIABLE, KEY, ProjectSettings, read_project_settings
from layerstack.project.targets import read_images, service_of
from layerstack.wait import beside

if TYPE_CHECKING:
    from layerstack.project.reached_files import Reached
    from layerstack.project.resolve import Resolver

__all__ = [
    "BAKE_NAMES",
    "COMPOSE_NAMES",
    "Device",
    "Port",
    "Project",
    "Service",
    "find_compose_files",
    "find_reached_files",
    "find_root",
    "load",
    "read_config",
    "with_overlay",
]

PROFILES = "COMPOSE_PROFILES"
# Names the bake files in place of the default ones; they start at the folder of the call.
BAKE_FILE_VARIABLE = "BUILDX_BAKE_FILE"
# In the order in which bake merges its default files.
BAKE_NAMES = ("docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl")


@dataclass(frozen=True)
class Project:
    """A folder with a Compose file and maybe a bake file, read for one device.

    `env_files` are those that Compose reads, `source_files` the Compose files with all that they include or extend.
    `inactive` maps services that no active profile asks for to their profiles. `fallback` says why bake read the
    Compose files itself, "" where Compose resolved them.
    """

    root: Path
    name: str
    device: Device
    compose_files: tuple[Path, ...]
    bake_files: tuple[Path, ...]
    images: Mapping[str, Image]
    services: Mapping[str, Service]
    overlay: Path | None = None
    env_files: tuple[Path, ...] = ()
    source_files: tuple[Path, ...] = ()
    inactive: Mapping[str, Sequence[str]] = field(default_factory=dict)
    settings: ProjectSettings = field(default_factory=ProjectSettings)
    secret_variables: Mapping[str, str] = field(default_factory=dict)
    fallback: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every bake and Compose call, including build secrets that env files set."""
        # bake knows the project's name only from this variable, and tags in a bake file may contain it.
        own = {**self.secret_variables, "DEVICE": self.device, "COMPOSE_PROJECT_NAME": self.name}
        # Buildx reads the variable and knows nothing of the Compose file.
        is_named = self.settings.builder and BUILDER_VARIABLE not in os.environ
        return {**own, BUILDER_VARIABLE: self.settings.builder} if is_named else own

    @property
    def base_images(self) -> tuple[Image, ...]:
        """Images that no service runs."""
        run = self._run_images
        return tuple(image for image in self.images.values() if image.name not in run)

    @property
    def service_images(self) -> tuple[Image, ...]:
        run = self._run_images
        return tuple(image for image in self.images.values() if image.name in run)

    @property
    def _run_images(self) -> set[str]:
        found = (self.image_of(service) for service in self.services.values())
        return {image.name for image in found if image}

    @property
    def shared_tags(self) -> dict[str, tuple[str, ...]]:
        """Tag → different images that overwrite it in turn."""
        users: dict[str, list[str]] = {}
        for image in self.images.values():
            for tag in dict.fromkeys(map(full_name, image.tags)):
                users.setdefault(tag, []).append(image.name)
        return {tag: tuple(names) for tag, names in users.items() if len(names) > 1}

    @property
    def misnamed(self) -> dict[str, Image]:
        """Service → the image that is built for it, none of whose tags is the name that Compose starts."""
        built = {name: self.image_of(service) for name, service in self.services.items() if service.declares_build}
        return {
            name: image
            for name, image in built.items()
            if image and image.tags and full_name(self.services[name].image) not in map(full_name, image.tags)
        }

    @property
    def written_files(self) -> tuple[Path, ...]:
        """Every Compose file; later ones override earlier ones."""
        included = tuple(path for path in self.source_files if path not in self.compose_files)
        return (*included, *self.compose_files, *([self.overlay] if self.overlay else []))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for whoever builds, one sentence each."""
        shared = self.shared_tags.items()
        return (
            *(
                f"{' and '.join(names)} are built differently and take the tag {tag} from each other"
                for tag, names in shared
            ),
            *(
                f"{name} runs {self.services[name].image}, and what is built for it is called {', '.join(image.tags)}"
                for name, image in self.misnamed.items()
            ),
            *((self.fallback,) if self.fallback else ()),
        )

    def compose(self, *words: str) -> tuple[str, ...]:
        """The argument list of a Compose call."""
        files = (*self.compose_files, *([self.overlay] if self.overlay else []))
        return (*compose_arguments(self.root, files, self.env_files), *words)

    def compose_line(self, *words: str) -> str:
        """The Compose call to type: with files only where Compose would not find them itself."""
        files = (*self.compose_files, *([self.overlay] if self.overlay else []))
        own = [(base, base.with_name(f"{base.stem}.override{base.suffix}")) for base in files[:1]]
        is_found = any(files in (pair[:1], pair) for pair in own)
        options = () if is_found else (part for path in files for part in ("--file", relpath(path)))
        return printable(("docker", "compose", *options, *words))

    def image_of(self, service: Service) -> Image | None:
        """The project's image that a service runs, its own or another one's by tag; None for an outside image."""
        # By Compose's label first: a service may be built under a tag that another one has, too.
        labelled = (one for one in self.images.values() if service_of("", one.definition) == service.name)
        found = next(labelled, None) or (self._tagged(service.image) if service.image else None)
        is_named = service.declares_build or not service.image
        return found or (self.images.get(target_name(service.name)) if is_named else None)

    def image(self, name: str) -> Image:
        """An image by its name, a service's name, or a tag. Raises UsageError with the reason for none."""
        service = self.services.get(name)
        found = self.images.get(name) or (self.image_of(service) if service else None) or self._tagged(name)
        if found:
            return found
        if service:
            raise UsageError(f"{name} is not built here, it runs {service.image}.")
        if name in self.inactive:
            raise self._not_active(name)
        wanted = full_name(name)
        if users := [one.name for one in self.services.values() if one.image and full_name(one.image) == wanted]:
            raise UsageError(f"{name} is not built here: it is the image of {', '.join(users)}.")
        raise UsageError(f"There is no image `{name}` in this project.", _nearest(name, self.images))

    def service(self, name: str) -> Service:
        """A service. Raises UsageError with the nearest names when it does not exist or is inactive."""
        if name in self.services:
            return self.services[name]
        if name in self.inactive:
            raise self._not_active(name)
        raise UsageError(f"There is no service `{name}` in this project.", _nearest(name, self.services))

    def read_ahead(self) -> None:
        """Begin to ask Compose for what is not kept of the services (their environment): it takes 0.2 s."""
        definitions = (service.definition for service in self.services.values())
        if kept := next((one for one in definitions if isinstance(one, KeptDefinition)), None):
            beside(kept.read_rest)

    def require_services(self) -> None:
        """Raises UsageError when no service is active."""
        if self.services:
            return
        if not self.inactive:
            raise UsageError(f"{self.name} has no service.", f"Write one into {self.compose_files[0].name}.")
        profiles = sorted({profile for names in self.inactive.values() for profile in names})
        shown = ", ".join(f"{name} ({', '.join(names)})" for name, names in self.inactive.items())
        msg = f"No service of {self.name} is active, each has a profile: {shown}."
        choose = f"Choose one: `export {PROFILES}={profiles[0]}`, or a line in .env."
        raise UsageError(msg, copy_that_sets(self.root, PROFILES) or choose)

    def with_parents(self, names: Iterable[str]) -> tuple[Image, ...]:
        """The named images and everything they are built on, parents first."""
        ordered: dict[str, Image] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise UsageError(f"Images depend on each other in a circle: {' → '.join((*path, name))}.")
            if name in ordered:
                return
            image = self.image(name)
            for parent in image.parents:
                visit(parent, (*path, name))
            ordered[name] = image

        for name in names:
            visit(name, ())
        return tuple(ordered.values())

    def _tagged(self, reference: str) -> Image | None:
        wanted = full_name(reference) if reference else ""
        return next((one for one in self.images.values() if wanted in map(full_name, one.tags)), None)

    def _not_active(self, name: str) -> UsageError:
        profiles = self.inactive[name]
        msg = f"{name} is not active: it belongs to the profile {' or '.join(profiles)}."
        return UsageError(msg, f"`{PROFILES}={profiles[0]}` before the command, or as a line in .env.")


def load(root: Path, device: Device | None = None, targets: Sequence[str] = ()) -> Project:
    """Read the project in `root`; `targets` adds images outside bake's default group.

    Without a device the remembered one counts, and nothing about GPUs is decided. Raises UsageError when there is no
    Compose file, it does not parse, it says something unknown in x-layerstack, or images are built in a circle.
    """
    device = device or remembered_device(root)
    files = choose_files(root)
    bake_files = _find_bake_files(root)
    question = Question(root, files, files.for_device(device), bake_files, {"DEVICE": device}, tuple(targets))
    resolver = _resolver_of(question)
    answer, source_files = _ask(question, resolver)
    services = {
        name: read_service(name, definition, answer.name, _places(resolver, "services", name))
        for name, definition in answer.services.items()
    }
    # The label of an image has the service's own name, a target without a label the one that bake allows.
    run = {name: one.image for name, one in services.items()}
    images = read_images(root, answer.targets, {**{target_name(name): image for name, image in run.items()}, **run})
    return Project(
        root=root,
        name=answer.name,
        device=device,
        compose_files=question.compose_files,
        bake_files=bake_files,
        images=discover(root, images),
        services=_with_borrowed(services, images),
        env_files=files.env_files,
        source_files=source_files,
        inactive=answer.inactive,
        settings=read_project_settings(answer.settings, _places(resolver), files.variables()),
        secret_variables=_secret_values(answer.secret_variables, files),
        fallback=answer.fallback,
    )


def _find_bake_files(root: Path) -> tuple[Path, ...]:
    """The bake files that Buildx would read. Raises UsageError for one that is named and not there."""
    separator = os.environ.get("BUILDX_BAKE_PATH_SEPARATOR") or os.pathsep
    every = [name.strip() for name in os.environ.get(BAKE_FILE_VARIABLE, "").split(separator) if name.strip()]
    # Compose reads its own files; for bake they are the same as these.
    named = [name for name in every if not name.endswith((".yml", ".yaml"))]
    if missing := next((name for name in named if not Path(name).is_file()), ""):
        raise UsageError(f"{BAKE_FILE_VARIABLE} names `{missing}`, and there is no such file.", "Correct or unset it.")
    if every:
        return tuple(Path(name).absolute() for name in named)
    return tuple(root / name for name in BAKE_NAMES if (root / name).is_file())


def find_reached_files(root: Path, device: Device) -> "Reached":
    """The Compose files with all that they include, extend or name. Raises UsageError."""
    from layerstack.project.reached_files import reached_files

    files = choose_files(root)
    return reached_files(root, files.for_device(device), files.variables())


def with_overlay(project: Project, name: str, overlay: Path) -> Project:
    """The same images, run under another Compose project name and with one more Compose file."""
    resolver = _resolver_of(_question_about(project, name, overlay))
    config = resolver().read_config()
    services = {
        # With the old name: a copy of the stack runs the images of the stack.
        key: read_service(key, definition, project.name, _places(resolver, "services", key))
        for key, definition in (config.get("services") or {}).items()
    }
    return replace(project, name=name, services=_with_borrowed(services, project.images), overlay=overlay)


def _with_borrowed(services: Mapping[str, Service], images: Mapping[str, Image]) -> dict[str, Service]:
    """The services, those marked that run an image which is built for another one."""
    tags = {full_name(tag) for image in images.values() for tag in image.tags}

    def borrows(service: Service) -> bool:
        return bool(service.image) and not service.declares_build and full_name(service.image) in tags

    return {name: replace(one, borrows_image=True) if borrows(one) else one for name, one in services.items()}


def read_config(project: Project) -> dict[str, Any]:
    """All that Compose resolves of it, networks and volumes included."""
    return _resolver_of(_question_about(project, project.name))().read_config()


def _question_about(project: Project, name: str, *further: Path) -> Question:
    below = (project.overlay,) if project.overlay else ()
    files = ComposeFiles(project.root, (*project.compose_files, *below, *further), project.env_files)
    environment = {"DEVICE": project.device, "COMPOSE_PROJECT_NAME": name}
    return Question(project.root, files, files.files, (), environment)


def _resolver_of(question: Question) -> "Callable[[], Resolver]":
    # Only on demand: a kept answer needs neither YAML nor threads.
    @cache
    def resolver() -> "Resolver":
        from layerstack.project.resolve import Resolver

        return Resolver(question)

    return resolver


def _ask(question: Question, resolver: "Callable[[], Resolver]") -> tuple[Answer, tuple[Path, ...]]:
    """(the answer, its Compose files): the kept one while nothing that it depends on has changed."""
    key = answers.key_of(question.root, question.calls, question.environment)
    kept = answers.recall(question.root, key)
    # Another version of layerstack may have kept something of another shape.
    with suppress(LookupError, TypeError, AttributeError):
        return _recalled(kept["answer"], resolver), tuple(map(Path, kept["sources"]))
    asking = resolver()
    files = answers.digests_of(asking.read_files)
    answer = asking.ask()
    for name, definition in answer.services.items():
        # Settings are read on demand: an error in them has to end this call, and must not be kept.
        _ = read_service(name, definition, answer.name, _places(resolver, "services", name)).settings
    # Changes of what is not seen cannot be known, so Compose is asked each time.
    if not asking.reached.unseen:
        # `asdict` copies deeply, so the two large parts are left out and added as they are.
        kept = asdict(replace(answer, services={}, targets={}))
        kept["services"] = {name: kept_part(definition) for name, definition in answer.services.items()}
        kept["targets"] = answer.targets
        document = {"answer": kept, "sources": [str(path) for path in asking.reached.sources]}
        answers.keep(question.root, key, files, document, question.variables)
    return answer, tuple(asking.reached.sources)


def _recalled(kept: Mapping[str, Any], resolver: "Callable[[], Resolver]") -> Answer:
    """The kept answer; parts that it leaves out of its services are read on demand."""

    lock = Lock()

    @cache
    def read_once() -> Mapping[str, Any]:
        found: Mapping[str, Any] = resolver().read_config().get("services") or {}
        return found

    def read_services() -> Mapping[str, Any]:
        with lock:  # whoever comes while it is read ahead waits for that
            return read_once()

    def rest_of(name: str) -> Callable[[], Mapping[str, Any]]:
        return lambda: read_services()[name]

    services = {
        name: KeptDefinition(one["kept"], tuple(one["keys"]), rest_of(name)) for name, one in kept["services"].items()
    }
    return Answer(**{**kept, "services": services})


def _places(resolver: "Callable[[], Resolver]", *below: str) -> Callable[..., str]:
    """Where each key of an `x-layerstack` block is written."""
    return lambda *keys: resolver().source.place(*below, KEY, *keys)


def _secret_values(names: Iterable[str], files: ComposeFiles) -> dict[str, str]:
    if not names:
        return {}
    values = files.variables()
    return {name: values[name] for name in names if name in values}


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, n=3)
    return f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(names)}." if names else ""
