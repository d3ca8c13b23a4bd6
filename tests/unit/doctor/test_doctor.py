"""What doctor says without an engine, with hanging checks, about versions, disk, cache, GPU and the machine."""

import json
import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cache_parts
import pytest
from engine_facts import FACTS
from fake_docker import install

from layerstack.cache.cache_forecast import Forecast
from layerstack.cache.cache_report import CachedImage, CacheReport
from layerstack.doctor import doctor, engine_checks, machine_checks, project_checks
from layerstack.doctor.disk_need import DiskNeed
from layerstack.doctor.doctor_checks import DoctorChecks
from layerstack.doctor.known_issues import Circumstances
from layerstack.doctor.silence import WHY
from layerstack.engine import engine
from layerstack.engine.api import EngineRefused, ImageMissing
from layerstack.engine.cache_records import CacheUse
from layerstack.errors import EngineError, UsageError
from layerstack.gpu import gpu_services, gpu_survey
from layerstack.gpu.decision import Decision
from layerstack.gpu.gpu_probe import NOT_ASKED
from layerstack.gpu.gpu_survey import Survey
from layerstack.project import project
from layerstack.project.project import Port, Project, Service

COMPOSE = "docker-compose.yml"


def severities(findings: Any) -> dict[str, str]:
    return {finding.check: finding.severity for finding in findings}


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise EngineError("No Docker daemon responds", "Start it.")

    monkeypatch.setattr(engine, "client", fail)
    monkeypatch.setattr(engine, "read_facts", fail)


def demo(root: Path, port: int = 1) -> Project:
    web = Service("web", "web", (Port("127.0.0.1", port, 80),), {})
    return Project(root, "demo", "cpu", (root / COMPOSE,), (), {}, {"web": web})


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_the_other_checks_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / COMPOSE).write_text("services: {web: {ports: ['80'], image: '${TAG}'}}")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        monkeypatch.setattr(project, "load", lambda root, device: demo(root, taken))
        outcome = doctor.examine(tmp_path)
    found = severities(outcome.findings)
    assert found["engine"] == "error"
    assert found[f"port {taken}"] == "error"
    assert found[".env"] == "warning"
    assert {"environment", "pynvml", "gpu", "project", "proxy", "build-order", "health-localhost"} <= found.keys()
    assert [finding.check for finding in outcome.findings].count("engine") == 1
    assert not outcome.is_ok
    assert all(finding.remedy for finding in outcome.findings if finding.severity != "ok")


@pytest.mark.usefixtures("no_engine")
def test_every_finding_says_why_it_matters_and_the_worst_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "load", lambda root, device: demo(root))
    found = doctor.examine(tmp_path).findings
    assert all(finding.why for finding in found)
    ranks = [doctor.SEVERITIES.index(finding.severity) for finding in found]
    assert ranks == sorted(ranks)
    assert {"check", "severity", "detail", "why", "remedy"} <= json.loads(json.dumps(found[0].to_json())).keys()


@pytest.mark.usefixtures("no_engine")
def test_silenced_findings_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / COMPOSE).write_text("x-layerstack: { doctor: { ignore: [.env] } }\nservices: {web: {image: '$TAG'}}")
    monkeypatch.setattr(project, "load", lambda root, device: demo(root))
    outcome = doctor.examine(tmp_path, ["engine"])
    assert {finding.check for finding in outcome.silenced} == {"engine", ".env"}
    assert outcome.is_ok
    assert len(outcome.to_json()["ignored"]) == 2
    with pytest.raises(UsageError):
        doctor.examine(tmp_path, ["engin"])


@pytest.mark.usefixtures("no_engine")
def test_an_unreadable_project_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise UsageError("There is no Compose file", "Go elsewhere.")

    monkeypatch.setattr(project, "load", fail)
    assert severities(doctor.examine(tmp_path).findings)["project"] == "error"


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("services:\n  web:\n    image: [1\n", "", "docker-compose.yml:4"),
        (
            "services:\n  web:\n    image: x\n    ports: 80\n",
            "services.web.ports must be a array",
            "docker-compose.yml:4",
        ),
        (
            "services:\n  web:\n    imag: x\n",
            "services.web additional properties 'imag' not allowed",
            "docker-compose.yml:3",
        ),
        ("a: b\nservices:\n  web: {}\n", 'service "web" depends on undefined service "x"', "docker-compose.yml:3"),
        ("services: {}\n", "something else", ""),
    ],
)
def test_a_half_written_compose_file_is_named_with_its_line(tmp_path: Path, text: str, said: str, place: str) -> None:
    (tmp_path / COMPOSE).write_text(text)
    (found,) = project_checks.check_readable(tmp_path, UsageError(said, "Look."))
    assert (found.check, found.severity, found.place) == ("project", "error", place)


