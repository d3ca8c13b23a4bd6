"""What `impact` says beforehand against what the engine really executes, file by file, over stages and images."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from layers import layers
from own_engine import OwnEngine

from layerstack.build.build import build
from layerstack.build.impact import AffectedStep, Impact, find_impact
from layerstack.project.project import Project

pytestmark = pytest.mark.docker
ATTEMPTS = 3
SOURCE = Path(__file__).parent / "projects" / "mutations"
# Files whose change flows through everything that is built from them, and how many steps that is.
FLOWING = {
    "low/salt": 16,
    "app/package.json": 9,
    "app/tools/saw": 6,
    "app/tools/plane": 6,
    "app/config/a.conf": 2,
    "app/config/new/b.conf": 2,
    "app/src/one.txt": 1,
    "app/src/two.txt": 1,
    "app/src/new file.txt": 1,
    "shared/words/hello": 3,
    "shared/words/goodbye": 3,
}
UNREAD = {
    "app/src/notes.tmp": "ignored by app/.dockerignore:6 (**/*.tmp)",
    "app/README": "ignored by app/.dockerignore:1 (*)",
    "shared/unread": "in the build context of app, but no step reads it",
    "notes": "in no build context",
}


@pytest.fixture(scope="module")
def own(build_engine: OwnEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project, built once; every test changes other files of it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("impact")
        with layers(folder, patch, SOURCE) as found:
            (found.root / "low" / "salt").write_text(str(folder))
            build(found, list(found.images))
            yield found


def change(own: Project, path: str) -> None:
    """New content; a file that is not there yet is made."""
    file = own.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        stream.write(f"{uuid.uuid4().hex}\n")


def try_out(own: Project, path: str) -> tuple[Impact, set[tuple[str, str]]]:
    """What is said of a change, and (image, place) of every step that then runs.

    A build in which the engine had lost cached steps, as when somebody empties its cache meanwhile, is repeated: a
    step that runs for another reason than the change runs the next time too.
    """
    for _ in range(ATTEMPTS):
        [impact] = find_impact(own, [path])
        change(own, path)
        result = build(own, list(own.images)).to_json()
        ran = [(image["image"], step) for image in result["images"] for step in image["steps"] if not step["cached"]]
        if not any("cache-evicted" in json.dumps(step["cause"]) for _, step in ran):
            return impact, {(image, step["place"]) for image, step in ran}
    raise AssertionError(f"steps run without a cause: {ran}")


def predicted(impact: Impact) -> dict[tuple[str, str], AffectedStep]:
    return {(image.image, step.place): step for image in impact.images for step in image.steps}


@pytest.mark.parametrize("path", FLOWING)
def test_what_is_predicted_is_what_runs(own: Project, path: str) -> None:
    impact, ran = try_out(own, path)
    assert ran == set(predicted(impact))
    assert len(predicted(impact)) == FLOWING[path]
    assert impact.seconds_estimate is not None
    assert impact.seconds_estimate > 0


@pytest.mark.parametrize("path", UNREAD)
def test_a_file_that_no_step_reads_rebuilds_nothing_and_the_reason_is_named(own: Project, path: str) -> None:
    impact, ran = try_out(own, path)
    assert ran == set()
    assert impact.images == ()
    assert impact.reason == UNREAD[path]


def test_where_a_copied_result_comes_out_the_same_the_doubt_is_named(own: Project) -> None:
    impact, ran = try_out(own, "high/list")
    steps = predicted(impact)
    assert ran == {found for found, step in steps.items() if step.is_certain}
    doubtful = [step for found, step in steps.items() if found not in ran]
    assert len(doubtful) == 5
    assert doubtful[0].why == "reads from stage deps: stays cached if that part comes out the same"
    assert all(step.step.startswith("runtime COPY") for step in doubtful)


@pytest.mark.parametrize(
    ("path", "images", "word"),
    [
        ("low/Dockerfile", {"low", "high", "app"}, "Dockerfile"),
        ("app/Dockerfile", {"app"}, "Dockerfile"),
        ("app/.dockerignore", {"app"}, "ignore rules"),
        ("docker-bake.hcl", {"low", "high", "app"}, "definition"),
    ],
)
def test_a_file_that_defines_an_image_is_said_to_have_an_unknown_effect(
    own: Project, path: str, images: set[str], word: str
) -> None:
    [impact] = find_impact(own, [path])
    assert {image.image for image in impact.images} == images
    assert all(word in image.unknown for image in impact.images)
    assert impact.seconds_estimate is None
