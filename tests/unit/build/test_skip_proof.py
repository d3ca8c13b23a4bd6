"""What an audit makes of two images, without an engine; the real one is asked in tests/docker."""

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from image_folder import ImageFolder

from layerstack import command
from layerstack.build import layer_content
from layerstack.build import skip_proof as audit
from layerstack.build.buildlog import BuildReport, Step
from layerstack.build.keep import Evidence
from layerstack.build.layer_content import ImageContent, read_content
from layerstack.build.plan import Plan, PlannedImage
from layerstack.build.record import ImageRecord
from layerstack.build.skip_proof import Audit, require_right
from layerstack.build.state import ImageState
from layerstack.command import CommandResult
from layerstack.engine.cache_records import CacheRecord
from layerstack.engine.images import StoredImage
from layerstack.errors import CheckFailed

TEXT = "FROM system\nCOPY src src\nRUN --mount=type=bind,source=src,target=/s compile\n"
COMPILE = Step("app", "", 3, 3, "RUN compile", False, 1.0, place="app/Dockerfile:3")
COPY = Step("app", "", 2, 3, "COPY src src", False, 1.0, place="app/Dockerfile:2")


@pytest.fixture
def planned(tmp_path: Path) -> PlannedImage:
    folder = ImageFolder(tmp_path).dockerfile(TEXT)
    folder.write("src/main", "x")
    manifest = folder.manifest()
    state = ImageState(
        tag="app",
        image_id="sha256:old",
        manifest=manifest,
        record=ImageRecord(image="app", action="built"),
        cache_records={COPY.place: ("copied",), COMPILE.place: ("compiled",)},
    )
    return PlannedImage(folder.image, manifest, stored("old", "l1", "l2", "l3"), state, is_fresh=True)


def stored(name: str, *layers: str) -> StoredImage:
    return StoredImage(f"sha256:{name}", (), 1, "", {}, layers)


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """Files of a layer by its id; both images have the same configuration."""
    files: dict[str, dict[str, str]] = {}

    def read(reference: str, layers: list[str]) -> ImageContent:
        found = {layer: files.get(layer, {}) for layer in layers}
        return ImageContent(found, ["ADD system", "COPY src src # buildkit", "RUN /bin/sh -c compile # buildkit"])

    monkeypatch.setattr(audit, "read_content", read)
    monkeypatch.setattr(audit, "_read_config", lambda image: {"Cmd": ["x"]})
    return files


def judge(one: PlannedImage, layers: list[str], *executed: Step, held: str = "") -> Audit:
    records = (CacheRecord(held, "regular", "", 1, False, False, ""),) if held else ()
    report = BuildReport(True, 1.0, executed)
    return audit._judge(one, stored("new", *layers), report, Evidence(Plan((one,)), records))


def test_the_same_layers_are_right(planned: PlannedImage) -> None:
    assert judge(planned, ["l1", "l2", "l3"], COMPILE).verdict == "right"


def test_another_content_of_a_copied_context_is_wrong(planned: PlannedImage, engine: dict[str, dict[str, str]]) -> None:
    engine.update({"l2": {"src/main": "x"}, "n2": {"src/main": "y"}})
    found = judge(planned, ["l1", "n2", "n3"], COPY, COMPILE)
    assert found.verdict == "wrong"
    assert "src/main" in found.detail


def test_the_same_content_with_other_times_is_an_eviction(planned: PlannedImage) -> None:
    assert judge(planned, ["l1", "n2", "n3"], COPY, COMPILE).verdict == "evicted"


def test_a_run_whose_result_is_still_held_is_wrong(planned: PlannedImage) -> None:
    assert judge(planned, ["l1", "l2", "n3"], COMPILE, held="compiled").verdict == "wrong"


def test_a_run_whose_result_is_gone_is_an_eviction(planned: PlannedImage) -> None:
    assert judge(planned, ["l1", "l2", "n3"], COMPILE, held="another").verdict == "evicted"


def test_an_eviction_needs_evidence(planned: PlannedImage) -> None:
    assert planned.last
    unseen = replace(planned, last=msgspec.structs.replace(planned.last, cache_records={}))
    assert judge(unseen, ["l1", "l2", "n3"], COMPILE).verdict == "wrong"


def test_another_number_of_layers_is_wrong(planned: PlannedImage) -> None:
    assert judge(planned, ["l1", "l2"]).verdict == "wrong"


def test_another_configuration_is_wrong(planned: PlannedImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_read_config", lambda image: {"Cmd": [image]})
    found = judge(planned, ["l1", "l2", "l3"])
    assert (found.verdict, "Cmd" in found.detail) == ("wrong", True)


def test_only_wrong_skips_fail() -> None:
    require_right([Audit("a", "right", ""), Audit("b", "evicted", "")])
    with pytest.raises(CheckFailed, match="b: because") as failure:
        require_right([Audit("a", "right", ""), Audit("b", "wrong", "because")])
    assert "audit/" in failure.value.advice


def test_layers_are_compared_without_their_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(argv: tuple[str, ...]) -> CommandResult:
        Path(argv[4]).write_bytes(archive(int(argv[5])))
        return CommandResult(argv, 0, "", "", 0.0)

    monkeypatch.setattr(command, "run", save)
    early, late = (layer_content.read_content(time, ["sha256:abc"]) for time in ("1", "2"))
    assert early == late
    assert early.history == ["COPY x x"]
    assert "x" in early.layers["sha256:abc"]


def archive(moment: int) -> bytes:
    """An image with one layer, as `docker image save` writes it."""
    layer = pack({"x": b"content"}, moment)
    history = [{"created_by": "ENV A=1", "empty_layer": True}, {"created_by": "COPY x x"}]
    return pack({"blobs/sha256/abc": layer, "blobs/sha256/def": json.dumps({"history": history}).encode()}, moment)


def pack(files: dict[str, bytes], moment: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), moment
            made.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_what_the_engine_does_not_give_out_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "run", lambda argv: CommandResult(argv, 1, "", "no such image", 0.0))
    with pytest.raises(Exception, match="no such image"):
        read_content("gone", [])
