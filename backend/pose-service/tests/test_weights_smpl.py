"""The SMPL file: made here with the layout of the real one, which nobody may pass on."""

from __future__ import annotations

import os
import pickle
import stat
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_service.weights.body_model import BodyModelError, InstalledError, convert, install
from pose_service.weights.check import check
from pose_service.weights.manifest import ASSETS

TARGETS = ("a/SMPL_NEUTRAL.pkl", "b/SMPL_NEUTRAL.pkl")


@pytest.fixture
def chumpy(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Modules of the names that the real file refers to, there only while it is written."""
    chumpy, ch, csc = (types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "scipy.sparse.csc"))
    for module, name in ((ch, "Ch"), (csc, "csc_matrix")):
        setattr(module, name, type(name, (), {"__module__": module.__name__}))
    names = ("scipy", "scipy.sparse")
    for module in (chumpy, ch, csc, *(types.ModuleType(name) for name in names if name not in sys.modules)):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return ch


def make_model(chumpy: types.ModuleType, **changes: Any) -> bytes:
    """A pickle of Python 2's protocol, with chumpy arrays and a sparse regressor."""
    chance = np.random.default_rng(1)

    def wrapped(array: Any) -> Any:
        found = chumpy.Ch()
        found.__dict__.update(x=array, _dirty_vars=set(), _status="new")
        return found

    regressor = sys.modules["scipy.sparse.csc"].csc_matrix()
    regressor.__dict__.update(
        _shape=(24, 6890),
        indptr=np.arange(6891, dtype=np.int32),
        indices=(np.arange(6890) % 24).astype(np.int32),
        data=np.full(6890, 0.5),
    )
    model = {
        "v_template": wrapped(chance.normal(size=(6890, 3))),
        "f": chance.integers(0, 6890, (13776, 3)).astype(np.uint32),
        "weights": wrapped(chance.random((6890, 24))),
        "shapedirs": wrapped(chance.normal(size=(6890, 3, 10))),
        "posedirs": wrapped(np.zeros((6890, 3, 207))),
        "J_regressor": regressor,
        "kintree_table": np.array([[4294967295, *range(23)], list(range(24))]),
        "bs_style": "lbs",
        **changes,
    }
    return pickle.dumps({key: value for key, value in model.items() if value is not None}, protocol=2)


def test_it_becomes_plain_arrays_with_the_same_numbers(chumpy: types.ModuleType) -> None:
    content = convert(make_model(chumpy))
    assert b"chumpy" not in content
    assert b"scipy" not in content
    found = pickle.loads(content)
    assert {key: value.shape for key, value in found.items()} == {
        "v_template": (6890, 3),
        "f": (13776, 3),
        "weights": (6890, 24),
        "shapedirs": (6890, 3, 10),
        "posedirs": (6890, 3, 207),
        "J_regressor": (24, 6890),
        "kintree_table": (2, 24),
    }
    assert found["v_template"][0, 0] == np.random.default_rng(1).normal(size=(6890, 3))[0, 0]
    assert found["J_regressor"][1, 25] == 0.5
    assert found["J_regressor"].sum() == 3445.0
    assert found["kintree_table"][0, 0] == 4294967295


def test_it_is_kept_in_both_places_for_its_user_only(chumpy: types.ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "download.pkl"
    file.write_bytes(make_model(chumpy))
    paths = install(file, tmp_path, TARGETS)
    assert [str(path.relative_to(tmp_path)) for path in paths] == list(TARGETS)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o440}
    with pytest.raises(InstalledError, match="--force"):
        install(file, tmp_path, TARGETS)
    install(file, tmp_path, TARGETS, is_forced=True)


def test_converting_twice_changes_nothing(chumpy: types.ModuleType) -> None:
    once = convert(make_model(chumpy))
    assert convert(once) == once


def test_a_converted_file_that_changed_is_refused(chumpy: types.ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "download.pkl"
    file.write_bytes(make_model(chumpy))
    smpl = tuple(asset for asset in ASSETS if asset.name.startswith("smpl-neutral"))
    (first, _) = install(file, tmp_path, tuple(asset.path for asset in smpl))
    assert {one.state for one in check(tmp_path, smpl)} == {"present"}
    first.chmod(0o640)
    first.write_bytes(first.read_bytes() + b"x")
    assert [one.state for one in check(tmp_path, smpl)] == ["wrong-hash", "present"]


class Harm:
    """Unpickled by the ordinary reader, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_nothing_in_the_file_is_run(chumpy: types.ModuleType, tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    with pytest.raises(BodyModelError, match=r"posix\.mkdir.*nothing of it was run"):
        convert(make_model(chumpy, bs_style=Harm(harm)))
    assert not harm.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"f": None}, "it has no f"),
        ({"v_template": np.zeros((10475, 3))}, r"v_template is float64 \(10475, 3\), not numbers \(6890, 3\)"),
        ({"shapedirs": np.zeros((6890, 3, 9))}, r"shapedirs .*\(6890, 3, 10 or more\)"),
        ({"weights": "none"}, "weights is a str, not an array"),
        ({"weights": np.full((6890, 24), np.nan)}, "weights holds numbers that are not finite"),
        ({"f": np.full((13776, 3), "x")}, "f is <U1"),
    ],
)
def test_another_model_is_refused_by_name(chumpy: types.ModuleType, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BodyModelError, match=said):
        convert(make_model(chumpy, **changes))


@pytest.mark.parametrize("content", [b"", b"SMPL", b"\x80\x02]q\x00.", pickle.dumps([1, 2])])
def test_a_file_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(BodyModelError):
        convert(content)


def test_a_truncated_file_is_refused(chumpy: types.ModuleType) -> None:
    with pytest.raises(BodyModelError, match="not a pickle"):
        convert(make_model(chumpy)[:100_000])
