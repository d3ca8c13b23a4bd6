"""One bake call: its exact words, its stream as a report, its failures in words; `docker` replays captured streams."""

import base64
import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fake_docker import FakeDocker

from layerstack.build import build as builder
from layerstack.build import history, keep, remember
from layerstack.build.bake import BakeCall, bake, bake_argv, document
from layerstack.build.buildlog import EMPTY_REPORT, BuildReport
from layerstack.build.keep import Keeper
from layerstack.build.plan import Plan
from layerstack.build.progress import BuildObserver
from layerstack.build.record import BuildRecord
from layerstack.build.state import StateStore
from layerstack.dockerfile.image import Image
from layerstack.engine.cache_records import CacheRecord, CacheUse
from layerstack.errors import BuildFailed, EngineError, NoRoom, StackError, UsageError
from layerstack.project.project import Project, Service
from layerstack.registry.origin import INPUTS_LABEL

DATA = Path(__file__).parents[1] / "data" / "rawjson"
APP = BakeCall(("app",))


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
    services = {"app": Service("app", "app:latest", (), {"build": {}}, {})}
    return Project(root, "p", "cpu", (root / "compose.yml",), (root / "docker-bake.hcl",), images, services)


def failing(message: str, *events: dict[str, Any]) -> str:
    return "\n".join([*(json.dumps(event) for event in events), message]) + "\n"


def vertex(name: str, error: str = "") -> dict[str, Any]:
    times = {"started": "2026-11-20T10:00:00Z", "completed": "2026-11-20T10:00:01Z"}
    return {"vertexes": [{"digest": "sha256:1", "name": name, "error": error, **times}]}


def log(text: str) -> dict[str, Any]:
    return {"logs": [{"vertex": "sha256:1", "data": base64.b64encode(text.encode()).decode()}]}


def failure(docker: FakeDocker, stack: Project, stderr: str) -> StackError:
    docker.answers("buildx bake *", stderr=stderr, exit_code=1)
    with pytest.raises((BuildFailed, NoRoom)) as caught:
        bake(stack, APP, BuildObserver())
    return caught.value


def test_the_words_of_the_call(stack: Project) -> None:
    plain = ("docker", "buildx", "bake", "--file", "-", "--progress=rawjson")
    assert bake_argv(stack, APP) == (*plain, "app")
    call = BakeCall(("base", "app"), pulls=True, sets=("a.b=c d",), allowed_paths=(Path("/copy"),))
    assert bake_argv(stack, call) == (*plain, "--pull", "--allow=fs.read=/copy", "--set", "a.b=c d", "base", "app")


def test_a_folder_outside_the_project_is_allowed(stack: Project) -> None:
    away = replace(stack.images["app"], context="../elsewhere")
    moved = replace(stack, images={**stack.images, "app": away})
    assert f"--allow=fs.read={stack.root.parent / 'elsewhere'}" in bake_argv(moved, APP)


def test_what_a_definition_asks_of_the_builder_is_granted(stack: Project) -> None:
    asking = replace(stack.images["app"], definition={"network": "host", "entitlements": ["security.insecure"]})
    argv = bake_argv(replace(stack, images={**stack.images, "app": asking}), APP)
    assert {"--allow=network.host", "--allow=security.insecure"} <= set(argv)


def test_the_definitions_go_to_bake_as_they_were_resolved(stack: Project) -> None:
    asking = replace(stack.images["app"], definition={"args": {"A": "$${B} %%{C}"}, "labels": {"own": "1"}})
    project = replace(stack, images={**stack.images, "app": asking})
    call = BakeCall(("base", "app"), labels={"app": {"x": "y"}}, without_cache=frozenset({"app"}))
    targets = document(project, call)["target"]
    assert targets["app"]["args"] == {"A": "$${B} %%{C}"}
    assert targets["app"]["labels"] == {"own": "1", "x": "y"}
    assert targets["app"]["contexts"] == {"base-x": "target:base"}
    assert targets["app"]["no-cache"] is True
    assert "no-cache" not in targets["base"]


def test_a_kept_image_is_no_target_but_what_others_are_built_on(stack: Project) -> None:
    call = BakeCall(("base", "app"), kept=frozenset({"base"}))
    assert bake_argv(stack, call)[-1] == "app"
    assert "base" not in bake_argv(stack, call)
    targets = document(stack, call)["target"]
    assert set(targets) == {"app"}
    assert targets["app"]["contexts"] == {"base-x": "docker-image://base:latest"}


@pytest.mark.parametrize(("stream", "executed"), [("bake_cold", 6), ("bake_code_change", 2)])
def test_a_stream_becomes_a_report_with_places(docker: FakeDocker, stack: Project, stream: str, executed: int) -> None:
    docker.answers("buildx bake *", stderr=(DATA / f"{stream}.rawjson.jsonl").read_text())
    report = bake(stack, APP, BuildObserver())
    assert report.ok
    assert len(report.executed) == executed
    places = {step.place for step in (*report.executed, *report.cached)}
    assert places == {"base/Dockerfile:2", *(f"app/Dockerfile:{line}" for line in range(2, 7))}