def test_what_the_env_file_breaks_is_told_there(tmp_path: Path) -> None:
    (tmp_path / COMPOSE).write_text("services: {}\n")
    (tmp_path / ".env").write_text("A b=1\n")
    assert list(project_checks.check_readable(tmp_path, UsageError("key cannot contain a space"))) == []


def test_a_required_variable_that_the_env_file_seems_to_have_is_told_with_the_project(tmp_path: Path) -> None:
    (tmp_path / COMPOSE).write_text("services: {}\n")
    (found,) = project_checks.check_readable(tmp_path, UsageError("required variable TAG is missing a value", "Look."))
    assert (found.check, found.severity) == ("project", "error")


def test_every_check_and_fact_has_a_thread(tmp_path: Path) -> None:
    facts: list[Any] = []
    pool: Any = SimpleNamespace(submit=lambda *asked: facts.append(asked))
    assert len(DoctorChecks(tmp_path, pool, 1.0).named()) + len(facts) <= doctor.WORKERS


@pytest.mark.usefixtures("no_engine")
def test_a_hanging_or_broken_check_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECK_SECONDS", 0.5)
    monkeypatch.setattr(project, "load", lambda root, device: demo(root))
    monkeypatch.setattr(machine_checks, "check_memory", lambda: time.sleep(60))
    monkeypatch.setattr(machine_checks, "check_watches", lambda: 1 / 0)
    started = time.monotonic()
    found = severities(doctor.examine(tmp_path).findings)
    assert time.monotonic() - started < 30
    assert found["memory"] == "warning"
    assert found["inotify"] == "warning"


@pytest.mark.usefixtures("no_engine")
def test_every_check_that_fails_itself_has_a_name_that_can_be_silenced(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(doctor.WORKERS) as pool:
        names = DoctorChecks(tmp_path, pool, 1.0).named().keys()
    assert set(names) <= set(WHY)


def test_an_engine_that_is_too_old_is_an_error() -> None:
    found = list(engine_checks.check_versions(replace(FACTS, buildx_version="0.13.1"), Circumstances()))
    assert severities(found)["versions"] == "error"
    assert all(one.severity == "ok" for one in engine_checks.check_versions(FACTS, Circumstances()))


def test_a_known_issue_is_a_warning_where_it_is_met() -> None:
    met = Circumstances(has_start_intervals=True, has_profiled_bases=True)
    old = replace(FACTS, server_version="24.0.7")
    found = severities(engine_checks.check_versions(old, met))
    assert (found["Docker Engine"], found["Docker Compose"], found["Docker Buildx"]) == ("warning", "warning", "ok")
    assert set(severities(engine_checks.check_versions(old, Circumstances())).values()) == {"ok"}


@pytest.mark.parametrize(("is_allowed", "severity"), [(True, "ok"), (False, "error")])
def test_the_right_to_talk_to_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_allowed: bool, severity: str
) -> None:
    # The socket of a rootless engine, which its context names: the usual one is another engine's.
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "rootless")
    where = [{"Endpoints": {"docker": {"Host": f"unix://{tmp_path}"}}}]
    install(tmp_path, monkeypatch).answers("context inspect rootless", stdout=json.dumps(where))
    access = os.access
    monkeypatch.setattr("os.access", lambda path, mode: is_allowed if path == str(tmp_path) else access(path, mode))
    assert severities(machine_checks.check_rights()) == {"docker group": severity}
    monkeypatch.setenv("DOCKER_HOST", "ssh://elsewhere")
    assert list(machine_checks.check_rights()) == []


@pytest.mark.parametrize(
    ("free_gigabytes", "need_gigabytes", "severity"),
    [(50, 0, "ok"), (50, 40, "ok"), (50, 60, "error"), (5, 0, "error"), (None, 60, "ok")],
)
def test_disk(free_gigabytes: int | None, need_gigabytes: int, severity: str) -> None:
    free = free_gigabytes * 10**9 if free_gigabytes is not None else None
    need = DiskNeed(need_gigabytes * 10**9, ("base:latest",) if need_gigabytes else ())
    (finding,) = engine_checks.check_disk(replace(FACTS, disk_free_bytes=free), need)
    assert finding.severity == severity


@pytest.mark.parametrize(
    ("status", "is_base", "need_gigabytes", "severity"),
    [
        ("safe", True, 0, "ok"),
        ("at-risk", True, 0, "warning"),
        ("would-drop", True, 0, "warning"),
        ("would-drop", False, 0, "ok"),
        ("safe", True, 10_000, "warning"),
    ],
)
def test_the_cache_of_base_images(status: Any, is_base: bool, need_gigabytes: int, severity: str) -> None:
    image = CachedImage("base", "base:latest", is_base, (), Forecast(status, "why"), frozenset())
    report = CacheReport(CacheUse(()), cache_parts.builder(), (image,), (), 0, "{}")
    (finding,) = engine_checks.check_gc(report, DiskNeed(need_gigabytes * 10**9))
    assert (finding.check, finding.severity) == ("gc", severity)


