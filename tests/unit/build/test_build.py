"""One bake call: its exact words, its stream as a report, its failures in words; `docker` replays captured streams."""

import base64
import json
from pathlib import Path
from typing import Any

import fake_docker
import pytest
from fake_docker import FakeDocker

from layerstack.build import build as builder
from layerstack.build.build import BuildOptions, bake, bake_argv
from layerstack.build.plan import INPUTS_LABEL, make_plan
from layerstack.build.progress import Silent
from layerstack.build.state import StateStore
from layerstack.dockerfile.image import Image
from layerstack.errors import BuildFailed, EngineError, UsageError
from layerstack.project.project import Project, Service

DATA = Path(__file__).parents[1] / "data" / "rawjson"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    return fake_docker.install(tmp_path, monkeypatch)


@pytest.fixture
def stack(tmp_path: Path) -> Project:
    """The project that the captured streams were built from."""
    root = tmp_path / "project"
    for name in ("base", "app"):
        (root / name).mkdir(parents=True)
        (root / name / "Dockerfile").write_text((DATA / name / "Dockerfile").read_text())
    for name in ("main.py", "requirements.txt"):
        (root / "app" / name).write_text((DATA / "app" / name).read_text())
    images = {
        "base": Image("base", "base", tags=("base:latest",)),
        "app": Image("app", "app", tags=("app:latest",), contexts={"base-x": "target:base"}),
    }
    services = {"app": Service("app", "app:latest", (), {"build": {}})}
    return Project(root, "p", "cpu", (root / "compose.yml",), (root / "docker-bake.hcl",), images, services)


def failing(message: str, *events: dict[str, Any]) -> str:
    return "\n".join([*(json.dumps(event) for event in events), message]) + "\n"


def vertex(name: str, error: str = "") -> dict[str, Any]:
    times = {"started": "2026-11-20T10:00:00Z", "completed": "2026-11-20T10:00:01Z"}
    return {"vertexes": [{"digest": "sha256:1", "name": name, "error": error, **times}]}


def log(text: str) -> dict[str, Any]:
    return {"logs": [{"vertex": "sha256:1", "data": base64.b64encode(text.encode()).decode()}]}


def failure(docker: FakeDocker, stack: Project, stderr: str) -> BuildFailed:
    docker.answers("buildx bake *", stderr=stderr, exit_code=1)
    with pytest.raises(BuildFailed) as caught:
        bake(stack, ["app"], Silent(), BuildOptions())
    return caught.value


def test_the_words_of_the_call() -> None:
    plain = ("docker", "buildx", "bake", "--file", "-", "--progress=rawjson")
    assert bake_argv(["app"], BuildOptions()) == (*plain, "app")
    options = BuildOptions(is_forced=True, pulls=True, sets=("a.b=c d",), allowed_paths=(Path("/copy"),))
    words = ("--no-cache", "--pull", "--allow=fs.read=/copy", "--set", "a.b=c d")
    assert bake_argv(["app", "base"], options) == (*plain, *words, "app", "base")


@pytest.mark.parametrize(("stream", "executed"), [("bake_cold", 6), ("bake_code_change", 2)])
def test_a_stream_becomes_a_report_with_places(docker: FakeDocker, stack: Project, stream: str, executed: int) -> None:
    docker.answers("buildx bake *", stderr=(DATA / f"{stream}.rawjson.jsonl").read_text())
    report = bake(stack, ["app"], Silent(), BuildOptions())
    assert report.ok
    assert len(report.executed) == executed
    places = {step.place for step in (*report.executed, *report.cached)}
    assert places == {"base/Dockerfile:2", *(f"app/Dockerfile:{line}" for line in range(2, 7))}


def test_the_call_runs_in_the_projects_root_for_its_device(docker: FakeDocker, stack: Project, tmp_path: Path) -> None:
    (docker.folder / "docker").write_text(f'#!/bin/sh\necho "$PWD $DEVICE $COMPOSE_PROJECT_NAME" > {tmp_path}/seen\n')
    bake(stack, ["app"], Silent(), BuildOptions())
    assert (tmp_path / "seen").read_text().split() == [str(stack.root), "cpu", "p"]


def test_a_failed_step_is_named_with_its_place_its_last_lines_and_the_source(
    docker: FakeDocker, stack: Project
) -> None:
    error = failure(
        docker,
        stack,
        failing(
            "Dockerfile:4\n---\n   3 |     COPY x /app/\n   4 | >>> RUN echo deps && sleep 1\n---\nERROR: failed",
            vertex("[app 3/6] RUN echo deps && sleep 1", "process did not complete: exit code: 7"),
            log("".join(f"line {number}\n" for number in range(40))),
        ),
    )
    text = str(error)
    assert error.exit_code == 4
    assert "app/Dockerfile:4" in text
    assert "exit code: 7" in text
    assert ">>> RUN echo deps" in text
    assert "line 39" in text
    assert "line 29" not in text


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("write /x: no space left on device", "invoke clean"),
        ("node:18-alpine: failed to resolve source metadata for docker.io/library/node", "invoke setup"),
        ("rpc error: grpc: string field contains invalid UTF-8", "rename"),
        ("SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed", "build-guide"),
    ],
)
def test_known_reasons_come_with_what_to_do(docker: FakeDocker, stack: Project, said: str, advice: str) -> None:
    in_message = failure(docker, stack, failing(f"ERROR: {said}"))
    in_log = failure(docker, stack, failing("ERROR: x", vertex("[app 3/6] RUN y", "exit code: 1"), log(said)))
    assert advice in in_message.advice
    assert advice in in_log.advice


