"""What changed since an image was built: told apart by what a container sees, installs and compiles."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from image_folder import ImageFolder

from layerstack.build.inputs import Manifest
from layerstack.build.plan import Plan, PlannedImage
from layerstack.build.record import ImageRecord
from layerstack.build.state import ImageState
from layerstack.engine.images import StoredImage
from layerstack.registry.origin import INPUTS_LABEL
from layerstack.status.image_staleness import ImageStaleness
from layerstack.status.input_changes import is_dependency_file
from layerstack.status.mounted_files import BindMount
from layerstack.status.staleness import Stale

DOCKERFILE = """FROM system AS deps
WORKDIR /app
COPY package.json ./
RUN npm ci
FROM deps AS page
COPY page page
RUN npm run build
FROM deps
COPY src src
RUN node --check src/server.js
COPY --from=page /app/dist dist
CMD ["node", "src/server.js"]
"""
OLD = "2000-01-01T00:00:00Z"


@dataclass
class Built:
    """An image as it was built from a folder, and the folder since."""

    folder: ImageFolder
    manifest: Manifest
    is_recorded: bool = True
    is_foreign: bool = False
    created: str = OLD

    def staleness(self, *mounted: str) -> ImageStaleness:
        """For a container with these mounts."""
        labels = {} if self.is_foreign else {INPUTS_LABEL: self.manifest.digest}
        stored = StoredImage("sha256:1", ("app",), 1, self.created, labels, ("a",))
        record = ImageRecord(image="app", action="built")
        state = ImageState(tag="app", image_id=stored.id, manifest=self.manifest, record=record)
        last = state if self.is_recorded else None
        one = PlannedImage(self.folder.image, self.folder.manifest(), stored, last, is_base=True)
        binds = [BindMount(self.folder.root / "app" / name, f"/app/{name}") for name in mounted]
        return ImageStaleness(one, Plan((one,)), self.folder.root, binds)

    def stale(self, *mounted: str) -> list[Stale]:
        return self.staleness(*mounted).find()

    def kinds(self, *mounted: str) -> list[tuple[str, bool]]:
        return [(one.kind, one.is_certain) for one in self.stale(*mounted)]


@pytest.fixture
def built(tmp_path: Path) -> Built:
    own = ImageFolder(tmp_path).dockerfile(DOCKERFILE)
    for name in ("package.json", "src/server.js", "page/index.html"):
        own.write(name, "one\n")
    return Built(own, own.manifest())


def test_nothing_changed(built: Built) -> None:
    built.folder.write("src/server.js", "one\n")
    assert built.kinds() == []
    assert built.staleness().notes("") == []


def test_a_changed_source_is_named_from_the_root(built: Built) -> None:
    built.folder.write("src/server.js", "two\n")
    (found,) = built.stale()
    assert (found.kind, found.is_certain) == ("source-changed", True)
    assert "app/src/server.js" in found.detail


def test_a_source_that_the_container_sees_is_a_note_only(built: Built) -> None:
    built.folder.write("src/server.js", "two\n")
    built.folder.write("src/new.js", "two\n")
    assert built.kinds("src") == []
    (note,) = built.staleness("src").notes("")
    assert "app/src/new.js" in note


def test_a_container_of_what_is_here_is_warned_of_a_tag_that_is_not(built: Built) -> None:
    built.folder.write("src/server.js", "two\n")
    (note,) = built.staleness().notes(built.folder.digest)
    assert "invoke build app" in note
    assert built.staleness().notes(built.manifest.digest) == []


def test_packages_are_installed_from_a_mounted_file_while_the_image_is_built(built: Built) -> None:
    built.folder.write("package.json", "two\n")
    assert built.kinds("package.json") == [("dependencies-changed", True)]
    assert built.kinds() == [("source-changed", True)]


def test_what_a_step_makes_of_a_mounted_file_may_be_old(built: Built) -> None:
    built.folder.write("page/index.html", "two\n")
    assert built.kinds("page") == [("source-changed", False)]


def test_a_changed_instruction_is_quoted(built: Built) -> None:
    built.folder.dockerfile(DOCKERFILE.replace("npm ci", "npm ci --omit=dev"))
    (found,) = built.stale("src")
    assert found.kind == "recipe-changed"
    assert "now `RUN npm ci --omit=dev`" in found.detail
    assert "no longer `RUN npm ci`" in found.detail


def test_another_system_image_is_a_reason(built: Built) -> None:
    built.folder.ids = {"system": "sha256:two"}
    assert built.kinds("src", "page", "package.json") == [("system-image-changed", True)]


def test_a_system_image_that_is_gone_is_no_reason(built: Built) -> None:
    built.folder.ids = {}
    assert built.kinds() == []


def test_without_a_record_it_is_certain_only_where_nothing_is_mounted(built: Built) -> None:
    built.folder.write("src/server.js", "two\n")
    built.is_recorded = False
    assert built.kinds() == [("source-changed", True)]
    assert built.kinds("src") == [("source-changed", False)]


def test_an_image_without_a_label_is_compared_by_time(built: Built) -> None:
    built.is_foreign, built.is_recorded = True, False
    assert built.kinds() == [("source-changed", False)]
    assert built.staleness().unknown()
    assert built.kinds("src", "page", "package.json") == []
    built.created = "2999-01-01T00:00:00Z"
    assert built.kinds() == []


@pytest.mark.parametrize(
    "name",
    ["package.json", "a/b/package-lock.json", "requirements-dev.txt", "pyproject.toml", "go.sum", "Gemfile.lock"],
)
def test_files_that_packages_are_installed_from(name: str) -> None:
    assert is_dependency_file(name)


@pytest.mark.parametrize("name", ["my-package.json", "notes.txt", "src/pyproject.toml.bak", "lock"])
def test_files_that_are_just_files(name: str) -> None:
    assert not is_dependency_file(name)