@pytest.mark.parametrize(("offset_seconds", "severity"), [(0, "ok"), (-90, "warning")])
def test_clock(offset_seconds: float, severity: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + offset_seconds)) + ".123456789Z"
    (finding,) = engine_checks.check_clock(SimpleNamespace(info=lambda: {"SystemTime": stamp}))
    assert finding.severity == severity


def test_buildkit_turned_off_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    monkeypatch.delenv("COMPOSE_DOCKER_CLI_BUILD", raising=False)
    assert severities(machine_checks.check_environment()) == {"environment": "ok"}
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    (finding,) = machine_checks.check_environment()
    assert (finding.severity, finding.remedy) == ("warning", "unset DOCKER_BUILDKIT")


WSL_MOUNTS = """\
/dev/sdc / ext4 rw 0 0
C:\\134 /mnt/c 9p rw,aname=drvfs;path=C:\\134 0 0
/dev/sdd /mnt/data ext4 rw 0 0
D:\\134 /big\\040disk drvfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "mounted", "severity"),
    [
        ("/home/me/project", [], "ok"),
        ("/mnt/c/project", [], "warning"),
        ("/big disk/project", [], "warning"),
        ("/mnt/data/project", [], "ok"),
        ("/home/me/project", ["/mnt/c/data"], "warning"),
        ("/home/me/project", ["/home/me/data", "/mnt/data"], "ok"),
    ],
)
def test_a_project_on_the_windows_disk_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str, mounted: list[str], severity: str
) -> None:
    (tmp_path / "mounts").write_text(WSL_MOUNTS)
    monkeypatch.setattr(machine_checks, "MOUNTS_FILE", tmp_path / "mounts")
    monkeypatch.setattr("platform.release", lambda: "5.15.0-microsoft-standard-WSL2")
    assert severities(machine_checks.check_wsl(Path(folder), mounted)) == {"wsl": severity}
    monkeypatch.setattr("platform.release", lambda: "6.1.0-generic")
    assert list(machine_checks.check_wsl(Path(folder), mounted)) == []


@pytest.mark.parametrize(
    ("watches", "instances", "severity"), [(8192, 128, "warning"), (524_288, 64, "warning"), (524_288, 128, "ok")]
)
def test_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watches: int, instances: int, severity: str) -> None:
    for name, variable, number in (("w", "INOTIFY_FILE", watches), ("i", "INSTANCES_FILE", instances)):
        (tmp_path / name).write_text(f"{number}\n")
        monkeypatch.setattr(machine_checks, variable, tmp_path / name)
    assert severities(machine_checks.check_watches()) == {"inotify": severity}


@pytest.mark.parametrize(("gigabytes", "severity"), [(4, "warning"), (16, "ok")])
def test_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gigabytes: int, severity: str) -> None:
    path = tmp_path / "meminfo"
    path.write_text(f"MemTotal: {gigabytes * 2**20} kB\nMemAvailable: {2**20} kB\n")
    monkeypatch.setattr(machine_checks, "MEMINFO_FILE", path)
    assert severities(machine_checks.check_memory()) == {"memory": severity}


@pytest.mark.parametrize(
    ("names", "severity"),
    [(["pynvml", "nvidia-ml-py"], "warning"), (["pynvml"], "warning"), (["nvidia-ml-py"], "ok")],
)
def test_the_inactive_gpu_package(monkeypatch: pytest.MonkeyPatch, names: list[str], severity: str) -> None:
    installed = [SimpleNamespace(metadata={"Name": name}, version="1") for name in names]
    monkeypatch.setattr("importlib.metadata.distributions", lambda: installed)
    assert severities(machine_checks.check_pynvml()) == {"pynvml": severity}


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (Decision("gpu", "usable", None, NOT_ASKED), {"gpu": "ok"}),
        (Decision("gpu", "web lost it", None, NOT_ASKED, "lost-after-daemon-reload", "restart"), {"gpu": "warning"}),
        (Decision("cpu", "none here", None, NOT_ASKED, "no-card"), {"gpu": "ok"}),
        (Decision("cpu", "nobody asks", None, NOT_ASKED, "no-service-wants-gpu"), {"gpu": "ok"}),
        (Decision("cpu", "no toolkit", None, NOT_ASKED, "driver-without-toolkit", "install it"), {"gpu": "warning"}),
        (Decision("cpu", "engine is down", None, NOT_ASKED, "engine-unreachable"), {}),
    ],
)
def test_the_gpu_chain(decision: Decision, expected: dict[str, str]) -> None:
    assert severities(machine_checks.check_gpu(decision)) == expected


GPU_SERVICE = {
    "deploy": {"resources": {"reservations": {"devices": [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]}}}
}


@pytest.mark.parametrize(
    ("definition", "has_card", "severity"),
    [(GPU_SERVICE, False, "error"), (GPU_SERVICE, True, "error"), ({}, False, "ok")],
)
def test_doctor_foresees_that_a_service_gets_no_gpu(
    monkeypatch: pytest.MonkeyPatch, definition: dict[str, Any], has_card: bool, severity: str
) -> None:
    refused = replace(NOT_ASKED, is_usable=False, broken_link="docker", reason="no driver")
    monkeypatch.setattr(gpu_services, "probe_docker", lambda request: refused)
    monkeypatch.setattr(gpu_services, "read_host", lambda: object() if has_card else None)
    monkeypatch.setattr(gpu_services, "is_engine_elsewhere", lambda: False)
    service = Service("ml", "debian", (), definition)
    loaded = Project(Path(), "demo", "cpu", (Path("compose.yaml"),), (), {}, {"ml": service})
    (found,) = machine_checks.check_gpu(Decision("cpu", "none here", None, NOT_ASKED, "no-card"), loaded)
    assert (found.check, found.severity) == ("gpu", severity)
    # The device is chosen already; a toolkit without a card is of no use.
    assert "or use --device cpu" not in found.remedy
    assert ("nvidia-container-toolkit" in found.remedy) is has_card


@pytest.mark.usefixtures("no_engine")
def test_the_project_is_read_for_the_device_that_a_start_would_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def load(root: Path, device: str) -> Project:
        read.append(device)
        return demo(root)

    decision = Decision("cpu", "no toolkit", None, NOT_ASKED, "driver-without-toolkit", "install it")
    monkeypatch.setattr(gpu_survey, "survey", lambda root, requested: Survey(decision))
    monkeypatch.setattr(project, "load", load)
    found = doctor.examine(tmp_path).findings
    assert sorted(read) == ["cpu", "gpu"]
    (finding,) = (one for one in found if one.check == "gpu")
    assert (finding.severity, finding.remedy) == ("warning", "install it")


class Registry:
    """An engine with images (name → pulled from a registry), and what its registry says."""

    def __init__(self, images: dict[str, bool], refusal: str) -> None:
        self.api = self
        self.images, self.refusal = images, refusal
        self.asked: list[str] = []

    def inspect_image(self, reference: str) -> dict[str, Any]:
        if reference not in self.images:
            raise ImageMissing(reference)
        return {"RepoDigests": ["x@sha256:1"] if self.images[reference] else []}

    def inspect_distribution(self, reference: str) -> None:
        self.asked.append(reference)
        if self.refusal:
            raise EngineRefused(self.refusal)


@pytest.mark.parametrize(
    ("refusal", "severity"), [("", "ok"), ("no such host", "warning"), ("toomanyrequests: limit", "warning")]
)
def test_the_registry(refusal: str, severity: str) -> None:
    client = Registry({"mine": False, "redis:7": True}, refusal)
    found = engine_checks.check_registry(client, ["stand-in/node", "mine", "redis:7"], "")
    assert severities(found) == {"registry": severity}
    assert client.asked == ["redis:7"]


def test_a_login_is_at_the_registry_of_the_image() -> None:
    client = Registry({}, "unauthorized: authentication required")
    for reference, remedy in (("ghcr.io/team/app:1", "docker login ghcr.io"), ("redis:7", "docker login")):
        (found,) = engine_checks.check_registry(client, [reference], "")
        assert found.remedy == remedy


def test_the_registry_of_a_project_without_pulled_images_is_asked_for_a_common_one() -> None:
    client = Registry({"mine": False}, "")
    assert severities(engine_checks.check_registry(client, ["mine"], "")) == {"registry": "ok"}
    assert client.asked == [engine_checks.DEFAULT_REFERENCE]


def test_stand_ins_of_the_project_are_named() -> None:
    images = [{"RepoTags": ["stand-in/mongo:6", "mine:1"]}, {"RepoTags": ["stand-in/node:18"]}, {"RepoTags": None}]
    client = SimpleNamespace(api=SimpleNamespace(images=lambda filters: images))
    (finding,) = engine_checks.check_stand_ins(client, ["stand-in/mongo:6", "redis:7"])
    assert finding.severity == "warning"
    assert "stand-in/mongo:6" in finding.detail
    assert "node" not in finding.detail
    assert severities(engine_checks.check_stand_ins(client, ["redis:7"])) == {"stand-ins": "ok"}


def test_a_project_without_services_is_said(tmp_path: Path) -> None:
    assert severities(project_checks.check_project(demo(tmp_path))) == {"project": "ok"}
    assert severities(project_checks.check_project(replace(demo(tmp_path), services={}))) == {"project": "warning"}
