"""Folders of another shape, with every task: a Compose file and Dockerfiles, and nothing written for layerstack."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layers import layers, tree_digest
from typed import invoke

from layerstack.engine import images
from layerstack.project.project import Project
from layerstack.run import stack

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.usefixtures("node_image")]
PROJECTS = Path(__file__).parent / "projects"
EDITED = {
    "found": {"site": "pages/index.html", "worker": "worker/worker.js"},
    "inline": {"report": "report.js", "app": "app.mjs", "library": "library.mjs"},
}


@pytest.fixture(params=sorted(EDITED))
def shape(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def own(shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    with layers(tmp_path, monkeypatch, PROJECTS / shape, TEST_TOKEN=f"secret-{os.getpid()}") as found:
        yield found


def document(own: Project, words: str) -> dict[str, Any]:
    outcome = invoke(own.root, f"{words} --json")
    assert outcome.returncode == 0, outcome.stderr
    found: dict[str, Any] = json.loads(outcome.stdout)
    return found


def actions(answer: dict[str, Any]) -> dict[str, str]:
    return {image["image"]: image["action"] for image in answer["images"]}


@pytest.mark.parametrize("shape", ["found"], indirect=True)
def test_bases_are_found_on_both_levels_and_built_first(own: Project) -> None:
    assert {image.name for image in own.base_images} == {"layerstack-test-web", "layerstack-test-runtime"}
    assert [own.image(name).parents for name in ("site", "layerstack-test-web", "worker")] == [
        ("layerstack-test-web",),
        ("layerstack-test-runtime",),
        ("layerstack-test-runtime",),
    ]
    built = document(own, "build-bases")
    assert actions(built) == {"layerstack-test-runtime": "built", "layerstack-test-web": "built"}
    assert images.find(own.image("site").tag) is None
    web, runtime = images.find("layerstack-test-web:latest"), images.find("layerstack-test-runtime:latest")
    assert web is not None
    assert runtime is not None
    assert images.is_built_on(web, runtime)


@pytest.mark.parametrize("shape", ["found"], indirect=True)
def test_without_a_build_line_a_missing_base_fails_with_its_declaration(own: Project) -> None:
    (own.root / "build-bases.sh").unlink()
    assert document(own, "build-bases")["images"] == []
    outcome = invoke(own.root, "build worker --json")
    assert outcome.returncode == 4, outcome.stderr
    advice = json.loads(outcome.stdout)["advice"]
    assert images.find("layerstack-test-runtime:latest") is None
    # Written as they are, the lines repair the build.
    lines = [line for line in advice.splitlines() if line.startswith("    ")]
    (own.root / "docker-bake.hcl").write_text("\n".join(lines))
    assert set(actions(document(own, "build worker"))) == {"layerstack-test-runtime", "worker"}


@pytest.mark.parametrize("shape", ["inline"], indirect=True)
def test_services_are_built_on_other_services(own: Project) -> None:
    assert {own.image(name).parents for name in ("app", "report")} == {("library",)}
    assert own.base_images == ()
    document(own, "build app report")
    library, report = images.find(own.image("library").tag), images.find(own.image("report").tag)
    assert library is not None
    assert report is not None
    assert images.is_built_on(report, library)
    assert f"secret-{os.getpid()}" not in "".join(path.read_text() for path in own.root.rglob("*") if path.is_file())


def test_what_was_built_is_fresh_until_a_file_of_a_lower_image_changes(own: Project, shape: str) -> None:
    assert set(actions(document(own, "build")).values()) == {"built"}
    assert set(actions(document(own, "build")).values()) == {"fresh"}
    lowest = {"found": "layerstack-test-runtime/packages", "inline": "library/library.mjs"}[shape]
    with (own.root / lowest).open("a") as file:
        file.write(f"// {own.root}\n")
    assert set(actions(document(own, "build")).values()) == {"built"}
    upper = {"found": "site", "inline": "app"}[shape]
    why = document(own, f"why {upper}")
    assert "parent-image" in {step["cause"]["kind"] for step in why["steps"] if step["cause"]}


def test_from_start_to_down(own: Project) -> None:
    built = invoke(own.root, "build")
    assert built.returncode == 0, built.stderr
    started = invoke(own.root, "up")
    assert started.returncode == 0, started.stderr
    verified = document(own, "verify")
    assert {service["service"] for service in verified["services"]} == set(own.services)
    assert verified["ok"] is True
    assert {service["state"] for service in document(own, "status")["services"]} <= {"healthy", "running"}
    listed = {image["image"] for image in document(own, "images")["images"]}
    assert {image.tag for image in own.images.values()} <= listed
    assert document(own, "start")["ok"] is True
    ended = invoke(own.root, "down")
    assert ended.returncode == 0, ended.stderr
    assert stack.down(own, removes_volumes=True) == ()


def test_a_rebuild_is_timed_without_a_budget_on_a_file_that_is_named(own: Project, shape: str) -> None:
    before = tree_digest(own.root)
    outcome = invoke(own.root, "time-rebuild --runs 1 --json")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    answer = json.loads(outcome.stdout)
    assert {one["service"]: one["edited"] for one in answer["rebuilds"]} == EDITED[shape]
    for one in answer["rebuilds"]:
        assert one["budget_seconds"] is None
        assert "COPY" in one["edited_reason"]
        assert re.search(rf"^{one['service']}: .*{re.escape(one['edited'])}", outcome.stderr, re.MULTILINE)
        assert (one["image_changed"], one["base_unchanged"]) == (True, True)
    assert tree_digest(own.root) == before


@pytest.mark.parametrize("shape", ["inline"], indirect=True)
def test_a_step_of_an_inline_dockerfile_has_its_cause(own: Project) -> None:
    document(own, "build")
    (own.root / "report" / "report.js").write_text(f"// {own.root}\n")
    document(own, "build report")
    [copied, ran] = document(own, "why report")["steps"]
    assert copied["cause"] == {"kind": "file-content", "detail": "report.js changed"}
    assert ran["cause"]["kind"] == "parent-step"


@pytest.mark.parametrize("shape", ["found"], indirect=True)
def test_images_on_each_other_in_a_circle_are_refused_with_the_path(own: Project) -> None:
    lower = own.root / "layerstack-test-runtime" / "Dockerfile"
    lower.write_text("FROM layerstack-test-web\n")
    outcome = invoke(own.root, "build --json")
    assert outcome.returncode == 2, outcome.stderr
    circle = ["layerstack-test-web", "layerstack-test-runtime", "layerstack-test-web"]
    assert " → ".join(circle) in json.loads(outcome.stdout)["error"]


@pytest.mark.parametrize("shape", ["inline"], indirect=True)
def test_services_on_each_other_in_a_circle_are_refused_with_the_path(own: Project) -> None:
    overlay = "services: {library: {build: {additional_contexts: {app: 'service:app'}}}}\n"
    (own.root / "docker-compose.override.yml").write_text(overlay)
    outcome = invoke(own.root, "build --json")
    assert outcome.returncode == 2, outcome.stderr
    assert "app → library → app" in json.loads(outcome.stdout)["error"]


def test_the_impact_of_a_file_reaches_the_images_above(own: Project, shape: str) -> None:
    lowest = {"found": "layerstack-test-runtime/packages", "inline": "library/library.mjs"}[shape]
    # Content that was never built before: BuildKit's cache outlives the tests.
    (own.root / lowest).write_text(f"// {own.root}\n")
    answer = document(own, f"impact {lowest}")
    assert {image["image"] for image in answer["images"]} == set(own.images)
    assert answer["seconds_estimate"] is None
    document(own, "build")
    assert document(own, f"impact {lowest}")["seconds_estimate"] > 0
