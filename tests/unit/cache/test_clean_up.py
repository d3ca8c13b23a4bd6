"""What a clean-up takes, says and does."""

import tempfile
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cache_parts
import killed_owner
import pytest
from fake_docker import FakeDocker

from layerstack.cache import clean_up
from layerstack.cache.clean_up import CleanUp
from layerstack.dockerfile.image import Image
from layerstack.engine import abandoned_images, cache_records
from layerstack.engine.container import PROJECT_LABEL
from layerstack.engine.image_tree import LOOK_LABEL
from layerstack.engine.images import StoredImage
from layerstack.errors import CommandFailed
from layerstack.owner import own_mark
from layerstack.project.project import Project

OLD = (datetime.now(timezone.utc) - timedelta(hours=30)).isoformat()
RECENT = (datetime.now(timezone.utc) - timedelta(hours=2)).isoformat()


class Engine:
    """An engine with a build cache and labelled images; removed ones are gone."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.stored: list[dict[str, Any]] = []
        self.removed: list[str] = []
        self.looks: list[dict[str, Any]] = []
        self.build_cache = lambda: self.records
        self.api = SimpleNamespace(
            containers=lambda **_: self.looks, remove_container=lambda name, **_: self.removed.append(name)
        )
        self.containers = self.networks = self.volumes = SimpleNamespace(list=lambda **_: [])
        self.images = SimpleNamespace(list=self._list, remove=lambda name, **_: self.removed.append(name))

    def _list(self, filters: dict[str, str], **_: Any) -> list[Any]:
        if "reference" in filters:
            return [SimpleNamespace(attrs=one) for one in self.stored if any(map(_is_thrown_away, one["RepoTags"]))]
        key, _sign, value = filters["label"].partition("=")
        labels = [(one, one["Config"]["Labels"]) for one in self.stored]
        return [SimpleNamespace(attrs=one) for one, known in labels if key in known and value in ("", known[key])]


def _is_thrown_away(tag: str) -> bool:
    return fnmatch(tag, f"{abandoned_images.REPOSITORIES}:*")


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of temporary files of the test's own, also for processes that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    found = Engine()
    monkeypatch.setattr(clean_up.images.engine, "client", lambda: found)
    monkeypatch.setattr(cache_records, "read_disk_use", lambda kind: {kind: found.build_cache()})
    monkeypatch.setattr(clean_up.builder, "read_builder", cache_parts.builder)
    return found


@pytest.fixture
def stack(tmp_path: Path) -> Project:
    images = {"base": Image("base", ".", tags=("base:latest",)), "web": Image("web", ".", tags=("web:latest",))}
    return Project(tmp_path, "shop", "cpu", (), (), images, {})


def record(size: int, last_used: str = RECENT, **fields: Any) -> dict[str, Any]:
    return {"ID": f"r{size}", "Type": "regular", "Size": size, "LastUsedAt": last_used, **fields}


def planned(images: tuple[StoredImage, ...], is_whole: bool, size: int) -> CleanUp:
    return CleanUp(images, is_whole, size, cache_parts.builder())


def stored(name: str, project: str, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    labels = {PROJECT_LABEL: project}
    return {"Id": f"sha256:{name}", "RepoTags": list(tags), "Size": 7, "Config": {"Labels": labels}}


def test_a_plain_clean_takes_only_untagged_images_of_this_project_and_old_cache(engine: Engine, stack: Project) -> None:
    engine.stored = [stored("old", "shop"), stored("new", "shop", ("web:latest",)), stored("other", "elsewhere")]
    engine.records = [record(1), record(20, OLD), record(300, OLD, InUse=True), record(4000, OLD, Shared=True)]
    plan = clean_up.plan_clean(stack, removes_all=False)
    assert [image.id for image in plan.images] == ["sha256:old"]
    assert (plan.removes_whole_cache, plan.cache_bytes) == (False, 20)


def test_clean_all_takes_this_projects_images_and_the_whole_cache(
    engine: Engine, stack: Project, docker: FakeDocker
) -> None:
    engine.stored = [stored("old", "shop"), stored("web", "shop", ("web:latest",)), stored("other", "elsewhere")]
    engine.records = [record(1), record(20, OLD)]
    docker.holds(stored("base", "shop", ("base:latest",)), stored("web", "shop", ("web:latest",)))
    plan = clean_up.plan_clean(stack, removes_all=True)
    assert sorted(image.id for image in plan.images) == ["sha256:base", "sha256:old", "sha256:web"]
    assert (plan.removes_whole_cache, plan.cache_bytes) == (True, 21)


def test_what_another_stack_needs_stays_and_is_named(engine: Engine, stack: Project, docker: FakeDocker) -> None:
    engine.stored = [stored("web", "shop", ("web:latest",)), {**stored("api", "two"), "RootFS": {"Layers": ["a", "b"]}}]
    base = {**stored("base", "shop", ("base:latest",)), "RootFS": {"Layers": ["a"]}}
    docker.holds(base, engine.stored[0])
    docker.answers("buildx prune *")
    plan = clean_up.plan_clean(stack, removes_all=True)
    assert [image.id for image in plan.images] == ["sha256:web"]
    (kept,) = plan.kept
    assert "base:latest" in kept
    assert "two" in kept
    assert kept in clean_up.clean(plan)


def test_what_will_be_lost_is_named() -> None:
    tagged = StoredImage("sha256:1", ("web:latest", "web:1"), 5_000_000, "", {}, ())
    untagged = StoredImage("sha256:0123456789abcdef", (), 1_000_000, "", {}, ())
    whole = " ".join(planned((tagged, untagged), True, 2_000_000_000).sentences())
    for word in ("web:latest", "web:1", "0123456789ab", "5 MB", "2.00 GB", "all projects"):
        assert word in whole
    assert "whole" not in " ".join(planned((), False, 10_000_000).sentences())


@pytest.mark.parametrize(
    ("plan", "is_empty"),
    [
        (planned((), False, 0), True),
        (planned((), False, 1), False),
        (planned((StoredImage("", (), 0, "", {}, ()),), False, 0), False),
    ],
)
def test_an_empty_plan_says_so(plan: CleanUp, is_empty: bool) -> None:
    assert plan.is_empty is is_empty


@pytest.mark.parametrize(("is_whole", "scope"), [(True, "--all"), (False, "--filter unused-for=24h")])
def test_cleaning_removes_what_the_plan_names(
    engine: Engine, stack: Project, docker: FakeDocker, is_whole: bool, scope: str
) -> None:
    engine.records = [record(5_000_000)]
    docker.holds()
    docker.answers("buildx prune *")
    kept = StoredImage("sha256:t", ("web:latest",), 5, "", {}, ())
    plan = planned((kept, StoredImage("sha256:u", (), 5, "", {}, ())), is_whole, 1)
    said = clean_up.clean(plan)
    assert engine.removed == ["web:latest", "sha256:u"]
    assert f"buildx prune --force {scope}" in docker.calls
    assert "removed 2 images" in said


def test_an_image_that_a_container_holds_is_reported(engine: Engine, stack: Project, docker: FakeDocker) -> None:
    docker.holds(stored("t", "shop", ("web:latest",)))
    docker.answers("buildx prune *")
    said = clean_up.clean(planned((StoredImage("sha256:t", ("web:latest",), 5, "", {}, ()),), False, 1))
    assert "removed 0 images" in said
    assert "1 still in use" in said


def test_a_prune_that_fails_is_an_error(engine: Engine, stack: Project, docker: FakeDocker) -> None:
    docker.answers("buildx prune *", stderr="a prune operation is already running", exit_code=1)
    with pytest.raises(CommandFailed, match="already running"):
        clean_up.clean(planned((), True, 1))


def test_old_cache_that_newer_cache_is_built_on_is_not_promised(engine: Engine, stack: Project) -> None:
    engine.records = [record(1, OLD), record(2, RECENT, Parents=["r1"])]
    assert clean_up.plan_clean(stack, removes_all=False).is_empty


def test_what_killed_tasks_left_is_named_and_removed_and_what_others_use_is_not(
    engine: Engine, stack: Project, docker: FakeDocker
) -> None:
    docker.answers("buildx prune *")
    folder = Path(killed_owner.killed(killed_owner.FOLDER))
    dead, alive = killed_owner.killed(), own_mark()
    tags = {mark: f"layerstack-audit/web:{mark}-1" for mark in (dead, alive)}
    engine.stored = [stored(f"{mark}", "elsewhere", (tag,)) for mark, tag in tags.items()]
    engine.looks = [{"Id": f"look {mark}", "Labels": {LOOK_LABEL: mark}} for mark in (dead, alive)]
    assert folder.is_dir()
    plan = clean_up.plan_clean(stack, removes_all=False)
    assert plan.leftovers.names == (str(folder), tags[dead], f"look {dead}")
    assert not plan.is_empty
    assert len(plan.sentences()) == 3
    clean_up.clean(plan)
    assert engine.removed == [f"look {dead}", tags[dead]]
    assert not folder.exists()
