"""A file in a container by its name in the project: mounted from there, or copied from the build's context."""

from collections.abc import Iterator
from contextlib import suppress
from os.path import normpath, relpath
from pathlib import Path, PurePosixPath

from layerstack.dockerfile.copy_sources import is_remote
from layerstack.dockerfile.dockerfile import Stage
from layerstack.dockerfile.recipe import parse_dockerfile
from layerstack.engine.container import Container, Mount
from layerstack.errors import UsageError
from layerstack.project.project import Project, Service
from layerstack.run.health import renew


def find_own(project: Project, service: Service, one: Container | None, path: str) -> Path | None:
    """None for a file that only the image or a volume has."""
    mount = one.mount_at(path) if one else None
    if mount is not None:
        here = _below(mount, path)
        return here if here and _is_file(here) else None
    if copied := next(_copied_to(project, service, path), None):
        return copied
    words = PurePosixPath(path).parts[1:]
    # COPY may have moved the file: its path is looked up in the context with fewer and fewer leading folders.
    tails = (folder.joinpath(*words[start:]) for folder in contexts(project, service) for start in range(len(words)))
    return next(filter(_is_file, tails), None)


def own_name(project: Project, service: Service, one: Container | None, path: str) -> str:
    """Its name from the project's folder, also of a mounted file that is gone; its path in the container otherwise."""
    mount = one.mount_at(path) if one else None
    file = _below(mount, path) if mount else find_own(project, service, one, path)
    return relpath(file, project.root) if file else path


def contexts(project: Project, service: Service) -> list[Path]:
    image = project.image_of(service)
    return [project.root / image.context] if image and not is_remote(image.context) else []


def _copied_to(project: Project, service: Service, path: str) -> Iterator[Path]:
    """The files of the context that a COPY with an absolute destination puts at this path of the image."""
    image = project.image_of(service)
    stages: tuple[Stage, ...] = ()
    # Of a Dockerfile that cannot be read nothing is known.
    with suppress(UsageError, ValueError):
        stages = parse_dockerfile(project.root, image).reachable(image.target) if image else ()
    # What is copied last to a place is what the image has there.
    for one in reversed([one for stage in stages for one in stage.instructions if one.keyword == "COPY"]):
        *sources, target = one.words or ("",)
        if one.flag("from") or not target.startswith("/") or "$" in one.text or not image:
            continue
        for source in (project.root / image.context / normpath(f"/{word}").lstrip("/") for word in sources):
            # COPY puts a file into a folder, and what is in a folder beside what is there.
            inside = target.rstrip("/") + f"/{source.name}" if target.endswith("/") else target
            rest = path.removeprefix(target.rstrip("/") + "/")
            if source.is_file() and path == inside:
                yield source
            elif source.is_dir() and rest != path and (source / rest).is_file():
                yield source / rest


def renewal(service: Service, one: Container | None, path: str) -> str:
    """What runs the corrected file at a path of the container: one of its image is copied by a build."""
    mount = one.mount_at(path) if one and path else None
    is_mounted = mount is not None and mount.kind == "bind"
    # A program that runs has read the file already, and for Compose nothing has changed.
    if one and one.is_running and not one.restart_count and is_mounted:
        return f"invoke restart {service.name}"
    return renew(service.name, service.is_built and not is_mounted)


def _is_file(path: Path) -> bool:
    # Python raises for a folder that is closed to this user, and for a name that is too long for a file.
    try:
        return path.is_file()
    except OSError:
        return False


def _below(mount: Mount, path: str) -> Path | None:
    """The file of this machine behind a mounted path."""
    return Path(mount.source + path.removeprefix(mount.target.rstrip("/"))) if mount.kind == "bind" else None
