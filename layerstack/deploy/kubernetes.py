"""Manifests for Kubernetes from what Compose resolved: validated against its schemas, never run on a cluster."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack.build.progress import BuildObserver
from layerstack.deploy.compose_document import (
    finished_services,
    is_below,
    object_name,
    read_document,
    yaml_text,
)
from layerstack.deploy.pinned_images import publish
from layerstack.deploy.pod import Pod
from layerstack.deploy.service_policy import keeps_data
from layerstack.errors import UsageError
from layerstack.project.project import Project
from layerstack.report import Say

Manifest = dict[str, Any]
CLAIM_SIZE = "10Gi"
HEAD = "# Written by `layerstack deploy --kubernetes`; validated against the schemas of Kubernetes, never run.\n"
NOT_CARRIED = "Not carried over: start order (what misses something is restarted until it is there), published ports "
NOT_CARRIED += "(an Ingress of your own), process limits, log options, mounts of the project's folder."


@dataclass(frozen=True)
class Written:
    """What one service becomes; `needs` are the Secrets and ConfigMaps that are to be there before, as kubectl makes
    them."""

    name: str
    manifests: tuple[Manifest, ...]
    needs: tuple[str, ...]

    @property
    def text(self) -> str:
        first = "".join(f"# First: kubectl create {words}\n" for words in self.needs)
        return HEAD + first + yaml_text(*self.manifests)


def write_manifests(project: Project, folder: Path, observer: BuildObserver | None, say: Say) -> tuple[Path, ...]:
    """Build and push, then a file per service in `folder`, by digest. Raises UsageError, CheckFailed, StartFailed."""
    project.require_services()
    pinned = publish(project, observer, say)
    written = make_manifests(project.root, read_document(project), pinned)
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in written:
            paths.append(folder / f"{one.name}.yaml")
            paths[-1].write_text(one.text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error}", "Name another folder.") from error
    say(NOT_CARRIED)
    return tuple(paths)


def make_manifests(root: Path, document: Mapping[str, Any], images: Mapping[str, str]) -> tuple[Written, ...]:
    """`document` is what Compose resolved, its dollars doubled; `images` what each service runs."""
    jobs = finished_services(document)
    return tuple(
        _written(root, name, document["services"][name], image, name in jobs) for name, image in images.items()
    )


def _written(root: Path, name: str, one: Mapping[str, Any], image: str, is_job: bool) -> Written:
    label = object_name(name)
    mounts = [mount for mount in one.get("volumes") or () if not _is_own(mount, root)]
    pod = Pod(label, {**one, "volumes": mounts}, image)
    claims = [
        _claim(object_name(mount["source"])) for mount in mounts if mount["type"] == "volume" and mount.get("source")
    ]
    parts = [*claims, _job(pod) if is_job else _workload(pod, one), *([] if is_job else [_address(label, one)])]
    return Written(label, tuple(parts), pod.needs)


def _is_own(mount: Mapping[str, Any], root: Path) -> bool:
    return mount["type"] == "bind" and is_below(mount["source"], root)


def _workload(pod: Pod, one: Mapping[str, Any]) -> Manifest:
    """A StatefulSet for what keeps data: no two of it write to one volume while it is replaced."""
    selector = {"app": pod.name}
    spec: Manifest = {
        "replicas": int((one.get("deploy") or {}).get("replicas", one.get("scale", 1))),
        "selector": {"matchLabels": selector},
        "template": {"metadata": {"labels": selector}, "spec": pod.spec("Always")},
    }
    if keeps_data(one):
        return _object("apps/v1", "StatefulSet", pod.name, {"serviceName": pod.name, **spec})
    update = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return _object("apps/v1", "Deployment", pod.name, {**spec, "strategy": update})


def _job(pod: Pod) -> Manifest:
    template = {"metadata": {"labels": {"app": pod.name}}, "spec": pod.spec("OnFailure")}
    # Its dependencies may take their time: a Job waits longer between its tries each time.
    return _object("batch/v1", "Job", pod.name, {"backoffLimit": 20, "template": template})


def _address(name: str, one: Mapping[str, Any]) -> Manifest:
    """The name under which the others reach it."""
    spec: Manifest = {"selector": {"app": name}}
    ports = sorted(_ports(one))
    if ports:
        spec["ports"] = [{"name": f"{kind.lower()}-{port}", "port": port, "protocol": kind} for port, kind in ports]
    else:
        spec["clusterIP"] = "None"
    return _object("v1", "Service", name, spec)


def _ports(one: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    found = {(int(port["target"]), str(port.get("protocol", "tcp")).upper()) for port in one.get("ports") or ()}
    for text in one.get("expose") or ():
        port, _, kind = str(text).partition("/")
        if port.isdigit():
            found.add((int(port), (kind or "tcp").upper()))
    yield from found


def _claim(name: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": CLAIM_SIZE}}}
    return _object("v1", "PersistentVolumeClaim", name, spec)


def _object(version: str, kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
