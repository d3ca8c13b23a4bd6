"""The manifests: one file a service, passwords in none of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from layerstack.deploy import kubernetes
from layerstack.deploy.compose_document import object_name
from layerstack.deploy.kubernetes import Written, make_manifests, write_manifests
from layerstack.errors import UsageError
from layerstack.project.project import Project
from layerstack.project.service import read_service

ROOT = Path("/p")


def written(top: Any = None, **services: Any) -> dict[str, Written]:
    document = {"name": "shop", "services": services, **(top or {})}
    return {one.name: one for one in make_manifests(ROOT, document, {name: f"h/{name}@sha256:1" for name in services})}


def by_kind(one: Written) -> dict[str, Any]:
    return {part["kind"]: part for part in yaml.safe_load_all(one.text)}


def container(one: Written) -> dict[str, Any]:
    (found,) = (part["spec"]["template"]["spec"] for part in one.manifests if "template" in part["spec"])
    made: dict[str, Any] = found["containers"][0]
    return made


def test_what_keeps_data_is_a_stateful_set_with_a_claim() -> None:
    volumes = [
        {"type": "volume", "source": "my_data", "target": "/data"},
        {"type": "bind", "source": "/p/code", "target": "/code"},
    ]
    found = written(db={"volumes": volumes, "ports": [{"target": 27017}]}, web={"deploy": {"replicas": 3}})
    parts = by_kind(found["db"])
    assert parts.keys() == {"PersistentVolumeClaim", "StatefulSet", "Service"}
    assert parts["PersistentVolumeClaim"]["metadata"]["name"] == "my-data"
    assert container(found["db"])["volumeMounts"] == [{"name": "volume-0", "mountPath": "/data"}]
    assert parts["Service"]["spec"]["ports"] == [{"name": "tcp-27017", "port": 27017, "protocol": "TCP"}]
    deployment = by_kind(found["web"])["Deployment"]["spec"]
    assert deployment["replicas"] == 3
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert by_kind(found["web"])["Service"]["spec"]["clusterIP"] == "None"


def test_passwords_come_from_a_secret_that_the_file_says_how_to_make() -> None:
    variables = {"DB_PASSWORD": "hunter2!", "URL": "mongodb://u:hunter2!@db/x", "LEVEL": "info", "EMPTY_PASSWORD": ""}
    one = written(web={"environment": variables})["web"]
    assert "hunter2!" not in one.text
    assert "# First: kubectl create secret generic web --from-literal=DB_PASSWORD=… --from-literal=URL=…" in one.text
    values = {each["name"]: each.get("value") for each in container(one)["env"]}
    assert values == {"DB_PASSWORD": None, "URL": None, "LEVEL": "info", "EMPTY_PASSWORD": ""}


def test_a_health_check_says_when_it_is_ready_and_restarts_nothing() -> None:
    check = {
        "test": ["CMD-SHELL", "ask $$HOST"],
        "interval": "10s",
        "timeout": "500ms",
        "start_period": "2m0s",
        "retries": 3,
    }
    made = container(written(web={"healthcheck": check})["web"])
    assert made["readinessProbe"]["exec"]["command"] == ["/bin/sh", "-c", "ask $HOST"]
    assert made["readinessProbe"]["timeoutSeconds"] == 1
    assert made["startupProbe"]["failureThreshold"] == 15
    assert "livenessProbe" not in made


def test_limits_and_rights() -> None:
    one = {
        "mem_limit": "64m",
        "read_only": True,
        "cap_drop": ["ALL"],
        "cap_add": ["CAP_NET_BIND_SERVICE"],
        "security_opt": ["no-new-privileges:true"],
        "user": "10001:1",
    }
    made = container(written(web={**one, "tmpfs": ["/tmp:mode=1777,size=16m"], "shm_size": "8m"})["web"])
    assert made["resources"] == {"limits": {"memory": str(64 * 2**20)}}
    assert made["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
        "allowPrivilegeEscalation": False,
        "runAsUser": 10001,
        "runAsGroup": 1,
    }
    assert container(written(web={"user": "0"})["web"])["securityContext"] == {"runAsUser": 0}
    spec = by_kind(written(web={**one, "tmpfs": ["/tmp:mode=1777,size=16m"]})["web"])["Deployment"]["spec"]
    (volume,) = spec["template"]["spec"]["volumes"]
    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": str(16 * 2**20)}
    assert [mount["mountPath"] for mount in made["volumeMounts"]] == ["/tmp", "/dev/shm"]


def test_a_folder_of_a_volume_is_mounted_as_such() -> None:
    mount = {"type": "volume", "source": "data", "target": "/data", "volume": {"subpath": "web"}}
    (found,) = container(written(web={"volumes": [mount]})["web"])["volumeMounts"]
    assert (found["mountPath"], found["subPath"]) == ("/data", "web")


def test_a_job_ends_and_has_no_address() -> None:
    need = {"once": {"condition": "service_completed_successfully"}}
    found = written(web={"depends_on": need}, once={"command": ["echo", "$$(date) $$HOME"]})
    parts = by_kind(found["once"])
    assert parts.keys() == {"Job"}
    assert parts["Job"]["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"
    # Kubernetes takes `$(…)` for a variable of its own unless the dollar is doubled.
    assert container(found["once"])["args"] == ["echo", "$$(date) $HOME"]


def test_secrets_and_configs_are_files() -> None:
    one = {"secrets": [{"source": "my_key"}], "configs": [{"source": "conf", "target": "/etc/app.conf"}]}
    found = written(web=one)["web"]
    mounts = {mount["name"]: (mount["mountPath"], mount["subPath"]) for mount in container(found)["volumeMounts"]}
    assert mounts == {"secrets-0": ("/run/secrets/my_key", "my_key"), "configs-0": ("/etc/app.conf", "conf")}
    assert found.needs == ("secret generic my-key --from-file=my_key=…", "configmap conf --from-file=conf=…")


def test_a_file_per_service_with_images_by_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = {name: {"image": name} for name in ("web", "db")}
    read = {name: read_service(name, one, "shop") for name, one in services.items()}
    project = Project(tmp_path, "shop", "cpu", (), (), {}, read)
    monkeypatch.setattr(kubernetes, "publish", lambda *_: {name: f"h:1/team/{name}@sha256:1" for name in services})
    monkeypatch.setattr(kubernetes, "read_document", lambda _: {"name": "shop", "services": services})
    files = write_manifests(project, tmp_path / "new/folder", None, lambda _: None)
    assert [path.name for path in files] == ["web.yaml", "db.yaml"]
    assert "image: h:1/team/web@sha256:1" in files[0].read_text()
    assert "never run" in files[0].read_text().splitlines()[0]
    with pytest.raises(UsageError, match=r"web\.yaml"):
        write_manifests(project, files[0], None, lambda _: None)


@pytest.mark.parametrize(("name", "label"), [("Web_1.", "web-1"), (f"{'a' * 62}-{'b' * 9}", "a" * 62)])
def test_a_name_is_a_label_of_dns(name: str, label: str) -> None:
    assert object_name(name) == label
