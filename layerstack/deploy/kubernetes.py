"""Manifests for Kubernetes from what Compose resolved: validated against the schemas, never run on a cluster."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack.build.progress import BuildObserver
from layerstack.deploy.compose_document import (
    finished_services,
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
from layerstack.run.unmounted import is_own_mount

Manifest = dict[str, Any]
# A claim must name a size, and a volume of Compose has none.
CLAIM_SIZE = "10Gi"
HEAD = "# Written by `layerstack deploy --kubernetes`; validated against the schemas of Kubernetes, never run.\n"
NOT_CARRIED = (
    "Not carried over: start order (a container whose dependency is missing is restarted), published ports (write an "
    "Ingress), process limits, log options, users given by name, mounts of the project's folder."
)


@dataclass(frozen=True)
class Written:
    """The manifests of one service; `needs` are the arguments of `kubectl create` for what must exist before them."""

    name: str
    manifests: tuple[Manifest, ...]
    needs: tuple[str, ...]

    @property
    def text(self) -> str:
        first = "".join(f"# First: kubectl create {words}\n" for words in self.needs)
        return HEAD + first + yaml_text(*self.manifests)


def write_manifests(project: Project, folder: Path, observer: BuildObserver | None, say: Say) -> tuple[Path, ...]:
    """Build and push, then write a file per service. Raises UsageError, CheckFailed, StartFailed."""
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
    """`document` is what Compose resolved, dollars doubled; `images` are the references by service."""
    jobs = finished_services(document)
    return tuple(
        _written(root, name, document["services"][name], image, name in jobs) for name, image in images.items()
    )


def _written(root: Path, name: str, service: Mapping[str, Any], image: str, is_job: bool) -> Written:
    label = object_name(name)
    # No node has the project's folder.
    mounts = [mount for mount in service.get("volumes") or () if not is_own_mount(root, mount)]
    pod = Pod(label, {**service, "volumes": mounts}, image)
    claims = [
        _claim(object_name(mount["source"])) for mount in mounts if mount["type"] == "volume" and mount.get("source")
    ]
    parts = [*claims, _job(pod) if is_job else _workload(pod, service), *([] if is_job else [_address(label, service)])]
    return Written(label, tuple(parts), pod.needs)


def _workload(pod: Pod, service: Mapping[str, Any]) -> Manifest:
    # A StatefulSet stops the old pod first: two pods must not write to one volume.
    selector = {"app": pod.name}
    spec: Manifest = {
        "replicas": int((service.get("deploy") or {}).get("replicas", service.get("scale", 1))),
        "selector": {"matchLabels": selector},
        "template": {"metadata": {"labels": selector}, "spec": pod.spec("Always")},
    }
    if keeps_data(service):
        return _object("apps/v1", "StatefulSet", pod.name, {"serviceName": pod.name, **spec})
    # As on a swarm: the new pod is ready before the old one ends.
    update = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return _object("apps/v1", "Deployment", pod.name, {**spec, "strategy": update})


def _job(pod: Pod) -> Manifest:
    template = {"metadata": {"labels": {"app": pod.name}}, "spec": pod.spec("OnFailure")}
    # The delay between tries doubles: 20 tries outlast a dependency that starts slowly.
    return _object("batch/v1", "Job", pod.name, {"backoffLimit": 20, "template": template})


def _address(name: str, service: Mapping[str, Any]) -> Manifest:
    """The name by which other services reach it."""
    spec: Manifest = {"selector": {"app": name}}
    ports = sorted(_ports(service))
    if ports:
        spec["ports"] = [{"name": f"{kind.lower()}-{port}", "port": port, "protocol": kind} for port, kind in ports]
    else:
        # Kubernetes accepts a Service without ports only as a headless one.
        spec["clusterIP"] = "None"
    return _object("v1", "Service", name, spec)


def _ports(service: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    found = {(int(port["target"]), str(port.get("protocol", "tcp")).upper()) for port in service.get("ports") or ()}
    for text in service.get("expose") or ():
        port, _, kind = str(text).partition("/")
        if port.isdigit():
            found.add((int(port), (kind or "tcp").upper()))
    yield from found


def _claim(name: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": CLAIM_SIZE}}}
    return _object("v1", "PersistentVolumeClaim", name, spec)


def _object(version: str, kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
