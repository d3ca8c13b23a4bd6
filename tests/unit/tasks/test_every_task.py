"""The project's own tasks: their names, their options, what they refuse. `docker` answers from a table."""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fake_docker
import pytest
import yaml
from fake_docker import FakeDocker
from task_call import invoke

from layerstack.errors import UsageError
from layerstack.gpu import decision as gpu
from layerstack.run import stack
from layerstack.run.stack import Volume
from layerstack.tasks.request import confirm

ROOT = Path(__file__).parents[3]
NAMES = {
    *("setup", "build-bases", "build", "up", "verify", "time-rebuild", "start", "down", "restart", "logs", "status"),
    *("stacks", "images", "cache", "clean", "doctor", "gpu", "why", "impact", "timeline", "dev", "audit", "share"),
    *("deploy", "backup", "restore", "weights"),
}
HEAVY = {"docker", "requests", "rich", "pynvml"}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """A shop with a web image on a base, in the working directory."""
    found = fake_docker.install(tmp_path, monkeypatch)
    root = tmp_path / "shop"
    for name in ("base", "web"):
        (root / name).mkdir(parents=True)
        (root / name / "Dockerfile").write_text("FROM scratch\n")
    (root / "docker-compose.yml").touch()
    targets = {
        "base": {"context": "base", "dockerfile": "Dockerfile", "tags": ["base:latest"]},
        "web": {"context": "web", "dockerfile": "Dockerfile", "tags": ["web:latest"], "contexts": {"b": "target:base"}},
    }
    found.answers("compose *build --print", json.dumps({"target": targets}))
    services = {"web": {"image": "web:latest", "build": {"context": "web"}}, "queue": {"image": "q"}}
    found.answers("compose *config*", yaml.safe_dump({"name": "shop", "services": services}))
    monkeypatch.chdir(root)
    decision = gpu.Decision("cpu", "the test says so", None, SimpleNamespace())  # type: ignore[arg-type]
    monkeypatch.setattr(gpu, "decide", lambda *_, **__: decision)
    return found


def test_the_list_names_exactly_the_agreed_tasks_each_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    invoke("--list --list-format json")
    listed = {one["name"]: one["help"] for one in json.loads(capsys.readouterr().out)["tasks"]}
    assert set(listed) == NAMES
    assert all(listed.values())


def test_every_option_of_every_task_is_explained() -> None:
    # Invoke hands every text out once only, and a test before this one may have been that once.
    code = (
        "import tasks; arguments = [(name, one) for name in tasks.namespace.task_names"
        " for one in tasks.namespace[name].get_arguments()];"
        "print(len(arguments), [f'{name} --{one.name}' for name, one in arguments if not one.help])"
    )
    count, _, unexplained = python(code).partition(" ")
    assert int(count) > len(NAMES)
    assert unexplained == "[]"


def test_j_is_always_json_and_every_task_that_reports_has_it() -> None:
    code = (
        "import tasks; print(*sorted(name for name in tasks.namespace.task_names"
        " if not any(one.name == 'json' and 'j' in one.names for one in tasks.namespace[name].get_arguments())))"
    )
    assert python(code).split() == ["dev", "logs"]


@pytest.mark.parametrize("modules", ["tasks", "tasks, layerstack.gpu.device, layerstack.build.build"])
def test_a_listing_and_a_build_of_nothing_import_nothing_heavy(modules: str) -> None:
    assert python(f"import sys, {modules}; print(sorted({HEAVY} & set(sys.modules)))") == "[]"


