"""The whole answer of `invoke cache`: records joined with Dockerfiles, the rest by kind, the forecast."""

from pathlib import Path

import cache_parts
import msgspec
import pytest
from cache_parts import GB, builder, record, stage

from layerstack.build.inputs import Manifest
from layerstack.build.record import ImageRecord
from layerstack.build.state import ImageState, StateStore
from layerstack.cache import cache_report
from layerstack.cache.builder import Builder
from layerstack.cache.cache_report import CacheReport
from layerstack.dockerfile.image import Image
from layerstack.engine.cache_records import CacheRecord, CacheUse
from layerstack.engine.images import StoredImage
from layerstack.project.project import Project, Service

LOW = record("low", "[stage-0 2/3] COPY tools /opt", 5 * GB, is_shared=True)
TOP = record("top", "mount / from exec /bin/sh -c install", 6 * GB, is_shared=True, parents="low")
CODE = record("code", "[stage-0 2/2] COPY src src", 7, is_shared=True, parents="top")
OLDER = record("older", "[stage-0 2/2] COPY src src", 8, parents="gone")
MOUNT = record("mount", 'cached mount /var/cache from exec /bin/sh -c x with id "/"', 9, kind="exec.cachemount")
CONTEXT = record("context", "local source for context", 1, kind="source.local")
FOREIGN = record("foreign", "mount / from exec /bin/sh -c other", 3)
RECORDS = (LOW, TOP, CODE, OLDER, MOUNT, CONTEXT, FOREIGN)


@pytest.fixture
def stack(tmp_path: Path) -> Project:
    texts = {"base": "FROM node:18\nCOPY tools /opt\nRUN install\n", "web": "FROM base\nCOPY src src\n"}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(text)
    base = Image("base", "base", tags=("base:latest",))
    web = Image("web", "web", tags=("web:latest",), contexts={"base": "target:base"})
    return Project(tmp_path, "shop", "cpu", (), (), {"base": base, "web": web}, {"web": Service("web", "web", (), {})})


def read(
    stack: Project,
    monkeypatch: pytest.MonkeyPatch,
    records: tuple[CacheRecord, ...] = RECORDS,
    found: Builder | None = None,
    tags: tuple[str, ...] = ("base:latest", "web:latest"),
) -> CacheReport:
    asked = found or builder(free=200 * GB)
    monkeypatch.setattr(cache_report, "read_builder", lambda: asked)
    monkeypatch.setattr(cache_report, "read_use", lambda _: CacheUse(records))
    stored = {tag: StoredImage(f"sha256:{tag}", (tag,), 1, "", {}, ()) for tag in tags}
    monkeypatch.setattr(cache_report.images, "find_all", lambda wanted: stored)
    return cache_report.read_report(stack)


def test_every_image_shows_its_steps_with_bytes(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    base, web = read(stack, monkeypatch).to_json()["images"]
    assert [(one["step"], one["line"], one["cached"], one["bytes"]) for one in base["steps"]] == [
        ("COPY tools /opt", 2, True, 5 * GB),
        ("RUN install", 3, True, 6 * GB),
    ]
    assert (base["base"], base["status"], base["bytes"]) == (True, "safe", 11 * GB)
    assert (web["base"], web["status"], [one["record"] for one in web["steps"]]) == (False, "safe", ["code"])
    assert "no record of its build" in base["notes"][0]


def test_the_rest_is_grouped(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {(one["kind"], one["what"]): one["bytes"] for one in read(stack, monkeypatch).to_json()["groups"]}
    assert groups[("cache mount", "/var/cache")] == 9
    assert sorted(kind for kind, _ in groups) == ["cache mount", "context", "older steps", "other steps"]
    assert sum(groups.values()) == 8 + 9 + 1 + 3


def test_the_old_fields_are_still_there(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    document = read(stack, monkeypatch).to_json()
    assert document["total_bytes"] == sum(one.size_bytes for one in RECORDS)
    assert document["reclaimable_bytes"] == 8 + 9 + 1 + 3
    assert set(document["records"][0]) >= {"id", "kind", "description", "bytes", "in_use", "shared", "last_used"}


def test_a_lost_step_makes_the_image_lost(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    base = read(stack, monkeypatch, records=(LOW,)).to_json()["images"][0]
    assert base["status"] == "lost"
    assert "RUN install" in base["detail"]


def test_an_eviction_that_a_build_found_is_shown(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = Manifest("base", "Dockerfile", "", "", (stage("s", "n", "COPY tools /opt"),), (), {}, {}, {})
    record = ImageRecord(image="base", action="built")
    tag, image_id = "base:latest", "sha256:base:latest"
    state = ImageState(tag=tag, image_id=image_id, manifest=manifest, record=record, is_cache_gone=True)
    StateStore(stack.root).write(state)
    found = read(stack, monkeypatch).images[0]
    assert found.forecast.status == "lost"
    assert "services are built on the stored image" in found.forecast.detail
    assert [step.line.text for step in found.steps] == ["tools /opt"]
    StateStore(stack.root).write(msgspec.structs.replace(state, is_cache_gone=False))
    assert read(stack, monkeypatch).images[0].forecast.status == "safe"


def test_what_was_never_built_is_not_lost(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(stack, monkeypatch, records=(), tags=())
    assert {image.forecast.status for image in found.images} == {"not-built"}
    assert not found.is_endangered


def test_a_missing_dockerfile_is_noted(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (stack.root / "base" / "Dockerfile").unlink()
    base = read(stack, monkeypatch).images[0]
    assert base.forecast.status == "unknown"
    assert "Dockerfile" in " ".join(base.notes)


def test_danger_comes_with_the_settings(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = record("huge", size=40 * GB, is_shared=True, last_used="2026-11-21T00:00:00Z")
    full = builder(free=10 * GB)
    found = read(stack, monkeypatch, records=(*RECORDS, huge), found=full)
    assert found.images[0].forecast.status == "would-drop"
    assert found.to_json()["next_gc_drops_bytes"] > 0
    said = "\n".join(found.sentences())
    assert "write into daemon.json" in said
    assert "defaultReservedSpace" in said
    assert found.to_json()["images"][0]["steps"][1]["next_gc_drops"]


def test_a_safe_cache_proposes_nothing(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "\n".join(read(stack, monkeypatch).sentences())
    assert "daemon.json" not in said
    assert "2 of 2 images stay cached" in said


def test_a_builder_in_a_container_shares_nothing(stack: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tuple(msgspec.structs.replace(one, is_shared=False) for one in (LOW, TOP, CODE))
    found = read(stack, monkeypatch, records=own, found=cache_parts.builder(driver="docker-container", free=200 * GB))
    assert [image.forecast.status for image in found.images] == ["safe", "safe"]