def test_the_call_runs_in_the_projects_root_for_its_device(docker: FakeDocker, stack: Project, tmp_path: Path) -> None:
    (docker.folder / "docker").write_text(f'#!/bin/sh\necho "$PWD $DEVICE $COMPOSE_PROJECT_NAME" > {tmp_path}/seen\n')
    bake(stack, APP, BuildObserver())
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
        ("node:18-alpine: failed to resolve source metadata for docker.io/library/node: no such host", "docker load"),
        ("node:18-alpine: pull access denied, repository does not exist", "docker login"),
        ("failed to resolve source metadata for ghcr.test/team/x:1: 403 Forbidden", "`docker login ghcr.test`"),
        ("x: failed to resolve source metadata for docker.io/docker/dockerfile:1.4: no such host", "# syntax="),
        ("rpc error: grpc: string field contains invalid UTF-8", "rename"),
        ("SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed", "build-guide"),
    ],
)
def test_known_reasons_come_with_what_to_do(docker: FakeDocker, stack: Project, said: str, advice: str) -> None:
    in_message = failure(docker, stack, failing(f"ERROR: {said}"))
    in_log = failure(docker, stack, failing("ERROR: x", vertex("[app 3/6] RUN y", "exit code: 1"), log(said)))
    assert advice in in_message.advice
    assert advice in in_log.advice
    assert in_message.exit_code == in_log.exit_code == (7 if "space" in said else 4)


def test_a_failure_outside_every_step_shows_the_message(docker: FakeDocker, stack: Project) -> None:
    assert "unknown instruction: RUNN" in str(failure(docker, stack, failing("ERROR: unknown instruction: RUNN")))


def test_an_engine_that_went_away_is_an_engine_error(docker: FakeDocker, stack: Project) -> None:
    text = "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock."
    docker.answers("buildx bake *", stderr=text, exit_code=1)
    with pytest.raises(EngineError):
        bake(stack, APP, BuildObserver())


def test_an_unknown_image_starts_nothing(docker: FakeDocker, stack: Project) -> None:
    with pytest.raises(UsageError, match="`ap`"):
        builder.build(stack, ["ap"])
    assert docker.calls == []


def stored(docker: FakeDocker, **ids: str) -> None:
    """The engine holds these tags, and nothing else."""
    docker.holds(*({"Id": f"sha256:{found}", "RepoTags": [f"{name}:latest"]} for name, found in ids.items()))


def streamed(docker: FakeDocker, name: str, **ids: str) -> None:
    """BuildKit's answer: a captured stream, and the images that it exports."""
    lines = [(DATA / f"{name}.rawjson.jsonl").read_text().rstrip("\n")] if name else []
    for image, found in ids.items():
        export = {"digest": f"sha256:export-{image}", "name": f"[{image}] exporting to image"}
        texts = (f"writing image sha256:{found}", f"naming to docker.io/library/{image}:latest")
        statuses = [{"id": text, "vertex": export["digest"]} for text in texts]
        lines.append(json.dumps({"vertexes": [export], "statuses": statuses}))
    docker.answers("buildx bake *", stderr="\n".join(lines) + "\n")


