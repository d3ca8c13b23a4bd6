"""The tasks as a person types them, in a folder of another project."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layers import layers
from typed import INVOKE, invoke

from layerstack.build import history
from layerstack.engine import engine, images
from layerstack.project.project import Project
from layerstack.run import stack

pytestmark = pytest.mark.docker


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    with layers(tmp_path, monkeypatch) as found:
        yield found


def document(own: Project, words: str, exit_code: int = 0) -> dict[str, Any]:
    """The one JSON document of a task."""
    outcome = invoke(own.root, words)
    assert outcome.returncode == exit_code, outcome.stderr
    found: dict[str, Any] = json.loads(outcome.stdout)
    return found


def has_images(own: Project) -> set[str]:
    return set(images.find_all(image.tag for image in own.images.values()))


def test_a_build_is_a_document_and_the_next_one_finds_everything_fresh(own: Project) -> None:
    first = document(own, "build --json")
    assert first["ok"] is True
    assert {image["image"]: image["action"] for image in first["images"]} == dict.fromkeys(own.images, "built")
    second = document(own, "build --json")
    assert {image["action"] for image in second["images"]} == {"fresh"}


def test_bases_alone_and_one_service_alone(own: Project) -> None:
    assert invoke(own.root, "build-bases").returncode == 0
    assert has_images(own) == {own.image("base").tag}
    assert invoke(own.root, "build web").returncode == 0
    assert has_images(own) == {own.image("base").tag, own.image("web").tag}


@pytest.mark.parametrize("words", ["build wep", "up wep", "restart wep", "logs wep", "time-rebuild wep"])
def test_an_unknown_service_is_wrong_usage_with_the_nearest_name(own: Project, words: str) -> None:
    outcome = invoke(own.root, words)
    assert outcome.returncode == 2, outcome.stderr
    assert "`wep`" in outcome.stderr
    assert "web" in outcome.stderr.replace("`wep`", "")
    assert "Traceback" not in outcome.stderr


def test_a_failed_build_ends_with_its_own_code_and_one_document(own: Project) -> None:
    with (own.root / "web" / "Dockerfile").open("a") as file:
        file.write("RUN exit 9\n")
    outcome = invoke(own.root, "build web --json")
    assert outcome.returncode == 4
    assert json.loads(outcome.stdout)["ok"] is False
    assert "web/Dockerfile:9" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_images_that_were_never_built_do_not_start(own: Project) -> None:
    outcome = invoke(own.root, "up")
    assert outcome.returncode == 5
    assert "invoke build" in outcome.stderr


def test_volumes_and_images_are_not_removed_without_agreement(own: Project) -> None:
    assert invoke(own.root, "build web").returncode == 0
    assert invoke(own.root, "up web").returncode == 0
    volumes = stack.volumes_of(own.name)
    assert volumes
    before = has_images(own)
    for words in ("down --volumes", "clean --all"):
        outcome = invoke(own.root, words)
        assert outcome.returncode == 2
        assert "--yes" in outcome.stderr
    assert volumes[0].name in invoke(own.root, "down --volumes").stderr
    assert [one.name for one in stack.volumes_of(own.name)] == [one.name for one in volumes]
    assert has_images(own) == before
    filters = {"label": f"com.docker.compose.project={own.name}"}
    assert len(engine.client().containers.list(filters=filters)) == 1
    assert invoke(own.root, "down --volumes --yes").returncode == 0
    assert stack.volumes_of(own.name) == ()
    assert engine.client().containers.list(all=True, filters=filters) == []


@pytest.mark.parametrize(("service", "exit_code"), [("web", 0), ("late", 1)])
def test_a_timed_rebuild_is_a_document_also_when_it_fails(own: Project, service: str, exit_code: int) -> None:
    found = document(own, f"time-rebuild {service} --runs 1 --json", exit_code)
    assert found["ok"] is (exit_code == 0)
    assert [one["service"] for one in found["rebuilds"]] == [service]


def test_reports_of_what_is_there_are_documents(own: Project) -> None:
    assert invoke(own.root, "build web").returncode == 0
    found = {one["image"]: one for one in document(own, "images --json")["images"]}
    assert found[own.image("web").tag]["built_on"] == own.image("base").tag
    assert found[own.image("late").tag]["id"] is None
    assert {one["service"] for one in document(own, "status --json")["services"]} == {"web", "late"}
    assert document(own, "cache --json")["total_bytes"] > 0


def test_ctrl_c_in_a_build_is_130_and_tags_nothing_unfinished(own: Project) -> None:
    with (own.root / "web" / "Dockerfile").open("a") as file:
        file.write("RUN sleep 60\n")
    with (own.root / "web" / "src" / "app.js").open("a") as file:
        file.write(f"// {own.name}\n")
    process = subprocess.Popen(
        [*INVOKE, "build", "web"], cwd=own.root, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert any("COPY src src" in line for line in process.stderr), "the build never came to its last step but one"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        # A build that goes on would share its steps with the builds of later tests.
        process.kill()
        process.wait()
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert own.image("web").tag not in has_images(own)
    assert list(history.read(own.root)) == []


NEED_AN_ENGINE = (
    *("audit web", "build", "build-bases", "cache", "clean --yes", "dev", "down", "images", "logs"),
    *("restart", "stacks", "start", "status", "time-rebuild web", "up", "verify", "why web"),
)


@pytest.mark.parametrize("words", NEED_AN_ENGINE)
def test_without_an_engine_every_task_says_so_and_what_to_do(
    own: Project, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    with monkeypatch.context() as away:
        away.setenv("DOCKER_HOST", f"unix://{own.root}/none.sock")
        outcome = invoke(own.root, words)
    assert outcome.returncode == 3, outcome.stderr
    said, advice = outcome.stderr.splitlines()
    assert said.startswith(f"No Docker daemon responds at unix://{own.root}/none.sock: ")
    assert advice.startswith("  → Start it ")
    assert said.count("→") == 0
