"""Faults of files that are not there: never made, called by another name, or hidden by a mount."""

import posixpath
import re
from contextlib import suppress
from os.path import relpath
from pathlib import Path

from layerstack.engine.container import Mount
from layerstack.project.declaration import find_text
from layerstack.run.declared import place_or
from layerstack.run.fault import Fault
from layerstack.run.own_file import contexts
from layerstack.verify.evidence import Evidence
from layerstack.verify.file_words import NO_FILE, NOT_FILES, PATH, paths_in
from layerstack.verify.own_command import where_command
from layerstack.wording import nearest

NO_MODULE = re.compile(r"Cannot find module '/")
# `exec: "/run.sh": permission denied`
EXEC = re.compile(r"\bexec:? \"?/\S+ (?:failed)?|fork/exec", re.IGNORECASE)
# Where Compose and Swarm put the secrets of a service.
SECRETS = "/run/secrets"
# `"GET /favicon.ico HTTP/1.1"`
REQUEST = re.compile(r"\"[A-Z]{3,7} (?P<path>/\S*) HTTP/")


def misnamed(seen: Evidence) -> Fault | None:
    """A file that its own command names wrongly: the container has it in another folder, or one of nearly this name."""
    lines = (
        [line for line in seen.last_words if NO_FILE.search(line) or NO_MODULE.search(line)] if seen.last_exit else []
    )
    # Those of the script in `sh -c "exec perl /srv/poll.pl"` as well.
    words = " ".join(seen.argv).split()
    for path in (path for line in lines for path in (*PATH.findall(line), *_words_in(seen, line))):
        named = next((word for word in words if posixpath.basename(word) == posixpath.basename(path)), "")
        near = _nearest(seen, path) if named else ""
        # The program itself is another fault: here it is about what it is given.
        if not near and path in words[1:] and seen.has(path) is False:
            cause = f"its command names {path}, which is not there"
            return Fault("file-missing", cause, seen.again, f"correct {where_command(seen)}")
        if not near:
            continue
        folder = seen.declared("working_dir") if not named.startswith("/") else None
        is_folder = folder is not None and posixpath.basename(near) == posixpath.basename(path)
        where = f"{folder.place} (working_dir)" if folder and is_folder else where_command(seen)
        cause = f"its command wants {path}, which is not there (did you mean {near}?)"
        return Fault("file-missing", cause, seen.again, f"correct {where}")
    return None


def _words_in(seen: Evidence, line: str) -> list[str]:
    """The words of its command that are whole paths and stand in a complaint, also those of one part: `/www`."""
    paths = (word for word in seen.argv[1:] if word.startswith("/") and len(word) > 1)
    return [path for path in paths if re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w./-])", line)]


def _nearest(seen: Evidence, path: str) -> str:
    """The path of a mounted file of the same name, else of nearly that name in the same folder.

    A file of the build context is looked for beside the path, too: COPY mostly keeps names.
    """
    there = []
    for folder in contexts(seen.project, seen.service):
        with suppress(OSError):
            beside = (posixpath.join(posixpath.dirname(path), file.name) for file in folder.iterdir())
            there += [one for one in beside if one != path and seen.has(one)]
    # Only a mounted folder can be listed from here, and only its first level is.
    for mount in (one for one in seen.mounts if one.kind == "bind"):
        there.append(mount.target)
        # A folder of somebody else may be closed to whoever runs this.
        with suppress(OSError):
            there += [posixpath.join(mount.target, file.name) for file in Path(mount.source).iterdir()]
    same = next((one for one in there if posixpath.basename(one) == posixpath.basename(path) and one != path), "")
    return same or nearest(path, there, 0.8)


def file_missing(seen: Evidence) -> Fault | None:
    """A missing file; a mount that hides its place is named."""
    for line in seen.last_words:
        # A program that is there and cannot be run has another reason.
        is_missing = NO_FILE.search(line) and not EXEC.search(line) and not _is_of_stranger(seen, line)
        for path in paths_in(seen, line) if is_missing else ():
            if mount := seen.mount_at(path):
                return _missing_below(seen, mount, path)
            if not path.startswith(NOT_FILES) and (fault := _missing_in_image(seen, path)):
                return fault
    return None


