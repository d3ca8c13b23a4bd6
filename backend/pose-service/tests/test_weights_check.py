"""What is there, what is missing, and what the service says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pose_service.contract.engine import EngineUnavailableError
from pose_service.web.routes.health import describe_missing
from pose_service.weights import ledger
from pose_service.weights.__main__ import main
from pose_service.weights.asset import Asset
from pose_service.weights.check import MissingWeightsError, check, require
from pose_service.weights.ledger import Ledger
from pose_service.weights.manifest import ASSETS, USES, assets_for

HASH_OF_AB = "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603"


def asset(sha256: str | None = None) -> Asset:
    return Asset("model", "zoo/model.bin", ("hmr2",), 2, "MIT", "fetch it", sha256=sha256)


def put(folder: Path, content: bytes) -> Path:
    path = folder / "zoo/model.bin"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_every_file_has_one_name_one_place_and_a_way() -> None:
    assert len({one.name for one in ASSETS}) == len({one.path for one in ASSETS}) == len(ASSETS)
    assert all(one.how_to_get and one.licence and set(one.uses) <= set(USES) for one in ASSETS)


def test_the_licensed_model_is_never_fetched() -> None:
    assert {one.name for one in ASSETS if one.url is None} == {"smpl-neutral", "smpl-neutral-phalp"}


def test_a_use_that_lacks_files_names_them(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"hmr2-checkpoint \(missing\)") as caught:
        require(tmp_path, "hmr2")
    assert isinstance(caught.value, EngineUnavailableError)
    assert {one.asset.name for one in caught.value.findings} == {one.name for one in assets_for("hmr2")}


@pytest.mark.parametrize(
    ("content", "sha256", "state"),
    [
        (b"a", None, "too-small"),
        (b"ab", None, "present"),
        (b"ab", HASH_OF_AB, "present"),
        (b"ac", HASH_OF_AB, "wrong-hash"),
    ],
)
def test_states(tmp_path: Path, content: bytes, sha256: str | None, state: str) -> None:
    put(tmp_path, content)
    assert [one.state for one in check(tmp_path, (asset(sha256),))] == [state]


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    real = ledger.hash_file
    monkeypatch.setattr(ledger, "hash_file", lambda path: read.append(path) or real(path))
    put(tmp_path, b"ab")
    for _ in range(3):
        assert check(tmp_path, (asset(HASH_OF_AB),))[0].is_good
    assert len(read) == 1
    put(tmp_path, b"ac")
    assert not check(tmp_path, (asset(HASH_OF_AB),))[0].is_good
    assert len(read) == 2


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"zoo/model.bin": 3}'])
def test_a_damaged_ledger_is_an_empty_one(tmp_path: Path, content: str) -> None:
    path = put(tmp_path, b"ab")
    (tmp_path / ledger.NAME).write_text(content)
    assert Ledger(tmp_path).accepted(path) is None
    assert Ledger(tmp_path).sha256(path) == HASH_OF_AB


def test_list_tells_and_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json", "--folder", str(tmp_path)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert {one["state"] for one in found["files"]} == {"missing"}
    assert main(["--folder", str(tmp_path)]) == 1
    assert "hmr2: lacks 6 files" in capsys.readouterr().out


def test_a_licensed_file_cannot_be_fetched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "smpl-neutral", "--folder", str(tmp_path)]) == 2
    assert "register" in capsys.readouterr().out


def test_a_file_that_is_no_model_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.pkl"
    wrong.write_bytes(b"no pickle")
    assert main(["smpl", str(wrong), "--folder", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "not a pickle" in said.out
    assert "non-commercial" in said.err
    assert main(["smpl", str(tmp_path / "none"), "--folder", str(tmp_path)]) == 1


def test_health_lists_what_is_missing(tmp_path: Path) -> None:
    found = describe_missing(tmp_path)
    assert [one["name"] for one in found] == [one.name for one in assets_for("hmr2")]
    assert all(one["how_to_get"] and one["state"] == "missing" for one in found)