def test_a_failure_outside_every_step_shows_the_message(docker: FakeDocker, stack: Project) -> None:
    assert "unknown instruction: RUNN" in str(failure(docker, stack, failing("ERROR: unknown instruction: RUNN")))


def test_an_engine_that_went_away_is_an_engine_error(docker: FakeDocker, stack: Project) -> None:
    text = "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock."
    docker.answers("buildx bake *", stderr=text, exit_code=1)
    with pytest.raises(EngineError):
        bake(stack, ["app"], Silent(), BuildOptions())


def test_an_unknown_image_starts_nothing(docker: FakeDocker, stack: Project) -> None:
    with pytest.raises(UsageError, match="`ap`"):
        builder.build(stack, ["ap"])
    assert docker.calls == []


def stored(docker: FakeDocker, stack: Project, labels: dict[str, str]) -> None:
    attributes = [
        {"Id": f"sha256:{name}", "RepoTags": [f"{name}:latest"], "Config": {"Labels": {INPUTS_LABEL: digest}}}
        for name, digest in labels.items()
    ]
    docker.answers("image inspect *", json.dumps(attributes), "Error: No such image: sysbase-trixie", 1)


def digests(docker: FakeDocker, stack: Project) -> dict[str, str]:
    stored(docker, stack, {})
    plan = make_plan(stack, ["app"], StateStore(stack.root))
    return {one.name: one.manifest.digest for one in plan.images}


def test_fresh_images_cost_no_builder_call(docker: FakeDocker, stack: Project) -> None:
    stored(docker, stack, digests(docker, stack))
    result = builder.build(stack, ["app"])
    assert {one.image: one.action for one in result.images} == {"base": "fresh", "app": "fresh"}
    assert not [call for call in docker.calls if call.startswith("buildx")]
    assert result.to_json()["ok"] is True


def test_only_what_changed_is_asked_for(docker: FakeDocker, stack: Project) -> None:
    stored(docker, stack, digests(docker, stack))
    (stack.root / "app" / "main.py").write_text("print('changed')\n")
    docker.answers("buildx bake *", stderr=(DATA / "bake_code_change.rawjson.jsonl").read_text())
    result = builder.build(stack, ["base", "app"])
    assert {one.image: one.action for one in result.images} == {"base": "fresh", "app": "built"}
    [call] = [call for call in docker.calls if call.startswith("buildx bake")]
    assert call.split()[-1] == "app"
    assert "base" not in call.split()


def test_a_build_is_one_document_and_one_line_of_history(docker: FakeDocker, stack: Project) -> None:
    stored(docker, stack, {})
    docker.answers("buildx bake *", stderr=(DATA / "bake_cold.rawjson.jsonl").read_text())
    document = builder.build(stack, ["app"]).to_json()
    [line] = (stack.root / ".layerstack" / "history.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert {key: record[key] for key in document} == json.loads(json.dumps(document))
    assert set(document) >= {"ok", "seconds", "images"}
    for image in document["images"]:
        assert set(image) >= {"image", "action", "cause", "seconds", "inputs", "steps"}
        assert all(set(step) >= {"step", "cached", "seconds", "cause"} for step in image["steps"])
    assert {image["image"]: len(image["steps"]) for image in document["images"]} == {"base": 1, "app": 5}


def test_a_failed_build_leaves_no_history(docker: FakeDocker, stack: Project) -> None:
    stored(docker, stack, {})
    docker.answers("buildx bake *", stderr="ERROR: no\n", exit_code=1)
    with pytest.raises(BuildFailed):
        builder.build(stack, ["app"])
    assert not (stack.root / ".layerstack" / "history.jsonl").exists()


@pytest.mark.parametrize(("message", "calls"), [("failed to get dead record abc: not found", 2), ("out of disk", 1)])
def test_a_race_with_the_collection_is_repeated_once(
    stack: Project, monkeypatch: pytest.MonkeyPatch, message: str, calls: int
) -> None:
    made: list[None] = []

    def refuse(*_: Any) -> None:
        made.append(None)
        raise BuildFailed(f"The build failed: {message}")

    monkeypatch.setattr(builder, "bake", refuse)
    with pytest.raises(BuildFailed, match=message):
        builder.solve(stack, ["app"], {}, Silent(), BuildOptions(), StateStore(stack.root))
    assert len(made) == calls