def _is_of_stranger(seen: Evidence, line: str) -> bool:
    """Whether it tells of a request that no failed check has sent: browsers ask for `/favicon.ico`."""
    match = REQUEST.search(line)
    asked = [
        *(seen.container.health_command if seen.container else ()),
        *(text for check in seen.result.failed for text in (check.check, check.detail)),
    ]
    return match is not None and not any(match["path"] in text for text in asked)


def _missing_secret(seen: Evidence, path: str) -> Fault | None:
    """A secret that the project declares, or is to declare, and the service is not given."""
    folder, _, name = path.rpartition("/")
    if folder != SECRETS:
        return None
    service = seen.declared()
    change = f"add `secrets: [{name}]` to {seen.name}{f' ({service.place})' if service else ''}"
    words = f"reads the secret {name}, which it is not given: there is no {path}"
    return Fault("file-missing", words, f"invoke up {seen.name}", change)


def _missing_in_image(seen: Evidence, path: str) -> Fault | None:
    """A file that is not in the image and that the program cannot create without its folder."""
    if secret := _missing_secret(seen, path):
        return secret
    folder = path.rpartition("/")[0]
    if seen.has(folder) is False:
        words = f"the folder {folder} is missing in its image: it can neither read nor write {path}"
        making = f"make {folder} in {seen.image.dockerfile_place}, or " if seen.image else ""
        return Fault("file-missing", words, seen.again, f"{making}mount a volume or a folder on {folder}")
    if seen.has(path):
        return None
    return _missing_file(seen, path)


def _missing_file(seen: Evidence, path: str) -> Fault:
    """A file that the image lacks, although it has the folder: mounted on others only, not copied, or not made."""
    words = f"the file {path} is missing in its image"
    if not seen.service.is_built or seen.image is None:
        return Fault("file-missing", words, seen.up, f"mount {path}, or take another image")
    if place := _mounted_elsewhere(seen, path):
        return Fault("file-missing", words, seen.up, f"mount it on {seen.name}, too, as {place} does elsewhere")
    file = seen.own_file(path)
    if file is None and seen.is_made_by_dockerfile(path):
        # Without --force a build does nothing: by its inputs the image is up to date.
        return Fault("file-missing", words, f"invoke build {seen.name} --force && invoke up")
    what = f"copy {relpath(file, seen.project.root)} into it" if file else f"make {path}"
    change = f"{what} in {seen.image.dockerfile_place}{'' if file else ', or mount it'}"
    return Fault("file-missing", words, seen.again, change)


def _mounted_elsewhere(seen: Evidence, path: str) -> str:
    """The line that mounts this path on another service of the project; "" for none."""
    for name, service in seen.project.services.items():
        targets = [str(one.get("target")) for one in service.definition.get("volumes") or () if isinstance(one, dict)]
        if name != seen.name and path in targets:
            return place_or(find_text(seen.project, name, "volumes", path), name)
    return ""


def _missing_below(seen: Evidence, mount: Mount, path: str) -> Fault:
    """A missing file below a mount: deleted here, replaced here, or hidden."""
    removing = f"remove the mount: {seen.place_of(mount)}"
    here = Path(mount.source + path.removeprefix(mount.target.rstrip("/")))
    if mount.kind != "bind" or not here.is_absolute():
        words = f"the file {path} is missing: {mount.words} hides what the image has there"
        return Fault("file-missing", words, seen.up, removing)
    name, source = relpath(here, seen.project.root), relpath(mount.source, seen.project.root)
    if here.exists():
        # `git checkout` and the like remove a folder and make it anew; a mount keeps the old one.
        words = f"the file {path} is missing in it, and {name} is here: {source} was replaced after its start"
        return Fault("mount-replaced", words, f"invoke restart {seen.name}")
    words = f"the file {path} is missing: {name} is not there, and {mount.words} hides what the image has"
    return Fault("file-missing", words, seen.up, f"put {name} there, or {removing}")