def python(code: str) -> str:
    """What a fresh Python prints in this project's folder."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_dry_runs_nothing(name: str, docker: FakeDocker) -> None:
    assert invoke(f"--dry {name}{' web' if name in ('why', 'audit', 'backup', 'restore') else ''}") == 0
    assert docker.calls == []
    assert {path.name for path in Path.cwd().iterdir()} == {"base", "web", "docker-compose.yml"}


@pytest.mark.parametrize("name", ["setup", "build-bases", "build", "up", "time-rebuild", "start", "images", "dev"])
def test_an_unknown_device_is_wrong_usage(name: str, docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(f"{name} --device nope") == 2
    said = capsys.readouterr().err
    assert all(word in said for word in ("auto", "gpu", "cpu", "`nope`"))
    assert docker.calls == []


@pytest.mark.parametrize("words", ["build wep", "time-rebuild wep"])
def test_an_unknown_name_is_wrong_usage_with_the_nearest(
    words: str, docker: FakeDocker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(words) == 2
    said = capsys.readouterr().err
    assert "`wep`" in said
    assert "Did you mean web?" in said
    assert not [call for call in docker.calls if "rawjson" in call]


def test_outside_a_project_it_is_wrong_usage(
    docker: FakeDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("build") == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_json_of_a_failure_is_one_document(docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("build wep --json") == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["exit_code"]) == (False, 2)


@pytest.fixture
def volumes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The project has one volume; `down` only writes down whether it would take volumes."""
    taken: list[bool] = []

    def down(_project: Any, removes_volumes: bool = False) -> tuple[str, ...]:
        taken.append(removes_volumes)
        return ("shop-web-1",)

    monkeypatch.setattr(stack, "volumes_of", lambda _project: (Volume("shop_data", 5_000_000),))
    monkeypatch.setattr(stack, "down", down)
    return taken


class Terminal(io.StringIO):
    """A person at a keyboard."""

    def isatty(self) -> bool:
        return True


def test_volumes_are_kept_without_a_terminal_and_without_agreement(
    docker: FakeDocker, volumes: list[bool], capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke("down --volumes") == 2
    assert volumes == []
    said = capsys.readouterr().err
    assert "shop_data" in said
    assert "--yes" in said


def test_volumes_go_when_agreed_beforehand(docker: FakeDocker, volumes: list[bool]) -> None:
    assert invoke("down --volumes --yes") == 0
    assert volumes == [True]


def test_down_alone_asks_nothing(docker: FakeDocker, volumes: list[bool]) -> None:
    assert invoke("down") == 0
    assert volumes == [False]


@pytest.mark.parametrize(("answer", "exit_code", "taken"), [("y\n", 0, [True]), ("n\n", 2, []), ("", 2, [])])
def test_a_person_is_asked(
    docker: FakeDocker,
    volumes: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    exit_code: int,
    taken: list[bool],
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert invoke("down --volumes") == exit_code
    assert volumes == taken


def test_clean_refuses_without_a_terminal_and_removes_nothing(
    docker: FakeDocker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from layerstack.cache import clean_up
    from layerstack.cache.builder import Builder, Disk

    plan = clean_up.CleanUp((), True, 5_000_000, Builder("default", "docker", "28.5.2", (), Disk()))
    monkeypatch.setattr(clean_up, "plan_clean", lambda _project, removes_all: plan)
    monkeypatch.setattr(clean_up, "clean", lambda *_: pytest.fail("removed without asking"))
    assert invoke("clean --all") == 2
    assert "5 MB" in capsys.readouterr().err


def test_an_empty_clean_asks_nothing(docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    from layerstack.cache import clean_up
    from layerstack.cache.builder import Builder, Disk

    plan = clean_up.CleanUp((), False, 0, Builder("default", "docker", "28.5.2", (), Disk()))
    monkeypatch.setattr(clean_up, "plan_clean", lambda _project, removes_all: plan)
    monkeypatch.setattr(clean_up, "clean", lambda *_: pytest.fail("there was nothing to remove"))
    assert invoke("clean") == 0


def test_nothing_to_lose_needs_no_answer() -> None:
    confirm([], is_agreed=False)
    with pytest.raises(UsageError):
        confirm(["everything"], is_agreed=False)


def test_a_missing_docker_is_an_engine_error(
    docker: FakeDocker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert invoke("build") == 3