@pytest.fixture(autouse=True)
def no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine whose build cache is empty."""
    for module in (remember, keep):
        monkeypatch.setattr(module, "read_cache", lambda: CacheUse(()))


BASE_ID, APP_ID, OTHER_ID = "b" * 64, "a" * 64, "c" * 64


def actions(stack: Project, *names: str) -> dict[str, str]:
    return {one.image: one.action for one in builder.build(stack, names or ("app",)).images}


def test_buildkit_is_asked_also_when_nothing_changed(docker: FakeDocker, stack: Project) -> None:
    stored(docker, base=BASE_ID, app=APP_ID)
    for _ in range(2):
        streamed(docker, "", base=BASE_ID, app=APP_ID)
        assert actions(stack) == {"base": "fresh", "app": "fresh"}
    assert len([call for call in docker.calls if call.startswith("buildx bake")]) == 2


def test_bases_and_services_are_one_call(docker: FakeDocker, stack: Project) -> None:
    stored(docker)
    streamed(docker, "bake_cold", base=BASE_ID, app=APP_ID)
    assert actions(stack) == {"base": "built", "app": "built"}
    [call] = [call for call in docker.calls if call.startswith("buildx bake")]
    assert call.split()[-2:] == ["base", "app"]


SYSTEM = {"sysbase-trixie": "5" * 64}


def asked(docker: FakeDocker) -> list[str]:
    """What bake was asked for by name, call by call."""
    return [call.split("--progress=rawjson ")[1] for call in docker.calls if call.startswith("buildx bake")]


def test_a_base_that_is_as_it_should_be_is_named_again_only_for_whoever_asks(
    docker: FakeDocker, stack: Project
) -> None:
    stored(docker, base=BASE_ID, app=APP_ID, **SYSTEM)
    streamed(docker, "", base=BASE_ID, app=APP_ID)
    for name in ("app", "app", "base"):
        assert set(actions(stack, name).values()) == {"fresh"}
    assert asked(docker) == ["base app", "app", "base"]


def test_a_base_that_moved_against_our_reading_is_named_in_a_call_of_its_own(
    docker: FakeDocker, stack: Project
) -> None:
    stored(docker, base=BASE_ID, app=APP_ID, **SYSTEM)
    streamed(docker, "", base=BASE_ID, app=APP_ID)
    actions(stack)
    streamed(docker, "bake_cold", base=OTHER_ID, app=APP_ID)
    assert actions(stack)["base"] == "built"
    assert asked(docker) == ["base app", "app", "app base"]


def test_what_ran_was_built_and_the_rest_is_fresh(docker: FakeDocker, stack: Project) -> None:
    stored(docker, base=BASE_ID, app=APP_ID)
    streamed(docker, "bake_code_change", base=BASE_ID, app=OTHER_ID)
    assert actions(stack) == {"base": "fresh", "app": "built"}


def test_another_image_under_a_tag_is_built_though_no_step_ran(docker: FakeDocker, stack: Project) -> None:
    stored(docker, base=BASE_ID, app=APP_ID)
    streamed(docker, "", base=BASE_ID, app=OTHER_ID)
    assert actions(stack) == {"base": "fresh", "app": "built"}


def test_a_record_that_was_not_made_while_the_step_ran_is_of_another_build(
    docker: FakeDocker, stack: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(docker, base=BASE_ID, app=APP_ID, **SYSTEM)
    streamed(docker, "bake_cold", base=BASE_ID, app=APP_ID)
    [step] = [one for one in bake(stack, APP, BuildObserver()).executed if one.place == "base/Dockerfile:2"]
    assert step.started
    text = "mount / from exec /bin/sh -c echo base-dep > /base.txt && sleep 1"
    records = (
        CacheRecord(name, "regular", text, 1, False, False, "", created=moment(step.started + seconds))
        for name, seconds in {"before": -3.0, "own": 0.2, "after": 60.0}.items()
    )
    found = CacheUse(tuple(records))
    monkeypatch.setattr(remember, "read_cache", lambda: found)
    builder.build(stack, ["app"])
    state = StateStore(stack.root).of_image(f"sha256:{BASE_ID}")
    assert state
    assert state.cache_records["base/Dockerfile:2"] == ("own",)


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def test_only_bases_are_labelled(stack: Project, docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[BakeCall] = []

    def take(project: Project, call: BakeCall, *_: Any) -> BuildReport:
        calls.append(call)
        return EMPTY_REPORT

    stored(docker)
    monkeypatch.setattr(builder, "bake", take)
    builder.build(stack, ["app"])
    assert {name: list(labels) for name, labels in calls[0].labels.items()} == {"base": [INPUTS_LABEL]}


def test_a_build_is_one_document_and_one_line_of_history(docker: FakeDocker, stack: Project) -> None:
    stored(docker)
    streamed(docker, "bake_cold", base=BASE_ID, app=APP_ID)
    document = builder.build(stack, ["app"]).to_json()
    [line] = history.read_builds(stack.root)
    assert line.images == msgspec.convert(document, BuildRecord).images
    assert set(document) >= {"ok", "seconds", "images"}
    for image in document["images"]:
        assert set(image) >= {"image", "action", "cause", "seconds", "inputs", "steps"}
        assert all(set(step) >= {"step", "cached", "seconds", "cause"} for step in image["steps"])
    assert {image["image"]: len(image["steps"]) for image in document["images"]} == {"base": 1, "app": 5}


def test_a_failed_build_leaves_no_history(docker: FakeDocker, stack: Project) -> None:
    stored(docker)
    docker.answers("buildx bake *", stderr="ERROR: no\n", exit_code=1)
    with pytest.raises(BuildFailed):
        builder.build(stack, ["app"])
    assert list(history.read(stack.root)) == []


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
        builder.solve(stack, APP, BuildObserver(), Keeper(lambda: Plan(())))
    assert len(made) == calls


def test_a_dockerfile_that_we_cannot_read_is_built_all_the_same(docker: FakeDocker, stack: Project) -> None:
    (stack.root / "app/Dockerfile").write_text("FROM a b c\n")
    stored(docker, base=BASE_ID)
    streamed(docker, "", base=BASE_ID, app=APP_ID)
    assert actions(stack)["app"] == "built"
