"""Which images are fresh: digests, labels and layers compared, without an engine."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest

from layerstack.build.plan import explain, layers_identity, make_plan, parent_layers
from layerstack.build.record import ImageRecord
from layerstack.build.state import ExternalImage, ImageState, StateStore
from layerstack.build.text import print_why
from layerstack.build.why import explain_image
from layerstack.dockerfile.image import Image
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.errors import UsageError
from layerstack.project.project import Project, Service
from layerstack.registry.origin import INPUTS_LABEL
from layerstack.state_folder import shared_folder

BASE, APP = "base:latest", "app:latest"


def stored(digest: str, *layers: str) -> StoredImage:
    own = hashlib.sha256(repr((digest, layers)).encode()).hexdigest()
    return StoredImage(f"sha256:{own}", (), 1, "", {INPUTS_LABEL: digest}, layers)


@dataclass
class Engine:
    """What the engine holds, by tag."""

    images: dict[str, StoredImage] = field(default_factory=dict)

    def find_all(self, references: Iterable[str]) -> dict[str, StoredImage]:
        return {one: self.images[one] for one in references if one in self.images}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    found = Engine({"system": stored("sha256:system")})
    monkeypatch.setattr(images, "find_all", found.find_all)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name, text in (("base", "FROM system\nRUN true\n"), ("app", "FROM base\nCOPY file /file\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(text)
    (tmp_path / "app/file").write_text("x")
    base = Image("base", "base", tags=(BASE,))
    app = Image("app", "app", tags=(APP,), contexts={"base": "target:base"})
    return Project(
        tmp_path, "test", "cpu", (), (), {"base": base, "app": app}, {"app": Service("app", APP, (), {"build": {}}, {})}
    )


@pytest.fixture
def store(project: Project) -> StateStore:
    return StateStore(project.root)


@pytest.fixture
def built(project: Project, engine: Engine, store: StateStore) -> Project:
    """Both images are there, built from what the files say, and recorded."""
    found = make_plan(project, ["app"], store)
    engine.images[BASE] = stored(found.of("base").manifest.digest, "l1", "l2")
    engine.images[APP] = stored(found.of("app").manifest.digest, "l1", "l2", "l3")
    parents = {"base": layers_identity(engine.images[BASE])}
    for tag, name, layers in ((BASE, "base", {}), (APP, "app", parents)):
        one = found.of(name)
        state = ImageState(
            tag=tag,
            image_id=engine.images[tag].id,
            manifest=one.manifest,
            record=ImageRecord(image=name, action="built"),
            parent_layers=layers,
            externals={
                key: ExternalImage(layers=outside.layers, config=outside.content)
                for key, outside in one.externals.items()
            },
        )
        store.write(state)
    return project


def reasons(project: Project, store: StateStore) -> dict[str, str]:
    return {one.name: one.reason for one in make_plan(project, ["app"], store).stale}


def test_nothing_there_means_everything_is_built(project: Project, engine: Engine, store: StateStore) -> None:
    assert reasons(project, store) == dict.fromkeys(("base", "app"), "the image does not exist")


def test_same_digest_and_same_layers_are_fresh(built: Project, store: StateStore) -> None:
    assert reasons(built, store) == {}


def test_a_change_below_is_a_change_above(built: Project, store: StateStore) -> None:
    (built.root / "base/Dockerfile").write_text("FROM system\nRUN false\n")
    assert reasons(built, store) == dict.fromkeys(("base", "app"), "its inputs changed")


def test_a_change_above_is_none_below(built: Project, store: StateStore) -> None:
    (built.root / "app/file").write_text("y")
    assert reasons(built, store) == {"app": "its inputs changed"}


def test_another_system_image_changes_all(built: Project, engine: Engine, store: StateStore) -> None:
    engine.images["system"] = stored("sha256:other", "another")
    assert set(reasons(built, store)) == {"base", "app"}


def test_an_image_of_another_tool_is_not_known(built: Project, engine: Engine, store: StateStore) -> None:
    engine.images[APP] = stored("sha256:foreign", "l1", "l2", "l3")
    assert list(reasons(built, store)) == ["app"]
    assert "no record" in reasons(built, store)["app"]


def test_a_base_tells_by_its_label_what_it_was_made_of(built: Project, engine: Engine, store: StateStore) -> None:
    """As on a second machine, which has the image and no record of it."""
    forget(store)
    assert list(reasons(built, store)) == ["app"]
    (built.root / "base/Dockerfile").write_text("FROM system\nRUN false\n")
    assert reasons(built, store)["base"] == "its inputs changed"


def test_a_tag_that_was_added_is_missing(built: Project, engine: Engine) -> None:
    with_two_tags = replace(built.images["app"], tags=(APP, "app:v2"))
    assert reasons(replace(built, images={**built.images, "app": with_two_tags}), StateStore(built.root)) == {
        "app": "the tag app:v2 does not exist"
    }


def test_why_names_the_service_that_was_asked_for(built: Project, capsys: pytest.CaptureFixture[str]) -> None:
    worker = Service("worker", APP, (), {}, {})
    shared = replace(built, services={**built.services, "worker": worker})
    print_why(explain_image(shared, "worker"))
    assert capsys.readouterr().out.startswith("worker, built ")


def test_what_stands_on_an_unknown_image_is_unknown_and_not_called_rebuilt(
    project: Project, engine: Engine, store: StateStore, request: pytest.FixtureRequest
) -> None:
    (project.root / "base/Dockerfile").write_text("FROM system\nRUN --mount=type=ssh,id=x true\n")
    built: Project = request.getfixturevalue("built")
    assert "type=ssh" in reasons(built, store)["base"]
    assert explain_image(built, "app").now.startswith("not known before a build: base below it: ")
    (built.root / "app/file").write_text("y")
    assert reasons(built, store)["app"] == "its inputs changed"


def forget(store: StateStore) -> None:
    for path in (shared_folder() / "images").iterdir():
        path.unlink()


def test_a_parent_with_other_layers_makes_a_child_stale(built: Project, engine: Engine, store: StateStore) -> None:
    engine.images[BASE] = stored(engine.images[BASE].labels[INPUTS_LABEL], "l1", "other")
    assert reasons(built, store) == {"app": "base was rebuilt"}


def test_a_base_that_the_image_does_not_stand_on_is_not_recorded(
    built: Project, engine: Engine, store: StateStore
) -> None:
    found = make_plan(built, ["app"], store)
    assert parent_layers(found.of("app"), engine.images, found) == {"base": layers_identity(engine.images[BASE])}
    engine.images[BASE] = stored("sha256:base", "l1", "other")
    assert parent_layers(found.of("app"), engine.images, found) == {}


def test_a_missing_parent_takes_its_children_along(built: Project, engine: Engine, store: StateStore) -> None:
    del engine.images[BASE]
    assert reasons(built, store) == {"base": "the image does not exist", "app": "base was rebuilt"}


def test_what_may_have_changed_elsewhere_is_never_called_fresh(
    built: Project, engine: Engine, store: StateStore
) -> None:
    (built.root / "app/Dockerfile").write_text("FROM base\nADD https://example.invalid/file /file\n")
    manifest = make_plan(built, ["app"], store).of("app").manifest
    state = store.of_image(engine.images[APP].id)
    assert state
    store.write(msgspec.structs.replace(state, manifest=manifest))
    assert "example.invalid" in reasons(built, store)["app"]


def test_a_system_image_that_is_gone_cannot_be_said_to_have_changed(
    built: Project, engine: Engine, store: StateStore
) -> None:
    assert reasons(built, store) == {}
    del engine.images["system"]
    assert reasons(built, store) == {}


def test_a_circle_is_refused_with_its_path(project: Project, engine: Engine, store: StateStore) -> None:
    looped = {**project.images, "base": replace(project.image("base"), contexts={"x": "target:app"})}
    with pytest.raises(UsageError, match="app → base → app"):
        make_plan(replace(project, images=looped), ["app"], store)


def test_the_explanation_holds_all_that_counts(built: Project, store: StateStore) -> None:
    manifest = make_plan(built, ["app"], store).of("app").manifest
    lines = explain(manifest)
    assert ("digest", manifest.digest) in lines
    assert any(part == "file" and value.endswith("file") for part, value in lines)
    assert any(part == "instruction" and "COPY file /file" in value for part, value in lines)
    assert any(part == "built on" and value.startswith("base = sha256:") for part, value in lines)


def test_digests_of_files_are_remembered(built: Project, store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerstack.dockerfile.file_digests.SETTLED_NS", -(10**18))
    make_plan(built, ["app"], store)

    def refuse(path: str) -> str:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr("layerstack.dockerfile.file_digests._sha256", refuse)
    assert make_plan(built, ["app"], store).stale == ()


def test_the_platform_counts(built: Project, store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/arm64")
    assert set(reasons(built, store)) == {"base", "app"}
