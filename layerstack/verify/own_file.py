"""A file in a container by its name in the project: mounted from there, or copied from the build's context."""

from pathlib import Path, PurePosixPath

from layerstack.run.health import renew
from layerstack.verify.evidence import Evidence


def find_own(seen: Evidence, path: str) -> Path | None:
    """None for a file that only the image or a volume has."""
    mount = seen.mount_at(path)
    if mount is not None:
        here = Path(mount.source + path.removeprefix(mount.target.rstrip("/")))
        return here if mount.kind == "bind" and here.is_file() else None
    words = PurePosixPath(path).parts[1:]
    tails = (folder.joinpath(*words[start:]) for folder in contexts(seen) for start in range(len(words)))
    return next((tail for tail in tails if tail.is_file()), None)


def contexts(seen: Evidence) -> list[Path]:
    image = seen.project.image_of(seen.service)
    return [seen.project.root / image.context] if image else []


def renewal(seen: Evidence, file: Path) -> str:
    """What brings the changed file into the container: one of its image is copied by a build."""
    mounts = seen.container.mounts if seen.container else ()
    is_mounted = any(mount.kind == "bind" and file.is_relative_to(mount.source) for mount in mounts)
    return renew(seen.name, not is_mounted)
