"""Are other people's projects read as `docker compose` reads them? `python -m benchmarks.foreign_projects FOLDER…`

Every Compose file below the folders is one case: the default files of its folder, and each other file by COMPOSE_FILE.
Compared are services, images, tags, arguments, contexts and all else that bake is given. Nothing is built or started.
Ends with 1 when a case is read otherwise, or fails in another way than with a named error.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from layerstack.errors import StackError
from layerstack.project import project
from layerstack.project.compose_files import COMPOSE_NAMES
from layerstack.project.image_name import full_name
from layerstack.project.project import Project
from layerstack.project.targets import service_of

TIMEOUT_SECONDS = 120.0
_SERVICES = re.compile(r"^(?:services|include)\s*:", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A folder, and the file that COMPOSE_FILE names there; "" for the default ones."""

    folder: Path
    file: str = ""

    @property
    def name(self) -> str:
        return str(self.folder / self.file)


@dataclass(frozen=True)
class Outcome:
    """`kind`: same, different, refused (by both), lenient (by Compose's config only), strict (by us only), crash."""

    case: Case
    kind: str
    detail: str = ""
    services: int = 0
    images: int = 0


def find_cases(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.rglob("*.y*ml")):
        is_default = path.name in COMPOSE_NAMES
        if is_default and path == next(path.parent / one for one in COMPOSE_NAMES if (path.parent / one).is_file()):
            yield Case(path.parent)
        elif not is_default and "override" not in path.name and _SERVICES.search(path.read_text(errors="replace")):
            yield Case(path.parent, path.name)


def judge(case: Case) -> Outcome:
    """Read one case with both, in its folder."""
    os.chdir(case.folder)
    os.environ.pop("COMPOSE_FILE", None)
    if case.file:
        os.environ["COMPOSE_FILE"] = case.file
    config = _compose("config")
    try:
        loaded = project.load(project.find_root(case.folder), "gpu")
    except StackError as error:
        return Outcome(case, "refused" if config is None else "strict", str(error).splitlines()[0])
    except Exception as error:
        return Outcome(case, "crash", repr(error))
    if config is None:
        return Outcome(case, "lenient")
    differences = [*_services(config, loaded), *_images(loaded)]
    kind = "different" if differences else "same"
    return Outcome(case, kind, "; ".join(differences), len(loaded.services), len(loaded.images))


def _services(config: Mapping[str, Any], loaded: Project) -> Iterator[str]:
    theirs: Mapping[str, Any] = config.get("services") or {}
    if config["name"] != loaded.name:
        yield f"name {config['name']} → {loaded.name}"
    if set(theirs) != set(loaded.services):
        yield f"services {sorted(theirs)} → {sorted(loaded.services)}"
    for name, one in theirs.items():
        ours = loaded.services.get(name)
        image = one.get("image") or (f"{config['name']}-{name}" if "build" in one else "")
        if ours and ours.image != image:
            yield f"image of {name}: {image} → {ours.image}"
        if ours and (ours.definition.get("environment") or {}) != _unescaped(one.get("environment") or {}):
            yield f"environment of {name}"


def _images(loaded: Project) -> Iterator[str]:
    """What Compose would give to bake against what we would, both as bake understands it."""
    printed = _compose("build", "--print") or {}
    theirs = _resolved(printed) if printed.get("target") else {}
    ours = _resolved({"target": {name: dict(one.definition) for name, one in loaded.images.items()}})
    for name, target in theirs.items():
        service = service_of(name, target)
        image = loaded.image_of(loaded.services[service]) if service in loaded.services else loaded.images.get(name)
        if image is None:
            yield f"no image for {service}"
            continue
        own = _without_links(ours[image.name], target)
        if image.name != name:  # two services that are built alike share one image
            own, target = _without_service(own), _without_service(target)
        keys = [key for key in sorted({*own, *target}) if own.get(key) != target.get(key)]
        if keys and not loaded.bake_files:
            yield f"{name}: {', '.join(f'{key} {target.get(key)} → {own.get(key)}' for key in keys)}"
        wanted = {full_name(tag) for tag in target.get("tags") or ()}
        if not wanted <= {full_name(tag) for tag in image.tags} and not loaded.bake_files:
            yield f"tags of {name}: {sorted(wanted)} → {image.tags}"


def _without_links(own: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Without the contexts that tie an image to others of its project: Compose leaves them to the order of builds."""
    known = theirs.get("contexts") or {}
    kept = {
        key: value
        for key, value in (own.get("contexts") or {}).items()
        if key in known or not value.startswith("target:")
    }
    rest = {key: value for key, value in own.items() if key != "contexts"}
    return {**rest, **({"contexts": kept} if kept else {})}


def _without_service(target: Mapping[str, Any]) -> dict[str, Any]:
    labels = {key: value for key, value in target["labels"].items() if not key.endswith("compose.service")}
    return {**target, "labels": labels}


def _resolved(document: Mapping[str, Any]) -> dict[str, Any]:
    if not document.get("target"):
        return {}
    argv = ["docker", "buildx", "bake", "--progress", "quiet", "--file", "-", "--print", *document["target"]]
    answer = _run(argv, json.dumps(document))
    if answer.returncode:
        # The same document of Compose ends like this in `docker compose build`.
        return {name: {"refused by bake": answer.stderr.strip().splitlines()[-1:]} for name in document["target"]}
    found: dict[str, Any] = json.loads(answer.stdout).get("target") or {}
    return found


def _compose(*words: str) -> dict[str, Any] | None:
    answer = _run(["docker", "compose", *words])
    if answer.returncode:
        return None
    # YAML, because the JSON of `config` fails where a build names an SSH key.
    found: dict[str, Any] = yaml.safe_load(answer.stdout) if answer.stdout.strip() else {}
    return found


def _run(argv: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEVICE": "gpu"}
    return subprocess.run(
        argv, input=text, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )


def _unescaped(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Compose doubles the dollars of what it prints."""
    return {name: value.replace("$$", "$") if isinstance(value, str) else value for name, value in environment.items()}


def main(folders: Sequence[str]) -> int:
    outcomes = [judge(case) for folder in folders for case in find_cases(Path(folder).resolve())]
    for one in outcomes:
        if one.kind != "same":
            sys.stdout.write(f"{one.kind}: {one.case.name}: {one.detail}\n")
    counts = {kind: sum(one.kind == kind for one in outcomes) for kind in dict.fromkeys(one.kind for one in outcomes)}
    services, images = sum(one.services for one in outcomes), sum(one.images for one in outcomes)
    sys.stdout.write(f"{len(outcomes)} Compose files, {services} services, {images} images: {counts}\n")
    return int(any(one.kind in ("different", "strict", "crash") for one in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
